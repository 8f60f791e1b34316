# report: daokoder/dao-modules#51
# situation: A process has bound the port and never listens: ss and netstat do not show it.
# needs: python3 perl
# cause: bound-not-listening
# holder: perl
# relation: none
# first: other-port
# says: does not listen
# ci: yes
holder() { perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(8069, INADDR_LOOPBACK)) or die; open(F, ">bound"); sleep 60' & until_true has_file bound; }
T='import socket, sys, time; s = socket.create_server(("127.0.0.1", int(sys.argv[1]))); time.sleep(60)'
refused() { python3 -c "$T" 8069; }
fixed() { starts 8070 python3 -c "$T" 8070; }
