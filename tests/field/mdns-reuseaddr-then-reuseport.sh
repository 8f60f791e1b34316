# report: tmds/Tmds.MDns#28 grandcat/zeroconf#63
# situation: Two programs share the port of mDNS; the first one sets reuseaddr, the second one reuseport.
# needs: perl python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: reuse-address
# never: other-port
# says: receives there
# ci: yes
mdns_programs
holder() { perl mdns.pl reuseaddr & up 5353; }
refused() { python3 mdns.py reuseport; }
fixed() { starts 5353 python3 mdns.py reuseport reuseaddr; }
