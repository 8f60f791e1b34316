# report: cesanta/mongoose#1302 tenzir/tenzir#3998
# situation: A server starts a long-lived program without close-on-exec, ends, and is started again; tracing began after its end.
# needs: gcc ss
# cause: inherited
# holder: sleep
# relation: none
# first: close-on-exec
# says: probably inherited
# ci: yes
server() {
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
holder() { server; ./server spawn; }
refused() { ./server; }
fixed() { kill $(pid_of 8091); down 8091; ./server spawn cloexec; starts 8091 ./server; }
