#!/bin/bash
# base-image.sh FOLDER - a bare Debian 12 in FOLDER (debootstrap, minbase), as `debian:bookworm-slim` is,
# from this machine's own package sources; no image registry is asked. Needs root. Kept between runs.
set -euo pipefail

root=$1
[ -e "$root/etc/debian_version" ] && [ -e "$root/.complete" ] && exit 0
command -v debootstrap >/dev/null || { echo "base-image: debootstrap is missing: deploy/setup.sh container" >&2; exit 1; }

# The mirror that this machine uses: of a line "deb URL suite", or of "URIs: URL".
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } | awk '
    $1 == "deb" { for (i = 2; i < NF; i++) if ($i ~ /^https?:/ && $(i + 1) == "bookworm") { print $i; exit } }
    $1 == "URIs:" && $2 ~ /\/debian\/?$/ { print $2; exit }')
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase bookworm "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || {
    tail -5 "$root.log" >&2
    exit 1
}
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
touch "$root/.complete"
