# report: hestiacp/hestiacp#751
# situation: The pools of two PHP versions listen on one port.
# needs: php-fpm8.2 ss
# cause: same-program
# holder: php-fpm
# relation: none
# first: other-port
# ci: by hand
fpm() {
    printf '%s\n' '[global]' "pid=$W/$1.pid" error_log=/dev/stderr '[www]' user=nobody "listen=127.0.0.1:$2" pm=static pm.max_children=1 >$1.conf
    php-fpm8.2 -F -y "$W/$1.conf"
}
holder() { fpm 73 9000 & up 9000; }
refused() { fpm 74 9000; }
fixed() { starts 9001 fpm 74 9001; }
