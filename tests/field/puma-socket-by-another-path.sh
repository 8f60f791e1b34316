# report: puma/puma#1976
# situation: systemd passes a socket at a path, and puma is told another spelling of it.
# needs: systemd-socket-activate puma nc
# cause: live-socket-file
# holder: systemd-socket-activate
# relation: none
# first: none
# ci: by hand
printf 'run lambda { |e| [200, {}, ["x"]] }\n' >config.ru
refused() {
    mkdir -p d; ln -sfn d e
    systemd-socket-activate -l "$W/d/puma.sock" puma -b "unix://$W/e/puma.sock" & local pid=$!
    until_true has_file d/puma.sock; nc -w1 -U "$W/d/puma.sock" </dev/null
    sleep 2; kill $pid
}
