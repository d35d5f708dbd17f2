"""The neutral events: one example of every type at the door of a running installation.

proto/README.md's table is the list of what integrators may send. It must name the types of the protocol,
each example may use only the members that the table gives its type, and each must do to the moment what
the table says.
"""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from installation import ROOT, Installation, wait_for  # noqa: E402
from native_client import NativeClient, ingest_pb2  # noqa: E402

# Made by ingest itself.
OURS = {"contact.lost"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def table():
    """{type: the members of data in its row}"""
    rows = re.findall(r"(?m)^\| `([a-z]+\.[a-z_]+)` \| ([^|]*) \| (.*) \|$", read("proto/README.md"))
    return {kind: set(re.findall(r"`(\w+)`", members)) for kind, _, members in rows}


def types_of_the_protocol():
    names = [n.removeprefix("EVENT_TYPE_").lower() for n in ingest_pb2.EventType.keys() if not n.endswith("UNSPECIFIED")]
    return {n.replace("_", ".", 1) for n in names}


def at(seconds):
    return "2026-03-02T14:%02d:%02d.000Z" % divmod(seconds, 60)


QUEUE, AGENT = {"id": "billing", "name": "Billing"}, {"id": "agent17", "name": "Ann"}
STARTED = ("contact.started", 0, {"channel": "chat", "direction": "inbound", "entry_point": "web",
                                  "customer_address": "+14155550123", "customer_ref": "cust-1", "started_at": at(0)})
QUEUED = ("contact.queued", 10, {"queue": QUEUE, "queued_at": at(10), "position": 2})
OFFERED = ("contact.offered", 20, {"queue": QUEUE, "agent": AGENT})
ANSWERED = ("contact.answered", 30, {"queue": QUEUE, "agent": AGENT, "answered_at": at(30), "wait_ms": 20000,
                                     "ring_ms": 10000})
HELD = ("contact.held", 40, {"agent": AGENT})
RESUMED = ("contact.resumed", 45, {"agent": AGENT, "hold_ms": 5000})
ENDED = ("contact.ended", 90, {"ended_by": "customer", "reason": "bye", "ended_at": at(90)})
WAITING, TALKING = [STARTED, QUEUED], [STARTED, QUEUED, OFFERED, ANSWERED]

# type: (what was before, when it happens, its data, what the moment is then, what its last visit is)
EXAMPLES = {
    "contact.started": ([], *STARTED[1:], {"state": "started", "started_at": at(0), "channel": "chat",
                                           "direction": "inbound"}, None),
    "contact.queued": ([STARTED], *QUEUED[1:], {"state": "waiting", "queue": "billing"}, {"entered_at": at(10)}),
    "contact.offered": (WAITING, *OFFERED[1:], {"state": "ringing", "state_since": at(20)}, {"offers": 1}),
    "contact.offer_failed": ([*WAITING, OFFERED], 25, {"queue": QUEUE, "agent": AGENT, "reason": "no_answer",
                                                      "ring_ms": 5000},
                             {"state": "waiting"}, {"offers": 1, "offer_failures": 1}),
    "contact.answered": ([*WAITING, OFFERED], *ANSWERED[1:], {"state": "talking", "agent": "agent17"},
                         {"answered_at": at(30), "wait_ms": 20000, "ring_ms": 10000}),
    "contact.held": (TALKING, *HELD[1:], {"state": "held", "state_since": at(40)}, None),
    "contact.resumed": ([*TALKING, HELD], *RESUMED[1:], {"state": "talking"}, {"hold_ms": 5000, "hold_count": 1}),
    "contact.transferred": (TALKING, 60, {"agent": AGENT, "kind": "blind", "to_queue": {"id": "claims"},
                                          "to_agent": {"id": "agent18"}, "to_address": "+14155550111",
                                          "talk_ms": 30000, "hold_ms": 0},
                            {"state": "started", "transfers": 1}, {"outcome": "blind_transfer", "talk_ms": 30000}),
    "contact.agent_ended": (TALKING, 70, {"agent": AGENT, "ended_by": "agent", "talk_ms": 35000, "hold_ms": 5000},
                            {"state": "started"}, {"outcome": "completed_by_agent", "talk_ms": 35000, "hold_ms": 5000}),
    "contact.abandoned": (WAITING, 50, {"queue": QUEUE, "wait_ms": 40000, "position": 1},
                          {"ended_by": "customer", "outcome": "abandoned"}, {"outcome": "abandoned", "wait_ms": 40000}),
    "contact.left_queue": (WAITING, 50, {"queue": QUEUE, "outcome": "exit_key", "reason": "5", "wait_ms": 40000},
                           {"state": "started"}, {"outcome": "exit_key", "wait_ms": 40000}),
    "contact.refused": ([STARTED, ("contact.ended", 2, {"ended_by": "system"})], 1, {"queue": QUEUE, "reason": "full"},
                        {"outcome": "refused", "visits": []}, None),
    "contact.ended": (TALKING, *ENDED[1:], {"state": "ended", "outcome": "answered", "ended_by": "customer",
                                            "ended_at": at(90)}, {"outcome": "completed_by_caller"}),
    "contact.wrapped_up": ([*TALKING, ENDED], 120, {"agent": AGENT, "acw_ms": 30000, "disposition": {"code": "solved"}},
                           {"state": "ended", "wrap_ms": 30000, "disposition": "solved"}, None),
    "contact.updated": ([QUEUED], 15, {"channel": "video", "direction": "inbound", "disposition": "later",
                                       "customer_ref": "cust-2", "customer_signal": "wants to cancel"},
                        {"state": "waiting", "channel": "video", "disposition": "later",
                         "customer_signals": ["wants to cancel"]}, None),
    "contact.summarised": ([], 95, {"queue": QUEUE, "agent": AGENT, "channel": "voice", "direction": "inbound",
                                    "started_at": at(0), "queued_at": at(5), "answered_at": at(25), "ended_at": at(95),
                                    "durations_ms": {"wait": 20000, "ring": 4000, "talk": 60000, "hold": 10000,
                                                     "acw": 7000}, "talk_includes_hold": False,
                                    "ended_by": "agent", "outcome": "completed", "disposition": "sold"},
                           {"state": "ended", "outcome": "answered", "wait_ms": 20000, "talk_ms": 60000, "hold_ms": 10000,
                            "wrap_ms": 7000, "disposition": "sold"}, {"entered_at": at(5), "ring_ms": 4000}),
    "feedback.requested": ([*TALKING, ENDED], 100, {"instrument": "csat"}, {"state": "ended", "csat": None}, None),
    "feedback.received": ([*TALKING, ENDED], 150, {"instrument": "csat", "score": 9, "scale_min": 1, "scale_max": 9,
                                                   "comment": "fine", "customer_signal": "praise", "queue": QUEUE,
                                                   "agent": AGENT},
                          {"csat": 5, "customer_signals": ["praise"]}, {"csat": 5}),
}
# What they do is not seen in a moment of their own.
OTHERS = {
    "contact.linked": {"root_contact_id": "v-root"},
    "agent.state_changed": {"agent": {"id": "agent19"}, "state": "break", "reason": "lunch"},
    "source.gap": {"from_at": at(0), "reason": "restart"},
}


def cloudevent(kind, key, contact, seconds, data):
    return {"specversion": "1.0", "id": key, "source": "/vocabulary", "type": "com.example." + kind, "time": at(seconds),
            "data": {**({"contact_id": contact} if contact else {}), **data}}


@pytest.fixture(scope="module", name="door")
def open_door():
    with Installation() as moment:
        moment.start()
        moment.source = moment.add_events_source("vocabulary", "--native")
        yield moment


def post(door, *events):
    return door.post(list(events), "application/cloudevents-batch+json", door.source["token"])


def test_the_table_names_every_type_of_the_protocol_and_each_has_an_example():
    assert set(table()) == types_of_the_protocol() - OURS
    assert set(EXAMPLES) | set(OTHERS) == set(table())


@pytest.mark.parametrize("kind", sorted(table()))
def test_an_example_uses_what_the_table_says(kind):
    data = EXAMPLES[kind][2] if kind in EXAMPLES else OTHERS[kind]
    known = table()[kind]
    if kind == "contact.ended":
        known |= table()["contact.summarised"]
    assert set(data) <= known, "not in the row of %s" % kind


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_event_of_every_type_does_what_it_says(door, kind):
    before, seconds, data, moment, visit = EXAMPLES[kind]
    contact = "v-" + kind
    for number, (earlier, when, facts) in enumerate(before):
        key = "%s-before-%d" % (kind, number)
        assert post(door, cloudevent(earlier, key, contact, when, facts)) == (202, {"accepted": 1, "duplicate": 0})
    event = cloudevent(kind, kind, contact, seconds, data)
    assert post(door, event) == (202, {"accepted": 1, "duplicate": 0})
    assert post(door, event) == (202, {"accepted": 0, "duplicate": 1})

    def shown():
        found = next((m for m in door.moments() if m["source_contact_id"] == contact), None)
        assert found, "no such moment yet"
        assert {k: found[k] for k in moment} == moment
        if visit:
            assert found["visits"], "no visit yet"
            assert {k: found["visits"][-1][k] for k in visit} == visit
        return True
    wait_for("what %s does" % kind, shown, 20)


def test_an_agents_state_and_a_gap_are_of_no_contact(door):
    records = {"agent.state_changed": "AgentChanged", "source.gap": "SourceGap"}
    for kind, record in records.items():
        count = "select count(*) from ingest.stream where type = '%s'" % record
        before = door.sql(count)[0][0]
        assert post(door, cloudevent(kind, kind, None, 30, OTHERS[kind])) == (202, {"accepted": 1, "duplicate": 0})
        assert door.sql(count)[0][0] == before + 1


def test_a_linked_contact_is_part_of_its_root(door):
    def contacts():
        return {m["source_contact_id"]: m for m in door.moments()}

    kind = "contact.linked"
    for contact, (earlier, seconds, facts) in (("v-root", STARTED), ("v-part", QUEUED)):
        assert post(door, cloudevent(earlier, contact, contact, seconds, facts))[0] == 202
    part = wait_for("both", lambda: {"v-root", "v-part"} <= set(contacts()) and contacts()["v-part"])
    assert post(door, cloudevent(kind, kind, "v-part", 20, OTHERS[kind])) == (202, {"accepted": 1, "duplicate": 0})
    root = wait_for("the one that is left", lambda: "v-part" not in contacts() and contacts()["v-root"])
    assert (root["state"], [v["queue"] for v in root["visits"]]) == ("waiting", ["billing"])
    assert door.api("/api/v1/moments/" + part["moment_id"])["moment"]["merged_into"] == root["moment_id"]


def test_what_is_not_in_the_table_is_ignored_and_counted(door):
    for kind in ("contact.lost", "contact.evaporated"):
        assert post(door, cloudevent(kind, kind, "v-" + kind, 1, {})) == (202, {"accepted": 0, "duplicate": 0, "ignored": 1})
    strange = cloudevent("contact.started", "strange", "v-strange", 1, {"channel": "unknown", "novelty": {"a": [1]}})
    assert post(door, strange) == (202, {"accepted": 1, "duplicate": 0})
    for name in ("channel", "direction", "outcome", "ended_by"):
        status, problem = post(door, cloudevent("contact.ended", "word-" + name, "v-word", 1, {name: "smoke"}))
        assert (status, problem["type"].rsplit("/", 1)[-1]) == (422, "invalid-field"), (name, problem)


def test_a_submission_of_a_later_version_is_taken(door):
    """Unknown fields and unknown values of enumerations over ZeroMQ."""
    event = ingest_pb2.Event(contact_id="v-later", type="EVENT_TYPE_CONTACT_STARTED", occurred_at=1772460000000000)
    event.channel, event.direction, event.outcome = 99, 99, 99
    # Fields 15000 (a text) and 15001 (a number), of the event and of the batch.
    newer = b"\xc2\xa9\x07\x03new" + b"\xc8\xa9\x07\x05"
    one = event.SerializeToString() + newer
    batch = b"\x0a" + bytes([len(one)]) + one + newer
    with NativeClient("tcp://127.0.0.1:%d" % door.bus["ingest"], door.server_key(), door.source["public"],
                      door.source["secret"]) as client:
        assert client.submit_bytes(batch) == (1, 0)
    found = wait_for("the moment", lambda: [m for m in door.moments() if m["source_contact_id"] == "v-later"])[0]
    assert (found["channel"], found["direction"], found["state"]) == (None, None, "started")


# --- the plain enumerations of the rules have the numbers of the protocol ---

def plain_enums():
    """{name: [names of its values, by number]} of services/ingest/rules/event.h"""
    found = {}
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", read("services/ingest/rules/event.h"), re.S):
        assert "=" not in body, "numbers are places"
        found[name] = [v.strip() for v in body.split(",") if v.strip()]
    return found


@pytest.mark.parametrize("plain, wire, prefix, zero", [
    ("event_type", "EventType", "", "EVENT_UNKNOWN"), ("channel", "Channel", "CHANNEL_", "CHANNEL_UNKNOWN"),
    ("direction", "Direction", "DIRECTION_", "DIRECTION_UNKNOWN"), ("party", "Party", "PARTY_", "PARTY_UNKNOWN"),
    ("evidence", "Evidence", "EVIDENCE_", "EVIDENCE_UNKNOWN"), ("outcome", "Outcome", "OUTCOME_", "OUTCOME_OPEN"),
    ("presence", "AgentPresence", "PRESENCE_", "PRESENCE_UNKNOWN"), ("moment_state", "MomentState", "STATE_", "STATE_UNKNOWN")])
def test_a_plain_enumeration_has_the_numbers_of_the_protocol(plain, wire, prefix, zero):
    names = [n for n in plain_enums()[plain] if n != "EVENT_TYPES"]
    enum = ingest_pb2.DESCRIPTOR.enum_types_by_name[wire]
    long_prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", wire).upper() + "_"
    assert names[0] == zero
    expected = {v.number: prefix + v.name.removeprefix(long_prefix) for v in enum.values if v.number}
    assert dict(enumerate(names[1:], 1)) == expected


def test_every_plain_enumeration_is_compared():
    assert set(plain_enums()) == {"event_type", "channel", "direction", "party", "evidence", "outcome", "presence",
                                  "moment_state"}
