# report: aptos-labs/aptos-core#5421
# situation: A test stops its node and starts it on the port that the kernel gave; another test got it meanwhile.
# needs: python3 sysctl
# cause: stolen-free-port
# holder: python other.py
# relation: worker
# first: keep-socket
# never: other-port reserve-port reuse-address
# ci: yes
cat >node.py <<'P'
import os, socket, time
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); port = s.getsockname()[1]
if 'KEEP' not in os.environ:
    s.close(); open('stopped', 'w').close()
    while not os.path.exists('taken'): time.sleep(0.02)
    s = socket.create_server(('127.0.0.1', port))
open('restarted', 'w').close(); time.sleep(60)
P
cat >other.py <<'P'
import os, socket, time
while not os.path.exists('stopped'): time.sleep(0.02)
kept = [socket.create_server(('127.0.0.1', 0)) for _ in range(4)]
open('taken', 'w').close(); time.sleep(60)
P
cat >tests.py <<'P'
import subprocess, sys
other = subprocess.Popen([sys.executable, 'other.py']); node = subprocess.run([sys.executable, 'node.py']); other.kill()
sys.exit(node.returncode)
P
refused() { sysctl -qw net.ipv4.ip_local_port_range='40000 40003'; python3 tests.py; }
fixed() { rm -f stopped taken; KEEP=1 python3 tests.py & until_true has_file restarted; }
