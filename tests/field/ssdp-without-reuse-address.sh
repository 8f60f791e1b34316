# report: masmu/pulseaudio-dlna#62
# situation: A server of Python's socketserver wants the port of SSDP, which another program shares with SO_REUSEADDR.
# needs: python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: reuse-address
# never: other-port reuse-port
# says: receives there
# ci: yes
cat >dlna.py <<'P'
import os, socketserver
socketserver.UDPServer.allow_reuse_address = 'REUSE' in os.environ
socketserver.UDPServer(('', 1900), None).serve_forever()
P
holder() { perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", LocalPort => 1900, ReuseAddr => 1) or die $!; sleep 60' & up 1900; }
refused() { python3 dlna.py; }
fixed() { REUSE=1 starts 1900 python3 dlna.py; }
