# report: PostgresApp/PostgresApp#218
# situation: A second cluster of PostgreSQL has the port of the first one.
# needs: /usr/lib/postgresql/15/bin/postgres su ss
# cause: same-program
# holder: postgres
# relation: none
# first: other-port
# ci: by hand
B=/usr/lib/postgresql/15/bin
cluster() { su -s /bin/sh nobody -c "$B/initdb -D $W/$1/data -A trust >/dev/null"; }
postgres() { su -s /bin/sh nobody -c "exec $B/postgres -D $W/$1/data -k $W/$1 -p $2"; }
holder() {
    chmod 755 "$W"; mkdir a b; chown nobody a b; cluster a; cluster b
    postgres a 5432 & up 5432
}
refused() { postgres b 5432; }
fixed() { starts 5433 postgres b 5433; }
