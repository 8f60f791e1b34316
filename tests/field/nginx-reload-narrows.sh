# report: nginx/nginx#220
# situation: nginx is reloaded with `listen 127.0.0.1:8380` in place of `listen 8380`: its master still has the old listener.
# needs: nginx ss
# cause: own-socket
# holder: nginx
# relation: none
# first: restart
# never: stop-holder other-port
# ci: yes
conf() { printf 'daemon off; error_log %s/n.log; pid %s/pid; events {} http { access_log off; server { listen %s; } }' "$W" "$W" "$1" >n.conf; }
refused() {
    conf 8380; nginx -c "$W/n.conf" & local master=$!
    up 8380; until_true has_file pid
    conf 127.0.0.1:8380; nginx -c "$W/n.conf" -s reload
    until_true says 'bind\(\) to 127.0.0.1:8380 failed' n.log; kill $master; wait $master
}
fixed() { starts 8380 nginx -c "$W/n.conf"; }
