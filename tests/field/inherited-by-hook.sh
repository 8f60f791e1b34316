# report: mikebrady/shairport-sync#329
# situation: A hook of a daemon, a shell with sleep, inherited the daemon's listener.
# needs: perl ss
# cause: inherited
# holder: sh
# relation: none
# first: close-on-exec
# never: reuse-address
# ci: yes
cat >s.pl <<'P'
use Socket; $^F = $ENV{CLOEXEC} ? 2 : 99;
socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
bind(S, sockaddr_in(5100, INADDR_ANY)) or die "unable to listen on port 5100: $!\n"; listen(S, 5);
if ($ARGV[0]) { unless (fork) { exec '/bin/sh', '-c', 'sleep 60; echo amp off' } sleep 1; exit }
sleep 60;
P
refused() { perl s.pl hook; perl s.pl; }
fixed() {
    kill $(pid_of 5100) && down 5100 || return
    CLOEXEC=1 perl s.pl hook && starts 5100 perl s.pl
}
