#!/usr/bin/env bash
# Tries the products of `cargo xtask dist`: clean-root.sh SUITE SOURCES WORK FOLDER TARBALL PACKAGE.
# Runs in namespaces of its own, so that what is mounted and started here goes with it.
set -euo pipefail
# The root is that of Debian, whatever its maker's habits are.
export LC_ALL=C.UTF-8
umask 022
suite=$1 sources=$2 work=$3 folder=$4 tarball=$5 package=$6
here=$(dirname "${BASH_SOURCE[0]}")
readonly packages=systemd,systemd-sysv,man-db,bash-completion,zsh,fish

say() { echo "check: $*"; }

(cd "$folder" && sha256sum --quiet --check SHA256SUMS)
say "the sums are right"

list=$(cat "$sources")
mount -t tmpfs -o mode=755,size=2g clean-root "$work"
# systemd-nspawn leaves a folder in /run.
mount -t tmpfs -o mode=755 run /run

mkdir "$work/unpacked"
tar --extract --gzip --file "$tarball" --directory "$work/unpacked" --strip-components=1
# There is nothing else in this root: a library would be missed.
version=$(chroot "$work/unpacked" /bin/portbind --version)
say "the tarball's program runs alone: $version"
rm -r "$work/unpacked"

begun=$SECONDS
mmdebstrap --quiet --mode=root --variant=essential --include="$packages" "$suite" "$work/root" - <<<"$list"
say "a clean $suite was made in $((SECONDS - begun)) s"

cp "$package" "$work/root/portbind.deb"
cp "$here/in-clean-root.sh" "$work/root/check.sh"
cat >"$work/root/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=basic.target
Requires=basic.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /check.sh >/check.log 2>&1; systemctl exit $?'
UNIT
# Tracing needs two capabilities and two system calls that a container is not given.
status=0
timeout 120 systemd-nspawn --quiet --directory="$work/root" --register=no --keep-unit --capability=CAP_BPF,CAP_PERFMON \
    --system-call-filter="bpf perf_event_open" --boot systemd.show_status=no systemd.unit=check.service >"$work/boot.log" 2>&1 || status=$?
cat "$work/root/check.log"
if ((status != 0)); then
    cat "$work/boot.log"
    exit 1
fi
