#!/bin/bash
# container-bare.sh [GOAL...] - `make run`, `make stop` and `make test` (or the goals given) in a bare
# Debian 12 that has git and make and nothing else: a debootstrap'd tree, entered with chroot in
# namespaces of its own. Needs root. The committed state of this repository is what is tried.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" = 0 ] || { echo "container-bare: needs root" >&2; exit 1; }
goals=${*:-run again stop test}
work=${MOMENT_CONTAINER_DIR:-/var/tmp/moment-container}
base=$work/base
root=$work/bare
mkdir -p "$work"
tests/support/base-image.sh "$base"

echo "A bare Debian in $root"
rm -rf --one-file-system "$root"
cp -a --reflink=auto "$base" "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# A machine whose network signs with a certificate of its own hands that on, as an administrator would.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    mkdir -p "$root/usr/local/share/ca-certificates" "$root/etc/ssl/certs"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/host-bundle.crt"
    echo 'export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/host-bundle.crt npm_config_cafile=/etc/ssl/certs/host-bundle.crt' > "$root/etc/moment-ca"
fi
git archive --prefix=root/moment/ HEAD | tar -x -C "$root"

cat > "$root/trial.sh" <<'TRIAL'
#!/bin/bash
set -euo pipefail
mount -t proc proc /proc
mount -t sysfs sysfs /sys 2>/dev/null || true
mount -t devtmpfs dev /dev 2>/dev/null || mount -t tmpfs dev /dev
[ -e /dev/null ] || { mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9; mknod -m 666 /dev/tty c 5 0; ln -s /proc/self/fd /dev/fd; ln -s /proc/self/fd/0 /dev/stdin; ln -s /proc/self/fd/1 /dev/stdout; ln -s /proc/self/fd/2 /dev/stderr; }
mkdir -p /dev/shm /dev/pts && mount -t tmpfs shm /dev/shm
export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ ! -e /etc/moment-ca ] || . /etc/moment-ca
echo "Installing git and make"
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends git make >/dev/null
cd /root/moment
# Checks that ask git what belongs to the project find it.
git init -q . && git add -A && git -c user.name=t -c user.email=t@localhost commit -qm "Under trial"
for goal in "$@"; do
    printf '\n=== make %s\n' "$goal"
    began=$SECONDS
    case $goal in
    again)
        make run
        [ $((SECONDS - began)) -lt 30 ] || { echo "a second make run took $((SECONDS - began)) s" >&2; exit 1; }
        ;;
    run)
        make run
        sleep 20
        build/gcc-release/momentctl status
        build/gcc-release/momentctl status --json | python3 -c '
import json, sys
status = json.load(sys.stdin)
heads = {s["service"]: s["head"] for s in status["services"]}
assert heads["ingest"] > 20, heads
assert all(s["state"] == "serving" for s in status["services"]), status
print("the floor lives:", heads)'
        ;;
    *) make "$goal" ;;
    esac
    printf '=== make %s took %d s\n' "$goal" $((SECONDS - began))
done
TRIAL
chmod +x "$root/trial.sh"
# shellcheck disable=SC2086 # goals are words
exec unshare --mount --pid --fork --kill-child --uts --ipc --root="$root" /trial.sh $goals
