# report: haproxy/haproxy#1883
# situation: haproxy sets SO_REUSEPORT, and netcat of another user listens on the port.
# needs: haproxy nc setpriv ss
# cause: listener
# holder: nc
# relation: none
# first: other-port
# never: reuse-port reuse-port-both same-user
# says: another program is listening
# ci: yes
conf() {
    printf '%s\n' defaults ' mode http' ' timeout connect 1s' ' timeout client 1s' ' timeout server 1s' \
        'frontend web' " bind 127.0.0.1:$1" >haproxy.cfg
}
holder() { setpriv --reuid=1000 --regid=1000 --clear-groups nc -l 127.0.0.1 8408 & up 8408; }
refused() { conf 8408; haproxy -db -f haproxy.cfg; }
fixed() { conf 8409; starts 8409 haproxy -db -f haproxy.cfg; }
