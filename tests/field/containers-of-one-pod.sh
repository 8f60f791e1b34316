# report: kubernetes/kubernetes#36348
# situation: Two containers of one pod share the network and have pids of their own; both want port 80.
# needs: nginx unshare ss
# cause: same-program
# holder: nginx
# relation: none
# first: stop-holder
# never: other-port
# ci: by hand
conf() { printf 'daemon off; error_log stderr; pid %s/n.pid; events {} http { access_log off; server { listen %s; } }' "$W" "$1" >n.conf; }
inside() { unshare -p -f -m --kill-child --mount-proc nginx -c "$W/n.conf"; }
holder() { conf 80; inside & up 80; }
refused() { inside; }
fixed() { remedy && down 80 && starts 80 inside; }
