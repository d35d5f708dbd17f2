#!/bin/sh
# embed.sh FILE... - the SQL of every schema as one C file on stdout, so that momentctl is all that
# a migration needs. services/runtime/io/schema belongs to every service, services/S/schema to S.
set -eu

cat <<'HEAD'
/* Made by deploy/embed.sh from the schema folders; not for editing. */
#include "ctl/schema.h"

const struct schema_file schema_files[] = {
HEAD
for file in "$@"; do
    case $file in
    services/runtime/io/schema/*) owner=runtime ;;
    services/*/schema/*) owner=${file#services/} owner=${owner%%/*} ;;
    *) echo "embed.sh: $file is in no schema folder" >&2 && exit 64 ;;
    esac
    base=${file##*/}
    case $base in
    [0-9][0-9][0-9]_*.sql) ;;
    *) echo "embed.sh: $file: a schema file is named NNN_what.sql" >&2 && exit 64 ;;
    esac
    version=$(echo "${base%%_*}" | sed 's/^0*\(.\)/\1/')
    printf '    {"%s", %s, "%s/%s",\n' "$owner" "$version" "$owner" "$base"
    # The ? is escaped so that no two of them make a trigraph.
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
    echo '    },'
done
cat <<'TAIL'
};
const size_t schema_file_count = sizeof(schema_files) / sizeof(schema_files[0]);
TAIL
