# report: –
# situation: A DNS server asks for the wildcard address on port 53, and systemd-resolved's stub has 127.0.0.53 on lo.
# needs: python3 go ip ss
# cause: wildcard
# holder: systemd-resolve
# relation: none
# first: own-address
# never: other-port v6-only
# also: wildcard dual-stack
# ci: by hand
holder() {
    cp /usr/bin/python3 systemd-resolve
    go_program coredns <<'G'
package main
import ("net"; "log"; "os"; "time")
func main() {
    if _, e := net.ListenPacket("udp4", os.Args[1]); e != nil { log.Fatal(e) }
    if _, e := net.Listen("tcp4", os.Args[1]); e != nil { log.Fatal(e) }
    time.Sleep(time.Minute)
}
G
    ./systemd-resolve -c '
import socket, time
t = socket.socket(); t.setsockopt(1, socket.SO_REUSEADDR, 1); t.setsockopt(1, 25, b"lo")
t.bind(("127.0.0.53", 53)); t.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setsockopt(1, 25, b"lo"); u.bind(("127.0.0.53", 53))
time.sleep(60)' & up 53
}
refused() { ./coredns :53; }
fixed() { address 10.0.0.5/24; starts 53 ./coredns 10.0.0.5:53; }
