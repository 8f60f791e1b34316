# report: –
# situation: flask asks for a port on which another program listens.
# needs: perl python3 ss pip:flask
# cause: listener
# holder: perl
# relation: none
# first: other-port
# never: reuse-address reuse-port reuse-port-both
# says: another program is listening
# ci: by hand
web_apps
printf '%s\n' 'from flask import Flask' 'app = Flask(__name__)' >flapp.py
serve() { flask --app flapp run --port $1; }
holder() { perl_listens 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
