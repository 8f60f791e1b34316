# report: nginx/unit#77
# situation: The init script looks at another pid file than the daemon: stop succeeds, and start is refused.
# needs: nginx ss
# cause: same-program
# holder: nginx
# relation: none
# first: other-port
# ci: yes
conf() { printf 'pid %s/unit.pid; error_log stderr; events {} http { access_log off; server { listen %s; } }' "$W" "$1" >n.conf; }
holder() { conf 8353; nginx -c "$W/n.conf"; up 8353; }
refused() { nginx -c "$W/n.conf"; }
fixed() { conf 8354; nginx -c "$W/n.conf"; up 8354; }
