# report: envelope-project/laik#159
# situation: Two instances bind a port with SO_REUSEADDR, and the first one to listen wins.
# needs: gcc ss
# cause: listen-race
# holder: laik
# relation: earlier-run
# first: other-port
# never: reuse-address
# ci: yes
refused() {
    compiled laik <<'C'
#include <sys/socket.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int c, char **v) {
    int o = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(v[1]))};
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &o, sizeof o);
    if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; }
    usleep(500000);
    if (listen(s, 9)) { perror("listen"); return 1; }
    sleep(3);
}
C
    ./laik 7777 & sleep 0.2; ./laik 7777; wait
}
fixed() { starts 7778 ./laik 7778; }
