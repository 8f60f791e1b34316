# report: renecannao/proxysql-old#41
# situation: A program sets SO_REUSEADDR after bind, so that TIME_WAIT refuses its next run.
# needs: gcc nc ss
# cause: time-wait
# holder: none
# relation: none
# first: wait
# never: stop-holder
# limit: 90
# says: the new socket did not set SO_REUSEADDR
# ci: by hand
holder() {
    compiled proxy <<'C'
#include <sys/socket.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int o = 1, s = socket(AF_INET, SOCK_STREAM, 0), k;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(6033)};
    if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; }
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &o, sizeof o); listen(s, 9);
    k = accept(s, 0, 0); write(k, "x", 1); close(k); return 0;
}
C
    ./proxy & up 6033; nc -d 127.0.0.1 6033; wait; is_time_wait 6033
}
is_time_wait() { ss -tanH "sport = :$1" | grep -q TIME-WAIT; }
refused() { ./proxy; }
fixed() {
    local left=160
    while is_time_wait 6033 && [ $left -gt 0 ]; do sleep 0.5; left=$((left - 1)); done
    starts 6033 ./proxy
}
