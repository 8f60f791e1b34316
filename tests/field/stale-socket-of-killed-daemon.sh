# report: containernetworking/plugins#760
# situation: A daemon was killed, and its socket file is left.
# needs: python3
# cause: stale-socket-file
# holder: none
# relation: none
# first: remove-file
# ci: yes
cat >cni.py <<'P'
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('/run/cni.sock'); s.listen(); print('up', flush=True); time.sleep(60)
P
holder() { python3 cni.py & until_true has_file /run/cni.sock; kill -9 $!; wait $!; [ -S /run/cni.sock ]; }
refused() { python3 cni.py; }
fixed() { remedy && { python3 cni.py >up.log & until_true says up up.log; }; }
