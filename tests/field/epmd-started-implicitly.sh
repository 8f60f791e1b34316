# report: crowbar/crowbar-openstack#1683
# situation: A socket unit wants the port of epmd, which an Erlang command has started implicitly.
# needs: erl epmd systemd-socket-activate ss
# cause: listener
# holder: epmd
# relation: none
# first: stop-holder
# says: another program is listening
# ci: by hand
holder() { erl -sname probe -noshell -eval 'halt().'; up 4369; }
refused() { systemd-socket-activate -l 4369 epmd -systemd; }
fixed() { remedy && down 4369 && starts 4369 systemd-socket-activate -l 4369 epmd -systemd; }
