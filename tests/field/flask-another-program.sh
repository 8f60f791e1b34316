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
cat >app.py <<'P'
def application(e, s):
    s('200 OK', []); return [b'x']
async def asgi(scope, receive, send): pass
P
printf '%s\n' 'from flask import Flask' 'app = Flask(__name__)' >flapp.py
cat >listener.pl <<'P'
use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8010, Listen => 5) or die; sleep 60;
P
serve() { flask --app flapp run --port $1; }
holder() { perl listener.pl & up 8010; }
refused() { serve 8010; }
fixed() { starts 8011 serve 8011; }
