# report: cesanta/mongoose#1302 tenzir/tenzir#3998
# situation: A server starts a long-lived program without close-on-exec, ends, and is started again; tracing began after its end.
# needs: gcc ss
# cause: inherited
# holder: sleep
# relation: none
# first: close-on-exec
# says: probably inherited
# ci: yes
holder() { inheriting_server; ./server spawn; }
refused() { ./server; }
fixed() { kill $(pid_of 8091); down 8091; ./server spawn cloexec; starts 8091 ./server; }
