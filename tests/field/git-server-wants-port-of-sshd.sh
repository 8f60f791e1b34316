# report: gogs/gogs#6464
# situation: The SSH server of a Git service wants port 22, which sshd has.
# needs: sshd ssh-keygen perl ss
# cause: listener
# holder: sshd
# relation: none
# first: none
# never: stop-holder
# ci: yes
holder() {
    mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f hk; printf '%s\n' 'Port 22' "HostKey $W/hk" 'PidFile none' >sshd_config
    /usr/sbin/sshd -f "$W/sshd_config" -D & up 22
}
refused() { perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalPort => 22, Listen => 5, ReuseAddr => 1) or die "Failed to start SSH server: $!"'; }
