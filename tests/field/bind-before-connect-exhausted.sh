# report: shadowsocks/shadowsocks-libev#2930
# situation: A proxy binds its source address with port 0 before each connect, until the range is exhausted.
# needs: socat python3 ip sysctl ss
# cause: port-range-exhausted
# holder: none
# relation: none
# first: widen-range
# never: other-port stop-holder
# ci: yes
cat >proxy.py <<'P'
import socket, time
kept = []
for i in range(30):
    s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(('10.7.0.1', 0)); s.connect(('127.0.0.1', 1088)); kept.append(s)
open('connected', 'w').close(); time.sleep(60)
P
holder() {
    address 10.7.0.1/24; sysctl -qw net.ipv4.ip_local_port_range='40000 40019'
    socat TCP-LISTEN:1088,fork,reuseaddr,bind=127.0.0.1 EXEC:'sleep 60' & up 1088
}
refused() { python3 proxy.py; }
fixed() { remedy && { python3 proxy.py & until_true has_file connected; }; }
