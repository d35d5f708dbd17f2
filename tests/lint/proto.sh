#!/bin/bash
# proto.sh check    the protocol keeps buf's rules of style, and has only grown since its release
# proto.sh release  what it says now is what later versions must not break
#
# tests/contract/released.binpb is the released protocol as a descriptor set.
set -euo pipefail
cd "$(dirname "$0")/../.."

released=tests/contract/released.binpb
buf=$(echo tests/lint/node_modules/@bufbuild/buf-linux-*/bin/buf)
if [ ! -x "$buf" ] || [ tests/lint/package-lock.json -nt "$buf" ]; then
    (cd tests/lint && npm ci --no-audit --no-fund >/dev/null)
    buf=$(echo tests/lint/node_modules/@bufbuild/buf-linux-*/bin/buf)
    touch -c "$buf"
fi
case ${1:-check} in
check)
    "$buf" lint proto
    if [ ! -s "$released" ]; then
        echo "$released is missing; \`make proto-release\` writes it" >&2
        exit 1
    fi
    "$buf" breaking proto --against "$released"
    ;;
release)
    mkdir -p "$(dirname "$released")"
    "$buf" build proto --exclude-source-info -o "$released"
    ;;
*) exit 64 ;;
esac
