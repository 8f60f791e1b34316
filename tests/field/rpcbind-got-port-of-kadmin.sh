# report: freeipa/freeipa#2581
# situation: rpcbind reserved a random low port, and it is the one of kadmind.
# needs: gcc python3 ss
# cause: listener
# holder: rpcbind
# relation: none
# first: stop-holder
# never: reuse-address reuse-port reserve-port other-port
# says: receives there
# ci: by hand
holder() {
    compiled rpcbind <<'C'
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
int main(void) {
    int s = socket(AF_INET, SOCK_DGRAM, 0); struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(749)};
    bind(s, (void *)&a, sizeof a); sleep(60);
}
C
    ./rpcbind & up 749
}
T='import socket, time; s = socket.socket(2, 2); s.bind(("0.0.0.0", 749)); time.sleep(60)'
refused() { python3 -c "$T"; }
fixed() { remedy && down 749 && starts 749 python3 -c "$T"; }
