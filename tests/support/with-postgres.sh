#!/bin/bash
# with-postgres.sh COMMAND [ARGS...] - run a command beside a private, throwaway PostgreSQL.
#
# The cluster lives in a fresh temporary directory, listens on a unix socket only, and is gone when
# the command ends. PostgreSQL refuses to run as root, so root runs it as the user postgres.
#
# The command finds in its environment:
#   MOMENT_TEST_DSN   keyword DSN of the superuser in an empty database named moment
#   MOMENT_TEST_PG    a script: start | stop | crash (immediate) | restart | pid
#   MOMENT_TEST_DIR   a directory that goes away with the cluster
# MOMENT_TEST_FSYNC=on makes commits wait for the disk (benches); tests only need process crashes.
# MOMENT_TEST_PGCONF may hold further lines for postgresql.conf.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGS...]" >&2; exit 64; }

bin=${PG_BIN:-}
if [ -z "$bin" ]; then
    bin=$(find /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | head -1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /usr/bin/initdb)")
fi
[ -x "$bin/initdb" ] || { echo "$0: no PostgreSQL server binaries found; set PG_BIN" >&2; exit 69; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/moment-pg.XXXXXX")
chmod 755 "$dir"
mkdir "$dir/data" "$dir/socket" "$dir/files"
if [ "$(id -u)" = 0 ]; then
    chown postgres: "$dir/data" "$dir/socket"
    chmod 711 "$dir"
    as="setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=$dir"
    user=postgres
else
    as="env"
    user=$(id -un)
fi

cat > "$dir/pg" <<SCRIPT
#!/bin/bash
# Drives the throwaway cluster: start | stop | crash | restart | pid
set -euo pipefail
cd /
case "\$1" in
start)
    # After a crash the old backends may hold the shared memory for a moment longer.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        if $as "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -w -t 60 start >/dev/null 2>&1; then
            exit 0
        fi
        sleep 0.2
    done
    exit 1
    ;;
stop) $as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m fast stop >/dev/null ;;
crash) $as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m immediate stop >/dev/null ;;
restart) "\$0" crash; "\$0" start ;;
pid) head -1 "$dir/data/postmaster.pid" ;;
*) exit 64 ;;
esac
SCRIPT
chmod 755 "$dir/pg"

cleanup() {
    "$dir/pg" crash 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

(cd / && $as "$bin/initdb" -D "$dir/data" -U "$user" -A trust -E UTF8 --locale=C.UTF-8 -N \
    >"$dir/files/initdb.log" 2>&1) || { cat "$dir/files/initdb.log" >&2; exit 1; }
$as tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/socket'
fsync = ${MOMENT_TEST_FSYNC:-off}
synchronous_commit = on
shared_buffers = 64MB
max_connections = 60
max_wal_size = 256MB
log_line_prefix = '%m [%p] %a '
timezone = 'UTC'
${MOMENT_TEST_PGCONF:-}
CONF
"$dir/pg" start || { cat "$dir/data/log" >&2; exit 1; }
"$bin/createdb" -h "$dir/socket" -U "$user" moment

export MOMENT_TEST_DSN="host=$dir/socket user=$user dbname=moment"
export MOMENT_TEST_PG="$dir/pg"
export MOMENT_TEST_DIR="$dir/files"
status=0
"$@" || status=$?
if [ $status -ne 0 ] && [ -n "${MOMENT_TEST_VERBOSE:-}" ]; then
    tail -40 "$dir/data/log" >&2
fi
exit $status
