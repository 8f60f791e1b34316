# report: getsomecat/GetSomeCats#19
# situation: A server of Python's socketserver is restarted after it closed a connection first.
# needs: python3 nc ss
# cause: time-wait
# holder: none
# relation: none
# first: wait
# never: stop-holder
# limit: 90
# ci: by hand
cat >s.py <<'P'
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self): self.wfile.write(b'hi')
with socketserver.ThreadingTCPServer(('127.0.0.1', 7122), H) as s: s.serve_forever()
P
holder() {
    python3 s.py & local server=$!
    up 7122; nc -d 127.0.0.1 7122; kill $server; wait $server; is_time_wait 7122
}
is_time_wait() { ss -tanH "sport = :$1" | grep -q TIME-WAIT; }
refused() { python3 s.py; }
fixed() {
    local left=160
    while is_time_wait 7122 && [ $left -gt 0 ]; do sleep 0.5; left=$((left - 1)); done
    starts 7122 python3 s.py
}
