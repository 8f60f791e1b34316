# report: IbcAlpha/IBC#160
# situation: An X server of the display runs; its lock and its socket file were removed, which does not help.
# needs: Xvfb ss
# cause: abstract-name-taken
# holder: Xvfb
# relation: earlier-run
# first: stop-holder
# also: live-socket-file stale-socket-file path-exists vanished
# ci: by hand
X() { Xvfb -nolock :1077; }
holder() {
    mkdir -p /tmp/.X11-unix; mount -t tmpfs none /tmp/.X11-unix
    X & until_true has_file /tmp/.X11-unix/X1077; rm /tmp/.X11-unix/X1077
}
refused() { timeout 5 Xvfb -nolock :1077; }
fixed() { remedy && until_true is_free_name && { X & until_true has_file /tmp/.X11-unix/X1077; }; }
is_free_name() { ! ss -lxH | grep -q X1077; }
