"""installation - a whole Moment of its own for one test: PostgreSQL, keys, schemas, four real processes.

Everything is made the way an operator makes it (momentctl init, migrate, source add ...) in a fresh
folder, on free loopback ports. Processes are known by pid and ended by pid.

    with Installation() as moment:
        moment.start()
        moment.ctl("source", "add", "events", "crm")
        moment.api("/api/v1/moments")
"""
import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import psycopg2

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.join(ROOT, os.environ.get("MOMENT_BIN", "build/gcc-release"))
CAPTURE = os.path.join(ROOT, "tests/fixtures/asterisk/A")
SERVICES = ("ingest", "feedback", "recognition", "reporting")


def wait_for(what, condition, seconds=30, step=0.05):
    """The first true value of condition(); its last exception or value is told when time runs out."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, AssertionError, urllib.error.URLError, psycopg2.Error, json.JSONDecodeError) as e:
            last = e
        if time.monotonic() > deadline:
            raise AssertionError("%s did not come within %g s; last: %r" % (what, seconds, last))
        time.sleep(step)


def free_ports(count):
    """Ports below those that the kernel gives to outgoing connections, which could take one before we listen."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            ports += [port] if port not in ports else []
    return ports


class Postgres:
    """A private cluster (tests/support/with-postgres.sh), living until close()."""

    def __init__(self, settings=""):
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "tests/support/with-postgres.sh"), "sh", "-c",
             'echo "$MOMENT_TEST_DSN"; echo "$MOMENT_TEST_PG"; echo "$MOMENT_TEST_DIR"; exec cat >/dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "MOMENT_TEST_PGCONF": settings})
        self.dsn, self.script, self.folder = (self.process.stdout.readline().strip() for _ in range(3))
        if not self.folder:
            raise RuntimeError("PostgreSQL did not start")
        words = dict(word.split("=", 1) for word in self.dsn.split())
        self.host, self.user = words["host"], words["user"]

    def do(self, word):
        return subprocess.run([self.script, word], check=True, capture_output=True, text=True).stdout.strip()

    def kill(self):
        """kill -9 of the postmaster: its children notice and end; start() recovers from the WAL."""
        os.kill(int(self.do("pid")), signal.SIGKILL)
        wait_for("the end of all backends", lambda: not self.accepts(), 20)

    def accepts(self):
        with contextlib.suppress(psycopg2.Error):
            psycopg2.connect(self.dsn).close()
            return True
        return False

    def start(self):
        # After kill -9 the old shared memory may take a moment to be let go.
        wait_for("PostgreSQL to start again", lambda: subprocess.run(
            [self.script, "start"], capture_output=True, check=False).returncode == 0, 30, 0.3)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Installation:
    def __init__(self, env=None, site="main", settings=""):
        self.extra, self.site, self.pg_settings = env or {}, site, settings
        self.processes, self.token, self.passwords = {}, None, {}

    def __enter__(self):
        self.postgres = Postgres(self.pg_settings)
        self.folder = tempfile.TemporaryDirectory(prefix="moment-test.")
        self.dir = self.folder.name
        ports = free_ports(10)
        self.bus = dict(zip(SERVICES, ports[0:4]))
        self.admin = dict(zip(SERVICES, ports[4:8]))
        self.http = {"ingest": ports[8], "reporting": ports[9]}
        self.env = {**os.environ, "LC_ALL": "C.UTF-8",
                    **{"MOMENT_PEER_%s" % s.upper(): "tcp://127.0.0.1:%d" % p for s, p in self.bus.items()}}
        self.ctl("init", "--site", self.site, "--database-host", self.postgres.host)
        self.migrate()
        return self

    def __exit__(self, kind, *_):
        for name in list(self.processes):
            self.kill(name)
        self.postgres.close()
        if kind:
            self.show_logs()
        self.folder.cleanup()

    # --- the operator's hands ---

    def ctl(self, *words, check=True, stdin=None, env=None):
        done = subprocess.run([os.path.join(BIN, "momentctl"), "--dir", self.dir, *words], text=True, input=stdin,
                              capture_output=True, env={**self.env, **(env or {})}, timeout=120, check=False)
        if check and done.returncode:
            raise AssertionError("momentctl %s: exit %d\n%s%s" % (" ".join(words), done.returncode, done.stdout,
                                                                 done.stderr))
        return done.stdout if check else done

    def migrate(self):
        self.ctl("migrate", env={"MOMENT_ADMIN_DATABASE": "host=%s user=%s dbname=postgres" % (
            self.postgres.host, self.postgres.user)})

    # --- processes ---

    def start(self, *names, env=None, wait=True):
        for name in names or SERVICES:
            log = open(os.path.join(self.dir, name + ".log"), "ab")
            self.processes[name] = subprocess.Popen(
                [os.path.join(BIN, "moment-" + name), "--config", os.path.join(self.dir, "etc", name + ".conf")],
                stdout=log, stderr=log, env={
                    **self.env,
                    "MOMENT_BUS_ADDRESS": "tcp://127.0.0.1:%d" % self.bus[name],
                    "MOMENT_ADMIN_ADDRESS": "127.0.0.1:%d" % self.admin[name],
                    **({"MOMENT_HTTP_ADDRESS": "127.0.0.1:%d" % self.http[name]} if name in self.http else {}),
                    **self.extra, **(env or {})})
            log.close()
        if wait:
            for name in names or SERVICES:
                wait_for("%s to be ready" % name, lambda n=name: self.is_ready(n), 40)

    def is_ready(self, name):
        if self.processes[name].poll() is not None:
            raise RuntimeError("%s ended with %d" % (name, self.processes[name].returncode))
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/readyz" % self.admin[name], timeout=2) as r:
                return r.status == 200
        except urllib.error.HTTPError as e:
            raise AssertionError(e.read().decode()) from None

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def stop(self, name):
        """SIGTERM; the exit code of the drain."""
        return self.kill(name, signal.SIGTERM)

    def log(self, name):
        with open(os.path.join(self.dir, name + ".log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def show_logs(self, lines=40):
        for name in SERVICES:
            with contextlib.suppress(OSError):
                print("--- %s\n%s" % (name, "\n".join(self.log(name).splitlines()[-lines:])))

    def metric(self, service, pattern):
        """Sum of the series of /metrics whose name and labels match the pattern."""
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.admin[service], timeout=5) as r:
            return sum(float(line.rsplit(" ", 1)[1]) for line in r.read().decode().splitlines()
                       if not line.startswith("#") and re.match(pattern, line))

    # --- the leader's and the integrator's hands ---

    def post(self, body, content_type="application/cloudevents+json", token=None, path="/v1/events", **headers):
        """(status, answer) of a POST to ingest."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.http["ingest"], path), data, {
            "Content-Type": content_type, **({"Authorization": "Bearer " + token} if token else {}),
            **{k.replace("_", "-"): v for k, v in headers.items()}})
        return self.answer(request)

    @staticmethod
    def answer(request):
        try:
            with urllib.request.urlopen(request, timeout=30) as r:
                text = r.read()
                return r.status, json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text else None

    def api(self, path, token=None, expect=200):
        if token is None:
            token = self.token = self.token or self.new_token("leader")
        status, answer = self.answer(urllib.request.Request(
            "http://127.0.0.1:%d%s" % (self.http["reporting"], path), headers={"Authorization": "Bearer " + token}))
        assert status == expect, (path, status, answer)
        return answer

    def ask(self, who, method, path, body=None, **headers):
        """(status, answer, headers) of the HTTP API. who: a token, a cookie from sign_in, or None; headers: If_Match="..."."""
        data = json.dumps(body).encode() if body is not None else None
        sent = {k.replace("_", "-"): v for k, v in headers.items()}
        if data is not None:
            sent["Content-Type"] = "application/json"
        if who:
            sent["Authorization" if who.startswith("mt_") else "Cookie"] = "Bearer " + who if who.startswith("mt_") else who
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.http["reporting"], path), data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as r:
                text = r.read()
                return r.status, json.loads(text) if text else None, dict(r.headers)
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text else None, dict(e.headers)

    def sign_in(self, login, password):
        status, answer, headers = self.ask(None, "POST", "/api/v1/session", {"login": login, "password": password})
        assert status == 204, answer
        return headers["Set-Cookie"].split(";")[0]

    def new_user(self, login, *options):
        """Adds somebody with a password and signs them in: a cookie for ask."""
        self.passwords[login] = re.search(r"password: (\S+)", self.ctl("user", "add", login, *options)).group(1)
        return self.sign_in(login, self.passwords[login])

    def add_events_source(self, name, *options):
        """What `source add events` printed once: token, webhook secret, and keys of native clients."""
        text = self.ctl("source", "add", "events", name, *options)
        keys = re.findall(r"(?m)^.*CURVE (?:public|secret) key:?\s+(\S{40})\s*$", text)
        return {"token": re.search(r"(?m)token:?\s+(\S+)\s*$", text).group(1),
                "webhook_secret": re.search(r"\bwhsec_\S+", text).group(0),
                "public": keys[0] if keys else None, "secret": keys[1] if keys else None}

    def server_key(self, service="ingest"):
        with open(os.path.join(self.dir, "keys", service + ".public"), encoding="ascii") as f:
            return f.read().strip()

    def new_token(self, role, name="test"):
        text = self.ctl("token", "add", "--role", role, name + "-" + role)
        return re.search(r"\bmt_\S+", text).group(0)

    def moments(self):
        """Every moment, oldest first, through the paged list."""
        items, cursor = [], ""
        while True:
            page = self.api("/api/v1/moments?limit=200" + cursor)
            items += page["items"]
            if not page["next"]:
                return items[::-1]
            cursor = "&cursor=" + page["next"]

    def sql(self, text, *args):
        with contextlib.closing(psycopg2.connect(self.postgres.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(text, args)
            return cursor.fetchall()

    def change(self, text, *args):
        """What no service would write: as if it had come so."""
        with contextlib.closing(psycopg2.connect(self.postgres.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(text, args)

    def backends(self, service, role):
        """PostgreSQL's own processes that serve this service's connections of a role."""
        return [r[0] for r in self.sql("select pid from pg_stat_activity where usename = %s and application_name like %s",
                                       "moment_" + service, role)]

    def settle(self, seconds=60):
        """Wait until every stream is applied everywhere and nothing has moved for a moment."""
        def heads():
            return {s: self.sql("select coalesce(max(seq), 0) from %s.stream" % s)[0][0] for s in SERVICES}

        def cursors_at(head):
            rows = self.sql(" union all ".join(
                "select '%s', producer, max(to_seq) from %s.cursor group by producer" % (s, s) for s in SERVICES))
            return all(at >= head[producer] for _, producer, at in rows)

        state = {"heads": None, "since": time.monotonic()}

        def quiet():
            head = heads()
            if head != state["heads"] or not cursors_at(head):
                state.update(heads=head, since=time.monotonic())
                return False
            return time.monotonic() - state["since"] > 0.5

        wait_for("the streams to settle", quiet, seconds, 0.1)
