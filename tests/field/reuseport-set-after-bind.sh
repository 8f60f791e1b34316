# report: systemd/systemd#459
# situation: Two instances of a program set SO_REUSEPORT, but after bind.
# needs: python3 ss
# cause: reuseport-mismatch
# holder: python
# relation: earlier-run
# first: reuse-port
# says: the new one did not
# ci: yes
cat >s.py <<'P'
import os, socket, time
s = socket.socket()
if 'EARLY' in os.environ: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('0.0.0.0', 8303)); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); s.listen(); time.sleep(60)
P
holder() { python3 s.py & up 8303; }
refused() { python3 s.py; }
fixed() { EARLY=1 starts 8303 python3 s.py; }
