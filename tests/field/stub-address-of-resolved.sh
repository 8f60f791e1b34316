# report: acme-dns/acme-dns#304
# situation: unbound is to listen on 127.0.0.53, where the stub of systemd-resolved listens.
# needs: unpacked:systemd-resolved unbound ip ss
# cause: listener
# holder: systemd-resolved
# relation: none
# first: stub-listener
# never: other-port v6-only reuse-address
# also: listener
# ci: by hand
conf() {
    printf '%s\n' server: " interface: $1" ' do-daemonize: no' ' username: ""' ' chroot: ""' ' pidfile: ""' \
        ' use-syslog: no' remote-control: ' control-enable: no' >u.conf
}
holder() { resolved && up 53; }
refused() { conf 127.0.0.53; unbound -d -c u.conf; }
fixed() {
    mkdir -p /run/systemd/resolved.conf.d
    printf '[Resolve]\nDNSStubListener=no\n' >/run/systemd/resolved.conf.d/no-stub.conf
    kill "$(cat resolved.pid)" && down 5355 && resolved || return
    starts 53 unbound -d -c u.conf
}
