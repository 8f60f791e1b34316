# report: –
# situation: A DNS server asks for the wildcard address on port 53, and systemd-resolved's stub has 127.0.0.53 on lo.
# needs: unpacked:systemd-resolved go ip ss
# cause: wildcard
# holder: systemd-resolved
# relation: none
# first: own-address
# never: other-port v6-only
# also: wildcard dual-stack
# ci: by hand
holder() {
    go_program coredns <<'G'
package main
import ("net"; "log"; "os"; "time")
func main() {
    if _, e := net.Listen("tcp4", os.Args[1]); e != nil { log.Fatal(e) }
    time.Sleep(time.Minute)
}
G
    resolved && up 53
}
refused() { ./coredns :53; }
fixed() { address 10.0.0.5/24; starts 53 ./coredns 10.0.0.5:53; }
