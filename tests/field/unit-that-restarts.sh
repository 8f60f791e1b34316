# report: –
# situation: A unit with Restart=always has the port; the cgroup is that of a unit, and a stand-in for systemctl ends it.
# needs: python3 perl ss
# cause: listener
# holder: perl
# relation: none
# first: stop-unit
# never: stop-holder
# ci: by hand
cgroups() { for d in /sys/fs/cgroup/systemd /sys/fs/cgroup; do [ -e $d/cgroup.procs ] && echo $d/system.slice/pfweb.service && return; done; }
holder() {
    mkdir -p /run/systemd/system "$(cgroups)"
    printf '%s\n' '[Service]' 'ExecStart=/bin/true' 'Restart=always' >/run/systemd/system/pfweb.service
    perl -MIO::Socket::INET -e 'open(F, ">", "$ARGV[0]/cgroup.procs") or die; print F $$; close F; $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5) or die $!; sleep 60' "$(cgroups)" &
    up 80
}
refused() { python3 -m http.server 80; }
fixed() {
    mkdir -p bin; printf '#!/bin/sh\n[ "$*" = "stop -- pfweb.service" ] && kill $(cat %s/cgroup.procs)\n' "$(cgroups)" >bin/systemctl; chmod +x bin/systemctl
    PATH=$W/bin:$PATH remedy && down 80 && starts 80 python3 -m http.server 80 && rmdir "$(cgroups)"
}
