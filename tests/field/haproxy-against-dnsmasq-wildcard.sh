# report: apache/cloudstack#10733
# situation: haproxy asks for one address on port 53, and dnsmasq has the wildcard address.
# needs: haproxy dnsmasq ip ss
# cause: wildcard
# holder: dnsmasq
# relation: none
# first: own-address-other
# never: other-port reuse-address
# says: 0.0.0.0 covers every address
# ci: yes
D="dnsmasq -C /dev/null --no-daemon --no-resolv --user=root --pid-file="
printf '%s\n' defaults ' mode tcp' ' timeout connect 1s' ' timeout client 1s' ' timeout server 1s' \
    'listen dns' ' bind 10.0.53.2:53' ' server a 127.0.0.1:9' >haproxy.cfg
holder() { address 10.0.53.2/24; $D --interface=lo & up 53; }
refused() { haproxy -db -f haproxy.cfg; }
fixed() {
    kill $(pid_of 53) && down 53 && starts 53 $D --bind-interfaces --listen-address=127.0.0.1 &&
        starts 53 haproxy -db -f haproxy.cfg
}
