# report: gitlabhq/gitlabhq#8386 XTLS/Xray-examples#69
# situation: One nginx has `listen 80` and `listen [::]:80 ipv6only=off`.
# needs: nginx ss
# cause: own-socket
# holder: nginx
# relation: none
# first: v6-only
# never: stop-holder other-port reuse-port reuse-port-both
# says: [::] without IPV6_V6ONLY
# ci: yes
conf() {
    cat >nginx.conf <<C
daemon off; pid $W/pid; error_log stderr; events {}
http { access_log off; server { listen 8480; listen [::]:8480 ipv6only=$1; return 200 ok; } }
C
}
refused() { conf off; nginx -p "$W" -c "$W/nginx.conf"; }
fixed() { conf on; starts 8480 nginx -p "$W" -c "$W/nginx.conf"; }
