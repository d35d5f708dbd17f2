#!/bin/bash
# lint.sh - every static check, one after the other; a check that fails says what it found. Called by
# `make lint`, which gives CPPFLAGS. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

check() {
    local name=$1 began=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        printf '  %-14s ok (%d s)\n' "$name" $((SECONDS - began))
        passed=$((passed + 1))
    else
        printf -- '--- %s: failed\n' "$name"
        tail -n 200 "$log"
        failed=$((failed + 1))
    fi
}

c_files() { find services tests \( -name node_modules -o -name web \) -prune -o -name '*.[ch]' -print; }
scripts() { { find deploy tests -name node_modules -prune -o -name '*.sh' -print; echo .ci/run; } | sort; }

layout() { c_files | xargs clang-format --dry-run -Werror; }
tidy() { make --no-print-directory -k -j2 CC=clang tidy; }
cpp() {
    mkdir -p build/lint/cppcheck
    # shellcheck disable=SC2086 # flags are words
    cppcheck --quiet -j2 --enable=warning,performance,portability,style --error-exitcode=1 --std=c11 \
        --inline-suppr --suppressions-list=tests/lint/cppcheck.txt --cppcheck-build-dir=build/lint/cppcheck \
        --platform=unix64 $CPPFLAGS services --suppress='*:build/gen/*'
}
# Functions that a trap or a stage calls look unreachable to it.
shell() { scripts | xargs shellcheck -x -e SC2317; }
pages() { (cd services/reporting/web && npm run --silent check); }
# Words that belong on somebody's machine, and debts without an owner.
debts() {
    ! git grep -InE 'TODO|FIXME|XXX[^X]' -- services deploy proto ':!*.lock' ':!*package-lock.json'
}

check clang-format layout
check layers tests/lint/layers.sh
check debts debts
check shellcheck shell
check proto tests/lint/proto.sh check
check docs tests/lint/docs.sh
check page pages
check cppcheck cpp
check clang-tidy tidy

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
