#!/bin/bash
# mutants.sh [NAME...] - plants each bug of tests/fault/mutants in a copy of the tree, runs the fault test on
# it, and wants it to find something. Last line: "N caught, M missed".
#
# A patch says above its diff what it breaks, and in a line "Faults:" which faults are drawn, so that it does
# not take long. FAULT_MINUTES=2 each, with FAULT_SEEDS="1 2 3" until it is caught. OUT: a build to begin with.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

caught=0
missed=0
copy=$(mktemp -d "${TMPDIR:-/tmp}/moment-mutant.XXXXXX")
trap 'rm -rf "$copy"' EXIT

# Being late is no proof: a busy machine is that, too.
damage() { grep ' s  FOUND ' "$copy/fault.log" | grep -v 'FOUND late'; }

find_it() {
    local name=$1 patch=$2 seed faults
    faults=$(sed -n 's/^Faults: //p' "$patch")
    for seed in ${FAULT_SEEDS:-1 2 3}; do
        make -C "$copy" --no-print-directory OUT=build/mutant fault MINUTES="${FAULT_MINUTES:-2}" SEED="$seed" \
            FAULT_OPTIONS="--faults $faults" >"$copy/fault.log" 2>&1
        if damage >"$copy/damage"; then
            printf '%s: caught with seed %s\n' "$name" "$seed"
            head -3 "$copy/damage" | cut -c 1-160
            return 0
        fi
    done
    printf '%s: missed\n' "$name"
    tail -20 "$copy/fault.log"
    return 1
}

git ls-files -z Makefile services proto tests/fault tests/support deploy | xargs -0 cp --parents -pt "$copy"
if [ -d "${OUT:-}" ]; then
    mkdir "$copy/build"
    cp -a build/gen "$copy/build/"
    cp -a "$OUT" "$copy/build/mutant"
fi
for patch in tests/fault/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    if ! patch -s -d "$copy" -p1 <"$patch"; then
        printf '%s: the patch does not apply any more\n' "$name"
        missed=$((missed + 1))
        continue
    fi
    if find_it "$name" "$patch"; then
        caught=$((caught + 1))
    else
        missed=$((missed + 1))
    fi
    patch -s -R -d "$copy" -p1 <"$patch"
done
printf '%d caught, %d missed\n' "$caught" "$missed"
[ "$missed" -eq 0 ]
