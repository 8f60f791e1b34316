# report: opnsense/plugins#4726
# situation: squid has one address twice, for intercepted and for other connections: its second listen is refused.
# needs: squid ss
# cause: own-socket
# holder: squid
# relation: none
# first: close-first
# never: stop-holder other-port
# ci: by hand
conf() {
    chmod 777 "$W"; mount -t tmpfs none /dev/shm
    printf '%s\n' "$@" "pid_filename $W/p" "cache_log $W/c.log" 'access_log none' "coredump_dir $W" 'visible_hostname x' \
        'cache_effective_user proxy' 'pinger_enable off' 'shutdown_lifetime 0 seconds' >s.conf
}
refused() { conf 'http_port 127.0.0.1:3128 intercept' 'http_port 127.0.0.1:3128'; squid -N -f "$W/s.conf" & local pid=$!; until_true has_file c.log; until_true says '\(98\)' c.log; kill $pid; wait $pid; }
fixed() { conf 'http_port 127.0.0.1:3129 intercept' 'http_port 127.0.0.1:3128'; starts 3128 squid -N -f "$W/s.conf"; }
