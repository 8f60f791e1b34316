# report: netty/netty-incubator-transport-io_uring#18
# situation: A server of Java asks for an IPv4 address through an IPv6 socket.
# needs: java python3 ss
# cause: listener
# holder: python
# relation: none
# first: other-port
# says: is the address 127.0.0.1 of an IPv6 socket
# ci: by hand
cat >Server.java <<'J'
import java.net.*;
class Server {
    public static void main(String[] a) throws Exception {
        new ServerSocket(Integer.parseInt(a[0]), 1, InetAddress.getByName("127.0.0.1")); Thread.sleep(60000);
    }
}
J
holder() {
    python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 8431)); s.listen(); time.sleep(60)' & up 8431
}
refused() { java Server.java 8431; }
fixed() { starts 8432 java Server.java 8432; }
