# Runs one function of a row: bash lib.sh ROW.sh FUNCTION. `portbind-tests field` starts this in namespaces of the row.
# W: the row's scratch folder, which is the current one. REMEDY: the command of the first remedy, for `fixed`.
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# Repeats a command every 50 ms until it succeeds, for at most 10 s.
until_true() {
    local left=200
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "never true: $*" >&2; return 1; }
        sleep 0.05
    done
}

# Whether a TCP socket listens, or a UDP socket is bound, on a port; with a pid, that of this process or a child.
listens() { ss -lntuH "sport = :$1" | grep -q .; }
is_free() { ! ss -antuH "sport = :$1" | grep -v TIME-WAIT | grep -q .; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
says() { grep -qE -- "$1" "$2"; }
has_file() { [ -e "$1" ]; }

# Waits until a port is served.
up() { until_true listens "$1"; }

# Waits until a port is free but for TIME_WAIT.
down() { until_true is_free "$1"; }

# All descendants of a process, and itself.
tree() {
    echo "$1"
    local child
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done
}

# The pids that have a port.
pid_of() { ss -lntupH "sport = :$1" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u; }

# Whether a process, or a descendant, listens on a port.
serves() {
    local pid
    for pid in $(tree "$1"); do
        ss -lntupH "sport = :$2" | grep -q "pid=$pid," && return
    done
    return 1
}

# Starts a program that must hold a port, and checks that it, or a descendant, does.
starts() {
    local port=$1 left=200
    shift
    "$@" &
    local pid=$!
    until serves "$pid" "$port"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] && ! is_gone "$pid" || { echo "does not hold $port: $*" >&2; return 1; }
        sleep 0.05
    done
}

# Runs a program until its output has a text, then ends it; its output is shown.
run_until() {
    local text=$1 log=$W/run_until.log
    shift
    "$@" >"$log" 2>&1 &
    local pid=$!
    until_true said_or_gone "$text" "$log" "$pid"
    kill $(tree "$pid") 2>/dev/null
    wait "$pid" 2>/dev/null
    cat "$log"
}
said_or_gone() { says "$1" "$2" || is_gone "$3"; }

# Runs the printed command of the first remedy; it must have one.
remedy() { [ -n "$REMEDY" ] && echo "+ $REMEDY" && sh -c "$REMEDY"; }

# Gives the network namespace another address.
address() { ip address add "$1" dev lo; }

# Compiles C, once for all runs: compiled NAME <<'C' ... C
compiled() {
    cat >"$1.c"
    gcc -w -o "$1" "$1.c"
}

# Builds a Go program, with a cache for all runs.
go_program() {
    cat >"$1.go"
    GOFLAGS=-mod=mod GOCACHE=$FIELD/go-cache go build -o "$1" "$1.go"
}

# Applications for servers of Python: `app:application` (WSGI) and `app:asgi` (ASGI).
web_apps() {
    cat >app.py <<'P'
def application(e, s):
    s('200 OK', []); return [b'x']
async def asgi(scope, receive, send): pass
P
}

# Another program that listens on a port of 127.0.0.1.
perl_listens() {
    cat >listener.pl <<'P'
use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5) or die; sleep 60;
P
    perl listener.pl "$1" & up "$1"
}

# mdns.py and mdns.pl have the port of mDNS, with the options in their arguments: reuseaddr, reuseport, none.
mdns_programs() {
    cat >mdns.py <<'P'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for name in sys.argv[1:]:
    if name != 'none': s.setsockopt(socket.SOL_SOCKET, {'reuseaddr': 2, 'reuseport': 15}[name], 1)
s.bind(('0.0.0.0', 5353)); print('ok', flush=True); time.sleep(60)
P
    cat >mdns.pl <<'P'
use Socket; socket(S, PF_INET, SOCK_DGRAM, 0);
for (@ARGV) { setsockopt(S, SOL_SOCKET, {reuseaddr => 2, reuseport => 15}->{$_}, 1) if $_ ne 'none' }
bind(S, sockaddr_in(5353, INADDR_ANY)) or die $!; sleep 60;
P
}

# A server whose child, sleep, inherits the listener (`spawn`), or does not (`spawn cloexec`).
inheriting_server() {
    compiled server <<'C'
#include <sys/socket.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int c, char **v) {
    int one = 1, s = socket(AF_INET, SOCK_STREAM | (c > 2 ? SOCK_CLOEXEC : 0), 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8091)};
    if (bind(s, (void *)&a, sizeof a) || listen(s, 9)) { perror("Failed to listen on http://0.0.0.0:8091"); return 1; }
    if (c > 1 && !strcmp(v[1], "spawn") && !fork()) execlp("sleep", "sleep", "60", NULL);
    sleep(c > 1 && !strcmp(v[1], "spawn") ? 1 : 60);
    _exit(0);
}
C
}

# Starts the real systemd-resolved, which listens on 127.0.0.53 and 127.0.0.54.
resolved() {
    cp /etc/passwd passwd; echo 'systemd-resolve:x:990:990::/:/bin/false' >>passwd; mount --bind passwd /etc/passwd
    cp /etc/group group; echo 'systemd-resolve:x:990:' >>group; mount --bind group /etc/group
    mkdir -p /run/systemd/resolve; chown 990:990 /run/systemd/resolve
    "$FIELD/unpacked/systemd-resolved/lib/systemd/systemd-resolved" 2>/dev/null & echo $! >resolved.pid
    until_true listens 5355
}

cd "$W" || exit 1
. "$1" || exit 1
if [ "$2" = holder ]; then
    if declare -F holder >/dev/null; then holder || exit 1; fi
    : >"$W/holder.ready"
    # The shell stays above what it started.
    read -r _
    exit 0
fi
"$2"
