"""Flame and accountability: what leaders promised and did, who heard what, and what nobody answered."""
import itertools
import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest

from installation import Installation, wait_for

NUMBERS = itertools.count(1)
DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,lyon,Lyon,,,,,,Europe/Paris,,\nsite,pune,Pune,,,,,,Asia/Kolkata,,\n"
             "team,red,Red,lyon,,,,,,,\nteam,blue,Blue,pune,,,,,,,\n"
             "person,p-nora,Nora N,lyon,red,agent,,nora,,,\nperson,p-omar,Omar O,lyon,red,agent,,omar,,,\n"
             "person,p-ravi,Ravi R,pune,blue,agent,,ravi,,,\n")
STANDARD = {"standard_id": "calls", "title": "Calls", "scope": {}, "why": "It matters.", "example": "A short one.", "signed_by": "Lea", "effective_at": "2020-01-01T00:00:00.000Z",
            "criteria": [{"criterion_id": "hold", "section": "care", "title": "No endless hold", "kind": "measured", "weight": 100,
                          "metric": "hold_count", "comparison": "at_most", "value": 0, "fatal": "whole"}]}


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.sources = {site: m.add_events_source("crm-" + site, "--site", site)["token"] for site in ("lyon", "pune")}
        for name, text in (("directory.csv", DIRECTORY), ("calls.json", json.dumps(STANDARD))):
            with open(os.path.join(m.dir, name), "w", encoding="utf-8") as f:
                f.write(text)
        m.ctl("directory", "import", os.path.join(m.dir, "directory.csv"))
        m.ctl("standard", "publish", os.path.join(m.dir, "calls.json"))
        m.lea = m.new_user("lea", "--role", "leader", "--name", "Lea L")
        m.leo = m.new_user("leo", "--role", "leader", "--name", "Leo Lyon", "--site", "lyon")
        m.puja = m.new_user("puja", "--role", "coach", "--name", "Puja P", "--site", "pune")
        m.nora = m.new_user("nora", "--role", "agent", "--name", "Nora N", "--person", "p-nora")
        wait_for("the directory", lambda: m.sql("select count(*) from feedback.person") == [(3,)])
        wait_for("the directory", lambda: m.sql("select count(*) from reporting.person") == [(3,)])
        yield m


def get(moment, who, path, expect=200):
    status, answer, _ = moment.ask(who, "GET", path)
    assert status == expect, (status, answer)
    return answer


def post(moment, who, path, body, expect=200):
    status, answer, _ = moment.ask(who, "POST", path, body)
    assert status == expect, (status, answer)
    return answer


def call_of(moment, agent, ended_at, site="lyon", holds=False):
    contact = "f-%d" % next(NUMBERS)
    steps = [("queued", 62, {"queue": "sales"}), ("answered", 60, {"queue": "sales", "agent": agent})]
    steps += [("held", 40, {}), ("resumed", 20, {})] if holds else []
    steps += [("ended", 0, {})]
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
               "time": stamp(ended_at - before), "data": {"contact_id": contact, "channel": "voice", **more}}
              for kind, before, more in steps]
    assert moment.post(events, "application/cloudevents-batch+json", moment.sources[site])[0] == 202
    moment_id = wait_for("the moment", lambda: moment.sql(
        "select f.moment_id::text from feedback.moment f join ingest.moment i using (moment_id)"
        " where i.contact_id = %s and f.ended_at is not null", contact))[0][0]
    wait_for("the moment in the figures", lambda: moment.sql(
        "select 1 from reporting.moment where moment_id = %s and ended_at is not null", moment_id))
    return moment_id


def note(moment, who, moment_id, kind="praise"):
    body = {"kind": kind, "moment_id": moment_id, "text": "You heard what she needed, number %d." % next(NUMBERS)}
    given = post(moment, who, "/api/v1/notes", body)["note"]
    wait_for("the note in the figures", lambda: moment.sql("select 1 from reporting.note where note_id = %s", given["note_id"]))
    return given


def account(moment, who, **query):
    return get(moment, who, "/api/v1/accountability?" + "&".join("%s=%s" % pair for pair in query.items()))


@pytest.fixture(scope="module")
def told(moment):
    """Two notes for Nora, 100 s and 400 s after her moments; nothing for Omar, who put a customer on hold."""
    now = time.time()
    first, second = call_of(moment, "nora", now - 100), call_of(moment, "nora", now - 400)
    omars = call_of(moment, "omar", now - 50, holds=True)
    call_of(moment, "ravi", now - 50, site="pune")
    wait_for("the fatal failure", lambda: moment.sql("select 1 from reporting.fatal_failure where moment_id = %s", omars))
    notes = [note(moment, moment.lea, first), note(moment, moment.lea, second, "improvement")]
    return {"notes": notes, "omars": omars}


def test_time_to_feedback_and_balance_carry_definition_and_n(moment, told):
    delays = sorted(seconds(n["given_at"]) - seconds(n["moment_ended_at"]) for n in told["notes"])
    answer = account(moment, moment.lea)
    assert (answer["praise"], answer["improvement"]) == (1, 1)
    assert (answer["praise_balance"]["value"], answer["praise_balance"]["n"]) == (0.5, 2)
    assert answer["praise_balance"]["definition"] == "praise_balance@1"
    median, p90 = answer["time_to_feedback_median_ms"], answer["time_to_feedback_p90_ms"]
    assert median["value"] == pytest.approx(sum(delays) / 2 * 1000, abs=5) and median["n"] == 2
    assert p90["value"] == pytest.approx((delays[0] + 0.9 * (delays[1] - delays[0])) * 1000, abs=5)
    (giver,) = answer["givers"]
    assert (giver["name"], giver["praise"], giver["improvement"]) == ("Lea L", 1, 1)
    known = {d["definition"] for d in get(moment, moment.lea, "/api/v1/definitions")["items"]}
    assert {median["definition"], p90["definition"], answer["without_feedback"]["definition"],
            answer["fatal_unanswered"]["definition"]} <= known


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_who_heard_nothing_is_listed_with_those_who_did(moment, told):
    del told
    people = {r["person_id"]: r for r in account(moment, moment.leo)["receivers"]}
    assert {p: (r["moments"], r["days_without"]) for p, r in people.items()} == {"p-nora": (2, 0), "p-omar": (1, -1)}
    without = account(moment, moment.leo)["without_feedback"]
    assert (without["value"], without["n"]) == (0.5, 2) and 0 < without["low"] < 0.5 < without["high"] < 1


def test_each_sees_the_account_of_their_own_sites(moment, told):
    del told
    theirs = account(moment, moment.puja)
    assert [r["person_id"] for r in theirs["receivers"]] == ["p-ravi"]
    assert (theirs["praise"], theirs["givers"], theirs["fatals"]) == (0, [], [])
    assert theirs["praise_balance"]["value"] is None and theirs["time_to_feedback_median_ms"]["value"] is None
    get(moment, moment.nora, "/api/v1/accountability", expect=403)
    assert account(moment, moment.lea, site="pune")["receivers"] == theirs["receivers"]


def test_a_fatal_failure_stays_listed_until_somebody_answers(moment, told):
    (fatal,) = account(moment, moment.leo)["fatals"]
    assert (fatal["moment_id"], fatal["criterion_title"], fatal["name"]) == (told["omars"], "No endless hold", "Omar O")
    assert account(moment, moment.leo)["fatal_unanswered"]["value"] == 1
    note(moment, moment.leo, told["omars"], "improvement")
    answer = account(moment, moment.leo)
    assert (answer["fatals"], answer["fatal_unanswered"]["value"], answer["fatal_unanswered"]["n"]) == ([], 0, 1)


def test_the_time_looked_at_is_bounded(moment):
    status, problem, _ = moment.ask(moment.lea, "GET", "/api/v1/accountability?from_at=2020-01-01T00:00:00.000Z")
    assert (status, problem["field"]) == (422, "from_at")


def test_a_promise_shows_from_the_next_week_on(moment, told):
    del told
    rhythm = post(moment, moment.lea, "/api/v1/rhythms",
                  {"practice": "praise", "times": 4, "period": "week", "time_zone": "Europe/Paris"})["rhythm"]
    wait_for("the rhythm in the figures", lambda: moment.sql("select 1 from reporting.rhythm"))
    (flame,) = get(moment, moment.nora, "/api/v1/flame?periods=3")["flames"]
    assert (flame["user_name"], flame["practice"], flame["times"]) == ("Lea L", "praise", 4)
    assert [p["promised"] for p in flame["periods"]] == [0, 0, 0]
    assert flame["periods"][-1]["kept"] == 1 and not flame["periods"][-1]["is_over"]
    assert flame["kept_share"]["value"] is None and flame["is_low"] is False
    # As if it had been declared three weeks ago: what was promised then is owed.
    back = datetime.strptime(rhythm["from_date"], "%Y-%m-%d") - timedelta(weeks=3)
    rewrite_rhythm(moment, back.strftime("%Y-%m-%d"))
    (flame,) = get(moment, moment.lea, "/api/v1/flame?periods=3")["flames"]
    assert [(p["promised"], p["is_over"]) for p in flame["periods"]] == [(4, True), (4, True), (4, False)]
    assert (flame["kept_share"]["value"], flame["kept_share"]["n"], flame["is_low"]) == (0, 8, True)
    assert flame["longest_gap_days"]["value"] > 7
    assert [a["practice"] for a in get(moment, moment.lea, flame["periods"][-1]["items"])["items"]] == ["praise"]


def rewrite_rhythm(moment, from_date):
    import native_client  # pylint: disable=import-outside-toplevel
    (feedback_pb2,) = native_client.protocol("feedback")
    ((body,),) = moment.sql("select body from reporting.rhythm")
    rhythm = feedback_pb2.Rhythm.FromString(bytes(body))
    rhythm.from_date = from_date
    moment.change("update reporting.rhythm set body = %s", rhythm.SerializeToString())


def test_with_whom_a_promise_was_kept_is_its_makers_alone(moment, told):
    mine = get(moment, moment.lea, "/api/v1/acts?practice=note")["items"]
    of_lea = {a["item_id"] for a in mine if a["item_id"]}
    assert {n["note_id"] for n in told["notes"]} == of_lea
    assert {a["item_id"] for a in get(moment, moment.nora, "/api/v1/acts")["items"]} == {None}
    assert {a["moment_id"] for a in get(moment, moment.puja, "/api/v1/acts")["items"]} == {None}


def test_what_counted_stays_when_reporting_dies(moment, told):
    del told
    before = account(moment, moment.lea, to_at=stamp(time.time() + 60), from_at=stamp(time.time() - 3600))
    moment.kill("reporting")
    moment.start("reporting")
    wait_for("reporting", lambda: moment.is_ready("reporting"))
    after = account(moment, moment.lea, to_at=stamp(time.time() + 60), from_at=stamp(time.time() - 3600))
    assert {k: after[k] for k in ("praise", "improvement", "fatals")} == {k: before[k] for k in ("praise", "improvement", "fatals")}
    assert [r["days_without"] for r in after["receivers"]] == [r["days_without"] for r in before["receivers"]]


def test_a_note_during_the_moment_counts_once_that_has_ended(moment, told):
    """Until then it is no 0 either."""
    del told
    now = time.time()
    before = account(moment, moment.puja)["time_to_feedback_median_ms"]["n"]
    tell(moment, "live", "queued", now - 5, queue="sales")
    tell(moment, "live", "answered", now - 4, queue="sales", agent="ravi")
    moment_id = wait_for("the moment", lambda: moment.sql(
        "select m.moment_id::text from ingest.moment i join feedback.moment m using (moment_id)"
        " where i.contact_id = 'live' and m.person_id = 'p-ravi'"))[0][0]
    note(moment, moment.puja, moment_id, "improvement")
    assert account(moment, moment.puja)["time_to_feedback_median_ms"]["n"] == before
    tell(moment, "live", "ended", time.time() + 0.2)
    wait_for("its end", lambda: account(moment, moment.puja)["time_to_feedback_median_ms"]["n"] == before + 1)
    assert account(moment, moment.puja)["time_to_feedback_median_ms"]["value"] == 0


def tell(moment, contact, kind, at, site="pune", **data):
    event = {"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
             "time": stamp(at), "data": {"contact_id": contact, "channel": "voice", **data}}
    assert moment.post(event, token=moment.sources[site])[0] == 202


def test_each_flame_counts_its_own_acts(moment, told):
    del told
    for who in (moment.lea, moment.leo):
        post(moment, who, "/api/v1/rhythms", {"practice": "note", "times": 3, "period": "week", "time_zone": "Europe/Paris"})

    def kept():
        flames = get(moment, moment.lea, "/api/v1/flame?periods=1")["flames"]
        return {(f["user_name"], f["practice"]): f["periods"][-1]["kept"] for f in flames}
    wait_for("the flames", lambda: len(kept()) == 3)
    assert kept() == {("Lea L", "praise"): 1, ("Lea L", "note"): 2, ("Leo Lyon", "note"): 1}
