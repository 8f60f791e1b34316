# report: docker/for-linux#1278
# situation: A Go server is refused by an outgoing connection and ends at once.
# needs: perl python3 go ss sysctl
# cause: outgoing
# holder: python
# relation: none
# first: reserve-port
# never: v6-only own-address reuse-address stop-holder
# ci: by hand
cat >client.py <<'P'
import socket, struct, time
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('127.0.0.1', 2379)); l.listen()
c = socket.socket()
try: c.setsockopt(socket.IPPROTO_IP, 51, struct.pack('I', 40254 << 16 | 40254)); c.connect(('127.0.0.1', 2379))
except OSError: c = socket.socket(); c.connect(('127.0.0.1', 2379))
time.sleep(60)
P
holder() {
    go_program ingress <<'G'
package main
import ("net"; "log"; "os"; "time")
func main() { if _, e := net.Listen("tcp", os.Args[1]); e != nil { log.Fatal(e) }; time.Sleep(time.Minute) }
G
    python3 client.py & echo $! >client.pid
    until_true established 40254
}
established() { ss -tnH state established "sport = :$1" | grep -q .; }
refused() { ./ingress :40254; }
fixed() {
    remedy && kill $(cat client.pid) && down 40254 || return
    python3 client.py & up 2379
    starts 40254 ./ingress :40254
}
