# report: rancher/rancher#12510
# situation: A connection to etcd got the port of the ingress as its local port, because the range is wide.
# needs: perl python3 perl ip ss sysctl
# cause: outgoing
# holder: python
# relation: none
# first: reserve-port
# never: v6-only own-address stop-holder reuse-address
# ci: yes
cat >client.py <<'P'
import socket, time
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('10.0.0.5', 2379)); l.listen()
for _ in range(9):
    c = socket.socket()
    # IP_LOCAL_PORT_RANGE: the kernel's choice falls on this port, as it may by chance.
    c.setsockopt(socket.IPPROTO_IP, 51, 10254 << 16 | 10254)
    try: c.connect(('10.0.0.5', 2379)); break
    except OSError: c = socket.socket(); c.connect(('10.0.0.5', 2379)); break
print(c.getsockname(), flush=True); time.sleep(60)
P
holder() {
    address 10.0.0.5/24
    sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
    python3 client.py & echo $! >client.pid
    until_true established 10254
}
established() { ss -tnH state established "sport = :$1" | grep -q .; }
refused() { perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalPort => 10254, Listen => 5, ReuseAddr => 1) or die $!; sleep 60'; }
fixed() {
    # The connection is made again after the port is reserved.
    remedy && kill $(cat client.pid) && down 10254 || return
    python3 client.py & until_true listens 2379
    starts 10254 perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 10254, Listen => 5, ReuseAddr => 1) or die $!; sleep 60'
}
