#!/bin/bash
# demo.sh - what `make demo` does: a small organisation in the Moment that `make run` started, two sites
# in different time zones whose people have done something on every page. Can be run at any time, again too.
#
# Environment: MOMENT_DIR and MOMENT_PORT_OFFSET as for run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() {
    printf '\nmake demo: %s\n' "$*" >&2
    exit 1
}

momentctl=build/gcc-release/momentctl
dir=${MOMENT_DIR:-var}
[ ! -d "$dir" ] || dir=$(cd "$dir" && pwd)
supervisor_runs() {
    [ -e "$dir/run/supervisor.pid" ] && ! flock -n "$dir/run/supervisor.pid" true
}

if ! supervisor_runs; then
    echo "Moment is not running in $dir; make run comes first."
    deploy/run.sh
    dir=$(cd "$dir" && pwd)
    supervisor_runs || die "Moment does not run; the messages of make run are above"
fi
# Its files belong to whoever started it, not to root.
if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
    home=$(getent passwd "$SUDO_UID" | cut -d: -f6)
    exec setpriv --reuid="$SUDO_UID" --regid="$SUDO_GID" --init-groups env HOME="$home" "$0"
fi
[ -w "$dir/etc" ] || die "$dir belongs to $(stat -c %U "$dir"); run make demo as that user"
export MOMENT_DIR=$dir

ctl() { "$momentctl" --dir "$dir" --quiet "$@"; }
setting() { sed -n "s/^$2=//p" "$dir/etc/$1.conf" | tail -1; }
# shellcheck source=deploy/replay.sh
. deploy/replay.sh

step "Two sites, three teams, twenty people"
"$momentctl" --dir "$dir" directory import deploy/demo/directory.csv || die "the directory is refused"

step "Both sites live a recorded day again and again, each at its own pace"
# Main Street is on the air since make run, unless that was told not to.
offset=${MOMENT_PORT_OFFSET:-0}
replay_is_there pbx || replay_add pbx main "$((15038 + offset))" || die "the sources of Main Street are refused"
replay_is_there bay || replay_add bay bay "$((15039 + offset))" || die "the sources of Harbour Bay are refused"
replay_processes
kill -USR1 "$(cat "$dir/run/supervisor.pid")"
echo "  Main Street: Europe/London, system pbx. Harbour Bay: America/New_York, system bay."

step "What people do there; where it is about a call, that call has to come first"
url=http://$(setting reporting HTTP_ADDRESS)
code=0
deploy/demo/fill.py --url "$url" --password-file "$dir/demo/password" -- "$momentctl" --dir "$dir" || code=$?

cat <<END

  The page:  $url/
  The wall as a feed:  $url/api/v1/wall.atom      The API describes itself:  $url/api/openapi.json

A rhythm counts from the next Monday on, and what nobody did last week is not made up: the flame and the
weeks of accountability begin with what was done just now, and fill as time goes by. Samples are drawn within
minutes; effects of coaching show after more calls. Run make demo again at any time: nothing happens twice.
END
exit "$code"
