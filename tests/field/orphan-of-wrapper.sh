# report: PrefectHQ/fastmcp#3070
# situation: A reloader killed the wrapper of a server; the server is left.
# needs: python3 ss
# cause: same-program
# holder: python -m http.server
# relation: earlier-run
# first: other-port
# ci: yes
serve() { printf "%s\n" "#!/bin/sh" "python3 -m http.server $1 --bind 127.0.0.1; exit \$?" >uvrun; chmod +x uvrun; ./uvrun; }
holder() { serve 8002 & up 8002; kill -9 $(pgrep -P $! -x uvrun) $!; wait $!; true; }
refused() { serve 8002; }
fixed() { starts 8003 serve 8003; }
