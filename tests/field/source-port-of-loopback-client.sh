# report: cloudfoundry/routing-release#206
# situation: A connection between two programs on this host got the router's port as its source port.
# needs: socat python3 perl sysctl ss
# cause: outgoing
# holder: socat
# relation: none
# first: reserve-port
# never: v6-only own-address reuse-address stop-holder
# ci: yes
holder() {
    sysctl -qw net.ipv4.ip_local_port_range='4080 4087'
    socat TCP-LISTEN:514,fork,reuseaddr EXEC:'sleep 60' & up 514
    local i
    for i in 1 2 3 4; do socat -u TCP:127.0.0.1:514 OPEN:/dev/null & done
    until_true established 4080
}
established() { ss -tnH state established "sport = :$1" | grep -q .; }
refused() { python3 -c 'import socket; s = socket.create_server(("", 4080))'; }
fixed() {
    # The server ends the connection; the client would leave it in TIME_WAIT.
    remedy && kill $(pid_of_connection 4080) && down 4080 || return
    socat -u TCP:127.0.0.1:514 OPEN:/dev/null &
    starts 4080 python3 -c 'import socket, time; s = socket.create_server(("", 4080)); time.sleep(60)'
}
pid_of_connection() { ss -tnpH "dport = :$1" | grep -o 'pid=[0-9]*' | cut -d= -f2; }
