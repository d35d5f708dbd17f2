#!/bin/bash
# stop.sh - what `make stop` does: the replays first, then the services in the order of the streams,
# each drained, then PostgreSQL. Data and keys stay.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=${MOMENT_DIR:-var}
pid_file=$dir/run/supervisor.pid
if [ ! -e "$pid_file" ] || flock -n "$pid_file" true; then
    echo "Moment is not running."
    exit 0
fi
kill -TERM "$(cat "$pid_file")" || {
    echo "make stop: no right to stop process $(cat "$pid_file"); use sudo, or be $(stat -c %U "$pid_file")" >&2
    exit 1
}
names=(pbx pbx-bay ingest feedback recognition reporting postgres)
told=''
for _ in $(seq 1200); do
    flock -n "$pid_file" true && break
    for name in "${names[@]}"; do
        case $told in *" $name "*) continue ;; esac
        [ -e "$dir/run/$name.pid" ] && break
        told="$told $name "
        [ ! -e "$dir/etc/processes" ] || ls "$dir"/etc/processes/*-"$name".argv >/dev/null 2>&1 || continue
        echo "  $name stopped"
    done
    sleep 0.1
done
flock -n "$pid_file" true || {
    echo "make stop: it is taking more than two minutes; see $dir/log/supervisor.log" >&2
    exit 1
}
for name in "${names[@]}"; do
    case $told in *" $name "*) continue ;; esac
    ls "$dir"/etc/processes/*-"$name".argv >/dev/null 2>&1 && echo "  $name stopped"
done
echo "Moment is stopped; data and keys stay in $dir."
