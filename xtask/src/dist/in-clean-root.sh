#!/usr/bin/env bash
# Installs /portbind.deb, uses all that is in it, and removes it. Runs below systemd, in a clean root.
set -Eeuo pipefail
trap 'echo "failed in line $LINENO: $BASH_COMMAND"; journalctl --quiet --unit portbind --lines 5 --output cat' ERR

say() { echo "check: $*"; }

# Prints the first line of the service's journal that has the words, as soon as there is one.
told() { timeout 30 grep --max-count=1 --fixed-strings -e "$1" < <(journalctl -qf -n all -o cat -u portbind); }

dpkg --install /portbind.deb
unit="$(systemctl is-enabled portbind || true) and $(systemctl is-active portbind || true)"
[[ $unit == "disabled and inactive" ]] || { echo "the unit is $unit"; exit 1; }
say "installed; the unit is neither enabled nor started"

portbind --version
portbind doctor
portbind trace --timeout 1
say "portbind doctor and trace run"

pages=0
for file in /usr/share/man/man1/portbind*.1.gz; do
    name=$(basename "$file" .1.gz)
    warnings=$(man --warnings "$name" 2>&1 >"/tmp/$name")
    [[ -z $warnings ]] || { echo "$name: $warnings"; exit 1; }
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
        grep --quiet "^$section" "/tmp/$name" || { echo "$name has no $section"; exit 1; }
    done
    pages=$((pages + 1))
done
man portbind | grep --only-matching 'portbind-[a-z]*(1)' | sort --unique | while read -r page; do
    [[ -e /usr/share/man/man1/${page%(1)}.1.gz ]] || { echo "portbind(1) names $page, which is not there"; exit 1; }
done
say "$pages manual pages are formatted without a warning"

bash -c 'set -e
    source /usr/share/bash-completion/bash_completion
    _completion_loader portbind || [[ $? == 124 ]]
    complete -p portbind
    COMP_WORDS=(portbind tra) COMP_CWORD=1
    _portbind portbind tra portbind
    [[ ${COMPREPLY[*]} == trace ]]'
zsh -c 'autoload -U compinit && compinit -D && [[ $_comps[portbind] == _portbind ]] && autoload +X _portbind'
[[ $(fish -c 'complete --do-complete "portbind tra"') == trace* ]]
say "bash, zsh and fish complete it"

systemd-analyze verify portbind.service
# Tenths: it fails above 2.6.
systemd-analyze security --no-pager --threshold=26 portbind.service | tail --lines=1
systemctl start portbind
told 'tracing with'
perl -MSocket -e '
    for my $socket (1, 2) {
        socket(my $fd, PF_INET, SOCK_STREAM, 0) or die;
        push @open, $fd;
        bind($fd, $address // sockaddr_in(0, INADDR_LOOPBACK)) or exit($socket == 2 && $!{EADDRINUSE} ? 0 : 1);
        $address = getsockname($fd);
    }
    exit 1'
told '"code":"own-socket"' >/dev/null
main=$(systemctl show --property=MainPID --value portbind)
# CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_NET_BIND_SERVICE, and on kernels before 5.19 CAP_BPF.
grep --quiet --extended-regexp '^CapPrm:.0000000[08]00080404$' "/proc/$main/status"
grep --quiet '^Seccomp:.2$' "/proc/$main/status"
systemctl stop portbind
[[ $(systemctl show --property=Result --value portbind) == success ]]
say "the service tells a refused bind, with all its restrictions, and stops"

dpkg --purge portbind
# man-db keeps what it has formatted for a while.
left=$(find / -xdev -name '*portbind*' -not -path '/portbind.deb' -not -path '/tmp/*' -not -path '/var/cache/man/*')
[[ -z $left ]] || { echo "left behind: $left"; exit 1; }
say "removed without a trace"
