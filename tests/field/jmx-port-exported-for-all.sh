# report: confluentinc/confluent-cli#114
# situation: JMX_PORT is exported for all programs of one start script.
# needs: java javac ss
# cause: listener
# holder: java Zookeeper
# relation: sibling
# first: other-port
# ci: by hand
for class in Zookeeper Kafka; do
    echo "public class $class { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }" >$class.java
done
cat >run-class.sh <<'P'
exec java -Dcom.sun.management.jmxremote.port=$1 -Dcom.sun.management.jmxremote.ssl=false -Dcom.sun.management.jmxremote.authenticate=false -cp . $2
P
J() { sh run-class.sh "$@"; }
holder() { javac Zookeeper.java Kafka.java; }
refused() { sh run-class.sh 9990 Zookeeper & local first=$!; up 9990; J 9990 Kafka; kill $(tree $first); }
fixed() { starts 9991 J 9991 Kafka; }
