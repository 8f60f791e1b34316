# report: tmds/Tmds.MDns#28 grandcat/zeroconf#63
# situation: Two programs share the port of mDNS; the first one sets no option, the second one reuseaddr.
# needs: perl python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: reuse-address-other
# never: other-port
# says: receives there
# ci: yes
mdns_programs
holder() { perl mdns.pl none & up 5353; }
refused() { python3 mdns.py reuseaddr; }
fixed() {
    kill $(pid_of 5353) && down 5353 && starts 5353 perl mdns.pl none reuseaddr && starts 5353 python3 mdns.py reuseaddr
}
