"""Webhooks, on a real recognition and a real receiver that fails, hangs, answers 410 and checks every signature
by an implementation of its own: each change of a post arrives at least once and in order, also after kill -9."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bus_person import BusPerson, recognition_pb2
from installation import ROOT, Installation, free_ports, wait_for

FIRST_RETRY_MS, RETRIES = 100, 3


def signature(secret, ident, timestamp, body):
    """Standard Webhooks, from its specification."""
    key = base64.b64decode(secret[len("whsec_"):])
    return "v1," + base64.b64encode(hmac.new(key, ident.encode() + b"." + timestamp.encode() + b"." + body,
                                             hashlib.sha256).digest()).decode()


def test_this_receiver_agrees_with_the_published_vectors():
    with open(os.path.join(ROOT, "tests/fixtures/signatures/vectors.json"), encoding="utf-8") as f:
        vectors = json.load(f)
    published, = [v for v in vectors["published"] if v["vendor"] == "standard_webhooks"]
    assert signature(published["secret"], published["id"], published["timestamp"],
                     published["body"].encode()) == published["expect"]
    computed, = [v for v in vectors["computed"] if v["vendor"] == "standard_webhooks"]
    with open(os.path.join(ROOT, "tests/fixtures", computed["body_file"]), "rb") as f:
        body = f.read()
    headers = computed["headers"]
    assert signature(computed["secret"], headers["webhook-id"], headers["webhook-timestamp"],
                     body) in headers["webhook-signature"].split()


def test_the_readme_receiver_takes_what_is_signed_and_nothing_else():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        program = re.search(r"<!-- example: receive a webhook -->\s*```python\n(.*?)```", f.read(), re.S).group(1)
    port, = free_ports(1)
    assert program.count("9000") == 1
    secret, body, now = "whsec_" + base64.b64encode(b"k" * 32).decode(), b'{"type": "post.changed"}', int(time.time())

    def send(signed_by, at):
        headers = {"webhook-id": "evt-1", "webhook-timestamp": str(at),
                   "webhook-signature": signature(signed_by, "evt-1", str(at), body)}
        try:
            with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/" % port, body, headers), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code

    receiver = subprocess.Popen([sys.executable, "-c", program.replace("9000", str(port))], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, env={**os.environ, "WEBHOOK_SECRET": secret})
    try:
        assert wait_for("the receiver", lambda: send(secret, now)) == 204
        assert receiver.stdout.readline() == "evt-1 %s\n" % body.decode()
        assert send("whsec_" + base64.b64encode(b"x" * 32).decode(), now) == 401
        assert send(secret, now - 3600) == 401
    finally:
        receiver.terminate()
        receiver.communicate()


class Receiver:
    """Answers what `answer` says to the n-th request (from 0): a status, a status with headers, or None: never."""

    def __init__(self, answer=lambda n: 204, certificate=None):
        self.answer, self.secret, self.requests, self.taken, self.problems = answer, None, [], [], []
        self.lock, self.released = threading.Lock(), threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.lock:
                    answer = receiver.answer(len(receiver.requests))
                    receiver.requests.append((time.monotonic(), self.headers["webhook-id"], json.loads(body)))
                    receiver.check(self.headers, body)
                if answer is None:
                    receiver.released.wait(30)
                    self.close_connection = True
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                if status < 300:
                    with receiver.lock:
                        receiver.taken.append((self.headers["webhook-id"], json.loads(body)["data"]))
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        assert not self.problems, self.problems

    @property
    def url(self):
        return "%s://localhost:%d/hook" % (self.scheme, self.server.server_address[1])

    def check(self, headers, body):
        message = json.loads(body)
        expected = signature(self.secret, headers["webhook-id"], headers["webhook-timestamp"], body)
        if headers["webhook-signature"] != expected or headers["content-type"] != "application/json":
            self.problems.append(("signature", dict(headers)))
        if abs(int(headers["webhook-timestamp"]) - time.time()) > 60:
            self.problems.append(("timestamp", headers["webhook-timestamp"]))
        if message["type"] != "post.changed" or not message["timestamp"].endswith("Z"):
            self.problems.append(("message", message))

    def texts(self):
        """What was taken, each change once: a repetition directly follows what it repeats."""
        seen, texts = set(), []
        for ident, post in list(self.taken):
            if ident not in seen:
                seen.add(ident)
                texts.append(post["text"])
        return texts


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    files = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


ENV = {"MOMENT_WEBHOOK_ALLOW_PRIVATE": "true", "MOMENT_WEBHOOK_RETRIES": str(RETRIES),
       "MOMENT_WEBHOOK_FIRST_RETRY_MS": str(FIRST_RETRY_MS)}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start("ingest", "feedback")
        m.start("recognition", env=ENV)
        yield m


def ask(moment, rpc, roles=("leader",), sites=(), **fields):
    """The answer, or the problem."""
    reply = BusPerson(moment, "recognition", "u-lea", roles, sites=sites).reply(rpc, **fields)
    if reply.HasField("problem"):
        return reply.problem
    return getattr(recognition_pb2, rpc + "Response").FromString(reply.body)


def write(moment, text, kind="POST_KIND_JOURNAL"):
    answer = ask(moment, "WritePost", kind=kind, text=text)
    assert answer.post.post_id, answer
    return answer.post


@contextlib.contextmanager
def hooked(moment, receiver, *kinds):
    """A webhook that is gone after the test."""
    added = ask(moment, "AddWebhook", url=receiver.url, kinds=list(kinds))
    receiver.secret = added.secret
    assert added.secret.startswith("whsec_") and len(base64.b64decode(added.secret[6:])) == 32, added
    try:
        yield added.webhook
    finally:
        ask(moment, "RemoveWebhook", webhook_id=added.webhook.webhook_id)


def webhook(moment, ident):
    found, = [w for w in ask(moment, "ListWebhooks").webhooks if w.webhook_id == ident]
    return found


def dead_letters(moment, ident):
    return ask(moment, "ListDeadLetters", webhook_id=ident).letters


def test_each_change_of_a_post_is_delivered_signed_and_in_order(moment):
    with Receiver() as receiver, hooked(moment, receiver) as hook:
        texts = ["first %d" % i for i in range(20)]
        posts = [write(moment, text) for text in texts]
        ask(moment, "WithdrawPost", post_id=posts[0].post_id, because="A mistake.")
        wait_for("21 deliveries", lambda: len(receiver.taken) == 21)
        assert receiver.texts() == texts + ["first 0"]
        last = receiver.taken[-1][1]
        assert last["withdrawn"] and last["post_id"] == posts[0].post_id and last["kind"] == "journal"
        assert last["revision"] == 2
        assert len({ident for ident, _ in receiver.taken}) == 21
        state = webhook(moment, hook.webhook_id)
        assert (state.delivered, state.dead, state.enabled) == (21, 0, True)
        assert state.state == recognition_pb2.WEBHOOK_STATE_WORKING


def test_only_the_kinds_that_were_asked_for(moment):
    with Receiver() as receiver, hooked(moment, receiver, "POST_KIND_CELEBRATION"):
        write(moment, "a journal entry")
        write(moment, "cake", "POST_KIND_CELEBRATION")
        wait_for("one delivery", lambda: receiver.taken)
        write(moment, "more cake", "POST_KIND_CELEBRATION")
        wait_for("another", lambda: len(receiver.taken) == 2)
        assert receiver.texts() == ["cake", "more cake"]


def test_a_failed_delivery_is_tried_again_and_holds_those_behind_it(moment):
    with Receiver(lambda n: 500 if n < 2 else 204) as receiver, hooked(moment, receiver) as hook:
        write(moment, "one")
        wait_for("a failure", lambda: webhook(moment, hook.webhook_id).state == recognition_pb2.WEBHOOK_STATE_FAILING)
        assert "500" in webhook(moment, hook.webhook_id).detail
        write(moment, "two")
        wait_for("both", lambda: len(receiver.taken) == 2)
        assert receiver.texts() == ["one", "two"]
        assert [m["data"]["text"] for _, _, m in receiver.requests] == ["one", "one", "one", "two"]
        assert len({ident for _, ident, _ in receiver.requests[:3]}) == 1, "the same delivery has the same id"
        assert webhook(moment, hook.webhook_id).detail == ""


def test_the_receiver_may_ask_for_more_time(moment):
    with Receiver(lambda n: (503, {"Retry-After": "2"}) if n == 0 else 204) as receiver, hooked(moment, receiver):
        write(moment, "later please")
        wait_for("the delivery", lambda: receiver.taken)
        assert receiver.requests[1][0] - receiver.requests[0][0] >= 2


def test_what_is_given_up_becomes_a_dead_letter_and_the_next_ones_go_on(moment):
    def answer(n):
        return 404 if n <= RETRIES else 204

    with Receiver(answer) as receiver, hooked(moment, receiver) as hook:
        lost = write(moment, "lost")
        write(moment, "found")
        wait_for("the second", lambda: receiver.taken)
        assert receiver.texts() == ["found"]
        assert len(receiver.requests) == RETRIES + 2
        letter, = dead_letters(moment, hook.webhook_id)
        assert (letter.post_id, letter.attempts) == (lost.post_id, RETRIES + 1)
        assert "404" in letter.error and letter.delivery_id == receiver.requests[0][1]
        assert webhook(moment, hook.webhook_id).dead == 1
        wait_for("the gauge", lambda: moment.metric("recognition", "moment_webhook_dead_letters") == 1)
        assert ask(moment, "ReplayWebhook", webhook_id=hook.webhook_id).deliveries == 1
        wait_for("the dead one", lambda: len(receiver.taken) == 2)
        assert receiver.taken[1][0] == letter.delivery_id, "a replay has the id of what it repeats"
        assert not dead_letters(moment, hook.webhook_id)
        wait_for("the gauge", lambda: moment.metric("recognition", "moment_webhook_dead_letters") == 0)


def test_everything_since_a_time_can_be_had_again(moment):
    with Receiver() as receiver, hooked(moment, receiver) as hook:
        write(moment, "long ago")
        time.sleep(0.05)
        since = int(time.time() * 1e6)
        texts = ["again %d" % i for i in range(5)]
        for text in texts:
            write(moment, text)
        wait_for("all", lambda: len(receiver.taken) == 6)
        receiver.taken.clear()
        assert ask(moment, "ReplayWebhook", webhook_id=hook.webhook_id, since_at=since).deliveries == 5
        wait_for("all again", lambda: len(receiver.taken) == 5)
        assert receiver.texts() == texts


def test_gone_is_believed(moment):
    with Receiver(lambda n: 410 if n == 0 else 204) as receiver, hooked(moment, receiver) as hook:
        write(moment, "anybody there?")
        wait_for("the end", lambda: not webhook(moment, hook.webhook_id).enabled)
        state = webhook(moment, hook.webhook_id)
        assert (state.state, state.changed_by) == (recognition_pb2.WEBHOOK_STATE_DISABLED, "")
        write(moment, "not for you")
        assert ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=True).webhook.enabled
        write(moment, "again for you")
        wait_for("two", lambda: len(receiver.taken) == 2)
        assert receiver.texts() == ["anybody there?", "again for you"]


def test_a_receiver_that_hangs_holds_nobody_else(moment):
    with Receiver(lambda n: None if n == 0 else 204) as slow, Receiver() as quick, \
            hooked(moment, slow) as hook, hooked(moment, quick):
        write(moment, "one")
        write(moment, "two")
        wait_for("the quick one", lambda: len(quick.taken) == 2, 5)
        assert not slow.taken
        wait_for("the slow one after its 10 s", lambda: len(slow.taken) == 2, 20)
        assert slow.texts() == ["one", "two"]
        assert slow.requests[1][0] - slow.requests[0][0] >= 10
        assert webhook(moment, hook.webhook_id).delivered == 2


def test_a_disabled_one_gets_nothing_and_a_removed_one_is_gone(moment):
    with Receiver() as receiver:
        with hooked(moment, receiver) as hook:
            assert not ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=False).webhook.enabled
            write(moment, "not this")
            ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=True)
            write(moment, "this")
            wait_for("one", lambda: receiver.taken)
            assert receiver.texts() == ["this"]
        assert hook.webhook_id not in [w.webhook_id for w in ask(moment, "ListWebhooks").webhooks]
        assert ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=True).status == 404
        assert ask(moment, "RemoveWebhook", webhook_id=hook.webhook_id).status == 404
    assert not moment.sql("select 1 from recognition.webhook_secret")
    assert not moment.sql("select 1 from recognition.delivery")


def test_every_change_is_on_the_stream(moment):
    with Receiver() as receiver, hooked(moment, receiver) as hook:
        ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=False)
        ask(moment, "EnableWebhook", webhook_id=hook.webhook_id, enabled=False)
    rows = moment.sql("select body from recognition.stream where key = %s and type = 'WebhookChanged' order by seq",
                      hook.webhook_id)
    told = [recognition_pb2.WebhookChanged.FromString(bytes(body)).webhook for body, in rows]
    assert [(w.revision, w.enabled, w.removed) for w in told] == [
        (1, True, False), (2, False, False), (3, False, True)]
    assert {w.changed_by for w in told} == {"u-lea"}


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "https://", "https://u:p@example.com/", "example.com/x",
                                 "https://example.com/" + "x" * 2000])
def test_a_url_that_cannot_be_is_refused(moment, url):
    problem = ask(moment, "AddWebhook", url=url)
    assert (problem.status, problem.type, problem.field) == (422, "invalid-field", "url")


def test_who_may(moment):
    for roles, status in ((["coach"], 403), (["agent"], 403), (["operator"], 403)):
        assert ask(moment, "AddWebhook", roles, url="https://example.com/").status == status
        assert ask(moment, "ListWebhooks", roles).status == status
    assert hasattr(ask(moment, "ListWebhooks", ["integrator"]), "webhooks")
    assert ask(moment, "ListWebhooks", sites=["main"]).status == 403
    assert ask(moment, "ListDeadLetters", webhook_id="x").status == 404
    assert ask(moment, "ReplayWebhook", webhook_id=str(uuid.uuid4())).status == 404


def test_kill_9_in_the_middle_loses_nothing_and_keeps_the_order(moment):
    counter = iter(range(10 ** 6))

    def answer(_):
        return 204 if next(counter) % 3 else 500

    with Receiver(answer) as receiver, hooked(moment, receiver):
        texts = []
        for turn in range(4):
            for i in range(15):
                texts.append("turn %d post %d" % (turn, i))
                write(moment, texts[-1])
            wait_for("some", lambda t=turn: len(receiver.taken) > 12 * t)
            moment.kill("recognition")
            moment.start("recognition", env=ENV)
        wait_for("all", lambda: len(receiver.texts()) == len(texts), 60)
        assert receiver.texts() == texts
        # What comes twice comes at once: nothing new was delivered before.
        order = [texts.index(post["text"]) for _, post in receiver.taken]
        assert order == sorted(order)


def test_tls_is_verified(moment, certificate):
    moment.stop("recognition")
    moment.start("recognition", env={**ENV, "MOMENT_WEBHOOK_CA_FILE": certificate[0]})
    with Receiver(certificate=certificate) as receiver, hooked(moment, receiver):
        write(moment, "sealed")
        wait_for("the delivery", lambda: receiver.taken)
    moment.stop("recognition")
    moment.start("recognition", env=ENV)
    with Receiver(certificate=certificate) as receiver, hooked(moment, receiver) as hook:
        write(moment, "not to strangers")
        wait_for("the refusal", lambda: "certificate" in webhook(moment, hook.webhook_id).detail.lower())
        assert not receiver.requests


def test_nobody_is_lent_our_place_in_the_network(moment):
    """The default: inside addresses are refused where they are written, and where a name leads to them."""
    moment.stop("recognition")
    with Receiver() as receiver:
        moment.start("recognition", env=ENV)
        inside = ask(moment, "AddWebhook", url=receiver.url)
        receiver.secret = inside.secret
        moment.stop("recognition")
        moment.start("recognition", env={**ENV, "MOMENT_WEBHOOK_ALLOW_PRIVATE": "false"})
        try:
            for url in ("http://127.0.0.1/", "http://localhost:8080/", "http://[::1]/", "http://169.254.169.254/latest",
                        "http://10.1.2.3/", "http://2130706433/"):
                problem = ask(moment, "AddWebhook", url=url)
                assert (problem.status, problem.field) == (422, "url"), url
                assert "webhook_allow_private" in problem.detail
            write(moment, "who listens there?")
            wait_for("the refusal", lambda: "webhook_allow_private" in webhook(moment, inside.webhook.webhook_id).detail)
            assert not receiver.requests
        finally:
            ask(moment, "RemoveWebhook", webhook_id=inside.webhook.webhook_id)
