#!/bin/bash
# setup.sh [GROUP...] - install the Debian packages of deploy/packages.txt that are missing.
# Groups: build and run (the default), test, container and others. Nothing is installed, and no right needed, if all are
# there; then no package server needs to be in reach either.
set -euo pipefail
cd "$(dirname "$0")/.."

groups=${*:-build run}
missing=()

# What came from elsewhere counts too: node from its makers, say.
is_there() {
    case $1 in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
    pkg-config) command -v pkg-config >/dev/null && return ;;
    esac
    dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

command -v dpkg-query >/dev/null || {
    echo "setup: this is no Debian; install what deploy/packages.txt lists by your own means" >&2
    exit 1
}
while IFS='|' read -r group package _; do
    group=${group// /} package=${package// /}
    case $group in '' | '#'*) continue ;; esac
    case " $groups " in *" $group "*) is_there "$package" || missing+=("$package") ;; esac
done < deploy/packages.txt
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: packages are missing and there is no sudo. As root, run:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 1
    }
    root=(sudo)
    # Without a terminal nobody could type the password.
    [ -t 0 ] || root=(sudo -n)
    "${root[@]}" true || {
        echo "setup: sudo is refused. Ask an administrator to run:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 1
    }
fi

# Debian starts a cluster of its own when PostgreSQL is installed; Moment needs only the programs.
if printf '%s\n' "${missing[@]}" | grep -qx 'postgresql-15' &&
    [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' |
        "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 \
        -o Dpkg::Use-Pty=0 -qq "$@" >"$log" 2>&1
}
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
    tail -n 15 "$log" >&2
    echo "setup: apt-get failed (its last words are above). Is the network there, is the disk full?" >&2
    df -h / /var 2>/dev/null | sed 's/^/  /' >&2
    exit 1
fi
