#!/bin/bash
# Runs fuzz targets, two at a time, FUZZ_SECONDS (60) each, from tests/fuzz/corpus/<target> and what
# earlier runs found. Memory is bounded, so that a bomb which is allocated instead of refused is a
# failure too. The input that broke a target stays in <folder of the target>/broken/.
set -u

one() {
    target=$1
    name=$(basename "$target")
    found=$(dirname "$target")/found/$name
    broken=$(dirname "$target")/broken
    corpus=tests/fuzz/corpus/$name
    mkdir -p "$found" "$broken"
    ASAN_OPTIONS=quarantine_size_mb=8:allocator_may_return_null=0:detect_leaks=1 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        "$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=256 \
        -malloc_limit_mb=64 -max_len="${FUZZ_LEN:-16384}" -print_final_stats=1 -artifact_prefix="$broken/$name-" \
        "$found" "$corpus" >"$found.log" 2>&1
    code=$?
    if [ "$code" -ne 0 ]; then
        printf -- '--- %s: broken (exit %d)\n' "$name" "$code"
        grep -nE 'ERROR|SUMMARY|FUZZ|tests/fuzz/.*: |runtime error|artifact_prefix|^    #[0-9] ' "$found.log" | head -40
    else
        printf '  %-24s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log")"
    fi
    return "$code"
}
export -f one
# shellcheck disable=SC2016 # for the shell inside
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'one "$1"' one {}
