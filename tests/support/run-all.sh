#!/bin/bash
# run-all.sh - what `make test` does: every stage in an order that fails early, quiet while it passes.
# A stage that fails shows what it said and ends the run. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

logs=build/test-logs
mkdir -p "$logs"
jobs=$(nproc)
passed=0
failed=0
began=$SECONDS

# Sums of what a log tells: the totals of our own runners ("12 passed, 3 failed") and of pytest ("3 failed, 12
# passed in 3.4s"), not the lines of single programs above them.
count() {
    grep -E '^[0-9]+ passed, [0-9]+ failed$|(passed|failed).* in [0-9.]+s' "$1" | grep -oE '[0-9]+ '"$2" |
        awk '{ n += $1 } END { print n + 0 }'
}

finish() {
    echo
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

stage() {
    local name=$1 log start=$SECONDS ok bad code=0
    shift
    log=$logs/${name// /-}.log
    printf '%-34s' "$name"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    ok=$(count "$log" passed)
    bad=$(count "$log" failed)
    # A stage without tests of its own (a build) is one thing that must work.
    if [ $((ok + bad)) -eq 0 ]; then
        [ "$code" -eq 0 ] && ok=1 || bad=1
    fi
    [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + ok))
    failed=$((failed + bad))
    if [ "$code" -ne 0 ]; then
        printf 'FAILED (%d s)\n\n' $((SECONDS - start))
        tail -n 150 "$log"
        echo
        echo "The whole of it: $log"
        finish
    fi
    printf '%5d passed %5d s\n' "$ok" $((SECONDS - start))
}

# shellcheck disable=SC2317 # stage calls it
m() { make --no-print-directory "$@"; }

deploy/setup.sh build run test || exit 1
stage 'build with gcc' m -j"$jobs" CC=gcc build
stage 'unit' m -j"$jobs" test-unit
stage 'build with clang' m -j"$jobs" CC=clang build
stage 'page' m web
stage 'contract' m -j"$jobs" test-contract
stage 'lint' m lint
stage 'unit, sanitized' m -j"$jobs" test-asan
stage 'unit, valgrind' m -j"$jobs" test-valgrind
stage 'system' m -j"$jobs" test-system
stage 'browser' m test-browser
echo
echo "in $((SECONDS - began)) s"
finish
