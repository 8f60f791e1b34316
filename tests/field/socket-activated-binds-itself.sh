# report: knxd/knxd#103
# situation: A service gets its socket from systemd and binds the port by itself as well.
# needs: systemd-socket-activate nc python3 ss
# cause: own-socket
# holder: python
# relation: none
# first: use-passed-socket
# never: stop-holder other-port
# ci: yes
cat >activated.py <<'P'
import socket
s = socket.socket(fileno=3); c, _ = s.accept(); open('served', 'w').close()
import time; time.sleep(60)
P
activate() { systemd-socket-activate -l 6720 python3 "$@" & up 6720; nc -w1 127.0.0.1 6720 </dev/null; }
refused() { activate -m http.server 6720; wait; }
fixed() { activate activated.py; until_true has_file served; }
