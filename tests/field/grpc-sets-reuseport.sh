# report: grpc/grpc.io#738
# situation: gRPC sets SO_REUSEPORT by itself, and another program listens on the port.
# needs: perl python3 ss pip:grpcio
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
serve() { python3 -c 'import grpc, sys, time, concurrent.futures as f; s = grpc.server(f.ThreadPoolExecutor(1)); s.add_insecure_port("127.0.0.1:" + sys.argv[1]); s.start(); time.sleep(60)' $1; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
