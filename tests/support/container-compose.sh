#!/bin/bash
# container-compose.sh - docker-compose.yml for real: images built on a base made here, everything up and
# healthy, calls on the floor, a service killed and back, everything down. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" = 0 ] || { echo "container-compose: needs root" >&2; exit 1; }
work=${MOMENT_CONTAINER_DIR:-/var/tmp/moment-container}
project=moment-test
export MOMENT_WEB_PORT=${MOMENT_WEB_PORT:-18080} MOMENT_INGEST_PORT=${MOMENT_INGEST_PORT:-18081}
export COMPOSE_PROJECT_NAME=$project COMPOSE_HTTP_TIMEOUT=300 DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
mkdir -p "$work"
daemon=''

compose() {
    if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi
}
finish() {
    local code=$?
    if [ "$code" != 0 ]; then
        compose ps || true
        compose logs --tail=30 2>/dev/null || true
    fi
    compose down -v -t 5 --remove-orphans >/dev/null 2>&1 || true
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    exit "$code"
}

if ! docker info >/dev/null 2>&1 || ! docker info 2>/dev/null | grep -q '^Server:' ||
    docker info 2>&1 | grep -q 'Cannot connect'; then
    echo "Starting a Docker daemon"
    dockerd >"$work/dockerd.log" 2>&1 &
    daemon=$!
    for _ in $(seq 100); do
        docker version >/dev/null 2>&1 && break
        sleep 0.2
    done
fi
docker version >/dev/null || { tail -5 "$work/dockerd.log" >&2; exit 1; }
trap finish EXIT

if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1; then
    echo "Making debian:bookworm-slim"
    tests/support/base-image.sh "$work/base"
    tar -C "$work/base" -c . | docker import - debian:bookworm-slim >/dev/null
fi
make --no-print-directory web

echo "Building the images"
compose build >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
echo "Starting"
compose up -d >"$work/up.log" 2>&1 || { tail -40 "$work/up.log"; exit 1; }

state() { docker inspect -f '{{.State.Status}} {{.State.ExitCode}}{{with .State.Health}} {{.Status}}{{end}}' "$(compose ps -q "$1")" 2>/dev/null; }
wait_for() {
    local what=$1 service=$2 wanted=$3
    for _ in $(seq 120); do
        # shellcheck disable=SC2254 # wanted is a pattern
        case "$(state "$service")" in $wanted) echo "  $what"; return ;; esac
        sleep 1
    done
    echo "$what: not in two minutes; $service is $(state "$service")" >&2
    return 1
}
for service in postgres ingest feedback recognition reporting; do
    wait_for "$service is healthy" "$service" 'running * healthy'
done
wait_for "the demo is set up" demo 'exited 0*'
password=$(compose logs demo | sed -n 's/.*password: *//p' | tr -d '\r' | head -1)
[ -n "$password" ] || { echo "no password was printed" >&2; exit 1; }

ctl() { compose exec -T reporting env MOMENT_PEER_INGEST=tcp://ingest:7101 momentctl "$@"; }
token=$(ctl token add --role leader trial 2>/dev/null | sed -n 's/^token: *//p' | tr -d '\r')
moments() {
    python3 - "$MOMENT_WEB_PORT" "$token" <<'PY'
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:%s/api/v1/moments?limit=200" % sys.argv[1],
                                 headers={"Authorization": "Bearer " + sys.argv[2]})
print(len(json.load(urllib.request.urlopen(request))["items"]))
PY
}
wait_moments() {
    for _ in $(seq 90); do
        [ "$(moments)" -ge "$1" ] && { echo "  $(moments) moments"; return; }
        sleep 1
    done
    echo "only $(moments) moments, wanted $1" >&2
    return 1
}
wait_moments 3
code=$(python3 -c "import urllib.request as u; r=u.urlopen('http://127.0.0.1:$MOMENT_WEB_PORT/'); print(r.status)")
[ "$code" = 200 ] || { echo "the page answers $code" >&2; exit 1; }
echo "  the page answers"

echo "A service is killed"
before=$(docker inspect -f '{{.RestartCount}}' "$(compose ps -q ingest)")
# Process 1 is docker's init; its child is the service.
# shellcheck disable=SC2016 # for the shell inside
compose exec -T ingest bash -c 'for p in /proc/[0-9]*; do [ "$(tr "\0" " " <"$p/cmdline" 2>/dev/null | cut -c1-13)" = moment-ingest ] && kill -9 "${p#/proc/}"; done' || true
for _ in $(seq 60); do
    [ "$(docker inspect -f '{{.RestartCount}}' "$(compose ps -q ingest)")" -gt "$before" ] && break
    sleep 0.5
done
wait_for "ingest is back" ingest 'running * healthy'
wait_moments 5

# What the file promises about containment holds inside.
compose exec -T ingest bash -c '! touch /usr/x 2>/dev/null' || { echo "the root can be written" >&2; exit 1; }
[ "$(compose exec -T ingest sh -c "sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status" | tr -d '\r')" = 0000000000000000 ] ||
    { echo "there are capabilities" >&2; exit 1; }
echo "Draining"
compose stop -t 30 ingest >/dev/null 2>&1
[ "$(docker inspect -f '{{.State.ExitCode}}' "$(compose ps -q -a ingest 2>/dev/null || compose ps -q ingest)")" = 0 ] ||
    { echo "ingest did not drain" >&2; exit 1; }
echo "1 passed, 0 failed"
