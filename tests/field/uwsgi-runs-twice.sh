# report: –
# situation: A second uWSGI is started on a well-known port; SIGTERM would make the first one start its workers again.
# needs: uwsgi ss
# cause: same-program
# holder: uwsgi
# relation: earlier-run
# first: stop-holder
# never: other-port
# ci: by hand
serve() { uwsgi --http-socket 127.0.0.1:80 --master --processes 2; }
holder() { setsid uwsgi --http-socket 127.0.0.1:80 --master --processes 2 & up 80; }
refused() { serve; }
fixed() { remedy && down 80 && starts 80 serve; }
