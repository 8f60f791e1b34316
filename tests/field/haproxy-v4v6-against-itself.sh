# report: shadowsocks/shadowsocks-libev#231
# situation: One haproxy binds 0.0.0.0 and then [::] for both families.
# needs: haproxy ss
# cause: own-socket
# holder: haproxy
# relation: none
# first: v6-only
# never: stop-holder other-port
# says: [::] without IPV6_V6ONLY
# ci: yes
conf() {
    printf '%s\n' defaults ' mode tcp' ' timeout connect 1s' ' timeout client 1s' ' timeout server 1s' \
        'frontend f' ' bind 0.0.0.0:8388' " bind :::8388 $1" >haproxy.cfg
}
refused() { conf v4v6; haproxy -db -f haproxy.cfg; }
fixed() { conf v6only; starts 8388 haproxy -db -f haproxy.cfg; }
