# report: django-commons/django-prometheus#407
# situation: Each worker of gunicorn starts an exporter on one port.
# needs: pip:gunicorn pip:prometheus_client ss
# cause: same-program
# holder: gunicorn
# relation: worker
# first: open-once
# never: other-port
# ci: by hand
cat >app.py <<'P'
from prometheus_client import start_http_server
import sys
try: start_http_server(9113)
except OSError as e: print('refused:', e, file=sys.stderr, flush=True)
def app(e, s): s('200 OK', []); return [b'x']
P
refused() { run_until 'refused:' gunicorn -w 2 -b 127.0.0.1:8113 app:app; }
fixed() {
    cat >app.py <<'P'
def app(e, s): s('200 OK', []); return [b'x']
P
    cat >conf.py <<'P'
def when_ready(server):
    from prometheus_client import start_http_server; start_http_server(9113)
P
    starts 9113 gunicorn -w 2 -c conf.py -b 127.0.0.1:8113 app:app
}
