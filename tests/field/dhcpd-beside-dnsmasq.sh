# report: giner/helplinux#1
# situation: dhcpd wants the DHCP port that dnsmasq has on an interface of the same network.
# needs: dhcpd dnsmasq ip ss
# cause: listener
# holder: dnsmasq
# relation: none
# first: stop-holder
# never: other-port v6-only
# ci: by hand
D="dnsmasq -C /dev/null --user=root --no-daemon --port=0 --interface=v0 --dhcp-range=10.9.0.10,10.9.0.20 --pid-file="
holder() {
    ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && ip address add 10.9.0.1/24 dev v0
    $D --dhcp-leasefile="$W/dnsmasq.leases" & up 67
}
serve() {
    printf 'subnet 10.9.0.0 netmask 255.255.255.0 { range 10.9.0.30 10.9.0.40; }\n' >dhcpd.conf
    touch leases
    dhcpd -d -f -cf dhcpd.conf -lf leases -pf "$W/dhcpd.pid" v0
}
refused() { serve; }
fixed() { remedy && down 67 && starts 67 serve; }
