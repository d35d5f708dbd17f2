"""Calibration sessions over HTTP: blind until all have submitted or the deadline, then compared; in nobody's score."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import time
from datetime import datetime, timezone

import psycopg2
import pytest

from installation import Installation, wait_for

NUMBERS = itertools.count(1)
PATH = "/api/v1/calibrations"
DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,lyon,Lyon,,,,,,Europe/Paris,,\nsite,pune,Pune,,,,,,Asia/Kolkata,,\n"
             "team,red,Red,lyon,,,,,,,\nperson,p-nora,Nora N,lyon,red,agent,,nora,,,\n")
STANDARD = {
    "standard_id": "talk", "title": "A talk", "signed_by": "Maya", "why": "Because we talk.", "example": "Like Nora did.",
    "effective_at": "2026-01-01T00:00:00.000Z", "scope": {"queues": ["sales"]},
    "criteria": [
        {"criterion_id": "wait", "section": "Facts", "title": "Short wait", "kind": "measured", "weight": 100,
         "metric": "wait_ms", "comparison": "at_most", "value": 20000},
        {"criterion_id": "greeting", "section": "Talk", "title": "Greets", "kind": "observed", "weight": 50, "scale": "yes_no",
         "comment_below": 100},
        {"criterion_id": "listens", "section": "Talk", "title": "Listens", "kind": "observed", "weight": 50, "scale": "range",
         "scale_max": 5, "not_applicable_allowed": True}]}
NOWHERE = "0190163d-8694-739b-aea5-966c26f8ad91"


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm", "--site", "lyon")["token"]
        for name, content in (("directory.csv", DIRECTORY), ("standard.json", json.dumps(STANDARD))):
            with open(os.path.join(m.dir, name), "w", encoding="utf-8") as f:
                f.write(content)
        m.ctl("directory", "import", os.path.join(m.dir, "directory.csv"))
        m.ctl("standard", "publish", os.path.join(m.dir, "standard.json"))
        m.operator = m.new_token("operator")
        m.lea = Person(m, "lea", ["leader"], sites=["lyon"])
        m.leo = Person(m, "leo", ["leader"])
        m.cleo = Person(m, "cleo", ["coach"], sites=["lyon"], teams=["red"])
        m.carl = Person(m, "carl", ["coach"], sites=["pune"])
        m.cora = Person(m, "cora", ["coach"], sites=["lyon"])
        m.puja = Person(m, "puja", ["leader"], sites=["pune"])
        m.nora = Person(m, "nora", ["agent"], person_id="p-nora")
        yield m


class Person:
    """Somebody who is signed in."""

    def __init__(self, moment, login, roles, **more):
        status, made, _ = moment.ask(moment.operator, "POST", "/api/v1/users",
                                     {"login": login, "name": login.title(), "roles": roles, **more})
        assert status == 200, made
        self.moment, self.user_id, self.name = moment, made["user_id"], login.title()
        self.cookie = moment.sign_in(login, made["password"])

    def ask(self, method, path="", body=None, expect=200, **headers):
        status, answer, _ = self.moment.ask(self.cookie, method, path if path.startswith("/api") else PATH + path, body, **headers)
        assert status == expect, (status, answer)
        return answer

    def refused(self, method, path, body=None):
        status, problem, _ = self.moment.ask(self.cookie, method, PATH + path, body)
        return status, problem["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1], problem.get("field")

    def see(self, session):
        return self.ask("GET", "/" + session["calibration_id"])["calibration"]

    def submit(self, session, moment_id, greeting="yes", listens="5", **more):
        answers = [{"criterion_id": "greeting", "answer": greeting, "comment": "" if greeting == "yes" else "No name."},
                   {"criterion_id": "listens", "answer": listens}]
        return self.ask("POST", "/%s/submit" % session["calibration_id"],
                        {"moment_id": moment_id, "answers": answers, **more})["calibration"]


def call_of(moment, ended_at=None):
    contact, end = "k-%d" % next(NUMBERS), ended_at or time.time() - 120
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
               "time": stamp(end - before), "data": {"contact_id": contact, "channel": "voice", "queue": "sales", **more}}
              for kind, before, more in (("queued", 62, {}), ("answered", 60, {"agent": "nora"}), ("ended", 0, {}))]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm)[0] == 202
    return wait_for("the moment", lambda: moment.sql(
        "select f.moment_id::text from feedback.moment f join ingest.moment i using (moment_id)"
        " where i.contact_id = %s and f.ended_at is not null", contact))[0][0]


@pytest.fixture(scope="module")
def moment_ids(moment):
    return [call_of(moment), call_of(moment)]


def wish(moment, moment_ids, people=(), **more):
    people = people or (moment.cleo, moment.lea)
    return {"calibration": {
        "title": "Is a greeting without a name one?", "standard_id": "talk", "standard_version": 1, "moment_ids": moment_ids,
        "participants": [{"user_id": p.user_id, "name": p.name, "expert": p is moment.lea} for p in people],
        "deadline_at": stamp(time.time() + 3600), **more}}


def begin(moment, moment_ids, people=(), by=None, **more):
    return (by or moment.lea).ask("POST", "", wish(moment, moment_ids, people, **more))["calibration"]


def entries(session):
    return sorted((e["name"], e["moment_id"], [r["answer"] for r in e["results"]], e["final_score"]) for e in session["entries"])


def test_it_is_blind_until_all_have_submitted_and_then_open_to_all(moment, moment_ids):
    first, second = moment_ids
    session = begin(moment, moment_ids, (moment.cleo, moment.lea, moment.carl))
    assert (session["state"], session["site"], session["created_by"], session["revision"]) == ("open", "lyon", moment.lea.user_id, 1)
    assert [p["submitted"] for p in session["participants"]] == [0, 0, 0]
    seen = moment.cleo.submit(session, first, "no", "4")
    assert [(e["user_id"], e["moment_id"]) for e in seen["entries"]] == [(moment.cleo.user_id, first)]
    assert entries(seen)[0][2] == ["met", "no", "4"], "what is measured is there as well"
    # Nobody else sees more than how many there are: not who made it, not other leaders of the site.
    for other in (moment.lea, moment.leo, moment.carl):
        blind = other.see(session)
        assert (blind["entries"], blind["agreements"], [p["submitted"] for p in blind["participants"]]) == ([], [], [1, 0, 0])
        assert "No name." not in json.dumps(other.ask("GET", "/" + session["calibration_id"]))
        assert "No name." not in json.dumps(other.ask("GET"))
    # Said again until it is closed; that is no second entry.
    seen = moment.cleo.submit(session, first, "yes", "4")
    assert ([p["submitted"] for p in seen["participants"]], entries(seen)[0][2]) == ([1, 0, 0], ["met", "yes", "4"])
    moment.cleo.submit(session, second, "yes", "n/a")
    moment.lea.submit(session, first, "yes", "5")
    moment.lea.submit(session, second, "no", "5")
    # Somebody from another site was asked to take part: that is enough to do it.
    assert moment.carl.submit(session, first, "no", "5")["state"] == "open"
    closed = moment.carl.submit(session, second, "no", "0")
    assert closed["state"] == "closed" and closed["closed_at"]
    for other in (moment.cleo, moment.lea, moment.leo, moment.carl):
        assert other.see(session) == closed
    assert entries(closed) == sorted([
        ("Carl", first, ["met", "no", "5"], 75), ("Carl", second, ["met", "no", "0"], 50),
        ("Cleo", first, ["met", "yes", "4"], 95), ("Cleo", second, ["met", "yes", "n/a"], 100),
        ("Lea", first, ["met", "yes", "5"], 100), ("Lea", second, ["met", "no", "5"], 75)])
    assert [p["name"] for p in closed["participants"] if p["expert"]] == ["Lea"]
    by_criterion = {a["criterion_id"]: a for a in closed["agreements"]}
    assert [(a, by_criterion[a]["pairs"], round(by_criterion[a]["agreement"], 3)) for a in ("wait", "greeting", "listens")] == [
        ("wait", 6, 1), ("greeting", 6, 0.333), ("listens", 6, 0.167)]
    # Pairs in order of the participants: yes-yes 1, yes-no 4, no-no 1: po 1/3, pe (5/6 1/6 + 1/6 5/6).
    assert by_criterion["greeting"]["kappa"] == pytest.approx((1 / 3 - 10 / 36) / (1 - 10 / 36))
    assert (by_criterion["wait"]["kappa"], by_criterion["listens"]["kappa"]) == (None, None)
    assert (closed["within_ten"], closed["score_pairs"]) == (1, 6)
    assert moment.carl.refused("POST", "/%s/submit" % session["calibration_id"], {
        "moment_id": first, "answers": []})[:2] == (409, "calibration-closed")


def test_entries_of_one_transaction_are_all_kept_and_close_it(moment, moment_ids):
    session = begin(moment, moment_ids)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        with contextlib.closing(psycopg2.connect(moment.postgres.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("lock table feedback.calibration in share mode")
            first = pool.submit(moment.lea.ask, "POST", "", wish(moment, moment_ids))
            wait_for("the first to wait", lambda: moment.sql(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into calibration%%'"))
            # These wait for the first, and then share a transaction.
            rest = [pool.submit(p.submit, session, m) for p in (moment.cleo, moment.lea) for m in moment_ids[:1]]
            rest.append(pool.submit(moment.cleo.submit, session, moment_ids[1]))
            wait_for("the others to wait", lambda: moment.metric("feedback", "moment_stream_queued_bytes") > 0)
        assert first.result()["calibration"]["state"] == "open"
        assert [r.result()["state"] for r in rest] == 3 * ["open"]
    assert [p["submitted"] for p in moment.leo.see(session)["participants"]] == [2, 1]
    closed = moment.lea.submit(session, moment_ids[1])
    assert (closed["state"], len(closed["entries"]), closed["revision"]) == ("closed", 4, 5)


def test_it_counts_in_no_score(moment, moment_ids):
    rows = moment.sql("select distinct evaluator from feedback.evaluation") + moment.sql(
        "select distinct evaluator from feedback.evaluation_now")
    assert set(rows) == {("moment",)}
    for moment_id in moment_ids:
        answer = moment.lea.ask("GET", "/api/v1/evaluations?moment_id=" + moment_id)
        assert [e["evaluator"] for e in answer["items"]] == ["moment"]


def test_the_stream_tells_nothing_that_is_blind(moment, moment_ids):
    session = begin(moment, moment_ids[:1])
    moment.cleo.submit(session, moment_ids[0], "no")
    secret = b"No name."

    def records():
        return [bytes(r[0]) for r in moment.sql("select body from feedback.stream where type = 'CalibrationChanged'"
                                                " and key = %s order by seq", session["calibration_id"])]

    assert len(records()) == 2 and not any(secret in r for r in records())
    moment.lea.submit(session, moment_ids[0])
    assert len(records()) == 3 and secret in records()[-1]


def test_who_may_see_it(moment, moment_ids):
    session = begin(moment, moment_ids[:1], (moment.lea, moment.leo))
    assert session["calibration_id"] in json.dumps(moment.leo.ask("GET"))
    # Of who takes no part only leaders of the site: no coach, and no leader of another one.
    for other in (moment.cleo, moment.cora, moment.carl, moment.puja):
        assert other.refused("GET", "/" + session["calibration_id"]) == (404, "not-found", "calibration_id")
        assert session["calibration_id"] not in json.dumps(other.ask("GET"))
        assert other.refused("POST", "/%s/submit" % session["calibration_id"], {
            "moment_id": moment_ids[0], "answers": []}) == (404, "not-found", "calibration_id")
    assert moment.nora.ask("GET", expect=403) and moment.nora.ask("GET", "/" + session["calibration_id"], expect=403)
    assert moment.lea.ask("GET", "/" + session["calibration_id"])["standard"]["title"] == "A talk"
    # A coach who leads nobody else's session sees it no more when it is over.
    moment.lea.ask("POST", "/%s/cancel" % session["calibration_id"], {})
    assert moment.cleo.refused("GET", "/" + session["calibration_id"])[0] == 404


def test_what_a_session_may_not_be_is_said_with_the_field(moment, moment_ids):
    def refused(by=moment.lea, moments=moment_ids, **more):
        return by.refused("POST", "", wish(moment, moments, **more))

    invalid = (422, "invalid-field")
    assert refused(title=" ") == (*invalid, "calibration.title")
    assert refused(deadline_at=stamp(time.time() - 1)) == (*invalid, "calibration.deadline_at")
    assert refused(deadline_at=stamp(time.time() + 61 * 86400)) == (*invalid, "calibration.deadline_at")
    assert refused(participants=[{"user_id": "a", "name": "A"}]) == (*invalid, "calibration.participants")
    assert refused(standard_id="walk") == (*invalid, "calibration.standard_id")
    assert refused(standard_version=2) == (*invalid, "calibration.standard_version")
    assert refused(moments=[]) == (*invalid, "calibration.moment_ids")
    assert refused(moments=[moment_ids[0], NOWHERE]) == (*invalid, "calibration.moment_ids[1]")
    assert refused(by=moment.puja) == (*invalid, "calibration.moment_ids[0]"), "another site's are not there"
    assert moment.lea.refused("POST", "", {}) == (*invalid, "calibration")
    assert moment.nora.refused("POST", "", wish(moment, moment_ids))[0] == 403


def test_answers_are_checked_as_for_a_release(moment, moment_ids):
    session = begin(moment, moment_ids[:1])

    def refused(answers, moment_id=moment_ids[0]):
        return moment.cleo.refused("POST", "/%s/submit" % session["calibration_id"], {"moment_id": moment_id, "answers": answers})

    invalid = (422, "invalid-field")
    assert refused([{"criterion_id": "greeting", "answer": "maybe"}]) == (*invalid, "answers[0].answer")
    assert refused([{"criterion_id": "wait", "answer": "met"}])[:2] == invalid
    assert refused([{"criterion_id": "greeting", "answer": "yes"}]) == (*invalid, "answers.listens.answer")
    assert refused([{"criterion_id": "greeting", "answer": "no"}, {"criterion_id": "listens", "answer": "1"}]) == (
        *invalid, "answers.greeting.comment")
    assert refused([], moment_ids[1]) == (*invalid, "moment_id")
    assert moment.cleo.see(session)["participants"][0]["submitted"] == 0


def test_only_its_maker_cancels_it_and_it_stays_blind(moment, moment_ids):
    session = begin(moment, moment_ids[:1])
    path = "/%s/cancel" % session["calibration_id"]
    moment.cleo.submit(session, moment_ids[0], "no")
    assert moment.cleo.refused("POST", path, {})[0] == 404
    assert moment.leo.refused("POST", path, {})[0] == 404
    assert moment.lea.ask("POST", path, {})["calibration"]["state"] == "cancelled"
    assert moment.lea.see(session)["entries"] == [] and len(moment.cleo.see(session)["entries"]) == 1
    assert moment.lea.refused("POST", path, {})[:2] == (409, "calibration-cancelled")
    assert moment.cleo.refused("POST", "/%s/submit" % session["calibration_id"], {
        "moment_id": moment_ids[0], "answers": []})[:2] == (409, "calibration-cancelled")


def test_the_deadline_closes_it_also_one_that_passed_while_the_service_was_away(moment, moment_ids):
    soon = begin(moment, moment_ids[:1], deadline_at=stamp(time.time() + 1.5))
    away = begin(moment, moment_ids[:1], deadline_at=stamp(time.time() + 3))
    later = begin(moment, moment_ids[:1], deadline_at=stamp(time.time() + 3000))
    moment.cleo.submit(away, moment_ids[0], "no")
    wait_for("the deadline", lambda: moment.cleo.see(soon)["state"] == "closed")
    assert moment.cleo.see(soon)["closed_at"] >= soon["deadline_at"]
    moment.kill("feedback")
    wait_for("the deadline to pass", lambda: stamp(time.time()) > away["deadline_at"])
    moment.start("feedback")
    closed = wait_for("the one that passed", lambda: (s := moment.lea.see(away))["state"] == "closed" and s)
    assert [e["name"] for e in closed["entries"]] == ["Cleo"]
    assert [(a["criterion_id"], a["pairs"]) for a in closed["agreements"]] == [("wait", 0), ("greeting", 0), ("listens", 0)]
    assert moment.cleo.see(later)["state"] == "open"
    assert moment.lea.submit(later, moment_ids[0])["participants"][1]["submitted"] == 1


def test_a_command_that_comes_twice_makes_one_session(moment, moment_ids):
    body = wish(moment, moment_ids)
    first, second = (moment.lea.ask("POST", "", body, Idempotency_Key="one-session") for _ in range(2))
    assert first == second


def test_the_list_is_paged_newest_first_and_without_entries(moment, moment_ids):
    made = [begin(moment, moment_ids[:1], (moment.cleo, moment.leo), by=moment.leo)["calibration_id"] for _ in range(3)]
    page = moment.cleo.ask("GET", "?limit=2")
    rest = moment.cleo.ask("GET", "?limit=500&cursor=" + page["next"])
    ids = [s["calibration_id"] for s in page["items"] + rest["items"]]
    assert ids[:3] == made[::-1] and len(ids) == len(set(ids))
    assert all(s["entries"] == [] for s in page["items"] + rest["items"])
    assert any(s["agreements"] for s in rest["items"])
