#!/bin/bash
# layers.sh - who may include what. Rooms point one way (services/README of the design: main ->
# service, edges -> store, codec -> io -> base); this table is the whole rule.
set -euo pipefail
cd "$(dirname "$0")/../.."

# room (a pattern of paths) | what it may not include (an extended regular expression) | why
table() {
    cat <<'TABLE'
services/runtime/base/*           | ^"(io|ctl|ingest|feedback|recognition|reporting|moment)/ | base is pure: libc, libsodium and ICU
services/runtime/base/*           | ^<(uv|zmq|libpq-fe|microhttpd|jansson|curl/.*)\.h> | base does no input or output
services/runtime/*                | ^"(ctl|ingest|feedback|recognition|reporting)/ | the runtime knows no service
services/runtime/*                | ^"moment/v1/(ingest|feedback|recognition|reporting)\. | the runtime knows the envelope only
services/*/rules/*                | ^"(io|ctl|moment)/ | rules decide; they neither read nor write
services/*/rules/*                | ^<(uv|zmq|libpq-fe|microhttpd|jansson|sodium|curl/.*|protobuf-c/.*)\.h> | rules are pure
services/*/rules/*                | ^"(ingest|feedback|recognition|reporting)/(store|codec|edge_) | rules know no tables and no wire
services/ingest/*                 | ^"(ctl|feedback|recognition|reporting)/ | services meet only in proto
services/feedback/*               | ^"(ctl|ingest|recognition|reporting)/ | services meet only in proto
services/recognition/*            | ^"(ctl|ingest|feedback|reporting)/ | services meet only in proto
services/reporting/*              | ^"(ctl|ingest|feedback|recognition)/ | services meet only in proto
services/ctl/*                    | ^"(ingest|feedback|recognition|reporting)/ | momentctl asks services, it does not link them
services/*                        | ^<(uv|zmq|microhttpd)\.h> | third-party input and output stays in runtime/io
services/*                        | ^<curl/ | other people's servers are fetch.c's
services/*                        | ^<libpq-fe\.h> | the database is db.c's (and momentctl's, which may block: migrate, verify)
services/*                        | ^<jansson\.h> | JSON goes through io/json.h
services/*                        | ^<sodium\.h> | cryptography goes through base/seal.h
services/*                        | ^<unicode/ | civil time goes through base/zone.h, characters through base/fold.h
TABLE
}

# Rooms to which a later row of the table does not apply.
excepted() {
    case "$1 $2" in
    services/runtime/io/*' '*'uv|zmq|microhttpd'*) return 0 ;;
    services/runtime/io/fetch.c' ^<curl/'*) return 0 ;;
    services/runtime/io/*' ^<libpq-fe'*) return 0 ;;
    services/ctl/pg.?' ^<libpq-fe'* | services/ctl/cluster.?' ^<libpq-fe'*) return 0 ;;
    services/runtime/io/json.h' ^<jansson'*) return 0 ;;
    services/runtime/base/*' ^<sodium'*) return 0 ;;
    services/runtime/base/zone.c' ^<unicode'* | services/runtime/base/fold.c' ^<unicode'*) return 0 ;;
    esac
    return 1
}

bad=0
while IFS='|' read -r room rest; do
    # The regular expression holds bars of its own: the reason is what follows the last one.
    why=${rest##*| }
    forbidden=${rest%" | $why"}
    forbidden=${forbidden# }
    room=${room// /}
    while IFS=: read -r file line include; do
        # shellcheck disable=SC2254 # the room is a pattern
        case $file in $room) ;; *) continue ;; esac
        excepted "$file" "$forbidden" && continue
        echo "$file:$line: includes $include: $why"
        bad=1
    done < <(find services -name '*.[ch]' -print0 |
        xargs -0 grep -nE '^#include ' /dev/null |
        sed -nE 's/^([^:]*:[0-9]+):#include +/\1:/p' |
        awk -F: -v forbidden="$forbidden" '$3 ~ forbidden { print }')
done < <(table)
exit $bad
