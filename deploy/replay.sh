# replay.sh - sourced by run.sh and demo.sh: recorded days that a small Asterisk of their own lives again.
#
#   replay_add SYSTEM SITE PORT    its sources, once; SYSTEM-ami and SYSTEM-log
#   replay_is_there SYSTEM         was it added?
#   replay_process SYSTEM WORDS    the process file that the supervisor starts it from
#
# Expects $dir, the folder of the installation, and ctl, a function that runs momentctl. The port of a
# replay is kept: its sources name it.
# shellcheck shell=bash
# shellcheck disable=SC2154 # dir is theirs

# The one of `make run` was there first and has the short names.
replay_port_file() { case $1 in pbx) echo "$dir/etc/demo" ;; *) echo "$dir/etc/demo-$1" ;; esac }
replay_name() { case $1 in pbx) echo pbx ;; *) echo "pbx-$1" ;; esac }
replay_log() { case $1 in pbx) echo "$dir/demo/queue_log" ;; *) echo "$dir/demo/$1.queue_log" ;; esac }

replay_is_there() { [ -e "$(replay_port_file "$1")" ]; }

replay_has_source() { ctl source list | grep -q "^$1 "; }

replay_add() {
    local system=$1 site=$2 port=$3 secret=$dir/demo/ami.secret
    mkdir -p "$dir/demo"
    (umask 077 && printf 'ingest-test-only\n' > "$secret")
    replay_has_source "$system-ami" ||
        ctl source add asterisk-ami "$system-ami" --system "$system" --site "$site" \
            --host 127.0.0.1 --port "$port" --user ingest --secret-file "$secret" >/dev/null ||
        return 1
    replay_has_source "$system-log" ||
        ctl source add asterisk-queue-log "$system-log" --system "$system" --site "$site" \
            --path "$(replay_log "$system")" >/dev/null || return 1
    echo "$port" > "$(replay_port_file "$system")"
}

replay_process() {
    local system=$1
    shift
    printf '%s\n' /usr/bin/python3 "$PWD/tests/support/pbx.py" \
        --capture "$PWD/tests/fixtures/asterisk/A" \
        --ami "127.0.0.1:$(cat "$(replay_port_file "$system")")" \
        --queue-log "$(replay_log "$system")" --loop "$@" \
        > "$dir/etc/processes/70-$(replay_name "$system").argv"
}

# Every replay that was added. The second rests longer after its day, so that the two drift apart.
replay_processes() {
    if replay_is_there pbx; then replay_process pbx; fi
    if replay_is_there bay; then replay_process bay --pause 47; fi
}
