"""The live feed: resumed without gap or repeat, reset when too old, and private to who may see it."""
import json
import urllib.request

import pytest

from installation import Installation, wait_for


class Feed:
    """A reader of server-sent events that remembers ids, as a browser does."""

    def __init__(self, moment, after=None, token=None):
        self.moment, self.last, self.token = moment, after, token or moment.api("/api/v1/session") and moment.token
        self.events = []
        self.open()

    def open(self):
        headers = {"Authorization": "Bearer " + self.token, "Accept": "text/event-stream"}
        if self.last:
            headers["Last-Event-ID"] = self.last
        self.stream = urllib.request.urlopen(urllib.request.Request(
            "http://127.0.0.1:%d/api/v1/live" % self.moment.http["reporting"], headers=headers), timeout=20)

    def one(self):
        """The next event: (name, id, data)."""
        name, ident, data = "message", None, ""
        while True:
            line = self.stream.readline()
            if not line:
                raise ConnectionError("the stream ended")
            line = line.decode().rstrip("\n")
            if not line and data:
                if ident:
                    self.last = ident
                return name, ident, json.loads(data)
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                ident = value
            elif field == "data":
                data += value

    def updates(self, count):
        out = []
        while len(out) < count:
            name, ident, data = self.one()
            if name == "update":
                out.append((ident, data))
            elif name == "reset":
                raise AssertionError("reset: %r" % data)
        return out


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        yield m


def post(moment, first, count):
    for n in range(first, first + count):
        moment.post({"specversion": "1.0", "id": "l%d" % n, "source": "/t", "type": "x.contact.started",
                     "time": "2026-03-02T14:00:00Z", "data": {"contact_id": "l-%d" % n}}, token=moment.crm)


def contacts(updates):
    return [u["moment"]["source_contact_id"] for _, u in updates if "moment" in u]


def test_floor_and_feed_fit_together_without_gap_or_repeat(moment):
    post(moment, 0, 5)
    moment.settle()
    position = moment.api("/api/v1/floor")["position"]
    post(moment, 5, 5)
    feed = Feed(moment, position)
    assert contacts(feed.updates(5)) == ["l-%d" % n for n in range(5, 10)]


def test_kill_9_of_the_server_between_two_updates_is_resumed_exactly(moment):
    moment.settle()
    feed = Feed(moment, moment.api("/api/v1/floor")["position"])
    post(moment, 100, 10)
    seen = contacts(feed.updates(4))
    moment.kill("reporting")
    post(moment, 110, 10)
    moment.start("reporting")
    feed.open()
    seen += contacts(feed.updates(16))
    assert seen == ["l-%d" % n for n in range(100, 120)]


def test_a_position_from_another_life_is_reset(moment):
    feed = Feed(moment, "999-123456789")
    assert next(name for name, _, _ in iter(feed.one, None) if name != "beat") == "reset"


def test_beats_tell_the_age_of_the_data(moment):
    feed = Feed(moment)
    name, _, beat = next(e for e in iter(feed.one, None) if e[0] == "beat")
    assert name == "beat" and set(beat["lag"]) == {"ingest", "feedback", "recognition"}
    moment.kill("ingest")
    try:
        wait_for("the beat to say that ingest is away", lambda: feed.one()[2].get("lag", {}).get("ingest", 0) is None, 30, 0)
    finally:
        moment.start("ingest")


def test_operators_see_no_customer_content_and_strangers_nothing(moment):
    operator = moment.new_token("operator")
    moment.api("/api/v1/moments", token=operator, expect=403)
    moment.api("/api/v1/live", token=operator, expect=403)
    for path in ("/api/v1/moments", "/api/v1/floor", "/api/v1/live", "/api/v1/alerts", "/api/v1/candidates",
                 "/api/v1/reports/interval"):
        moment.api(path, token="mt_stranger", expect=401)
