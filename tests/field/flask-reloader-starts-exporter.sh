# report: powerfulseal/powerfulseal#191
# situation: Code of the module runs in the reloader of flask and in its child: both start an exporter.
# needs: pip:flask pip:prometheus_client ss
# cause: same-program
# holder: python fl31.py
# relation: ancestor
# first: open-once
# never: other-port stop-holder
# ci: by hand
cat >fl31.py <<'P'
from flask import Flask
from prometheus_client import start_http_server
app = Flask(__name__)
if __name__ == '__main__':
    start_http_server(8431)
    app.run(port=8432, debug=True)
P
refused() { run_until 'Address already in use' python3 fl31.py; }
fixed() {
    # Only the child of the reloader has this variable.
    sed -i "s/^    start_http/    import os\n    if os.environ.get('WERKZEUG_RUN_MAIN'): start_http/" fl31.py
    starts 8431 python3 fl31.py
}
