"""What a moment is: one for a person behind two channels, closed when nothing more is heard, never silently dropped."""
import itertools
import time
from datetime import datetime, timezone

import pytest

from installation import Installation, wait_for

LOST_TRACK_S = 3
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def moment():
    with Installation(env={"MOMENT_LOST_TRACK_S": str(LOST_TRACK_S)}) as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        yield m


def stamp(at):
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(kind, contact, at, **data):
    return {"specversion": "1.0", "id": "m-%d" % next(NUMBERS), "source": "/t", "type": "x." + kind, "time": stamp(at),
            "data": {"contact_id": contact, **data}}


def tell(moment, *events):
    status, answer = moment.post(list(events), "application/cloudevents-batch+json", token=moment.crm)
    assert (status, answer["accepted"]) == (202, len(events)), answer


def call(contact, at, queue, agent):
    return [event("contact.queued", contact, at, queue=queue), event("contact.answered", contact, at + 4, queue=queue, agent=agent),
            event("contact.ended", contact, at + 10)]


def named(moment, *contacts):
    return [m for m in moment.moments() if m["source_contact_id"] in contacts]


def report(moment, at):
    """Offered and answered of the hour around a time."""
    counts = moment.api("/api/v1/reports/interval?bucket=all&from=%s&to=%s" % (stamp(at - 60), stamp(at + 60)))["totals"]["counts"]
    return counts["offered"], counts["answered"]


# --- one person behind two channels ---

@pytest.mark.parametrize("order", ["link_last", "link_first", "link_between", "all_at_once"])
def test_two_channels_of_one_person_are_one_moment(moment, order):
    n = next(NUMBERS)
    whole, part = "whole-%d" % n, "part-%d" % n
    at = 1772460000 + 3600 * n
    link = event("contact.linked", part, at + 11, root_contact_id=whole)
    first, second = call(whole, at, "sales", "Ann"), call(part, at + 12, "support", "Ben")
    batches = {"link_last": [first, second, [link]], "link_first": [[link], second, first],
               "link_between": [first, [link], second], "all_at_once": [second[:1] + first + [link] + second[1:]]}[order]
    for batch in batches:
        tell(moment, *batch)
        moment.settle()
    found = named(moment, whole, part)
    assert [m["source_contact_id"] for m in found] == [whole]
    assert [(v["queue"], v["agent"], v["wait_ms"]) for v in found[0]["visits"]] == [("sales", "Ann", 4000), ("support", "Ben", 4000)]
    assert (found[0]["queue"], found[0]["agent"], found[0]["talk_ms"], found[0]["state"]) == ("sales", "Ben", 12000, "ended")
    assert report(moment, at) == (2, 2)


def test_a_moment_goes_on_while_one_of_its_channels_does(moment):
    now = time.time()
    tell(moment, event("contact.queued", "here", now - 2, queue="sales"),
         event("contact.answered", "here", now - 1.5, queue="sales", agent="Ann"),
         event("contact.linked", "there", now - 1, root_contact_id="here"),
         event("contact.queued", "there", now - 1, queue="support"), event("contact.ended", "here", now - 0.5))
    moment.settle()
    shown = [m for m in moment.api("/api/v1/floor")["moments"] if m["source_contact_id"] in ("here", "there")]
    assert [(m["source_contact_id"], m["state"], len(m["visits"])) for m in shown] == [("here", "waiting", 2)]
    tell(moment, event("contact.ended", "there", now))
    moment.settle()
    assert [(m["state"], m["visits"][1]["outcome"]) for m in named(moment, "here", "there")] == [("ended", "abandoned")]


def test_linking_in_a_circle_harms_nobody(moment):
    at = 1772400000
    tell(moment, *call("ring-a", at, "sales", "Ann"), *call("ring-b", at + 20, "sales", "Ann"))
    tell(moment, event("contact.linked", "ring-a", at + 40, root_contact_id="ring-b"),
         event("contact.linked", "ring-b", at + 41, root_contact_id="ring-a"), event("contact.linked", "ring-b", at + 41,
                                                                                   root_contact_id="ring-b"))
    moment.settle()
    assert report(moment, at) == (2, 2)
    assert 1 <= len(named(moment, "ring-a", "ring-b")) <= 2
    tell(moment, *call("after-the-ring", at + 3000, "sales", "Ann"))
    wait_for("ingest to go on", lambda: named(moment, "after-the-ring"))


# --- lost track ---

def test_a_moment_of_which_nothing_more_is_heard_is_closed_counted_and_reopened(moment):
    now = time.time()
    tell(moment, event("contact.queued", "lost", now, queue="sales"), event("contact.answered", "lost", now + 0.1, queue="sales",
                                                                        agent="Ann"))
    assert named(moment, "lost") == [] or named(moment, "lost")[0]["state"] != "ended"
    lost = wait_for("the loss to be noticed", lambda: [m for m in named(moment, "lost") if m["state"] == "ended"], LOST_TRACK_S + 10)[0]
    assert lost["outcome"] == "lost_track"
    assert "lost" in [m["source_contact_id"] for m in moment.api("/api/v1/moments?outcome=lost_track")["items"]]
    assert all(m["source_contact_id"] != "lost" or m["state"] == "ended" for m in moment.api("/api/v1/floor")["moments"])
    tell(moment, event("contact.held", "lost", now + 1))
    wait_for("it to be open again", lambda: named(moment, "lost")[0]["state"] != "ended")
    tell(moment, event("contact.resumed", "lost", now + 2), event("contact.ended", "lost", now + 3))
    wait_for("its end", lambda: named(moment, "lost")[0]["state"] == "ended")
    ended = named(moment, "lost")[0]
    assert ended["outcome"] != "lost_track" and ended["hold_ms"] == 1000 and ended["revision"] > lost["revision"]


def test_what_was_lost_during_an_outage_is_closed_after_it(moment):
    tell(moment, event("contact.queued", "lost-2", time.time(), queue="sales"))
    moment.kill("ingest")
    moment.start("ingest")
    wait_for("the loss to be noticed", lambda: [m for m in named(moment, "lost-2") if m["outcome"] == "lost_track"],
             LOST_TRACK_S + 10)


# --- a source that goes ---

def test_a_removed_source_is_deaf_at_once_and_its_moments_stay(moment):
    token = moment.add_events_source("leaver")["token"]
    e = event("contact.started", "leaver-1", 1772460000)
    assert moment.post(e, token=token)[0] == 202
    moment.ctl("source", "remove", "leaver")
    assert moment.post(event("contact.started", "leaver-2", 1772460000), token=token)[0] == 401
    assert "leaver" not in moment.ctl("source", "list")
    assert moment.ctl("source", "remove", "leaver", check=False).returncode != 0
    moment.settle()
    assert named(moment, "leaver-1")
    # The name is free again: a repetition is still one, and the old token stays dead.
    newer = moment.add_events_source("leaver")["token"]
    assert moment.post(e, token=newer) == (202, {"accepted": 0, "duplicate": 1})
    assert moment.post(e, token=token)[0] == 401
    moment.kill("ingest")
    moment.start("ingest")
    assert moment.post(e, token=token)[0] == 401
    assert moment.post(e, token=newer)[0] == 202


def test_two_secrets_are_valid_at_once_and_a_third_ends_the_first(moment):
    def rotate(*options):
        return next(line.split()[-1] for line in moment.ctl("source", "rotate", "turner", *options).splitlines()
                    if line.startswith("token"))

    def alive(*tokens):
        return [moment.post(event("contact.started", "turner", 1772460000), token=t)[0] == 202 for t in tokens]

    first = moment.add_events_source("turner")["token"]
    second = rotate()
    assert alive(first, second) == [True, True]
    third = rotate()
    assert alive(first, second, third) == [False, True, True]
    fourth = rotate("--retire-old")
    assert alive(second, third, fourth) == [False, False, True]
