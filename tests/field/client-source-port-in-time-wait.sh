# report: oven-sh/bun#33886
# situation: A client binds a fixed source port that a server left in TIME_WAIT.
# needs: python3 perl nc socat ss
# cause: time-wait
# holder: none
# relation: none
# first: wait
# never: stop-holder reserve-port
# limit: 90
# says: the new socket did not set SO_REUSEADDR
# ci: by hand
cat >client.py <<'P'
import socket, time
s = socket.socket(); s.bind(('127.0.0.1', 12346)); s.connect(('127.0.0.1', 9001)); open('connected', 'w').close(); time.sleep(60)
P
holder() {
    perl -e 'use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 12346, Listen => 5, ReuseAddr => 1) or die; $c = $s->accept; close $c' & local server=$!
    up 12346; nc -d 127.0.0.1 12346; wait $server
    socat TCP-LISTEN:9001,fork,bind=127.0.0.1 /dev/null & up 9001; is_time_wait 12346
}
is_time_wait() { ss -tanH "sport = :$1" | grep -q TIME-WAIT; }
refused() { python3 client.py; }
fixed() {
    local left=160
    while is_time_wait 12346 && [ $left -gt 0 ]; do sleep 0.5; left=$((left - 1)); done
    python3 client.py & until_true has_file connected
}
