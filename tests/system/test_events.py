"""The neutral HTTP door: CloudEvents in every mode, who may enter, and what a refusal says."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from installation import ROOT, Installation, wait_for

FIXTURES = os.path.join(ROOT, "tests/fixtures")


def fixture(path):
    with open(os.path.join(FIXTURES, path), "rb") as f:
        return f.read()


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start("ingest", "feedback", "recognition", "reporting")
        m.crm = m.add_events_source("crm")
        yield m


def event(number, kind="contact.started", contact=None, **data):
    return {"specversion": "1.0", "id": "evt-%s" % number, "source": "/test", "type": "com.example.cx." + kind,
            "time": "2026-03-02T14:00:00.000Z", "datacontenttype": "application/json",
            "data": {"contact_id": contact or "c-%s" % number, "channel": "voice", "direction": "inbound", **data}}


def ours(moment, contact):
    moment.settle()
    return next(m for m in moment.moments() if m["source_contact_id"] == contact)


def test_a_structured_event_is_committed_once_however_often_it_comes(moment):
    body = fixture("cloudevents/structured.json")
    assert moment.post(body, token=moment.crm["token"]) == (202, {"accepted": 1, "duplicate": 0})
    assert moment.post(body, token=moment.crm["token"]) == (202, {"accepted": 0, "duplicate": 1})
    m = ours(moment, "c-1001")
    assert (m["source"], m["queue"], m["agent"], m["outcome"], m["ended_by"]) == ("crm", "billing", "agent17", "answered", None)
    assert (m["wait_ms"], m["talk_ms"], m["hold_ms"], m["wrap_ms"]) == (75000, 248000, 22000, 40000)
    assert (m["started_at"], m["ended_at"]) == ("2026-03-02T14:00:00.000Z", "2026-03-02T14:06:05.000Z")
    assert m["visits"][0]["entered_at"] == "2026-03-02T14:00:20.000Z"
    assert re.fullmatch(r"[0-9a-f-]{36}", m["customer_id"] or "") or m["customer_id"] is None


def test_a_batch_counts_accepted_and_duplicate(moment):
    batch = [event(n) for n in ("b1", "b2", "b1")]
    assert moment.post(batch, "application/cloudevents-batch+json", moment.crm["token"]) == (202, {"accepted": 2, "duplicate": 1})
    assert moment.post([], "application/cloudevents-batch+json", moment.crm["token"]) == (202, {"accepted": 0, "duplicate": 0})


def test_binary_mode_takes_attributes_from_headers(moment):
    status, answer = moment.post(
        {"contact_id": "c-binary", "channel": "voice"}, "application/json", moment.crm["token"],
        **{"ce-specversion": "1.0", "ce-id": "bin-1", "ce-source": "/acme/pbx-1", "ce-type": "com.example.cx.contact.started",
           "ce-subject": "Euro%20%E2%82%AC", "ce-time": "2026-03-02T14:06:05.000Z"})
    assert (status, answer) == (202, {"accepted": 1, "duplicate": 0})


def test_a_webhook_signature_opens_the_door_within_five_minutes(moment):
    source = moment.add_events_source("hooks")
    body = fixture("standard_webhooks/contact_ended.json").replace(b"c-1001", b"c-hook")

    def post(at, secret=source["webhook_secret"], ident="msg_1"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = hmac.new(key, b"%s.%d.%s" % (ident.encode(), at, body), hashlib.sha256).digest()
        return moment.post(body, "application/json", None, path="/v1/events?source=hooks", **{
            "webhook-id": ident, "webhook-timestamp": str(at), "webhook-signature": "v1,bogus v1," + base64.b64encode(mac).decode()})

    now = int(time.time())
    assert post(now) == (202, {"accepted": 1, "duplicate": 0})
    assert post(now) == (202, {"accepted": 0, "duplicate": 1})
    assert post(now - 400)[0] == 401
    assert post(now + 400)[0] == 401
    assert post(now, moment.crm["webhook_secret"])[0] == 401
    rotated = moment.ctl("source", "rotate", "hooks")
    newer = re.search(r"\bwhsec_\S+", rotated).group(0)
    assert post(now, ident="msg_2")[0] == 202, "the old secret is valid beside the new one"
    assert post(now, newer, ident="msg_3")[0] == 202


@pytest.mark.parametrize("token", [None, "nonsense", "ms_" + "x" * 43])
def test_strangers_are_turned_away(moment, token):
    status, problem = moment.post(event("stranger"), token=token)
    assert status == 401 and problem["type"]


def bad(change):
    e = event("bad")
    change(e)
    return e


BAD = {
    "no id": (lambda e: e.pop("id"), "id"),
    "wrong version": (lambda e: e.update(specversion="0.3"), "specversion"),
    "no contact": (lambda e: e["data"].pop("contact_id"), "data.contact_id"),
    "bad time": (lambda e: e.update(time="yesterday"), "time"),
    "far future": (lambda e: e.update(time="2199-01-01T00:00:00Z"), "time"),
    "queue is a number": (lambda e: e["data"].update(queue={"id": 5}), "data.queue.id"),
    "channel unknown": (lambda e: e["data"].update(channel="smoke signals"), "data.channel"),
    "negative duration": (lambda e: e["data"].update(durations_ms={"wait": -1}), "data.durations_ms.wait"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_names_the_field_and_the_item(moment, name):
    change, field = BAD[name]
    status, problem = moment.post(bad(change), token=moment.crm["token"])
    assert 400 <= status < 500 and problem["field"].endswith(field), problem
    batch = [event("before-" + name), bad(change)]
    status, problem = moment.post(batch, "application/cloudevents-batch+json", moment.crm["token"])
    assert 400 <= status < 500 and "[1]" in problem["field"] and problem["field"].endswith(field), problem
    # All or nothing: the good neighbour was not taken either.
    assert moment.post(event("before-" + name), token=moment.crm["token"])[1] == {"accepted": 1, "duplicate": 0}


@pytest.mark.parametrize("data", [{"agent": {"id": "a", "emotion": "angry"}}, {"agent_mood": "low"},
                                  {"agent": {"id": "a", "sentiment": {"voice": 0.2}}}])
def test_an_agents_emotion_is_refused_by_the_protocol(moment, data):
    status, problem = moment.post(event("emotion", **data), token=moment.crm["token"])
    assert status == 422 and "emotion" in problem["type"] and problem["field"], problem


def too_large(moment, body, token):
    """The status of an answer that comes before the body is read to its end, as curl would see it."""
    connection = http.client.HTTPConnection("127.0.0.1", moment.http["ingest"], timeout=20)
    with contextlib.closing(connection):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/v1/events", body, {"Authorization": "Bearer " + token})
        return connection.getresponse().status


def test_a_new_secret_is_valid_the_moment_it_is_shown(moment):
    """The answer of `source add` waits until the source is known, however slow reading it is."""
    added, readers = {}, moment.backends("ingest", "moment")
    assert readers
    for pid in readers:
        os.kill(pid, signal.SIGSTOP)
    try:
        thread = threading.Thread(target=lambda: added.update(moment.add_events_source("prompt")))
        thread.start()
        thread.join(0.7)
        assert not added or moment.post(event("prompt"), token=added["token"])[0] == 202
    finally:
        for pid in readers:
            os.kill(pid, signal.SIGCONT)
    thread.join(20)
    assert moment.post(event("prompt-2"), token=added["token"])[0] == 202


def test_sizes_types_and_duplicate_keys(moment):
    token = moment.crm["token"]
    assert too_large(moment, b"{" + b" " * (2 << 20), token) == 413
    assert moment.post(event("xml"), "text/xml", token)[0] == 415
    assert moment.post(b"not json", token=token)[0] == 400
    assert moment.post(b'{"specversion":"1.0","id":"a","id":"b"}', token=token)[0] == 400
    assert moment.post([event(n) for n in range(1001)], "application/cloudevents-batch+json", token)[0] == 413
    request = urllib.request.Request("http://127.0.0.1:%d/v1/events" % moment.http["ingest"], method="DELETE")
    assert moment.answer(request)[0] == 405


def test_card_numbers_and_addresses_do_not_reach_the_stream(moment):
    number, caller = "4111 1111 1111 1111", "+14155550199"
    e = event("pii", "feedback.received", "c-pii", score=5, scale_min=1, scale_max=5, instrument="csat",
              comment="my card is %s, thanks" % number, customer_address=caller)
    assert moment.post(e, token=moment.crm["token"])[0] == 202
    moment.settle()
    for schema in ("ingest", "feedback", "recognition", "reporting"):
        bodies = b"".join(bytes(r[0]) for r in moment.sql("select body from %s.stream" % schema))
        assert number.encode() not in bodies and caller.encode() not in bodies
    assert moment.sql("select count(*) from ingest.customer where address = %s", caller)[0][0] == 1
    # Nowhere else in the whole database, whatever a table is called.
    tables = [t for t, in moment.sql("select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname in "
                                     "('ingest', 'feedback', 'recognition', 'reporting') and tablename <> 'customer'")]
    assert len(tables) > 20
    for table in tables:
        rows = moment.sql("select 1 from %s t where t::text like %%s or t::text like %%s or t::text like %%s or t::text like %%s" % table,
                          "%" + number + "%", "%" + caller + "%", "%" + number.encode().hex() + "%",
                          "%" + caller.encode().hex() + "%")
        assert rows == [], table


def test_too_much_too_fast_is_told_when_to_come_back():
    with Installation(env={"MOMENT_EVENTS_PER_S": "1", "MOMENT_EVENTS_BURST": "20"}) as m:
        m.start("ingest", "feedback", "recognition", "reporting")
        token = m.add_events_source("flood")["token"]
        answers = [m.post(event("f%d" % n), token=token)[0] for n in range(60)]
        assert 202 in answers and 429 in answers
        request = urllib.request.Request("http://127.0.0.1:%d/v1/events" % m.http["ingest"], json.dumps([event("g%d" % n) for n in range(20)]).encode(),
                                         {"Authorization": "Bearer " + token, "Content-Type": "application/cloudevents-batch+json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert int(refused.value.headers["Retry-After"]) >= 1


def test_without_a_database_nothing_is_acknowledged_and_everything_is_told_to_come_back():
    with Installation() as m:
        m.start()
        token = m.add_events_source("patient")["token"]
        assert m.post(event("p1"), token=token)[0] == 202
        m.postgres.do("crash")
        wait_for("503", lambda: m.post(event("p2"), token=token)[0] == 503, 20)
        m.postgres.start()
        status, answer = wait_for("ingest to accept again", lambda: (lambda a: a if a[0] == 202 else None)(
            m.post(event("p2"), token=token)), 30)
        assert answer["accepted"] + answer["duplicate"] == 1
        m.settle()
        assert sorted(x["source_contact_id"] for x in m.moments()) == ["c-p1", "c-p2"]


def test_the_readme_example_works(moment):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        example = re.search(r"<!-- example: post an event -->\s*```sh\n(.*?)```", f.read(), re.S).group(1)
    script = example.replace("http://127.0.0.1:8081", "http://127.0.0.1:%d" % moment.http["ingest"])
    done = subprocess.run(["bash", "-euc", script], env={**os.environ, "TOKEN": moment.crm["token"]}, capture_output=True, text=True, check=True)
    assert '"accepted":1' in done.stdout.replace(" ", ""), done.stdout
