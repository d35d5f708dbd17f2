"""Somebody on the network, and somebody with the least rights, who mean harm: nothing breaks, nothing leaks."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import zmq

from installation import Installation, wait_for
from native_client import ingest_pb2, stream_pb2

PHONE = "+491715550199"
DIRECTORY = {
    "sites": [{"site_id": "lyon", "name": "Lyon", "time_zone": "Europe/Paris"}],
    "teams": [{"team_id": "red", "name": "Red", "site_id": "lyon"}, {"team_id": "blue", "name": "Blue", "site_id": "lyon"}],
    "people": [{"person_id": "p-anna", "name": "Anna", "site_id": "lyon", "team_id": "red", "agent_ids": [{"agent": "anna"}]},
               {"person_id": "p-bert", "name": "Bert", "site_id": "lyon", "team_id": "blue", "agent_ids": [{"agent": "bert"}]}],
}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        path = os.path.join(m.dir, "directory.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(DIRECTORY, f)
        m.ctl("directory", "import", path)
        m.source = m.add_events_source("crm", "--site", "lyon", "--native")
        m.password = re.search(r"password: (\S+)", m.ctl("user", "add", "anna", "--role", "agent", "--person", "p-anna")).group(1)
        for agent in ("anna", "bert"):
            tell(m, agent, "first-" + agent)
        m.settle()
        yield m
        for name in m.processes:
            assert m.processes[name].poll() is None, name


def tell(m, agent, contact):
    status, answer = m.post({"specversion": "1.0", "id": contact, "source": "/t", "type": "x.contact.summarised",
                             "time": "2026-10-25T01:00:00Z", "data": {
                                 "contact_id": contact, "channel": "voice", "agent": {"id": agent}, "queue": {"id": "sales"},
                                 "customer_address": PHONE, "answered_at": "2026-10-25T00:59:00Z",
                                 "started_at": "2026-10-25T00:58:00Z", "ended_at": "2026-10-25T01:00:00Z"}},
                            token=m.source["token"])
    assert status == 202, answer


def alive(m):
    assert m.api("/api/v1/definitions")["items"]
    assert m.post([], "application/cloudevents-batch+json", token=m.source["token"])[0] in (200, 202, 400, 422)


def get(port, path, *headers):
    return raw(port, b"GET " + path + b" HTTP/1.1\r\n" + b"".join(h + b"\r\n" for h in (b"Host: x", b"Connection: close", *headers))
               + b"\r\n")


def raw(port, data, seconds=3, end=False):
    """Everything that is answered to these bytes, until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", port), seconds) as s:
        s.settimeout(seconds)
        with contextlib.suppress(OSError):
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                answer += piece
        return answer


def status_of(answer):
    match = re.match(rb"HTTP/1\.1 (\d+)", answer)
    return int(match.group(1)) if match else None


# --- HTTP as bytes ---

@pytest.mark.parametrize("edge", ["ingest", "reporting"])
def test_requests_that_are_none_are_refused_and_others_served(moment, edge):
    port = moment.http[edge]
    path = b"/v1/events" if edge == "ingest" else b"/api/v1/session"
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    bad = {
        "huge header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
        "endless header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200000,
        "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
        "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(64),
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "chunk of no number": head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "chunk beyond 64 bits": head + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        "chunk below zero": head + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
        "two lengths": head + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "lengths that differ": head + b"Content-Length: 3\r\nContent-Length: 40\r\n\r\nabcGET / HTTP/1.1\r\nHost: y\r\n\r\n",
        "negative length": head + b"Content-Length: -1\r\n\r\n",
        "length of no number": head + b"Content-Length: 0x10\r\n\r\n",
        "huge length": head + b"Content-Length: 99999999999999999999\r\n\r\n",
        "too large": head + b"Content-Length: 999999999\r\n\r\n",
        "endless body": head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 80,
    }
    for name, data in bad.items():
        answer = raw(port, data, 3, end=True)
        assert status_of(answer) is None or 400 <= status_of(answer) < 500, (name, answer[:200])
        # Nothing of a body was taken for a request.
        assert b"\r\nAllow: GET" not in answer and b"<!doctype" not in answer, (name, answer[:400])
    alive(moment)


def test_pipelined_requests_are_answered_in_order(moment):
    paths = [b"/api/v1/nothing", b"/api/openapi.json", b"/api/v1/moments", b"/api/v1/floor/x"]
    data = b"".join(b"GET " + p + b" HTTP/1.1\r\nHost: x\r\n\r\n" for p in paths * 20)
    answer = raw(moment.http["reporting"], data, 3, end=True)
    assert [int(s) for s in re.findall(rb"HTTP/1\.1 (\d+) ", answer)] == [404, 200, 401, 404] * 20


@pytest.mark.parametrize("path", [
    "/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc/passwd", "//etc/passwd",
    "/assets/../../../etc/passwd", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/index.html%00.png", "/%00", "/.git/config",
    "/%c0%ae%c0%ae/etc/passwd", "/assets//", "/..\\..\\etc\\passwd", "/etc/reporting.conf", "/" + "a/" * 2000])
def test_no_path_leads_out_of_the_page(moment, path):
    answer = get(moment.http["reporting"], path.encode())
    assert b"root:" not in answer and b"DATABASE" not in answer
    # The page itself, at most: it is what any unknown address of its own shows.
    assert status_of(answer) in (200, 400, 404, 414, 431), answer[:200]
    assert status_of(answer) != 200 or b"<!doctype html>" in answer.lower()


def test_what_is_sent_does_not_become_a_header(moment):
    crlf = "%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a"
    for edge, path in (("reporting", "/api/v1/moments/" + crlf), ("reporting", "/api/v1/moments?" + crlf + "=" + crlf),
                       ("reporting", "/" + crlf), ("ingest", "/v1/events/" + crlf)):
        answer = get(moment.http[edge], path.encode())
        assert not re.search(rb"(?im)^set-cookie:", answer), answer[:400]
    answer = raw(moment.http["ingest"], b"OPTIONS /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                 b"WebHook-Request-Origin: a\r b\r\n Set-Cookie: evil=1\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1 and not re.search(rb"(?im)^set-cookie:", answer), answer


def test_the_page_may_not_be_framed_nor_run_what_is_not_its_own(moment):
    with urllib.request.urlopen("http://127.0.0.1:%d/" % moment.http["reporting"]) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "default-src" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# --- signing in ---

def login(moment, name, password, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", moment.http["reporting"], timeout=10)
    connection.request("POST", "/api/v1/session", json.dumps({"login": name, "password": password}),
                       {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_another_site_cannot_sign_in_or_write(moment):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                    {"Origin": "null"}):
        assert login(moment, "anna", moment.password, **headers)[0].status == 403
    assert login(moment, "anna", moment.password, **{"Content-Type": "text/plain"})[0].status in (400, 415)
    answer, _ = login(moment, "anna", moment.password)
    cookie = answer.headers["Set-Cookie"]
    assert re.match(r"__Host-moment=ms_\S+; ", cookie)
    for flag in ("Path=/", "HttpOnly", "SameSite=Strict", "Secure"):
        assert "; " + flag in cookie
    session = cookie.split(";")[0]

    def ask(method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", moment.http["reporting"], timeout=10)
        connection.request(method, path, headers={"Cookie": session, **headers})
        return connection.getresponse().status
    assert ask("DELETE", "/api/v1/session", Origin="https://evil.example") == 403
    assert ask("GET", "/api/v1/session") == 200
    # The session's secret is no API token, and the other way round.
    assert moment.api("/api/v1/session", session.split("=")[1], expect=401)
    assert ask("GET", "/api/v1/session", Cookie="__Host-moment=" + moment.new_token("leader")) == 401
    assert ask("DELETE", "/api/v1/session") == 204
    assert ask("GET", "/api/v1/session") == 401


def test_a_name_that_does_not_exist_takes_as_long_and_guessing_is_throttled(moment):
    def seconds(name):
        begin = time.monotonic()
        assert login(moment, name, "wrong")[0].status == 401
        return time.monotonic() - begin
    # A busy machine only adds to the least; without a hash to try it would be a tenth.
    known, unknown = (min(seconds(name) for _ in range(5)) for name in ("anna", "nobody"))
    assert known / 3 < unknown < known * 3, (known, unknown)
    states = [login(moment, "ANNA", "wrong")[0] for _ in range(8)]
    assert states[-1].status == 429 and int(states[-1].headers["Retry-After"]) > 0
    # Not even the right one now; another login still has its turn.
    assert login(moment, "anna", moment.password)[0].status == 429
    assert login(moment, "somebody", "wrong")[0].status == 401


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(moment):
    moment.ctl("user", "add", "carl", "--role", "agent")
    with concurrent.futures.ThreadPoolExecutor(40) as threads:
        states = list(threads.map(lambda n: login(moment, "carl", "guess-%d" % n)[0].status, range(40)))
    assert sorted(set(states)) == [401, 429] and states.count(401) <= 10, states


# --- what tokens open ---

def test_a_secret_opens_its_own_door_only(moment):
    assert moment.post({}, token=moment.new_token("integrator"))[0] == 401
    assert moment.post({}, token=moment.source["token"] + "x")[0] == 401
    assert moment.post({})[0] == 401
    moment.api("/api/v1/moments", moment.source["token"], expect=401)
    moment.api("/api/v1/moments", moment.new_token("operator", "op"), expect=403)
    port = moment.http["reporting"]
    token = moment.new_token("leader").encode()
    for header in (b"Cookie: __Host-moment=" + token, b"Authorization: Basic " + token, b"X-Token: " + token):
        assert status_of(get(port, b"/api/v1/moments", header)) == 401, header
    assert status_of(get(port, b"/api/v1/moments?token=" + token)) == 401


def listen(moment, token):
    """What /api/v1/live says while a call of anna's and one of bert's come in, up to the beat behind them."""
    request = urllib.request.Request("http://127.0.0.1:%d/api/v1/live" % moment.http["reporting"],
                                     headers={"Authorization": "Bearer " + token})
    text = b""
    with urllib.request.urlopen(request, timeout=10) as stream:
        for agent in ("anna", "bert"):
            tell(moment, agent, "live-%s-%s" % (agent, token[-6:]))
        moment.settle()
        head = b'"position":"1-%d"' % moment.sql("select max(seq) from reporting.stream")[0][0]
        while head not in text:
            piece = stream.read1(65536)
            assert piece, text
            text += piece
    return text.decode()


def test_live_updates_keep_to_the_readers_scope(moment):
    def token(name, *options):
        return re.search(r"\bmt_\S+", moment.ctl("token", "add", name, *options)).group(0)
    both = listen(moment, token("all", "--role", "leader"))
    assert "live-anna" in both and "live-bert" in both
    red = listen(moment, token("red", "--role", "coach", "--team", "red"))
    assert "live-anna" in red and "live-bert" not in red and "Bert" not in red
    nobody = listen(moment, token("nobody", "--role", "agent"))
    assert "live-" not in nobody
    for text in (both, red, nobody):
        assert PHONE not in text and PHONE[3:] not in text


@pytest.mark.parametrize("path", [
    "/api/v1/moments?limit=999999999999", "/api/v1/moments?limit=-1", "/api/v1/moments?cursor=x'%20or%20'1'='1",
    "/api/v1/moments?cursor=%ff", "/api/v1/moments/%27", "/api/v1/moments?from=now",
    "/api/v1/reports/interval?from=0001-01-01&to=9999-12-31&bucket=15m",
    "/api/v1/reports/interval?from=2026-01-01&to=2026-01-02&tz=../../etc/passwd",
    "/api/v1/reports/interval?from=2026-01-01&to=2026-01-02&by=password", "/api/v1/live?after=99999999999999999999-1",
    "/api/v1/moments?queue=" + "a" * 9000])
def test_questions_out_of_bounds_are_refused_at_once(moment, path):
    begin = time.monotonic()
    status, answer = moment.answer(urllib.request.Request(
        "http://127.0.0.1:%d%s" % (moment.http["reporting"], path),
        headers={"Authorization": "Bearer " + (moment.token or moment.new_token("leader"))}))
    assert 400 <= status < 500 and answer["type"], (status, answer)
    assert time.monotonic() - begin < 2


def test_bodies_that_grow_when_read_are_refused_cheaply(moment):
    before = moment.metric("ingest", "moment_process_resident_bytes|process_resident_memory_bytes")
    bombs = [b"[" * 500000, b"[" + b"{}," * 300000 + b"{}]", b'{"a":' * 30000,
             b'[' + b','.join(b'{"specversion":"1.0","id":"%d","source":"s","type":"x"}' % i for i in range(15000)) + b"]"]
    for bomb in bombs:
        status, _ = moment.post(bomb[:1000000], "application/cloudevents-batch+json", token=moment.source["token"])
        assert 400 <= status < 500
    after = moment.metric("ingest", "moment_process_resident_bytes|process_resident_memory_bytes")
    assert after - before < 256 * 1024 * 1024, (before, after)
    alive(moment)


# --- ZeroMQ ---

class Peer:
    """A DEALER that says what it likes."""

    def __init__(self, moment, service="ingest", curve=True, public=None, secret=None, server=None, unread=1000):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.rcvhwm = unread
        self.socket.linger, self.socket.rcvtimeo, self.socket.sndtimeo = 0, 1500, 1500
        if curve:
            new_public, new_secret = zmq.curve_keypair()
            self.socket.curve_serverkey = (server or moment.server_key(service)).encode()
            self.socket.curve_publickey = public.encode() if public else new_public
            self.socket.curve_secretkey = secret.encode() if secret else new_secret
        self.socket.connect("tcp://127.0.0.1:%d" % moment.bus[service])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind=None, more=0, data=None, **fields):
        frame = stream_pb2.Frame()
        if kind:
            getattr(frame, kind).SetInParent()
            for name, value in fields.items():
                setattr(getattr(frame, kind), name, value)
        self.socket.send(frame.SerializeToString() if data is None else data, more)

    def hear(self):
        """The next frame; None when there is none in time."""
        try:
            return stream_pb2.Frame.FromString(self.socket.recv())
        except zmq.Again:
            return None

    def hear_kind(self, kind):
        for _ in range(50):
            frame = self.hear()
            if frame is None or frame.WhichOneof("kind") == kind:
                return frame
        return None


def ours(moment):
    return {"public": moment.source["public"], "secret": moment.source["secret"]}


def operator(moment):
    def read(name):
        with open(os.path.join(moment.dir, "keys", name), encoding="ascii") as f:
            return f.read().strip()
    return {"public": read("operator.public"), "secret": read("operator.secret")}


def test_strangers_are_not_answered(moment):
    wrong = zmq.curve_keypair()[0].decode()
    for options in ({"curve": False}, {}, {"server": wrong, **ours(moment)}):
        with Peer(moment, **options) as peer:
            with contextlib.suppress(zmq.Again):
                peer.send("hello", name="x", protocol=1)
            assert peer.hear() is None, options
    with socket.create_connection(("127.0.0.1", moment.bus["ingest"]), 5) as s:
        with contextlib.suppress(OSError):
            s.sendall(os.urandom(100000))
    with Peer(moment, service="feedback", **ours(moment)) as peer:
        with contextlib.suppress(zmq.Again):
            peer.send("hello", name="x", protocol=1)
        assert peer.hear() is None
    alive(moment)


def test_a_source_can_submit_and_nothing_else(moment):
    with Peer(moment, **ours(moment)) as peer:
        peer.send("submit", id=1, body=b"")
        assert peer.hear().refuse.detail
        peer.send("hello", name="service:feedback", protocol=1)
        assert peer.hear().welcome.submit_credit > 0
        peer.send("subscribe", nonce=1, epoch=1, seq=0, credit=1000, consumer="feedback")
        assert peer.hear().refuse.reason == stream_pb2.Refuse.REASON_UNAUTHORISED
        for method in ("ingest.AddSource", "ingest.GetMomentEvents", "runtime.Drain", "runtime.SetLogLevel", "ingest.ListSources"):
            frame = stream_pb2.Frame()
            frame.call.id, frame.call.method = 7, method
            frame.call.caller.id, frame.call.caller.roles[:] = "root", ["operator", "leader", "service", "integrator"]
            peer.send(data=frame.SerializeToString())
            assert peer.hear_kind("reply").reply.problem.status == 403, method
        peer.send("submit", id=2, body=b"x" * (2 * 1024 * 1024))
        assert peer.hear().refuse.reason == stream_pb2.Refuse.REASON_BUSY
        for kind in ("welcome", "data", "accepted", "reply"):
            peer.send(kind)
            assert peer.hear().refuse.reason == stream_pb2.Refuse.REASON_PROTOCOL
        peer.send(data=b"\xff" * 100)
        assert peer.hear().refuse.reason == stream_pb2.Refuse.REASON_PROTOCOL
        batch = ingest_pb2.EventBatch()
        event = batch.events.add()
        event.contact_id, event.type, event.occurred_at = "nan", ingest_pb2.EVENT_TYPE_FEEDBACK_RECEIVED, 1792889200000000
        event.score, event.score_max = float("nan"), 5
        peer.send("submit", id=3, body=batch.SerializeToString())
        assert peer.hear().accepted.problem.field == "events[0].score"


def test_frames_too_large_and_messages_of_many_parts_harm_nobody(moment):
    with Peer(moment, **ours(moment)) as peer:
        peer.send("hello", name="x", protocol=1)
        assert peer.hear().welcome
        peer.send(data=b"\x00" * (5 * 1024 * 1024))
        assert peer.hear() is None
    with Peer(moment, **ours(moment)) as peer:
        peer.send("hello", name="x", protocol=1)
        assert peer.hear().welcome
        for _ in range(1000):
            peer.socket.send(b"x" * 100, zmq.SNDMORE)
        peer.socket.send(b"end")
        peer.send("hello", name="x", protocol=1)
        assert peer.hear_kind("welcome") is not None
    alive(moment)


def settled(value):
    """The value, once it no longer grows."""
    first = value()
    time.sleep(0.3)
    return first if first and first == value() else None


def test_who_never_reads_the_answers_fills_no_memory(moment):
    def resident():
        with open("/proc/%d/statm" % moment.processes["ingest"].pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    # The kernel and this side's queue hold little, the rest would be the other side's.
    with Peer(moment, unread=10, **ours(moment)) as peer:
        peer.send("hello", name="x", protocol=1)
        assert peer.hear().welcome
        before = resident()
        with contextlib.suppress(zmq.Again):
            for _ in range(300000):
                peer.socket.send(b"\xff")
        # As far as it got: a full pipe is no reason to read on.
        refused = wait_for("the end of the flood", lambda: settled(lambda: moment.metric(
            "ingest", "moment_.*frames_refused_total")), 20)
        assert refused > 50000
        assert resident() - before < 20, (before, resident())
    alive(moment)


def test_a_flood_of_calls_is_answered_or_refused_and_others_are_served(moment):
    with Peer(moment, **operator(moment)) as peer:
        peer.send("hello", name="x", protocol=1)
        assert peer.hear().welcome
        with contextlib.suppress(zmq.Again):
            for i in range(20000):
                peer.send("call", id=i, method="ingest.ListDirectory", deadline_ms=1000)
        alive(moment)


def test_a_caller_with_an_operators_key_is_no_leader(moment):
    with Peer(moment, **operator(moment)) as peer:
        peer.send("hello", name="x", protocol=1)
        assert peer.hear().welcome
        frame = stream_pb2.Frame()
        frame.call.id, frame.call.method, frame.call.caller.id = 1, "ingest.GetMomentEvents", "leader"
        frame.call.caller.roles[:] = ["leader"]
        peer.send(data=frame.SerializeToString())
        assert peer.hear_kind("reply").reply.problem.status == 403


# --- what lies about ---

def test_secrets_are_in_no_log_and_no_printed_setting(moment):
    secrets = [moment.source["token"], moment.source["webhook_secret"], moment.source["secret"], moment.password, PHONE, PHONE[1:]]
    for folder, _, names in os.walk(os.path.join(moment.dir, "keys")):
        for name in names:
            if name.endswith(".secret"):
                with open(os.path.join(folder, name), encoding="ascii") as f:
                    secrets.append(f.read().strip())
    with open(os.path.join(moment.dir, "etc", "ingest.conf"), encoding="utf-8") as f:
        found = re.search(r"(?m)^DATABASE_PASSWORD=(\S+)", f.read())
        secrets += [found.group(1)] if found else []
    texts = [moment.log(name) for name in moment.processes] + [moment.ctl("source", "list"), moment.ctl("user", "list")]
    for name in moment.processes:
        binary = os.readlink("/proc/%d/exe" % moment.processes[name].pid)
        texts.append(subprocess.run([binary, "--config", os.path.join(moment.dir, "etc", name + ".conf"), "--print-config"],
                                    capture_output=True, text=True, env=moment.env, check=False).stdout)
        with open("/proc/%d/cmdline" % moment.processes[name].pid, encoding="utf-8") as f:
            texts.append(f.read())
    for text in texts:
        assert not [s for s in secrets if s in text]
        assert not re.search(r"\b(mt|ms|mi)_[A-Za-z0-9_-]{40,}", text)
    # Not in the streams either: a number that calls is known as a customer only.
    for schema in ("ingest", "feedback", "recognition", "reporting"):
        rows = moment.sql("select count(*) from %s.stream where position(%%s in body) > 0" % schema, PHONE[3:].encode())
        assert rows[0][0] == 0, schema


def test_nobody_else_on_the_machine_reads_keys_and_settings(moment):
    for folder, folders, names in os.walk(moment.dir):
        for name in names + folders:
            path = os.path.join(folder, name)
            mode = os.stat(path).st_mode
            assert not mode & (stat.S_IWGRP | stat.S_IWOTH), path
            if name.endswith((".secret", ".conf")) or "password" in name:
                assert not mode & (stat.S_IRGRP | stat.S_IROTH), path


def test_every_port_is_on_this_machine_only(moment):
    ports = {"%04X" % p for d in (moment.bus, moment.admin, moment.http) for p in d.values()}
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name, encoding="ascii") as f:
            for line in f.readlines()[1:]:
                address, port = line.split()[1].split(":")
                if port in ports and line.split()[3] == "0A":
                    assert address == "0100007F", line
