# report: houmain/keymapper#388
# situation: A daemon's child inherited its abstract socket, and the daemon is restarted.
# needs: python3 ss
# cause: abstract-name-taken
# holder: sleep
# relation: none
# first: stop-holder
# never: other-port
# ci: yes
cat >s.py <<'P'
import socket, subprocess, sys, time
s = socket.socket(socket.AF_UNIX); s.bind('\0keymapperctl'); s.listen(); s.set_inheritable(True)
if 'spawn' in sys.argv: subprocess.Popen(['sleep', '60'], close_fds=False)
else: print('up', flush=True); time.sleep(60)
P
holder() { python3 s.py spawn; }
refused() { python3 s.py; }
fixed() { remedy && { python3 s.py >up.log & until_true says up up.log; }; }
