"""nemesis - what goes wrong during a fault test, drawn from a seed.

Each fault is a method of Nemesis that does its harm, waits where that is part of it, and leaves everything
mended behind, or raises Unmended: something did not come back, or let through what it must refuse. Only
processes that this test started are ended, each by its pid.
"""
import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error

import psycopg2
import zmq

from fault_proxy import MODES
from installation import BIN, SERVICES, free_ports, wait_for
from ledger import ACKNOWLEDGED, hash_of, letters
from native_client import NativeClient, Refused, stream_pb2

READY_S = 60      # for a service to be ready after a fault
RECOVERY_S = 5    # for ingest to accept again after kill -9
CLIENT_OF_WEBHOOKS = 1000


class Unmended(Exception):
    pass


class Nemesis:
    def __init__(self, moment, proxies, clients, seed, say, faults):
        self.faults = {name: self.FAULTS[name] for name in faults}
        self.moment, self.proxies, self.clients, self.say = moment, proxies, clients, say
        self.random = random.Random(seed)
        self.kills, self.counts, self.webhooks = [], {}, itertools.count(1)

    FAULTS = {
        "kill": 6, "pause": 4, "kill_backend": 2, "kill_postmaster": 1, "immediate_shutdown": 1, "terminate_writer": 4,
        "cancel_writer": 4, "twin": 3, "database_link": 5, "bus_link": 5, "send_webhooks": 3, "burst": 2, "slow_consumer": 2,
        "malformed_submissions": 2, "malformed_http": 2, "intruders": 2, "partitions": 2, "held_snapshot": 2,
    }

    def run(self, deadline):
        """Fault after fault, with quiet in between; the first of every kind come before any second."""
        waiting = []
        while time.monotonic() < deadline:
            if not waiting:
                waiting = list(self.faults) if not self.counts else self.random.choices(
                    list(self.faults), list(self.faults.values()), k=10)
                self.random.shuffle(waiting)
            name = waiting.pop()
            self.counts[name] = self.counts.get(name, 0) + 1
            getattr(self, name)()
            time.sleep(self.random.uniform(0.5, 3))

    def heal(self):
        for proxy in self.proxies.values():
            proxy.set("open")
        for name in SERVICES:
            self.ready(name)

    # --- helpers ---

    def tell(self, text, *args):
        self.say(text % args)

    def ready(self, name, seconds=READY_S):
        try:
            wait_for("%s to be ready" % name, lambda: self.moment.is_ready(name), seconds, 0.1)
        except RuntimeError as e:
            raise Unmended("%s ended by itself: %s" % (name, e)) from None
        except AssertionError as e:
            raise Unmended(str(e)) from None

    def all_ready(self):
        for name in SERVICES:
            self.ready(name)

    def service(self):
        return self.random.choice(SERVICES)

    def administer(self, text, *args):
        """The rows; PostgreSQL may be on its way up from the fault before."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                with contextlib.closing(psycopg2.connect(self.moment.postgres.dsn)) as connection:
                    connection.autocommit = True
                    with connection.cursor() as cursor:
                        cursor.execute(text, args)
                        return cursor.fetchall()
            except psycopg2.OperationalError as e:
                if time.monotonic() > deadline:
                    raise Unmended("PostgreSQL does not accept: %s" % e) from None
                time.sleep(0.2)

    # --- processes ---

    def kill(self):
        name, times = self.service(), self.random.choice((1, 1, 2, 3))
        self.tell("kill -9 %s, %d times", name, times)
        for _ in range(times):
            at = time.time()
            self.moment.kill(name)
            self.moment.start(name, wait=False)
            self.ready(name)
        if name == "ingest":
            self.kills.append((at, time.time()))
            time.sleep(RECOVERY_S)  # what comes next is not to be blamed for a late recovery

    def pause(self):
        name, seconds = self.service(), self.random.uniform(1, 20)
        process = self.moment.processes[name]
        self.tell("SIGSTOP %s for %.1f s", name, seconds)
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)
        self.ready(name)

    def slow_consumer(self):
        name = self.random.choice(("feedback", "recognition", "reporting"))
        process, until = self.moment.processes[name], time.monotonic() + self.random.uniform(5, 15)
        self.tell("%s runs 1 %% of the time", name)
        while time.monotonic() < until:
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.495)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.005)
        self.ready(name)

    def twin(self):
        """A second instance, other ports, same database and name; perhaps the first one dies meanwhile."""
        name, dies = self.service(), self.random.random() < 0.5
        bus, admin, http = free_ports(3)
        self.tell("a second %s%s", name, ", and the first is killed" if dies else "")
        with open(os.path.join(self.moment.dir, "twin.log"), "ab") as log:
            twin = subprocess.Popen([os.path.join(BIN, "moment-" + name), "--config",
                                     os.path.join(self.moment.dir, "etc", name + ".conf")], stdout=log, stderr=log, env={
                **self.moment.env, "MOMENT_BUS_ADDRESS": "tcp://127.0.0.1:%d" % bus,
                "MOMENT_ADMIN_ADDRESS": "127.0.0.1:%d" % admin, "MOMENT_HTTP_ADDRESS": "127.0.0.1:%d" % http,
                **self.moment.database_of(name)})
        try:
            time.sleep(self.random.uniform(1, 6))
            if dies:
                self.moment.kill(name)
                time.sleep(self.random.uniform(0, 3))
                self.moment.start(name, wait=False)
                time.sleep(self.random.uniform(0, 3))
        finally:
            twin.send_signal(signal.SIGKILL)
            twin.wait(30)
        self.ready(name)

    # --- PostgreSQL ---

    def kill_backend(self):
        name = self.service()
        pids = self.administer("select pid from pg_stat_activity where usename = %s order by pid", "moment_" + name)
        if not pids:
            return
        pid, = self.random.choice(pids)
        self.tell("kill -9 of backend %d of %s", pid, name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.database_back()

    def kill_postmaster(self):
        self.tell("kill -9 of the postmaster")
        self.moment.postgres.kill()
        self.moment.postgres.start()
        self.database_back()

    def immediate_shutdown(self):
        self.tell("immediate shutdown of PostgreSQL")
        self.moment.postgres.do("crash")
        self.moment.postgres.start()
        self.database_back()

    def database_back(self):
        try:
            wait_for("PostgreSQL to accept", self.moment.postgres.accepts, READY_S, 0.1)
        except AssertionError as e:
            raise Unmended(str(e)) from None
        self.all_ready()

    def terminate_writer(self):
        self.signal_writer("pg_terminate_backend")

    def cancel_writer(self):
        self.signal_writer("pg_cancel_backend")

    def signal_writer(self, function):
        name, times = self.service(), self.random.randint(1, 20)
        self.tell("%s of %s, %d times", function, name, times)
        for _ in range(times):
            self.administer("select %s(pid) from pg_stat_activity where usename = %%s" % function, "moment_" + name)
            time.sleep(self.random.uniform(0, 0.2))
        self.ready(name)

    def partitions(self):
        self.tell("partitions are looked after, of all at once and again and again")
        for _ in range(20):
            for name in SERVICES:
                self.administer("select %s.ensure_partitions()" % name)
            time.sleep(0.1)

    def held_snapshot(self):
        seconds = self.random.uniform(5, 20)
        self.tell("a snapshot is held for %.1f s, vacuum runs", seconds)
        self.administer("select 1")
        with contextlib.closing(psycopg2.connect(self.moment.postgres.dsn)) as connection:
            connection.set_session(isolation_level="REPEATABLE READ")
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from ingest.moment")
                time.sleep(seconds)

    # --- the network ---

    def database_link(self):
        self.link("database", "%s and PostgreSQL")

    def bus_link(self):
        self.link("bus", "%s and whoever asks it")

    def link(self, kind, between):
        name, mode, seconds = self.service(), self.random.choice(MODES), self.random.uniform(1, 20)
        self.tell("%s between " + between + " for %.1f s", mode, name, seconds)
        proxy = self.proxies[kind, name]
        proxy.set(mode)
        try:
            time.sleep(seconds)
        finally:
            proxy.set("open")
        self.all_ready()

    # --- what comes in ---

    def burst(self):
        self.tell("ten times the events for 10 s")
        for client in self.clients:
            client.set_rate(10)
        time.sleep(10)
        for client in self.clients:
            client.set_rate(1)

    def send_webhooks(self):
        """Each signed event several times, in any order; stale, truncated and unsigned ones between them."""
        self.tell("webhooks: duplicate, reordered, stale, truncated")
        pending = [event + (how,) for event in [self.webhook() for _ in range(20)]
                   for how in ("good", "good", "stale", "truncated", "unsigned")]
        pending.sort(key=lambda _: self.random.random())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda sent: (*sent, self.post_webhook(sent[1], sent[2])), pending))
        for n, _, how, status in answers:
            if how == "good" and status == 202:
                self.moment.ledger.answer(ACKNOWLEDGED, n)
            elif how != "good" and status is not None and not (400 <= status < 500 or status == 503):
                raise Unmended("a %s webhook was answered %s" % (how, status))

    def webhook(self):
        n = self.moment.ledger.next
        step, contact = n // 100 % 4, "%s-%d-%d" % (self.moment.run, CLIENT_OF_WEBHOOKS, n // 400 * 100 + n % 100)
        at_us = int(time.time() * 1000) * 1000
        queue, agent = "queue-%d" % (n % 4) if step else "", "agent-%d" % (n % 20) if step > 1 else ""
        kind = (1, 2, 5, 13)[step]
        digest = hash_of(contact, kind, at_us, queue, agent)
        assert self.moment.ledger.sent(digest) == n
        data = {"contact_id": contact, "reason": "%d:%d:%s" % (CLIENT_OF_WEBHOOKS, n, letters(digest)), "channel": "voice",
                **({"queue": queue} if queue else {}), **({"agent": agent} if agent else {})}
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_us / 1e6)) + ".%03dZ" % (at_us // 1000 % 1000)
        names = ("started", "queued", "answered", "ended")
        return n, json.dumps({"specversion": "1.0", "id": "%s-w%d" % (self.moment.run, n), "source": "/fault",
                              "type": "contact." + names[step], "time": at, "data": data}).encode()

    def post_webhook(self, body, how):
        now = int(time.time()) - (4000 if how == "stale" else 0)
        ident = "m%d" % next(self.webhooks)
        key = base64.b64decode(self.moment.source["webhook_secret"].removeprefix("whsec_"))
        mac = hmac.new(key, b"%s.%d.%s" % (ident.encode(), now, body), hashlib.sha256).digest()
        sent = body[:len(body) // 2] if how == "truncated" else body
        headers = {} if how == "unsigned" else {
            "webhook-id": ident, "webhook-timestamp": str(now),
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}
        return self.post(sent, "application/cloudevents+json", path="/v1/events?source=fault", **headers)

    def post(self, body, content_type, token=None, path="/v1/events", **headers):
        """The status, or None: nobody answered."""
        with contextlib.suppress(OSError, urllib.error.URLError, ValueError):
            return self.moment.post(body, content_type, token, path, **headers)[0]
        return None

    def malformed_http(self):
        self.tell("JSON that is malformed, too deep, too large, too many")
        token = self.moment.source["token"]
        bodies = [b"{", b"\xff\xfe", b"[" * 100000, b'{"a":' * 5000, b"x" * 5000000, b"[" + b"{}," * 2000 + b"{}]",
                  json.dumps([{"specversion": "1.0", "id": "x", "source": "/f", "type": "contact.started", "data": {}}]).encode()]
        for body in bodies:
            status = self.post(body, "application/cloudevents-batch+json", token)
            if status is not None and not (400 <= status < 500 or status == 503):
                raise Unmended("a malformed body was answered %s" % status)
        self.ready("ingest")

    # --- ZeroMQ ---

    def address(self):
        return "tcp://127.0.0.1:%d" % self.moment.bus["ingest"]

    def malformed_submissions(self):
        self.tell("protobuf that is malformed, nested, too many, oversized")
        source = self.moment.source
        bodies = [b"\xff" * 100, b"\x0a" + b"\x80" * 20, b"\x0a\x00" * 1001, os.urandom(1000), b"\x0a\x00" * 200000]
        for body in bodies:
            self.must_be_refused(lambda c, b=body: c.submit_bytes(b), source["public"], source["secret"], "a malformed batch")
        with contextlib.suppress(zmq.ZMQError, Refused):
            with NativeClient(self.address(), self.moment.server_key(), source["public"], source["secret"], 1500) as client:
                client.socket.send(b"x" * (5 << 20))
                client.take()
        self.ready("ingest")

    def must_be_refused(self, act, public, secret, what, server_key=None):
        try:
            with NativeClient(self.address(), server_key or self.moment.server_key(), public, secret, 1500) as client:
                act(client)
        except (zmq.ZMQError, Refused):
            return
        raise Unmended("%s was taken" % what)

    def intruders(self):
        self.tell("intruders: unknown key, wrong server key, raw bytes, a source that subscribes and calls")
        source, (public, secret) = self.moment.source, (k.decode() for k in zmq.curve_keypair())
        self.must_be_refused(lambda c: None, public, secret, "an unknown key")
        self.must_be_refused(lambda c: None, source["public"], source["secret"], "a wrong server key", public)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.moment.bus["ingest"]), 2) as s:
            s.sendall(os.urandom(100000))
        self.must_be_refused(self.subscribe, source["public"], source["secret"], "SUBSCRIBE of a source")
        self.must_be_refused(self.call, source["public"], source["secret"], "CALL of a source")
        self.ready("ingest")

    @staticmethod
    def subscribe(client):
        frame = stream_pb2.Frame()
        frame.subscribe.nonce, frame.subscribe.credit, frame.subscribe.consumer = 1, 1 << 20, "feedback"
        client.socket.send(frame.SerializeToString())
        for _ in range(5):
            client.take()

    @staticmethod
    def call(client):
        frame = stream_pb2.Frame()
        frame.call.id, frame.call.method, frame.call.deadline_ms = 1, "runtime.Status", 1000
        client.socket.send(frame.SerializeToString())
        while True:
            answer = stream_pb2.Frame.FromString(client.socket.recv())
            if answer.HasField("reply") and answer.reply.HasField("problem"):
                raise Refused(answer.reply.problem)
            if answer.HasField("reply"):
                return
