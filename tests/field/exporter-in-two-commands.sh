# report: swar/Swar-Chia-Plot-Manager#751
# situation: Each subcommand of a tool starts the exporter that the running one has.
# needs: pip:prometheus_client ss
# cause: same-program
# holder: python manager.py
# relation: none
# first: other-port
# ci: by hand
cat >manager.py <<'P'
import os, sys, time
from prometheus_client import start_http_server
start_http_server(int(os.environ.get('METRICS', 9090)))
time.sleep(60)
P
holder() { python3 manager.py start & up 9090; }
refused() { python3 manager.py view; }
fixed() { METRICS=9091 starts 9091 python3 manager.py view; }
