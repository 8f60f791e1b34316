# report: brainfoolong/omxwebgui-v2#22
# situation: A daemon that a script of `php -S` started has inherited the listener.
# needs: php nc ss
# cause: inherited
# holder: sleep
# relation: none
# first: close-on-exec
# ci: by hand
printf '%s' '<?php pclose(popen("exec sleep 60 >/dev/null 2>&1" . (getenv("CLOSE") ? " 3>&- 4>&- 5>&- 6>&-" : "") . " &", "r")); echo "played";' >i.php
serve() { php -S 0.0.0.0:4321 i.php & up 4321; printf 'GET / HTTP/1.0\r\n\r\n' | nc -q2 127.0.0.1 4321; kill $!; wait $!; true; }
holder() { serve; [ -n "$(pid_of 4321)" ]; }
refused() { php -S 0.0.0.0:4321 i.php; }
fixed() { kill $(pid_of 4321) && down 4321 && CLOSE=1 serve && starts 4321 php -S 0.0.0.0:4321 i.php; }
