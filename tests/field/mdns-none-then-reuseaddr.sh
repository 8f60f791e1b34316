# report: tmds/Tmds.MDns#28 grandcat/zeroconf#63
# situation: Two programs share the port of mDNS; the first one sets no option, the second one reuseaddr.
# needs: perl python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: reuse-address-other
# never: other-port
# says: receives there
# ci: yes
cat >mdns.py <<'P'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for name in sys.argv[1:]:
    if name != 'none': s.setsockopt(socket.SOL_SOCKET, {'reuseaddr': 2, 'reuseport': 15}[name], 1)
s.bind(('0.0.0.0', 5353)); print('ok', flush=True); time.sleep(60)
P
cat >mdns.pl <<'P'
use Socket; socket(S, PF_INET, SOCK_DGRAM, 0);
for (@ARGV) { setsockopt(S, SOL_SOCKET, {reuseaddr => 2, reuseport => 15}->{$_}, 1) if $_ ne 'none' }
bind(S, sockaddr_in(5353, INADDR_ANY)) or die $!; sleep 60;
P
holder() { perl mdns.pl none & up 5353; }
refused() { python3 mdns.py reuseaddr; }
fixed() {
    kill $(pid_of 5353) && down 5353 && starts 5353 perl mdns.pl none reuseaddr && starts 5353 python3 mdns.py reuseaddr
}
