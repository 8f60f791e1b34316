# report: FezVrasta/ha-rbac#27
# situation: One process closes its listener, keeps an accepted connection, and binds the port again.
# needs: python3
# cause: own-socket
# holder: python
# relation: none
# first: reuse-address-both
# never: close-first other-port stop-holder
# says: accepted before
# ci: yes
cat >own.py <<'P'
import socket, sys, time
def listener():
    s = socket.socket()
    if len(sys.argv) > 1: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', 8426)); s.listen(); return s
l = listener(); c = socket.create_connection(('127.0.0.1', 8426)); a, _ = l.accept(); l.close()
l = listener(); time.sleep(60)
P
refused() { python3 own.py; }
fixed() { starts 8426 python3 own.py reuse; }
