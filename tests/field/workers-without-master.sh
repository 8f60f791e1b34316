# report: HKUDS/LightRAG#3494
# situation: The master of gunicorn was killed, and its workers keep the listener.
# needs: pip:gunicorn pip:uvicorn ss
# cause: same-program
# holder: gunicorn
# relation: earlier-run
# first: other-port
# never: reuse-address
# ci: by hand
printf '%s\n' 'async def app(s, r, send): pass' >asgi.py
G="gunicorn -w 2 -k uvicorn.workers.UvicornWorker -b 127.0.0.1:${P:-9621} asgi:app"
holder() { $G & up 9621; until_true workers $!; kill -9 $!; wait $!; until_true orphaned; }
workers() { [ "$(tree "$1" | wc -l)" = 3 ]; }
orphaned() { [ -n "$(pid_of 9621)" ]; }
refused() { run_until 'in use|errno 98' $G; }
fixed() { starts 9622 ${G/9621/9622}; }
