# report: –
# situation: PostgreSQL, with a client that stays connected, has the port that nginx wants.
# needs: /usr/lib/postgresql/15/bin/postgres psql nginx su ss
# cause: listener
# holder: postgres
# relation: none
# first: stop-holder
# never: other-port
# ci: by hand
B=/usr/lib/postgresql/15/bin
holder() {
    chmod 755 "$W"; mkdir a; chown nobody a; echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    su -s /bin/sh nobody -c "$B/initdb -D $W/a/data -A trust >/dev/null"
    su -s /bin/sh nobody -c "exec $B/postgres -D $W/a/data -k $W/a -p 443" & up 443
    mkfifo queries; psql -h 127.0.0.1 -p 443 -U nobody postgres <queries >client.log & exec 9>queries
    echo 'SELECT 1 AS connected;' >&9; until_true says connected client.log
}
serve() {
    printf 'daemon off; error_log stderr; pid %s/n.pid; events {} http { access_log off; server { listen 127.0.0.1:443; } }' "$W" >n.conf
    nginx -c "$W/n.conf"
}
refused() { serve; }
is_silent() { ! listens 443; }
# The connection of the client that was disconnected stays in FIN-WAIT-2.
fixed() { remedy && until_true is_silent && starts 443 serve; }
