# report: haproxy/haproxy#1883
# situation: haproxy runs as one user, and a second one is started as another user: SO_REUSEPORT joins sockets of one user.
# needs: haproxy setpriv ss
# cause: reuseport-mismatch
# holder: haproxy
# relation: earlier-run
# first: same-user
# says: different users
# ci: yes
printf '%s\n' defaults ' mode http' ' timeout connect 1s' ' timeout client 1s' ' timeout server 1s' \
    'frontend web' ' bind 127.0.0.1:8408' >haproxy.cfg
chmod 755 "$W"
U="setpriv --reuid=1000 --regid=1000 --clear-groups"
holder() { $U haproxy -db -f haproxy.cfg & up 8408; }
refused() { haproxy -db -f haproxy.cfg; }
fixed() { starts 8408 $U haproxy -db -f haproxy.cfg; }
