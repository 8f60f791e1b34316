# report: apache/maven#9902
# situation: MAVEN_OPTS gives each JVM the same debug port.
# needs: java javac ss
# cause: same-program
# holder: java Maven
# relation: none
# first: other-port
# ci: by hand
cat >Maven.java <<'J'
public class Maven { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }
J
J() { java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=$1 -cp . Maven $2; }
holder() { javac Maven.java; J 8787 server & up 8787; }
refused() { J 8787; }
fixed() { starts 8788 J 8788; }
