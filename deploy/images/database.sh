#!/bin/bash
# The database container: a cluster in its volume, made once, on a unix socket that the services share.
set -euo pipefail

data=/var/lib/moment/postgres
bin=$(dirname "$(find /usr/lib/postgresql/*/bin/postgres | sort -V | tail -1)")
password=/etc/moment/secrets/postgres.password
for _ in $(seq 100); do
    [ -s "$password" ] && break
    sleep 0.2
done
if [ ! -s "$data/PG_VERSION" ]; then
    "$bin/initdb" -D "$data" --username=postgres --pwfile="$password" --auth=scram-sha-256 \
        --data-checksums --encoding=UTF8 --locale=C
fi
exec "$bin/postgres" -D "$data" -c listen_addresses= -c unix_socket_directories=/run/moment \
    -c shared_buffers=128MB -c max_connections=50 "$@"
