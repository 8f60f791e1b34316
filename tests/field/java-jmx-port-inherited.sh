# report: bitnami/charts#12917
# situation: A tool of Kafka inherits JMX_PORT from the broker's environment: a second JVM with one JMX port.
# needs: java javac ss
# cause: listener
# holder: java Broker
# relation: none
# first: other-port
# ci: by hand
cat >Broker.java <<'J'
public class Broker { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }
J
sed s/Broker/Topics/ Broker.java >Topics.java
J() {
    local M=com.sun.management.jmxremote
    java -D$M -D$M.port=$1 -D$M.rmi.port=$1 -D$M.authenticate=false -D$M.ssl=false -Djava.rmi.server.hostname=127.0.0.1 -cp . "$2"
}
holder() { javac Broker.java Topics.java; J 5555 Broker & up 5555; }
refused() { J 5555 Topics; }
fixed() { starts 5556 J 5556 Topics; }
