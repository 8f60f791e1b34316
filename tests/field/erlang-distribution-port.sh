# report: –
# situation: The distribution port of an Erlang node is held by another program.
# needs: erl epmd perl ss
# cause: listener
# holder: perl
# relation: none
# first: other-port
# also: same-program
# ci: by hand
node() { erl -noshell -name x@127.0.0.1 -kernel inet_dist_listen_min $1 inet_dist_listen_max $1; }
holder() { epmd -daemon; up 4369; perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 8427, Listen => 5) or die $!; sleep 60' & up 8427; }
refused() { node 8427; }
fixed() { starts 8428 node 8428; }
