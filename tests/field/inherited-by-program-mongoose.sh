# report: cesanta/mongoose#1302 tenzir/tenzir#3998
# situation: A server starts a long-lived program without close-on-exec, ends, and is started again.
# needs: gcc ss
# cause: inherited
# holder: sleep
# relation: none
# first: close-on-exec
# says: opened the socket and has let go of it
# ci: yes
refused() { inheriting_server; ./server spawn; ./server; }
fixed() { kill $(pid_of 8091); down 8091; ./server spawn cloexec; starts 8091 ./server; }
