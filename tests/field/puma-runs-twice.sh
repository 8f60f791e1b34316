# report: puma/puma#3142
# situation: A second puma is started for the same application; the first one has replaced its arguments by a title.
# needs: puma ss
# cause: same-program
# holder: puma
# relation: earlier-run
# first: other-port
# ci: by hand
echo 'run ->(env) { [200, {}, ["x"]] }' >config.ru
holder() { puma -b tcp://127.0.0.1:9293 & up 9293; until_true says "^puma" /proc/$!/cmdline; }
refused() { puma -b tcp://127.0.0.1:9293; }
fixed() { starts 9294 puma -b tcp://127.0.0.1:9294; }
