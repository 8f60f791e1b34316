# report: yrutschle/sslh#64
# situation: A transparent proxy binds the address of its client, which runs on the same machine.
# needs: python3 nc ss
# cause: outgoing
# holder: nc
# relation: sibling
# first: none
# never: reserve-port stop-holder other-port reuse-address wait
# wrong: the proxy binds the port of each client, so that neither a reserved nor another port helps
# ci: yes
cat >sslh.py <<'P'
import socket
l = socket.create_server(('127.0.0.1', 8443)); open('up', 'w').close()
c, peer = l.accept(); s = socket.socket(); s.setsockopt(0, 19, 1); s.setsockopt(1, 2, 1)
s.bind(peer)
P
holder() { python3 -m http.server 4443 --bind 127.0.0.1 & up 4443; }
refused() { python3 sslh.py & local proxy=$!; up 8443; nc -d 127.0.0.1 8443; wait $proxy; }
