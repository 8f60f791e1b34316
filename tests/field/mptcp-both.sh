# report: –
# situation: The holder's socket is mptcp, and the caller's is mptcp, too: both share the ports of TCP.
# needs: python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: other-port
# says: another program is listening
# ci: yes
cat >listener.py <<'P'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[1]))
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', int(sys.argv[2]))); s.listen(); time.sleep(60)
P
cat >listener.pl <<'P'
use Socket; socket(S, PF_INET, SOCK_STREAM, $ARGV[0]) or die; setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
bind(S, sockaddr_in(8417, INADDR_LOOPBACK)) or die $!; listen(S, 5); sleep 60;
P
holder() { perl listener.pl 262 & up 8417; }
refused() { python3 listener.py 262 8417; }
fixed() { starts 8418 python3 listener.py 262 8418; }
