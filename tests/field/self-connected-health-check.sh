# report: curl/curl#3272
# situation: A health check connects to the port of its server, which is down, from this port itself.
# needs: python3 perl sysctl ss
# cause: outgoing
# holder: python health.py
# relation: none
# first: reserve-port
# never: v6-only reuse-address own-address
# limit: 90
# ci: by hand
cat >health.py <<'P'
import socket, sys, time
s = socket.socket()
# IP_LOCAL_PORT_RANGE: the kernel's choice falls on this port, as it may by chance.
s.setsockopt(socket.IPPROTO_IP, 51, 8088 << 16 | 8088)
s.connect(('127.0.0.1', 8088)); time.sleep(60)
P
holder() {
    sysctl -qw net.ipv4.ip_local_port_range='8080 8099'
    python3 health.py & echo $! >pid; until_true established 8088
}
established() { ss -tnH state established "sport = :$1" | grep -q .; }
T='use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 8088, Listen => 5, ReuseAddr => 1) or die $!; sleep 60'
refused() { perl -e "$T"; }
fixed() {
    # The port stays in TIME_WAIT for a minute after the client has ended; the kernel then chooses it no more.
    remedy && kill $(cat pid) || return
    local left=160
    while ss -tanH "sport = :8088" | grep -q . && [ $left -gt 0 ]; do sleep 0.5; left=$((left - 1)); done
    ! timeout 5 python3 health.py && starts 8088 perl -e "$T"
}
