#!/bin/bash
# docs.sh [--write] - the README's tables of settings and counters, and the description of the HTTP
# API (openapi.py), are those of the programs.
#
# Between <!-- settings:begin --> and <!-- settings:end --> (and counters) stands what each service
# prints with --print-settings (--print-counters). Without --write: exit 1 and a diff if they differ.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=${MOMENT_BIN:-build/gcc-release}
services=(ingest feedback recognition reporting)

# What all four have stands once, in front.
tables() {
    local option=$1 service common
    common=$(mktemp)
    for service in "${services[@]}"; do "$bin/moment-$service" "$option" | sort -u; done |
        sort | uniq -c | awk '$1 == 4 { sub(/^ *4 /, ""); print }' > "$common"
    echo
    echo "Every service:"
    echo
    "$bin/moment-ingest" "$option" | grep -Fxf "$common"
    for service in "${services[@]}"; do
        own=$("$bin/moment-$service" "$option" | grep -Fvxf "$common" || true)
        [ -n "$own" ] || continue
        echo
        echo "moment-$service:"
        echo
        "$bin/moment-$service" "$option" | sed -n 1,2p
        printf '%s\n' "$own"
    done
    echo
    rm -f "$common"
}

render() {
    local settings counters
    settings=$(mktemp) counters=$(mktemp)
    tables --print-settings > "$settings"
    tables --print-counters > "$counters"
    awk -v settings="$settings" -v counters="$counters" '
        function copy(file, line) { while ((getline line < file) > 0) print line }
        /<!-- settings:begin -->/ { print; copy(settings); skip = 1; next }
        /<!-- counters:begin -->/ { print; copy(counters); skip = 1; next }
        /<!-- (settings|counters):end -->/ { skip = 0 }
        !skip { print }' README.md
    rm -f "$settings" "$counters"
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
render > "$new"
if [ "${1:-}" = --write ]; then
    cat "$new" > README.md
    MOMENT_BIN=$bin /usr/bin/python3 tests/lint/openapi.py --write
    exit 0
fi
if ! diff -u README.md "$new"; then
    echo "README.md differs from the programs; \`make docs\` writes it" >&2
    exit 1
fi
MOMENT_BIN=$bin /usr/bin/python3 tests/lint/openapi.py
