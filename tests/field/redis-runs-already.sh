# report: nodezoo/nodezoo-workshop#34
# situation: redis-server runs as a service, and is started again by hand.
# needs: redis-server ss
# cause: same-program
# holder: redis-server
# relation: none
# first: other-port
# also: same-program
# ci: by hand
redis() { exec redis-server --save "" --logfile "" --dir "$W" "$@"; }
holder() { (redis --bind 127.0.0.1) & up 6379; }
refused() { redis --bind 127.0.0.1; }
fixed() { starts 6380 redis-server --save "" --dir "$W" --bind 127.0.0.1 --port 6380; }
