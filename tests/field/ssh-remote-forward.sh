# report: go-gost/gost#790 jnovack/autossh#6
# situation: `ssh -R` asks for a port that the session of a client without a network still has.
# needs: ssh sshd ssh-keygen ss
# cause: same-program
# holder: sshd
# relation: worker
# first: stop-holder
# also: same-program
# ci: yes
mkdir -p /run/sshd
O="-i $W/id -p 2299 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ExitOnForwardFailure=yes -N"
refused() {
    ssh-keygen -q -t ed25519 -N '' -f hk; ssh-keygen -q -t ed25519 -N '' -f id; cp id.pub ak
    printf '%s\n' 'Port 2299' 'ListenAddress 127.0.0.1' "HostKey $W/hk" "AuthorizedKeysFile $W/ak" \
        'StrictModes no' 'PermitRootLogin yes' 'UsePAM no' 'PidFile none' >sshd_config
    /usr/sbin/sshd -D -e -f sshd_config & local server=$!
    up 2299
    ssh $O -R 12222:127.0.0.1:22 root@127.0.0.1 & local client=$!
    up 12222
    kill -STOP $client
    ssh $O -R 12222:127.0.0.1:22 root@127.0.0.1
}
fixed() { remedy && down 12222 && { ssh $O -R 12222:127.0.0.1:22 root@127.0.0.1 & up 12222; }; }
