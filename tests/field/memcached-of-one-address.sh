# report: memcached/memcached#852
# situation: memcached is started twice on one address; its message names another port.
# needs: memcached ss
# cause: same-program
# holder: memcached
# relation: earlier-run
# first: other-port
# ci: by hand
holder() { memcached -u nobody -l 127.0.2.1:22122 & up 22122; }
refused() { memcached -u nobody -l 127.0.2.1:22122; }
fixed() { starts 22123 memcached -u nobody -l 127.0.2.1:22123; }
