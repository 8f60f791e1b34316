# report: modelcontextprotocol/python-sdk#1528
# situation: A test finds a free port, closes it, and another worker takes it.
# needs: pip:pytest python3 ss
# cause: stolen-free-port
# holder: python
# relation: worker
# first: keep-socket
# never: other-port reserve-port
# ci: by hand
cat >test_port.py <<'P'
import socket, subprocess, sys, time
THIEF = 'import socket, time; s = socket.socket(); s.bind(("127.0.0.1", %d)); s.listen(); print(flush=True); time.sleep(9)'
def test_server():
    s = socket.socket(); s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]; s.close()
    thief = subprocess.Popen([sys.executable, '-c', THIEF % port], stdout=subprocess.PIPE); thief.stdout.readline()
    r = subprocess.run([sys.executable, '-m', 'http.server', str(port), '--bind', '127.0.0.1'], capture_output=True)
    thief.kill(); assert r.returncode == 0
P
refused() { python3 -m pytest -q -p no:cacheprovider test_port.py; }
fixed() {
    cat >kept.py <<'P'
import http.server
s = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
print(s.server_address[1], flush=True); s.serve_forever()
P
    python3 kept.py >port & until_true says '^[0-9]+$' port && up "$(cat port)"
}
