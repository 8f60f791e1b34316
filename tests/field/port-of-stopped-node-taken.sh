# report: aptos-labs/aptos-core#5421
# situation: A test stops its node and starts it on the port that the kernel gave; another test got it meanwhile.
# needs: python3 sysctl
# cause: stolen-free-port
# holder: python
# relation: none
# first: keep-socket
# never: other-port reserve-port reuse-address
# ci: yes
cat >node.py <<'P'
import os, socket, subprocess, sys, time
OTHER = ("import socket, time\nkept = []\nfor _ in range(4):\n    x = socket.socket(); x.bind(('127.0.0.1', 0)); x.listen(); kept.append(x)\n"
         "print(flush=True); time.sleep(60)")
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); port = s.getsockname()[1]
if 'KEEP' not in os.environ: s.close()
test = subprocess.Popen([sys.executable, '-c', OTHER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL); test.stdout.readline()
if 'KEEP' not in os.environ:
    try: s = socket.create_server(('127.0.0.1', port))
    finally: test.kill()
open('restarted', 'w').close(); time.sleep(60)
P
refused() { sysctl -qw net.ipv4.ip_local_port_range='40000 40003'; python3 node.py; }
fixed() { KEEP=1 python3 node.py & until_true has_file restarted; }
