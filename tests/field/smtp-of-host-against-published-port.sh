# report: mailcow/mailcow-dockerized#63
# situation: The host's mail server has 127.0.0.1:25, and a container publishes 0.0.0.0:25.
# needs: python3 perl ip ss
# cause: wildcard
# holder: perl
# relation: none
# first: own-address
# never: other-port reuse-address v6-only
# says: 0.0.0.0 covers every address
# ci: yes
holder() { perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 25, Listen => 5) or die $!; sleep 60' & up 25; }
T='import socket, sys, time; s = socket.create_server((sys.argv[1], 25)); time.sleep(60)'
refused() { python3 -c "$T" 0.0.0.0; }
fixed() { address 10.5.0.1/24; starts 25 python3 -c "$T" 10.5.0.1; }
