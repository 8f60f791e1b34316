# report: modcluster/mod_proxy_cluster#191
# situation: Port offsets: the shutdown port of one server is the AJP port of another.
# needs: java javac ss
# cause: same-program
# holder: java Tomcat
# relation: none
# first: other-port
# ci: by hand
cat >Tomcat.java <<'J'
import java.net.*;
public class Tomcat {
    public static void main(String[] a) throws Exception {
        int o = Integer.parseInt(a[0]);
        new ServerSocket(8080 + o); new ServerSocket(8009 + o); new ServerSocket(8005 + o, 1, InetAddress.getByName("localhost"));
        Thread.sleep(60000);
    }
}
J
holder() { javac Tomcat.java; java -cp . Tomcat 0 & up 8005; }
refused() { java -cp . Tomcat 4; }
fixed() { starts 8105 java -cp . Tomcat 100; }
