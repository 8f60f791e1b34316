# report: pi-hole/pi-hole#6646
# situation: dnsmasq asks for the wildcard address on port 53, and libvirt's dnsmasq has its bridge's address there.
# needs: dnsmasq ip ss
# cause: same-program
# holder: dnsmasq
# relation: none
# first: own-address
# never: other-port
# says: 0.0.0.0 covers every address of this host
# ci: yes
D="dnsmasq -C /dev/null --no-resolv --user=root --no-daemon --pid-file="
holder() { address 192.168.122.1/24; $D --listen-address=192.168.122.1 --bind-interfaces & up 53; }
refused() { $D --interface=lo --except-interface=virbr0; }
fixed() { starts 53 $D --bind-interfaces --listen-address=127.0.0.1; }
