# report: systemd/systemd#14044
# situation: Two socket units listen on one port.
# needs: systemd-socket-activate ss
# cause: same-program
# holder: systemd-socket-activate
# relation: none
# first: other-port
# ci: yes
holder() { systemd-socket-activate -l 5555 sleep 9 & up 5555; }
refused() { systemd-socket-activate -l 5555 cat; }
fixed() { starts 5556 systemd-socket-activate -l 5556 cat; }
