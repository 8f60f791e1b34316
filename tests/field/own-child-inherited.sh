# report: zampierilucas/kindle-hid-passthrough#94
# situation: A program closes its listener and binds again; a daemon that it started has inherited the listener.
# needs: python3 ss
# cause: inherited
# holder: sleep
# relation: descendant
# first: close-on-exec
# never: reuse-address
# ci: yes
cat >reader.py <<'P'
import os, socket, subprocess, time
def listener():
    s = socket.socket(); s.setsockopt(1, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', 8080)); s.listen(); return s
s = listener(); s.set_inheritable('CLOEXEC' not in os.environ)
d = subprocess.Popen(['sleep', '20'], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
s.close()
try: s = listener()
finally: time.sleep(1); d.kill()
time.sleep(60)
P
refused() { python3 reader.py; }
fixed() { CLOEXEC=1 starts 8080 python3 reader.py; }
