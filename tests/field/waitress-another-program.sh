# report: –
# situation: waitress asks for a port on which another program listens.
# needs: perl python3 ss pip:waitress
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
serve() { waitress-serve --listen=127.0.0.1:$1 app:application; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
