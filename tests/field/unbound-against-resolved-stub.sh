# report: acme-dns/acme-dns#304
# situation: unbound listens on 0.0.0.0, and the stub of systemd-resolved has 127.0.0.53 on lo.
# needs: unbound python3 ip ss
# cause: wildcard
# holder: systemd-resolve
# relation: none
# first: own-address
# never: other-port v6-only reuse-address
# also: wildcard
# ci: by hand
conf() {
    printf '%s\n' server: " interface: $1" ' do-daemonize: no' ' username: ""' ' chroot: ""' ' pidfile: ""' \
        ' use-syslog: no' remote-control: ' control-enable: no' >u.conf
}
holder() {
    cp /usr/bin/python3 systemd-resolve
    ./systemd-resolve -c '
import socket, time
t = socket.socket(); t.setsockopt(1, socket.SO_REUSEADDR, 1); t.setsockopt(1, 25, b"lo")
t.bind(("127.0.0.53", 53)); t.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setsockopt(1, 25, b"lo"); u.bind(("127.0.0.53", 53))
time.sleep(60)' & up 53
}
refused() { conf 0.0.0.0; unbound -d -c u.conf; }
fixed() { address 10.6.0.1/24; conf 10.6.0.1; starts 53 unbound -d -c u.conf; }
