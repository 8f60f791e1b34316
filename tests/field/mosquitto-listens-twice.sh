# report: eclipse-mosquitto/mosquitto#3072
# situation: mosquitto listens on localhost with IPv4 only, and /etc/hosts has localhost twice: one address is bound twice.
# needs: mosquitto ss
# cause: own-socket
# holder: mosquitto
# relation: none
# first: close-first
# never: stop-holder other-port reuse-address
# ci: by hand
hosts() {
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >hosts; mount --bind hosts /etc/hosts
}
refused() {
    hosts; printf '%s\n' 'listener 1885 localhost' 'socket_domain ipv4' 'allow_anonymous true' >m.conf
    mosquitto -c m.conf -v
}
fixed() {
    hosts; printf '%s\n' 'listener 1885 127.0.0.1' 'socket_domain ipv4' 'allow_anonymous true' >m.conf
    starts 1885 mosquitto -c m.conf -v
}
