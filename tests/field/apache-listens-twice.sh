# report: certbot/certbot#1831
# situation: apache has `Listen 127.0.0.1:443`, and a tool adds `Listen 443`.
# needs: apache2 ss
# cause: own-socket
# holder: apache2
# relation: none
# first: one-address
# also: own-socket
# never: stop-holder other-port
# ci: by hand
M=/usr/lib/apache2/modules
conf() {
    printf '%s\n' 'ServerRoot /etc/apache2' "LoadModule mpm_event_module $M/mod_mpm_event.so" \
        "LoadModule authz_core_module $M/mod_authz_core.so" "PidFile $W/pid" 'ErrorLog /dev/stderr' 'ServerName x' "$@" >a.conf
}
refused() { conf 'Listen 127.0.0.1:443' 'Listen 443'; apache2 -f "$W/a.conf" -DFOREGROUND; }
fixed() { conf 'Listen 443'; starts 443 apache2 -f "$W/a.conf" -DFOREGROUND; }
