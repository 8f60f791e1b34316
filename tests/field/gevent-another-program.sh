# report: –
# situation: gevent asks for a port on which another program listens.
# needs: perl python3 ss pip:gevent
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
serve() { python3 -c 'import sys; from gevent.pywsgi import WSGIServer; WSGIServer(("127.0.0.1", int(sys.argv[1])), None).serve_forever()' $1; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
