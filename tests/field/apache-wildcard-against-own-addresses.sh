# report: certbot/certbot#3022
# situation: apache gets `Listen 443`, and another service has the port on one address of the host.
# needs: apache2 socat ip ss
# cause: wildcard
# holder: socat
# relation: none
# first: own-address
# never: other-port reuse-address
# also: wildcard dual-stack
# says: 0.0.0.0 covers every address
# ci: by hand
M=/usr/lib/apache2/modules
conf() {
    printf '%s\n' 'ServerRoot /etc/apache2' "LoadModule mpm_event_module $M/mod_mpm_event.so" \
        "LoadModule authz_core_module $M/mod_authz_core.so" "PidFile $W/pid" 'ErrorLog /dev/stderr' 'ServerName x' "$@" >a.conf
}
holder() {
    address 10.8.0.1/24; address 10.8.0.2/24
    socat TCP-LISTEN:443,bind=10.8.0.2,fork,reuseaddr /dev/null & up 443
}
refused() { conf 'Listen 443'; apache2 -f "$W/a.conf" -DFOREGROUND; }
fixed() { conf 'Listen 10.8.0.1:443'; starts 443 apache2 -f "$W/a.conf" -DFOREGROUND; }
