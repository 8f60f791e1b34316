# report: ClusterLabs/pcs#104
# situation: A daemon restarts itself from a forked child, which still has the daemon's listener.
# needs: ruby ss
# cause: inherited
# holder: ruby
# relation: ancestor
# first: other-port
# never: stop-holder close-on-exec
# ci: by hand
cat >s.rb <<'P'
require 'socket'
begin; s = TCPServer.new('0.0.0.0', (ENV['P'] || 2224).to_i); rescue => e; warn "#{e.class}: #{e.message}"; exit 1; end
exit!(0) if ARGV[0] == 'restart' && fork
if ARGV[0] == 'restart' then sleep 0.5; system('ruby', $0, 'again'); sleep 2 else sleep 60 end
P
refused() { ruby s.rb restart; until_true is_free 2224; }
fixed() { P=2225 starts 2225 ruby s.rb again; }
