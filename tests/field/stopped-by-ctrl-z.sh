# report: rails/rails#32601
# situation: A server that Ctrl-Z stopped still has the port.
# needs: puma ss
# cause: same-program
# holder: puma
# relation: earlier-run
# first: other-port
# ci: by hand
echo 'run lambda { |e| [200, {}, ["x"]] }' >config.ru
holder() { puma -b tcp://127.0.0.1:3000 & up 3000; kill -STOP $!; }
refused() { puma -b tcp://127.0.0.1:3000; }
fixed() {
    # The second remedy, as well: SIGTERM alone would wait for SIGCONT.
    kill $(pid_of 3000); kill -CONT $(pid_of 3000); down 3000 && starts 3001 puma -b tcp://127.0.0.1:3001
}
