# report: –
# situation: eventlet sets SO_REUSEPORT by itself, and another program listens on the port.
# needs: perl python3 ss pip:eventlet
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
serve() { python3 -W ignore -c 'import eventlet, sys, time; s = eventlet.listen(("127.0.0.1", int(sys.argv[1])), reuse_port=True); time.sleep(60)' $1; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
