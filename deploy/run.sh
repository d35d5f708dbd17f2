#!/bin/bash
# run.sh - everything that `make run` does, from a bare Debian 12 to a live floor; see README.md.
#
# Environment: MOMENT_DIR (default var): data, keys and logs. MOMENT_PORT_OFFSET: added to every
# port when the folder is first made. MOMENT_DEMO=no: no replay, no example data.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() {
    printf '\nmake run: %s\n' "$*" >&2
    exit 1
}

services=(ingest feedback recognition reporting)
out=build/gcc-release
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# --- packages; then away from root where sudo brought us ------------------------------------------

if [ "${1:-}" != --installed ]; then
    deploy/setup.sh build run || die "the packages above are needed first"
    # What is built and kept shall belong to the person, not to root.
    if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
        home=$(getent passwd "$SUDO_UID" | cut -d: -f6)
        exec setpriv --reuid="$SUDO_UID" --regid="$SUDO_GID" --init-groups \
            env HOME="$home" "$0" --installed
    fi
fi

dir=${MOMENT_DIR:-var}
mkdir -p "$dir" 2>/dev/null || true
[ -w "$dir" ] ||
    die "$dir cannot be written by $(id -un); it belongs to $(stat -c %U "$dir" 2>/dev/null || echo nobody).
Give it back with: sudo chown -R $(id -un) $dir"
dir=$(cd "$dir" && pwd)
export MOMENT_DIR=$dir
# shellcheck source=deploy/cluster.sh
. deploy/cluster.sh
# shellcheck source=deploy/replay.sh
. deploy/replay.sh

setting() { sed -n "s/^$2=//p" "$dir/etc/$1.conf" 2>/dev/null | tail -1; }
port_of() { local address; address=$(setting "$1" "$2") && echo "${address##*:}"; }
web() { echo "http://$(setting reporting HTTP_ADDRESS)/"; }
supervisor_runs() {
    [ -e "$dir/run/supervisor.pid" ] && ! flock -n "$dir/run/supervisor.pid" true
}

# GET path of the admin listener of a service: prints the status code.
probe() {
    local port line
    port=$(port_of "$1" ADMIN_ADDRESS)
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    read -r -t 5 _ line _ <&3 || line=000
    exec 3>&-
    echo "$line"
}
is_ready() { [ "$(probe "$1" /readyz 2>/dev/null)" = 200 ]; }

if supervisor_runs; then
    down=()
    for service in "${services[@]}"; do is_ready "$service" || down+=("$service"); done
    if [ ${#down[@]} = 0 ]; then
        echo "Moment is running already: $(web)"
        echo "To run what was built since: make stop && make run"
        exit 0
    fi
    echo "Moment runs, but not all of it is ready: ${down[*]}. Starting it afresh."
    deploy/stop.sh
fi

# --- room, programs -------------------------------------------------------------------------------

free_kb=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
[ "$free_kb" -gt 400000 ] ||
    die "the disk of $dir has only $((free_kb / 1024)) MB left; Moment wants 400 MB to start"

step "Building the services and the page"
make --no-print-directory -j"$(nproc)" build web || die "the build failed; its messages are above"

# --- keys, settings, ports ------------------------------------------------------------------------

step "Keys and settings in $dir"
cluster_place "$dir"
"$out/momentctl" init "$dir" --database-host "$pg_socket" --port-offset "${MOMENT_PORT_OFFSET:-0}" ||
    die "the folder $dir could not be prepared"
mkdir -p "$dir/etc/processes" "$dir/demo"
rm -f "$dir"/etc/processes/*

who_listens() {
    if command -v ss >/dev/null; then
        ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:((\([^)]*\)).*/\1/p' | head -1
    fi
}
for service in "${services[@]}"; do
    for name in HTTP_ADDRESS BUS_ADDRESS ADMIN_ADDRESS; do
        port=$(port_of "$service" $name)
        [ -n "$port" ] || continue
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            who=$(who_listens "$port")
            die "port $port is taken${who:+ by $who}. Stop that, or change $name in
$dir/etc/$service.conf (and PEER_* of the others, for a bus address)."
        fi
    done
done

# --- database -------------------------------------------------------------------------------------

step "Database"
cluster_make "$dir" || die "PostgreSQL could not be prepared; see $dir/log/initdb.log"
cluster_process "$dir"
setsid "$out/momentctl" --dir "$dir" supervise </dev/null >>"$dir/log/supervisor.log" 2>&1 &
for _ in $(seq 50); do
    supervisor_runs && break
    sleep 0.1
done
supervisor_runs || die "the supervisor does not start: $(tail -1 "$dir/log/supervisor.log")"
fail() {
    deploy/stop.sh >/dev/null 2>&1 || true
    die "$@"
}
"$out/momentctl" --dir "$dir" migrate --wait 60 || {
    tail -n 5 "$dir/log/postgres.log" >&2
    fail "the database is not ready; its last words are above"
}

# --- services -------------------------------------------------------------------------------------

step "Services"
# Consumers first: stopping goes the other way round, so that what feeds them stops first.
number=20
for service in reporting recognition feedback ingest; do
    printf '%s\n' "$PWD/$out/moment-$service" --config "$dir/etc/$service.conf" \
        > "$dir/etc/processes/$number-$service.argv"
    number=$((number + 10))
done
look_again() { kill -USR1 "$(cat "$dir/run/supervisor.pid")"; }
look_again
for service in "${services[@]}"; do
    printf '  %-12s' "$service"
    for try in $(seq 240); do
        is_ready "$service" && break
        [ $((try % 20)) != 0 ] || printf .
        sleep 0.25
    done
    is_ready "$service" || {
        echo
        tail -n 8 "$dir/log/$service.log" >&2
        fail "$service does not become ready; its last words are above ($dir/log/$service.log)"
    }
    echo " ready"
done

# --- the first leader, the demo -------------------------------------------------------------------

ctl() { "$out/momentctl" --dir "$dir" --quiet "$@"; }
login=''
# At once, and again at the end: should a later step fail, the password is not lost.
tell_login() {
    echo "Log in as: leader"
    echo "Password:  $login   (shown only now; momentctl user password leader makes a new one)"
}
if [ "$(ctl user list | head -1 | cut -c1-5)" != LOGIN ]; then
    step "The first leader"
    ctl user add leader --name "First leader" --role leader --role operator >"$log" ||
        fail "the first leader could not be added"
    login=$(sed -n 's/^password: *//p' "$log")
    tell_login
fi

if [ "${MOMENT_DEMO:-yes}" != no ]; then
    step "Demo: a recorded Asterisk lives its day again"
    if ! replay_is_there pbx; then
        ctl directory import deploy/examples/directory.csv || fail "the demo directory is refused"
        for standard in deploy/examples/standard-*.json; do
            ctl standard publish "$standard" || fail "the example $standard is refused"
        done
        replay_add pbx main "$((15038 + ${MOMENT_PORT_OFFSET:-0}))" ||
            fail "the demo's sources could not be added"
    fi
    replay_processes
    look_again
fi

echo
echo "Moment is running: $(web)"
[ -z "$login" ] || tell_login
replay_is_there bay || echo "With people and what they do: make demo"
echo "Logs: $dir/log   Stop: make stop   More: $out/momentctl help"
