# report: IbcAlpha/IBC#160
# situation: An X server of the display runs; its lock and its socket file were removed, which does not help.
# needs: Xvfb ss
# cause: abstract-name-taken
# holder: Xvfb
# relation: earlier-run
# first: stop-holder
# also: live-socket-file stale-socket-file path-exists vanished
# ci: by hand
holder() { mkdir -p /tmp/.X11-unix; Xvfb :77 & until_true has_file /tmp/.X11-unix/X77; rm -f /tmp/.X77-lock /tmp/.X11-unix/X77; }
refused() { timeout 5 Xvfb :77; }
fixed() { remedy && until_true is_free_name && { Xvfb :77 & until_true has_file /tmp/.X11-unix/X77; }; }
is_free_name() { ! ss -lxH | grep -q X77; }
