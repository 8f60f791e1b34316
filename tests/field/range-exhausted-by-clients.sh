# report: golang/go#16691
# situation: A server asks for any port while clients use the whole range.
# needs: python3 sysctl ss
# cause: port-range-exhausted
# holder: none
# relation: none
# first: widen-range
# never: other-port stop-holder
# says: none was left in the range
# ci: yes
cat >clients.py <<'P'
import socket, time
l = socket.socket(); l.bind(('127.0.0.1', 9000)); l.listen(50)
kept = []
for _ in range(12):
    try: kept.append(socket.create_connection(('127.0.0.1', 9000)))
    except OSError: break
open('full', 'w').close(); time.sleep(60)
P
holder() {
    sysctl -qw net.ipv4.ip_local_port_range='42000 42009'
    python3 clients.py & until_true has_file full
}
T='import socket, sys, time; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print("up", flush=True); time.sleep(60)'
refused() { python3 -c "$T"; }
fixed() { remedy && { python3 -c "$T" >up.log & until_true says up up.log; }; }
