# cluster.sh - sourced by run.sh: the private PostgreSQL cluster of one installation.
#
#   cluster_place   sets pg_data (its files) and pg_socket (folder of its socket), both absolute
#   cluster_make    initdb, once
#   cluster_process writes the process file that the supervisor starts it from
#
# PostgreSQL refuses to run as root, so root runs it as the user postgres; where that user cannot
# reach the installation (below /root, say) the cluster lives in /var/lib/moment. It listens on a
# unix socket only.
# shellcheck shell=bash

cluster_bin() {
    find /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -1 | xargs -r dirname
}

# Words in front of every program of PostgreSQL.
cluster_as() {
    [ "$(id -u)" != 0 ] || echo setpriv --reuid=postgres --regid=postgres --clear-groups
}

cluster_place() {
    local dir=$1 digest
    digest=$(printf '%s' "$dir" | sha256sum | cut -c1-12)
    pg_data=$dir/postgres
    pg_socket=$dir/run/postgresql
    # shellcheck disable=SC2046 # cluster_as is words
    if [ "$(id -u)" = 0 ] && ! $(cluster_as) test -x "$dir"; then
        pg_data=/var/lib/moment/$digest/postgres
        pg_socket=/var/lib/moment/$digest/run
    fi
    # The path of a unix socket holds 107 bytes, of which its own name takes 14.
    if [ ${#pg_socket} -gt 90 ]; then
        pg_socket=/tmp/moment-$(id -u)-$digest
    fi
}

cluster_make() {
    local dir=$1 bin password
    bin=$(cluster_bin)
    [ -n "$bin" ] || { echo "no PostgreSQL programs in /usr/lib/postgresql; run make setup" >&2; return 1; }
    mkdir -p "$pg_data" "$pg_socket"
    chmod 700 "$pg_data"
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres: "$pg_data" "$pg_socket"
        [ "$pg_data" = "$dir/postgres" ] || ln -sfn "$pg_data" "$dir/postgres"
    fi
    # shellcheck disable=SC2046
    $(cluster_as) test -s "$pg_data/PG_VERSION" && return 0
    echo "Making a private PostgreSQL cluster in $pg_data"
    # A copy for a moment: the user postgres may not read our secrets.
    password=$pg_socket/.password
    (umask 077 && cat "$dir/secrets/postgres.password" >"$password")
    [ "$(id -u)" != 0 ] || chown postgres: "$password"
    # shellcheck disable=SC2046
    (cd / && $(cluster_as) "$bin/initdb" -D "$pg_data" --username=postgres --pwfile="$password" \
        --auth=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C >"$dir/log/initdb.log" 2>&1) || {
        rm -f "$password"
        tail -5 "$dir/log/initdb.log" >&2
        return 1
    }
    rm -f "$password"
}

cluster_process() {
    local dir=$1 bin
    bin=$(cluster_bin)
    {
        # The supervisor's death must reach it; changing the user would clear that wish.
        [ "$(id -u)" != 0 ] || printf '%s\n' setpriv --reuid=postgres --regid=postgres \
            --clear-groups --pdeathsig=TERM
        printf '%s\n' "$bin/postgres" -D "$pg_data" \
            -c listen_addresses= -c "unix_socket_directories=$pg_socket" -c port=5432 \
            -c shared_buffers=128MB -c max_connections=50 -c log_checkpoints=off
    } > "$dir/etc/processes/10-postgres.argv"
}
