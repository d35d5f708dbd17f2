#!/bin/bash
# Runs unit test binaries: quiet when they pass, everything they said when they do not.
# The last line is "N passed, M failed", counted in cmocka tests.
# UNIT_WRAPPER runs each binary through a command ("valgrind --error-exitcode=9 --leak-check=full -q").
set -u

passed=0
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
read -r -a wrapper <<<"${UNIT_WRAPPER:-}"

for binary in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=stdout "${wrapper[@]}" "$binary" >"$output" 2>&1 </dev/null
    code=$?
    ok=$(grep -c '^\[       OK \]' "$output")
    # Named twice: where it failed, and in the list at the end.
    bad=$(grep -E '^\[  FAILED  \] [^0-9 ][^ ]*$' "$output" | sort -u | wc -l)
    # A crash, a leak report or a failed set-up fails no test by name, but it is a failure.
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    name=$(basename "$(dirname "$binary")")/$(basename "$binary")
    if [ "$code" -ne 0 ]; then
        printf -- '--- %s: failed (exit %d)\n' "$name" "$code"
        cat "$output"
    elif [ "$ok" -eq 0 ]; then
        printf -- '--- %s: ran no test\n' "$name"
        failed=$((failed + 1))
    else
        printf '  %-40s %4d passed\n' "$name" "$ok"
    fi
done

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
