# report: cilium/cilium#32128
# situation: The connected UDP socket of a client of DNS got the port of WireGuard (here: of a Python program) as its local port.
# needs: python3 perl sysctl ss
# cause: outgoing
# holder: python
# relation: none
# first: reserve-port
# never: v6-only own-address reuse-address reuse-address-both
# ci: yes
cat >client.py <<'P'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3000):
    s.connect(('127.0.0.1', 53))
    if s.getsockname()[1] == 51871: break
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(s.getsockname(), flush=True); time.sleep(60)
P
holder() {
    # The kernel's choice falls on this port, as it may by chance in its usual range.
    sysctl -qw net.ipv4.ip_local_port_range="51870 51873"
    python3 client.py >client.log & echo $! >client.pid
    until_true says 51871 client.log
}
served() { perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalPort => 51871, Proto => "udp") or die $!; '"$1"; }
refused() { served 1; }
fixed() {
    # The client starts again after the port is reserved.
    remedy && kill $(cat client.pid) && down 51871 || return
    python3 client.py >client.log & until_true has_file client.log
    starts 51871 perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 51871, Proto => "udp") or die $!; sleep 60'
}
