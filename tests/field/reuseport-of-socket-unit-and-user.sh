# report: systemd/systemd#28039
# situation: A socket unit bound the port as root with ReusePort, and its service binds it as a user.
# needs: python3 setpriv ss
# cause: reuseport-mismatch
# holder: python
# relation: earlier-run
# first: same-user
# says: different users
# ci: yes
chmod 755 "$W"
cat >s.py <<'P'
import socket, time
s = socket.socket(); s.setsockopt(1, 15, 1); s.bind(('0.0.0.0', 3001)); s.listen(); time.sleep(60)
P
U="setpriv --reuid 65534 --regid 65534 --clear-groups"
holder() { python3 s.py & up 3001; }
refused() { $U python3 s.py; }
fixed() { starts 3001 python3 s.py; }
