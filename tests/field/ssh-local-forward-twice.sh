# report: sequelpro/sequelpro#378
# situation: LocalForward in ssh_config: the first session's client has the port.
# needs: ssh sshd ssh-keygen ss
# cause: same-program
# holder: ssh
# relation: none
# first: other-port
# also: same-program
# ci: yes
O() { ssh -i "$W/id" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$@"; }
holder() {
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f hk; ssh-keygen -q -t ed25519 -N '' -f id; cp id.pub ak
    printf '%s\n' 'Port 2222' 'ListenAddress 127.0.0.1' "HostKey $W/hk" "AuthorizedKeysFile $W/ak" \
        'StrictModes no' 'PermitRootLogin yes' 'UsePAM no' 'PidFile none' >sshd_config
    /usr/sbin/sshd -D -e -f sshd_config & up 2222
    O -L 3307:127.0.0.1:3306 root@127.0.0.1 sleep 60 & up 3307
}
refused() { O -o ExitOnForwardFailure=yes -L 3307:127.0.0.1:3306 root@127.0.0.1 true; }
fixed() { starts 3308 O -o ExitOnForwardFailure=yes -L 3308:127.0.0.1:3306 root@127.0.0.1 sleep 60; }
