"""The runtime by itself: two toy services on service_main, a real PostgreSQL, real sockets.

The toy is tests/system/toy_service.c.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psycopg2
import pytest
import zmq

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.join(ROOT, os.environ.get("MOMENT_BIN", "build/gcc-release"))
TOY = os.environ.get("MOMENT_TOY", os.path.join(BIN, "tests/system/toy_service"))
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
from native_client import stream_pb2 as pb  # noqa: E402

DEADLINE_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, deadline_s=DEADLINE_S):
    """The first true answer of what()."""
    end = time.monotonic() + deadline_s
    while True:
        try:
            answer = what()
        except (urllib.error.URLError, OSError):
            answer = None
        if answer:
            return answer
        assert time.monotonic() < end, "never happened: %s" % what
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres():
    """The environment that with-postgres.sh gives: MOMENT_TEST_DSN, MOMENT_TEST_PG."""
    if "MOMENT_TEST_DSN" in os.environ:
        yield dict(os.environ)
        return
    keeper = subprocess.Popen([os.path.join(ROOT, "tests/support/with-postgres.sh"), "sh", "-c",
                               'echo "$MOMENT_TEST_DSN"; echo "$MOMENT_TEST_PG"; exec cat'],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield {name: keeper.stdout.readline().strip() for name in ("MOMENT_TEST_DSN", "MOMENT_TEST_PG")}
    keeper.stdin.close()
    keeper.wait(60)


class Site:
    """Schemas, keys and places of one installation."""

    def __init__(self, folder, postgres):
        self.dir = str(folder)
        self.dsn, self.pg = postgres["MOMENT_TEST_DSN"], postgres["MOMENT_TEST_PG"]
        self.ports = {name: (free_port(), free_port()) for name in ("ingest", "feedback")}
        self.keys = {}
        self.processes = []
        for name in ("ingest", "feedback", "operator", "stranger", "guest"):
            public, secret = (key.decode() for key in zmq.curve_keypair())
            self.keys[name] = public, secret
            for suffix, key in (("public", public), ("secret", secret)):
                with open(os.path.join(self.dir, "%s.%s" % (name, suffix)), "w") as file:
                    file.write(key + "\n")
        self.allow("ingest", "feedback", "operator")
        self.connect()
        self.make_schemas()

    def connect(self):
        self.db = psycopg2.connect(self.dsn)
        self.db.autocommit = True

    def postgres(self, action):
        subprocess.run([self.pg, action], check=True)

    def allow(self, *names):
        users = {"operator": "operator:local", "guest": "source:guest"}
        with open(os.path.join(self.dir, "allow"), "w") as file:
            for name in names:
                file.write("%s %s\n" % (self.keys[name][0], users.get(name, "service:" + name)))

    def make_schemas(self):
        folder = os.path.join(ROOT, "services/runtime/io/schema")
        runtime = "".join(open(os.path.join(folder, name)).read() for name in sorted(os.listdir(folder)))
        for schema in self.ports:
            self.sql("drop schema if exists %s cascade; create schema %s; set search_path = %s"
                     % (schema, schema, schema))
            self.sql(runtime)
        self.sql("create table feedback.toy (seq bigint primary key, text text not null)")

    def sql(self, text, *args):
        with self.db.cursor() as cursor:
            cursor.execute(text, args or None)
            return cursor.fetchall() if cursor.description else None

    def start(self, name, **settings):
        env = dict(os.environ, MOMENT_KEYS_DIR=self.dir,
                   MOMENT_DATABASE="%s options='-c search_path=%s'" % (self.dsn, name),
                   MOMENT_BUS_ADDRESS="tcp://127.0.0.1:%d" % self.ports[name][0],
                   MOMENT_ADMIN_ADDRESS="127.0.0.1:%d" % self.ports[name][1],
                   MOMENT_PEER_INGEST="tcp://127.0.0.1:%d" % self.ports["ingest"][0])
        env.update({"MOMENT_" + key.upper(): value for key, value in settings.items()})
        log = open(os.path.join(self.dir, name + ".log"), "a")
        process = subprocess.Popen([TOY, name], env=env, stderr=log, stdout=log)
        self.processes.append(process)
        return process

    def admin(self, name, path):
        """(status, body) of the private listener."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.ports[name][1], path), timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_ready(self, name):
        eventually(lambda: self.admin(name, "/readyz")[0] == 200)

    def counter(self, name, series):
        for line in self.admin(name, "/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def log(self, name):
        with open(os.path.join(self.dir, name + ".log")) as file:
            return file.read()

    def client(self, key="operator", to="ingest"):
        return Client(self, key, to)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.db.close()


class Client:
    """A peer that speaks frames."""

    def __init__(self, site, key, to, server_key=None):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_serverkey = (server_key or site.keys[to][0]).encode()
        self.socket.curve_publickey = site.keys[key][0].encode()
        self.socket.curve_secretkey = site.keys[key][1].encode()
        self.socket.connect("tcp://127.0.0.1:%d" % site.ports[to][0])
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.send(frame.SerializeToString())

    def receive(self, kinds, deadline_s=5):
        """The next frame of one of the kinds; null when none comes."""
        end = time.monotonic() + deadline_s
        while self.socket.poll(max(0, int((end - time.monotonic()) * 1000))):
            frame = pb.Frame.FromString(self.socket.recv())
            if frame.WhichOneof("kind") in kinds:
                return frame
        return None

    def hello(self, deadline_s=5):
        frame = pb.Frame()
        frame.hello.name, frame.hello.protocol = "test", 1
        self.send(frame)
        return self.receive(("welcome", "refuse"), deadline_s)

    def call(self, method, request, command_id=""):
        self.last_id += 1
        frame = pb.Frame()
        frame.call.id, frame.call.method, frame.call.command_id = self.last_id, method, command_id
        frame.call.body = request.SerializeToString()
        self.send(frame)
        answer = self.receive(("reply", "refuse"), 10)
        assert answer is not None and answer.WhichOneof("kind") == "reply", answer
        return answer.reply

    def emit(self, text, copies=1, command_id=""):
        return self.call("toy.Emit", pb.SetLogLevelRequest(level=text, revert_s=copies), command_id)


@pytest.fixture
def site(tmp_path, postgres):
    site = Site(tmp_path, postgres)
    yield site
    site.close()


@pytest.fixture
def pair(site):
    site.start("ingest")
    site.start("feedback")
    site.wait_ready("ingest")
    site.wait_ready("feedback")
    return site


def applied(site):
    return [row[0] for row in site.sql("select text from feedback.toy order by seq")]


def the_cursor_is_one_chain(site, end):
    """From 0 to the end without hole or overlap."""
    rows = site.sql("select from_seq, to_seq from feedback.cursor order by from_seq")
    return (rows[0][0] == 0 and rows[-1][1] == end
            and all(rows[i][1] == rows[i + 1][0] for i in range(len(rows) - 1)))


def nothing_was_applied_twice(site):
    """A second insert of a record would have met the first and be in quarantine."""
    return site.sql("select count(*) from feedback.quarantine")[0][0] == 0


def test_records_arrive_once_and_in_order(pair):
    with pair.client() as client:
        assert client.hello().welcome.service == "ingest"
        for i in range(50):
            assert not client.emit("text %d" % i).HasField("problem")
    eventually(lambda: len(applied(pair)) == 50)
    assert applied(pair) == ["text %d" % i for i in range(50)]
    assert the_cursor_is_one_chain(pair, 50)


def test_more_than_the_credit_flows(pair):
    with pair.client() as client:
        client.hello()
        for _ in range(4):
            client.emit("x", 10000)
    eventually(lambda: pair.sql("select count(*) from feedback.toy")[0][0] == 40000)
    assert pair.counter("feedback", 'moment_consumer_resubscribed_total{producer="ingest"}') == 1


def test_the_same_command_id_has_its_effect_once_and_the_same_answer(pair):
    with pair.client() as client:
        client.hello()
        first = client.emit("once", command_id="c-1")
        again = client.emit("other words", command_id="c-1")
        assert first.body == again.body and not again.HasField("problem")
        reused = client.call("runtime.DropQuarantine", pb.DropQuarantineRequest(id=1, reason="x"), "c-1")
        assert reused.problem.status == 409
    assert pair.sql("select count(*) from ingest.stream")[0][0] == 1


def test_a_refused_command_leaves_nothing(pair):
    with pair.client() as client:
        client.hello()
        assert client.emit("no", command_id="c-2").problem.type == "said-no"
    assert pair.sql("select count(*) from ingest.stream")[0][0] == 0
    assert pair.sql("select count(*) from ingest.seen")[0][0] == 0


def test_kill_of_either_side_loses_and_repeats_nothing(pair):
    with pair.client() as client:
        client.hello()
        client.emit("early", 12000)
    pair.processes[1].kill()
    with pair.client() as client:
        client.hello()
        client.emit("middle", 12000)
    pair.start("feedback")
    pair.processes[0].kill()
    pair.processes[0].wait()
    pair.start("ingest")
    pair.wait_ready("ingest")
    with pair.client() as client:
        eventually(lambda: client.hello(0.5))
        client.emit("late", 12000)
    eventually(lambda: pair.sql("select count(*) from feedback.toy")[0][0] == 36000, 60)
    assert pair.sql("select count(distinct seq), min(seq), max(seq) from feedback.toy") == [(36000, 1, 36000)]
    assert the_cursor_is_one_chain(pair, 36000)
    assert nothing_was_applied_twice(pair)


def test_refused_and_impossible_records_go_to_quarantine_and_the_stream_goes_on(pair):
    with pair.client() as client:
        client.hello()
        client.emit("good", 300)
        client.emit("refuse")
        client.emit("good", 300)
        client.emit("duplicate")
        client.emit("good", 300)
    eventually(lambda: len(applied(pair)) == 900)
    rows = pair.sql("select seq, sqlstate, convert_from(body, 'UTF8') from feedback.quarantine order by seq")
    assert rows == [(301, "", "refuse"), (602, "23505", "duplicate")]
    eventually(lambda: pair.counter("feedback", "moment_quarantine_records") == 2)
    pair.wait_ready("feedback")


def crashes_until(site, is_done):
    """How often feedback had to be started again."""
    process, crashes = site.processes[1], 0
    end = time.monotonic() + 60
    while not is_done():
        assert time.monotonic() < end
        if process.poll() is not None:
            assert process.returncode == 70
            process, crashes = site.start("feedback"), crashes + 1
        time.sleep(0.05)
    return crashes


def test_a_record_that_ends_the_process_goes_to_quarantine(pair):
    with pair.client() as client:
        client.hello()
        client.emit("good", 20)
        client.emit("crash")
        client.emit("good", 20)
        client.emit("crash")
        client.emit("good", 1500)
    crashes = crashes_until(pair, lambda: len(applied(pair)) == 1540)
    rows = pair.sql("select seq, error, convert_from(body, 'UTF8') from feedback.quarantine order by seq")
    assert [(seq, body) for seq, _, body in rows] == [(21, "crash"), (42, "crash")]
    assert all(error.startswith("crashed") for _, error, _ in rows)
    # The first may be met four times in company before it is alone, the second is met alone at once.
    assert crashes <= 6
    assert pair.sql("select max(to_seq) from feedback.cursor") == [(1542,)]
    eventually(lambda: pair.sql("select count(*) from feedback.attempt")[0][0] < 10)
    pair.wait_ready("feedback")


def test_a_start_that_was_not_clean_puts_nothing_into_quarantine_by_itself(pair):
    with pair.client() as client:
        client.hello()
        for i in range(6):
            pair.processes[-1].kill()
            pair.processes[-1].wait()
            client.emit("good")
            pair.start("feedback")
            eventually(lambda: len(applied(pair)) == i + 1)
        client.emit("good", 50)
    eventually(lambda: len(applied(pair)) == 56)
    assert nothing_was_applied_twice(pair)
    # One for each start that found something to do, none for what came later.
    assert pair.sql("select count(*), count(distinct from_seq), bool_or(is_alone) from feedback.attempt") == [(6, 6, False)]


def test_an_operator_redrives_and_drops(pair):
    with pair.client() as client:
        client.hello()
        client.emit("good")
        client.emit("duplicate")
        client.emit("refuse")
    eventually(lambda: pair.sql("select count(*) from feedback.quarantine")[0][0] == 2)
    with pair.client(to="feedback") as client:
        client.hello()
        reply = client.call("runtime.ListQuarantine", pb.ListQuarantineRequest())
        entries = pb.ListQuarantineResponse.FromString(reply.body).entries
        assert [entry.seq for entry in entries] == [2, 3]
        still = client.call("runtime.RedriveQuarantine", pb.RedriveQuarantineRequest(id=entries[0].id), "r1")
        assert still.problem.status == 500 and "toy_pkey" in still.problem.detail
        pair.sql("delete from feedback.toy where seq = 1")
        done = client.call("runtime.RedriveQuarantine", pb.RedriveQuarantineRequest(id=entries[0].id), "r2")
        assert not done.HasField("problem")
        nothing = client.call("runtime.RedriveQuarantine", pb.RedriveQuarantineRequest(id=entries[1].id), "r3")
        assert nothing.problem.status == 422
        assert client.call("runtime.DropQuarantine", pb.DropQuarantineRequest(id=entries[1].id)).problem.status == 400
        dropped = client.call("runtime.DropQuarantine", pb.DropQuarantineRequest(id=entries[1].id, reason="a test"))
        assert not dropped.HasField("problem")
        show = client.call("runtime.ShowQuarantine", pb.ShowQuarantineRequest(id=entries[1].id))
        assert pb.ShowQuarantineResponse.FromString(show.body).entry.body == b"refuse"
    assert applied(pair) == ["duplicate"]
    settled = pair.sql("select settled_as, settled_why from feedback.quarantine order by seq")
    assert settled == [("redriven", ""), ("dropped", "a test")]


def test_two_instances_of_one_consumer_apply_each_record_once(pair):
    port, admin = pair.ports["feedback"]
    rival_site = free_port(), free_port()
    pair.ports["feedback"] = rival_site
    rival = pair.start("feedback")
    pair.ports["feedback"] = port, admin
    with pair.client() as client:
        client.hello()
        client.emit("text", 5000)
    eventually(lambda: len(applied(pair)) == 5000)
    pair.processes[1].kill()
    with pair.client() as client:
        client.hello()
        client.emit("text", 5000)
    eventually(lambda: len(applied(pair)) == 10000)
    assert rival.poll() is None
    assert the_cursor_is_one_chain(pair, 10000)
    assert nothing_was_applied_twice(pair)


def test_a_producer_that_lost_records_halts_the_consumer(pair):
    with pair.client() as client:
        client.hello()
        client.emit("text", 10)
    eventually(lambda: len(applied(pair)) == 10)
    pair.processes[0].kill()
    pair.processes[0].wait()
    pair.sql("delete from ingest.stream where seq > 5")
    pair.start("ingest")
    pair.wait_ready("ingest")
    eventually(lambda: pair.counter("feedback", 'moment_consumer_halted{producer="ingest"}') == 1)
    status, body = pair.admin("feedback", "/readyz")
    assert status == 503 and "diverged" in body
    assert "consumer_halted" in pair.log("feedback")


@pytest.mark.parametrize("key, server_key", [("stranger", None), ("operator", "stranger")])
def test_a_wrong_key_gets_nowhere(pair, key, server_key):
    with Client(pair, key, "ingest", pair.keys[server_key][0] if server_key else None) as client:
        assert client.hello(1.5) is None


def test_without_a_key_nobody_gets_anywhere(pair):
    with zmq.Context.instance().socket(zmq.DEALER) as plain:
        plain.linger = 0
        plain.connect("tcp://127.0.0.1:%d" % pair.ports["ingest"][0])
        frame = pb.Frame()
        frame.hello.name, frame.hello.protocol = "test", 1
        plain.send(frame.SerializeToString())
        assert not plain.poll(1500)


def test_a_key_taken_from_the_list_is_cut_off(pair):
    with pair.client() as client:
        client.hello()
        assert not client.emit("before").HasField("problem")
        pair.allow("ingest", "feedback")
        pair.processes[0].send_signal(signal.SIGHUP)
        frame = client.receive(("refuse",))
        assert frame.refuse.reason == pb.Refuse.REASON_UNAUTHORISED
        request = pb.Frame()
        request.call.id, request.call.method = 9, "toy.Emit"
        client.send(request)
        assert client.receive(("reply", "refuse")).WhichOneof("kind") == "refuse"
        pair.allow("ingest", "feedback", "operator")
        pair.processes[0].send_signal(signal.SIGHUP)
        eventually(lambda: client.hello(1).WhichOneof("kind") == "welcome")


def test_a_bad_allow_file_is_refused_and_the_old_one_stays(pair):
    with open(os.path.join(pair.dir, "allow"), "w") as file:
        file.write("nonsense\n")
    pair.processes[0].send_signal(signal.SIGHUP)
    name = "moment_config_last_reload_successful"
    eventually(lambda: pair.counter("ingest", name) == 0)
    with pair.client() as client:
        assert client.hello().WhichOneof("kind") == "welcome"


def test_rights_follow_the_key(pair):
    pair.allow("ingest", "feedback", "operator", "guest")
    pair.processes[0].send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in pair.log("ingest"))
    with pair.client() as client:
        client.hello()
        assert client.call("toy.Unknown", pb.StatusRequest()).problem.status == 404
        frame = pb.Frame()
        frame.subscribe.nonce, frame.subscribe.credit, frame.subscribe.consumer = 1, 1000, "x"
        client.send(frame)
        assert client.receive(("refuse",)).refuse.reason == pb.Refuse.REASON_UNAUTHORISED
    with pair.client("feedback") as client:
        client.hello()
        assert client.emit("no right").problem.status == 403
    with pair.client("guest") as client:
        client.hello()
        assert client.emit("no right").problem.status == 403
        frame = pb.Frame()
        frame.submit.id, frame.submit.body = 1, b"x"
        client.send(frame)
        assert client.receive(("refuse",)).refuse.reason == pb.Refuse.REASON_UNAUTHORISED


def test_garbage_is_refused_and_harms_nobody(pair):
    with pair.client() as client:
        client.hello()
        for bytes_ in (b"", b"\xff" * 100, b"\x0a\x03\x0a\x01\xff", os.urandom(5000)):
            client.socket.send(bytes_)
            assert client.receive(("refuse",)) is not None
        client.socket.send_multipart([b"one", b"two"])
        assert client.receive(("refuse",)) is not None
        assert not client.emit("after").HasField("problem")


def test_a_first_frame_other_than_hello_is_told_so(pair):
    with pair.client() as client:
        frame = pb.Frame()
        frame.beat.head = 1
        client.send(frame)
        assert "HELLO" in client.receive(("refuse",)).refuse.detail


def subscribe(client, nonce, seq, credit, epoch=1):
    frame = pb.Frame()
    frame.subscribe.nonce, frame.subscribe.seq, frame.subscribe.epoch = nonce, seq, epoch if seq else 0
    frame.subscribe.credit, frame.subscribe.consumer = credit, "test"
    client.send(frame)


def test_data_keeps_to_the_credit_and_to_the_nonce(pair):
    with pair.client() as client:
        client.hello()
        client.emit("x" * 100, 100)
    with pair.client("feedback") as client:
        client.hello()
        subscribe(client, 7, 0, 500)
        first = client.receive(("data",)).data
        assert first.nonce == 7 and first.first_seq == 1 and len(first.records) == 3
        assert client.receive(("data",), 0.5) is None
        credit = pb.Frame()
        credit.credit.nonce, credit.credit.bytes = 6, 100000
        client.send(credit)
        assert client.receive(("data",), 0.5) is None, "a credit of another subscription counts for nothing"
        credit.credit.nonce = 7
        client.send(credit)
        got = 3
        while got < 100:
            data = client.receive(("data",)).data
            assert data.first_seq == got + 1
            got += len(data.records)
        subscribe(client, 8, 98, 100000)
        again = client.receive(("data",)).data
        assert again.nonce == 8 and [record.seq for record in again.records] == [99, 100]
        subscribe(client, 9, 101, 100000)
        assert client.receive(("refuse",)).refuse.reason == pb.Refuse.REASON_DIVERGED


def test_postgres_restarts_under_load_and_nothing_is_lost(pair):
    sent = 0
    with pair.client() as client:
        client.hello()
        for i in range(40):
            if i == 20:
                pair.postgres("restart")
            sent += not client.emit("t%d" % i, 50, "pg-%d" % i).HasField("problem")
    pair.connect()
    assert sent == 40
    eventually(lambda: len(applied(pair)) == 2000, 30)
    assert nothing_was_applied_twice(pair)
    pair.wait_ready("feedback")


def test_sigterm_drains(pair):
    with pair.client() as client:
        client.hello()
        client.emit("x", 10)
    eventually(lambda: len(applied(pair)) == 10)
    for process in pair.processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(10) for process in pair.processes] == [0, 0]
    assert "drained" in pair.log("ingest") and "stopped exit=0" in pair.log("feedback")


def test_a_drain_without_database_gives_up_in_time_and_takes_nothing_in(site):
    process = site.start("ingest", drain_ms="1000")
    site.wait_ready("ingest")
    with site.client() as client:
        client.hello()
        site.postgres("crash")
        try:
            request = pb.Frame()
            request.call.id, request.call.method = 1, "toy.Emit"
            request.call.body = pb.SetLogLevelRequest(level="queued").SerializeToString()
            client.send(request)
            assert client.receive(("reply",), 0.3) is None
            process.send_signal(signal.SIGTERM)
            eventually(lambda: "draining" in site.log("ingest"))
            assert client.emit("too late").problem.type == "draining"
            assert process.wait(5) == 1
        finally:
            site.postgres("start")
    assert "drain_timeout" in site.log("ingest")
    site.connect()
    assert site.sql("select count(*) from ingest.stream")[0][0] == 0


def test_a_second_sigterm_exits_at_once(pair):
    pair.postgres("crash")
    try:
        with pair.client() as client:
            client.hello()
            request = pb.Frame()
            request.call.id, request.call.method = 1, "toy.Emit"
            client.send(request)
            assert client.receive(("reply",), 0.3) is None
        pair.processes[0].send_signal(signal.SIGTERM)
        eventually(lambda: "draining" in pair.log("ingest"))
        pair.processes[0].send_signal(signal.SIGTERM)
        assert pair.processes[0].wait(5) == 2
    finally:
        pair.postgres("start")


def test_it_waits_for_the_database_and_says_so(site):
    site.postgres("stop")
    try:
        process = site.start("ingest")
        eventually(lambda: "waiting_for_database" in site.log("ingest"))
        status, body = site.admin("ingest", "/readyz")
        assert status == 503 and {"database", "stream", "started"} <= {
            failed["check"] for failed in json.loads(body)["failed"]}
        assert site.admin("ingest", "/livez")[0] == 200
    finally:
        site.postgres("start")
    site.wait_ready("ingest")
    assert process.poll() is None
    site.connect()


@pytest.mark.parametrize("setting", ["bus_address", "admin_address"])
def test_a_taken_port_is_one_clear_sentence(site, setting):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        process = site.start("ingest", **{setting: ("tcp://" if setting == "bus_address" else "") + address})
        assert process.wait(10) == 1
    log = site.log("ingest")
    assert "cannot listen on" in log and address in log and "MOMENT_" + setting.upper() in log


def test_missing_keys_name_the_command_that_makes_them(site):
    os.unlink(os.path.join(site.dir, "ingest.secret"))
    assert site.start("ingest").wait(10) == 78
    assert "momentctl init" in site.log("ingest")


def test_idle_services_cost_nothing(pair):
    time.sleep(2)
    before = [pair.counter(name, "process_cpu_seconds_total") for name in pair.ports]
    time.sleep(5)
    after = [pair.counter(name, "process_cpu_seconds_total") for name in pair.ports]
    for name, one, other in zip(pair.ports, before, after):
        assert (other - one) / 5 < 0.01, "%s uses %.2f %% CPU" % (name, (other - one) / 5 * 100)
        assert pair.counter(name, "process_resident_memory_bytes") < 40e6
