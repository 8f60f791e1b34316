# report: wzshiming/socks5#6
# situation: A script starts a server in the background, and starts it again: to stop the first one would break the script.
# needs: python3 ss
# cause: same-program
# holder: python -m http.server
# relation: earlier-run
# first: other-port
# never: stop-holder
# ci: yes
cat >run.sh <<'S'
python3 -m http.server 8433 --bind 127.0.0.1 &
until ss -lntH "sport = :8433" | grep -q .; do sleep 0.05; done
python3 -m http.server 8433 --bind 127.0.0.1
S
refused() { bash run.sh; }
fixed() { starts 8434 python3 -m http.server 8434 --bind 127.0.0.1; }
