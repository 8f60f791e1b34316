# report: dlundquist/sniproxy#167
# situation: Another copy of the daemon runs, and has the socket file.
# needs: python3
# cause: live-socket-file
# holder: python
# relation: earlier-run
# first: stop-holder
# ci: yes
cat >daemon.py <<'P'
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('/run/proxy.sock'); s.listen(); print('up', flush=True); time.sleep(60)
P
holder() { python3 daemon.py & echo $! >daemon.pid; until_true has_file /run/proxy.sock; }
refused() { python3 daemon.py && :; }
fixed() {
    remedy && until_true is_gone "$(cat daemon.pid)" || return
    rm -f /run/proxy.sock
    python3 daemon.py >up.log & until_true says up up.log
}
