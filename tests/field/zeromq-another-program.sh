# report: –
# situation: ZeroMQ asks for a port on which another program listens.
# needs: perl python3 ss pip:pyzmq
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
serve() { python3 -c 'import sys, time, zmq; s = zmq.Context().socket(zmq.REP); s.bind("tcp://127.0.0.1:" + sys.argv[1]); time.sleep(60)' $1; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
