# report: bryanwb/chef-tomcat#12
# situation: The stop command of a server in Java has the JMX port of the running one.
# needs: java javac ss
# cause: same-program
# holder: java Bootstrap
# relation: none
# first: other-port
# ci: by hand
cat >Bootstrap.java <<'J'
public class Bootstrap { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }
J
J() {
    local M=com.sun.management.jmxremote
    java -D$M.port=$1 -D$M.rmi.port=$1 -D$M.authenticate=false -D$M.ssl=false -cp . Bootstrap "$2"
}
holder() { javac Bootstrap.java; J 9000 start & up 9000; }
refused() { J 9000 stop; }
fixed() { starts 9001 J 9001 stop; }
