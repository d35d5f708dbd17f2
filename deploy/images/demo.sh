#!/bin/sh
# The demo container: the first leader, the example directory and standards, the sources of the replay.
# Each of these once: momentctl refuses what is there already, and that is fine here.
set -eu
cd /opt/moment
examples=deploy/examples

if momentctl user list | grep -q '^leader '; then
    echo "leader is there already"
else
    momentctl user add leader --name "First leader" --role leader --role operator
fi
if ! momentctl source list | grep -q '^pbx-ami '; then
    momentctl directory import "$examples/directory.csv"
    for standard in "$examples"/standard-*.json; do momentctl standard publish "$standard"; done
    umask 077
    printf 'ingest-test-only\n' > /tmp/ami.secret
    momentctl source add asterisk-queue-log pbx-log --system pbx --path /var/spool/pbx/queue_log
    momentctl source add asterisk-ami pbx-ami --system pbx --host replay --port 15038 --user ingest \
        --secret-file /tmp/ami.secret
fi
echo "Moment is running: http://127.0.0.1:${MOMENT_WEB_PORT:-8080}/"
