# report: bbfsdev/bbfs#80
# situation: A server on a well-known port was suspended by Ctrl-Z.
# needs: puma ss
# cause: same-program
# holder: puma
# relation: earlier-run
# first: stop-holder
# ci: by hand
echo 'run lambda { |e| [200, {}, ["x"]] }' >config.ru
holder() { puma -b tcp://127.0.0.1:80 & up 80; kill -STOP $!; }
refused() { puma -b tcp://127.0.0.1:80; }
fixed() { remedy && down 80 && starts 80 puma -b tcp://127.0.0.1:80; }
