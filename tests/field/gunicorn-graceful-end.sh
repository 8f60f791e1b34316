# report: benoitc/gunicorn#520
# situation: gunicorn got SIGTERM, its worker answers a long request, and a new gunicorn is started.
# needs: pip:gunicorn nc ss
# cause: same-program
# holder: gunicorn
# relation: earlier-run
# first: other-port
# never: reuse-address
# ci: by hand
printf '%s\n' 'import time' 'def app(e, s): open("asked", "w").close(); time.sleep(20); s("200 OK", []); return [b"x"]' >slow.py
G() { gunicorn -w 1 -t 500 --graceful-timeout 500 -b 127.0.0.1:$1 slow:app; }
holder() {
    G 13000 & up 13000; local master; master=$(pgrep -P $! gunicorn || echo $!)
    printf 'GET / HTTP/1.0\r\n\r\n' | nc 127.0.0.1 13000 & until_true has_file asked
    kill $master; sleep 0.5; listens 13000
}
refused() { run_until 'in use' gunicorn -w 1 -t 500 --graceful-timeout 500 -b 127.0.0.1:13000 slow:app; }
fixed() { starts 13001 G 13001; }
