# report: PrefectHQ/fastmcp#3070
# situation: A reloader killed the wrapper of a server; the server is left.
# needs: python3 ss
# cause: same-program
# holder: python -m http.server
# relation: earlier-run
# first: stop-holder
# ci: yes
printf '%s\n' '#!/bin/sh' 'python3 -m http.server 8002 --bind 127.0.0.1; exit $?' >uvrun; chmod +x uvrun
holder() { ./uvrun & up 8002; kill -9 $!; wait $!; true; }
refused() { ./uvrun; }
fixed() { remedy && down 8002 && starts 8002 ./uvrun; }
