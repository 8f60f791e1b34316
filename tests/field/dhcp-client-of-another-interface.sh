# report: nettools/n-dhcp4#12
# situation: A DHCP client has port 68 on one interface without SO_REUSEADDR, and another client wants it on all.
# needs: python3 perl ip ss
# cause: listener
# holder: perl
# relation: none
# first: reuse-address-other
# never: other-port v6-only
# ci: yes
cat >n.pl <<'P'
use Socket; socket(S, PF_INET, SOCK_DGRAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1) if $ARGV[0];
setsockopt(S, SOL_SOCKET, 25, "lo"); bind(S, sockaddr_in(68, INADDR_ANY)) or die $!; sleep 60;
P
T='import socket, time; s = socket.socket(2, 2); s.setsockopt(1, 2, 1); s.bind(("0.0.0.0", 68)); time.sleep(60)'
holder() { perl n.pl & up 68; }
refused() { python3 -c "$T"; }
fixed() { kill $(pid_of 68) && down 68 && { perl n.pl reuse & up 68; } && starts 68 python3 -c "$T"; }
