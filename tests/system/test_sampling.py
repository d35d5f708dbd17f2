"""Sampling plans over HTTP: what is drawn, for whom, that anybody with the seed can check it, and what could not be drawn."""
import hashlib
import itertools
import os
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from installation import ROOT, Installation, wait_for

NUMBERS = itertools.count(1)
PLANS, SAMPLES = "/api/v1/sampling-plans", "/api/v1/samples"
PEOPLE = {"nora": "red", "omar": "red", "ravi": "blue", "rita": "blue", "sara": "green", "sven": "green", "tara": "gold",
          "timo": "gold", "udo": "grey", "uma": "grey", "vera": "pink", "xena": "mint", "yara": "mint",
          "zoe": "jade", "willi": "teal", "wanda": "ruby"}
CROWD = ["c%02d" % n for n in range(12)]
PEOPLE.update((name, "crowd") for name in CROWD)
TEAMS = sorted(set(PEOPLE.values()))
DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,lyon,Lyon,,,,,,Europe/Paris,,\nsite,pune,Pune,,,,,,Asia/Kolkata,,\n"
             + "".join("team,%s,%s,lyon,,,,,,,\n" % (t, t.title()) for t in TEAMS)
             + "team,ink,Ink,pune,,,,,,,\nperson,p-cleo,Cleo,lyon,red,coach,,cleo,,,\n"
             + "".join("person,p-%s,%s,lyon,%s,agent,,%s,,,\n" % (n, n.title(), t, n) for n, t in PEOPLE.items()))
HOUR = 3600


def evening_zone():
    """A zone where it is nine in the evening: two slots of a day are open, and the day is not over soon."""
    for offset in range(-12, 15):
        if (datetime.now(timezone.utc) + timedelta(hours=offset)).hour == 21:
            return "Etc/GMT%+d" % -offset
    raise AssertionError("it is always nine somewhere")


ZONE = evening_zone()
MIDNIGHT = datetime.now(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def moment():
    with Installation(env={"MOMENT_SAMPLING_EVERY_S": "1"}) as m:
        m.start()
        m.crm = m.add_events_source("crm", "--site", "lyon")["token"]
        path = os.path.join(m.dir, "directory.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        m.ctl("directory", "import", path)
        m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-sales.json"))
        m.operator = m.new_token("operator")
        m.lea = Person(m, "lea", ["leader"])
        m.cleo = Person(m, "cleo", ["coach"], sites=["lyon"], teams=["red"], person_id="p-cleo")
        m.carl = Person(m, "carl", ["coach"], sites=["lyon"])
        m.puja = Person(m, "puja", ["leader"], sites=["pune"])
        m.nora = Person(m, "nora", ["agent"], person_id="p-nora")
        wait_for("the directory", lambda: len(m.sql("select 1 from feedback.person")) == len(PEOPLE) + 1)
        yield m


class Person:
    """Somebody who is signed in."""

    def __init__(self, moment, login, roles, **more):
        status, made, _ = moment.ask(moment.operator, "POST", "/api/v1/users",
                                     {"login": login, "name": login.title(), "roles": roles, **more})
        assert status == 200, made
        self.moment, self.user_id = moment, made["user_id"]
        self.cookie = moment.sign_in(login, made["password"])

    def ask(self, method, path, body=None, expect=200, **headers):
        status, answer, _ = self.moment.ask(self.cookie, method, path, body, **headers)
        assert status == expect, (status, answer)
        return answer

    def refused(self, method, path, body=None, **headers):
        status, problem, _ = self.moment.ask(self.cookie, method, path, body, **headers)
        return status, problem["type"].rsplit("/", 1)[-1], problem.get("field")

    def samples(self, plan_id, more=""):
        return self.ask("GET", SAMPLES + "?limit=500&plan_id=" + plan_id + more)["items"]


def calls_of(moment, agent, *ended_at, queue="sales", talk_s=60):
    """Calls that are over; their ids in the same order."""
    contacts, events = [], []
    for end in ended_at or (time.time() - 120,):
        contacts.append("s-%d" % next(NUMBERS))
        events += [{"specversion": "1.0", "id": "%s-%s" % (contacts[-1], kind), "source": "/t", "type": "x.contact." + kind,
                    "time": stamp(end - before), "data": {"contact_id": contacts[-1], "channel": "voice", "queue": queue, **more}}
                   for kind, before, more in (("queued", talk_s + 2, {}), ("answered", talk_s, {"agent": agent}), ("ended", 0, {}))]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm)[0] == 202

    def ids():
        rows = dict(moment.sql("select i.contact_id, f.moment_id::text from feedback.moment f join ingest.moment i"
                               " using (moment_id) where i.contact_id = any(%s) and f.ended_at is not null", contacts))
        return len(rows) == len(contacts) and [rows[c] for c in contacts]
    return wait_for("the moments", ids)


def save(moment, plan_id, team, by=None, expect=200, if_match=None, **more):
    plan = {"title": "Two a day", "teams": [team] if team else [], "quota": 2, "period": "day", "time_zone": ZONE, "seed": "",
            "enabled": True, **more}
    headers = {"If_Match": '"%d"' % if_match} if if_match else {}
    return (by or moment.lea).ask("PUT", "%s/%s" % (PLANS, plan_id), {"plan": plan}, expect, **headers)


def look(moment):
    """Every plan is looked at from a time after this call on: one that is looked at last has drawn."""
    plan_id, (other,) = "zz-look-%d" % next(NUMBERS), calls_of(moment, "vera")
    save(moment, plan_id, "pink", quota=20)
    wait_for("a look", lambda: moment.sql("select 1 from feedback.sample where moment_id = %s", other))
    moment.lea.ask("DELETE", "%s/%s" % (PLANS, plan_id), If_Match='"1"')


def drawn(moment, plan_id, count):
    return wait_for("%d samples" % count, lambda: len(s := moment.lea.samples(plan_id)) == count and s)


def rank(seed, period_from, slot, person_id, moment_id):
    """The hash by which the lowest is drawn, as rules/sampling.h says it."""
    parts = ["sampling", seed, str(int(period_from * 1000000)), str(slot), person_id, moment_id]
    value = bytearray(hashlib.blake2b(b"".join(p.encode() + b"\0" for p in parts), digest_size=16).digest())
    value[6], value[8] = value[6] & 0x0F | 0x80, value[8] & 0x3F | 0x80
    return bytes(value)


def test_a_plan_draws_at_once_to_its_quota_and_anybody_can_check_the_draw(moment):
    # Slots of a day with quota 2 open at midnight and at noon, each for the day before it.
    ends = [MIDNIGHT - 23 * HOUR + i * 2 * HOUR for i in range(20)]
    ids = calls_of(moment, "nora", *ends)
    lone, = calls_of(moment, "omar")
    plan = save(moment, "check", "red", seed="walnut")["plan"]
    assert (plan["seed"], plan["revision"], plan["edited_by"]) == ("walnut", 1, moment.lea.user_id)
    samples = drawn(moment, "check", 3)
    first = min((m for m, end in zip(ids, ends) if end < MIDNIGHT), key=lambda m: rank("walnut", MIDNIGHT, 0, "p-nora", m))
    second = min((m for m, end in zip(ids, ends) if MIDNIGHT - 12 * HOUR <= end < MIDNIGHT + 12 * HOUR and m != first),
                 key=lambda m: rank("walnut", MIDNIGHT, 1, "p-nora", m))
    assert {s["moment_id"] for s in samples if s["person_id"] == "p-nora"} == {first, second}
    assert [s["moment_id"] for s in samples if s["person_id"] == "p-omar"] == [lone]
    one = next(s for s in samples if s["moment_id"] == first)
    assert (one["state"], one["person_name"], one["site"], one["team_id"], one["queue"], one["debt_days"]) == (
        "open", "Nora", "lyon", "red", "sales", -1)
    assert (one["seed"], one["filters"], one["plan_title"], one["period_from_at"], one["period_to_at"]) == (
        "walnut", "teams red", "Two a day", stamp(MIDNIGHT), stamp(MIDNIGHT + 24 * HOUR))
    assert one["moment_ended_at"] == stamp(ends[ids.index(first)])
    # The second slot of who had one moment only waits for the next one; the other's quota is met.
    later, = calls_of(moment, "omar")
    calls_of(moment, "nora")
    samples = drawn(moment, "check", 4)
    assert {s["moment_id"] for s in samples if s["person_id"] == "p-omar"} == {lone, later}
    look(moment)
    assert len(moment.lea.samples("check")) == 4


def test_no_moment_is_drawn_twice_also_over_plans_and_restarts(moment):
    ids = set(calls_of(moment, "ravi", *(time.time() - n * 60 for n in range(1, 6))))
    save(moment, "once", "blue")
    first = {s["moment_id"] for s in drawn(moment, "once", 2)}
    moment.kill("feedback")
    moment.start("feedback")
    wait_for("the answer after the restart", lambda: moment.lea.samples("once"))
    save(moment, "again", "blue", quota=3, period="week", time_zone="UTC")
    look(moment)
    second = {s["moment_id"] for s in moment.lea.samples("again")}
    assert second and not first & second and first | second <= ids
    assert {s["moment_id"] for s in moment.lea.samples("once")} == first
    assert moment.sql("select count(*), count(distinct moment_id) from feedback.sample where person_id = 'p-ravi'")[0][0] == len(
        first | second)


def test_more_people_than_one_transaction_takes_are_all_drawn_for(moment):
    ids = [calls_of(moment, name)[0] for name in CROWD]
    save(moment, "crowd", "crowd")
    assert {s["moment_id"] for s in drawn(moment, "crowd", len(CROWD))} == set(ids)


def test_filters_say_what_may_be_drawn(moment):
    short, = calls_of(moment, "sara", talk_s=20)
    long, = calls_of(moment, "sara", time.time() - 200, talk_s=90)
    calls_of(moment, "sven", queue="service", talk_s=90)
    plan = save(moment, "long", "green", queues=["sales"], channels=["voice"], talk_at_least_ms=60000, seed="")["plan"]
    assert len(plan["seed"]) == 24
    sample, = drawn(moment, "long", 1)
    assert sample["moment_id"] == long and short != long
    assert sample["filters"] == "teams green; queues sales; channels voice; talked at least 60 s"
    look(moment)
    assert len(moment.lea.samples("long")) == 1


def test_what_could_not_be_drawn_is_told_with_the_reason_when_the_period_is_over(moment):
    yesterday = MIDNIGHT - 6 * HOUR
    calls_of(moment, "tara", yesterday, talk_s=20)
    save(moment, "unmet", "gold", talk_at_least_ms=60000)
    look(moment)
    # As if it had begun two days ago, and nobody had looked since.
    moment.change("update feedback.sampling_plan set period_at = to_timestamp(%s) where plan_id = 'unmet'", MIDNIGHT - 48 * HOUR)
    wait_for("both days", lambda: len(moment.lea.samples("unmet", "&state=unmet")) == 4)
    look(moment)
    reasons = {(s["person_id"], s["period_from_at"]): s["reason"] for s in moment.lea.samples("unmet", "&state=unmet")}
    none = "2 of 2 were not drawn: there were no moments."
    assert reasons == {
        ("p-timo", stamp(MIDNIGHT - 48 * HOUR)): none, ("p-timo", stamp(MIDNIGHT - 24 * HOUR)): none,
        ("p-tara", stamp(MIDNIGHT - 48 * HOUR)): none,
        ("p-tara", stamp(MIDNIGHT - 24 * HOUR)): "2 of 2 were not drawn: none of 1 moments passed the filters."}
    assert moment.sql("select extract(epoch from period_at) from feedback.sampling_plan where plan_id = 'unmet'")[0][0] == MIDNIGHT
    assert all(not s["moment_id"] and s["site"] == "lyon" for s in moment.lea.samples("unmet", "&state=unmet"))
    assert moment.lea.samples("unmet") == [], "the queue is what can be worked on"


def test_what_nobody_took_expires_with_its_period(moment):
    calls_of(moment, "udo")
    save(moment, "old", "grey")
    sample, = drawn(moment, "old", 1)
    moment.change("update feedback.sample set period_to_at = now() where sample_id = %s", sample["sample_id"])
    wait_for("it to expire", lambda: moment.lea.samples("old") == [])
    after, = moment.lea.samples("old", "&state=expired")
    assert after == {**sample, "state": "expired", "revision": 2}


def test_who_sees_which_samples_and_plans(moment):
    wait_for("a sample of each", lambda: moment.lea.samples("check") and moment.lea.samples("once"))
    assert {s["team_id"] for s in moment.cleo.ask("GET", SAMPLES)["items"]} == {"red"}
    assert {s["team_id"] for s in moment.carl.ask("GET", SAMPLES)["items"]} > {"red", "blue"}
    assert moment.puja.ask("GET", SAMPLES)["items"] == []
    assert moment.nora.ask("GET", SAMPLES, expect=403) and moment.nora.ask("GET", PLANS, expect=403)

    def plans(person):
        return {p["plan_id"] for p in person.ask("GET", PLANS)["plans"]}

    assert {"check", "once", "long"} <= plans(moment.lea) and {"check", "once"} <= plans(moment.carl)
    assert plans(moment.cleo) == {"check"}
    assert plans(moment.puja) == set()
    save(moment, "house", None, enabled=False)
    assert plans(moment.puja) == {"house"}, "it may draw hers as well"
    assert plans(moment.cleo) == {"check", "house"}


def test_a_plan_stays_within_its_makers_reach(moment):
    def refused(by, team, plan_id="reach", **more):
        plan = {"title": "t", "quota": 1, "period": "day", "time_zone": "UTC", "teams": [team] if team else [], **more}
        return by.refused("PUT", "%s/%s" % (PLANS, plan_id), {"plan": plan})

    forbidden = (403, "forbidden", "plan")
    assert refused(moment.cleo, None) == refused(moment.cleo, "blue") == refused(moment.cleo, None, sites=["lyon"]) == forbidden
    assert refused(moment.carl, None) == refused(moment.carl, None, sites=["lyon", "pune"]) == forbidden
    assert refused(moment.carl, "ink") == forbidden
    assert refused(moment.nora, "red")[0] == 403
    # Not another's plan either, whatever it would say then.
    assert refused(moment.cleo, "red", "once") == forbidden
    assert moment.cleo.refused("DELETE", PLANS + "/once", If_Match='"1"') == forbidden
    save(moment, "mine", "red", by=moment.cleo, enabled=False)
    assert moment.cleo.ask("DELETE", PLANS + "/mine", If_Match='"1"') == {}
    assert moment.cleo.refused("DELETE", PLANS + "/mine", If_Match='"1"') == (404, "not-found", "plan_id")


def test_each_field_is_checked_and_edits_say_what_they_saw(moment):
    def refused(plan_id="fields", **more):
        plan = {"title": "t", "teams": ["mint"], "quota": 1, "period": "day", "time_zone": "UTC", **more}
        return moment.lea.refused("PUT", "%s/%s" % (PLANS, plan_id), {"plan": plan})

    invalid = (422, "invalid-field")
    assert refused(quota=21) == (*invalid, "plan.quota")
    assert refused(time_zone="Mars/Base") == (*invalid, "plan.time_zone")
    assert refused(period=None) == (*invalid, "plan.period")
    assert refused(teams=["nowhere"]) == (*invalid, "plan.teams[0]")
    assert refused(sites=["lyon", "oslo"]) == (*invalid, "plan.sites[1]")
    assert refused(seed="x" * 65) == (*invalid, "plan.seed")
    assert refused("a%20b") == (*invalid, "plan_id")
    assert moment.lea.refused("PUT", PLANS + "/fields", {})[:2] == invalid
    made = save(moment, "edited", "mint", enabled=False)["plan"]
    assert moment.lea.refused("PUT", PLANS + "/edited", {"plan": {**made, "plan_id": None, "title": "Three"}}) == (
        428, "revision-required", "if_revision")
    again = save(moment, "edited", "mint", if_match=1, title="Three", enabled=False)["plan"]
    assert (again["revision"], again["seed"], again["title"]) == (2, made["seed"], "Three"), "the seed stays"
    assert moment.lea.refused("DELETE", PLANS + "/edited", If_Match='"1"') == (412, "stale", "if_revision")
    assert moment.lea.ask("DELETE", PLANS + "/edited", If_Match='"2"') == {}
    assert "edited" not in [p["plan_id"] for p in moment.lea.ask("GET", PLANS)["plans"]]
    assert save(moment, "edited", "mint", enabled=False)["plan"]["revision"] == 4


def test_a_plan_that_is_off_draws_nothing_until_it_is_on(moment):
    ids = calls_of(moment, "willi")
    save(moment, "off", "teal", enabled=False)
    look(moment)
    assert moment.lea.samples("off") == []
    save(moment, "off", "teal", if_match=1)
    assert [s["moment_id"] for s in drawn(moment, "off", 1)] == ids


def was_evaluated(moment, person, moment_id, days_ago):
    """As if a person had evaluated it then."""
    moment.change("insert into feedback.evaluation_now values (gen_random_uuid(), %s, 1, 2, 'u-x',"
                  " now() - %s * interval '1 day' - interval '1 hour', 'lyon', %s, 'mint', false, '')", moment_id, days_ago, person)


def test_who_was_not_looked_at_for_the_longest_comes_first(moment):
    seen, unseen = calls_of(moment, "yara", time.time() - 300, time.time() - 200)
    was_evaluated(moment, "p-yara", seen, 19)
    calls_of(moment, "xena")
    save(moment, "debt", "mint", period="month", time_zone="UTC", quota=1)
    samples = drawn(moment, "debt", 2)
    assert [(s["person_id"], s["debt_days"]) for s in samples] == [("p-xena", -1), ("p-yara", 19)]
    assert samples[1]["moment_id"] == unseen, "what a person evaluated is not drawn"


def test_who_has_nothing_left_to_look_at_is_told_apart(moment):
    first, second = calls_of(moment, "zoe", MIDNIGHT - 6 * HOUR, MIDNIGHT - 5 * HOUR)
    was_evaluated(moment, "p-zoe", first, 1)
    was_evaluated(moment, "p-zoe", second, 2)
    save(moment, "seen", "jade")
    look(moment)
    moment.change("update feedback.sampling_plan set period_at = to_timestamp(%s) where plan_id = 'seen'", MIDNIGHT - 24 * HOUR)
    sample, = wait_for("the day", lambda: moment.lea.samples("seen", "&state=unmet"))
    assert (sample["debt_days"], sample["reason"]) == (
        1, "2 of 2 were not drawn: all 2 moments that passed the filters were evaluated or drawn already.")


def test_the_queue_is_paged_with_the_greatest_debt_first(moment):
    def queue(limit):
        items, cursor = [], ""
        while True:
            page = moment.lea.ask("GET", "%s?limit=%d%s" % (SAMPLES, limit, cursor))
            items += page["items"]
            if not page["next"]:
                return items
            cursor = "&cursor=" + page["next"]

    whole = queue(500)
    assert len(whole) > 5 and queue(2) == whole
    assert moment.sql("select sample_id::text from feedback.sample where state in (1, 2) order by rank_at desc, sample_id desc") == [
        (s["sample_id"],) for s in whole]
    debts = [s["debt_days"] if s["debt_days"] >= 0 else 99999 for s in whole if s["drawn_at"][:10] == whole[0]["drawn_at"][:10]]
    assert debts == sorted(debts, reverse=True)


# --- what becomes of a sample -----------------------------------------------------------------------

EVALUATIONS = "/api/v1/evaluations"


def begin(person, sample, revision=None, expect=200, sample_id=None, answers=()):
    headers = {"If_Match": '"%d"' % revision} if revision else {}
    return person.ask("PUT", "/api/v1/moments/%s/evaluation" % sample["moment_id"],
                      {"answers": list(answers), "comment": "", "sample_id": sample_id or sample["sample_id"]}, expect, **headers)


def answers_to(standard):
    """The best answer to each criterion that people answer."""
    best = {"yes_no": lambda c: "yes", "range": lambda c: str(c["scale_max"]),
            "choice": lambda c: max(c["choices"], key=lambda choice: choice["points"])["choice_id"]}
    return [{"criterion_id": c["criterion_id"], "answer": best[c["scale"]](c), "comment": "As it should be."}
            for c in standard["criteria"] if c["kind"] == "observed"]


@pytest.fixture
def sample(moment):
    """An open one of a plan of its own."""
    number = next(NUMBERS)
    moment_id, = calls_of(moment, "wanda")
    save(moment, "work-%d" % number, "ruby", quota=20, time_zone="UTC", period="month", seed="seed-%d" % number)
    yield wait_for("a sample", lambda: next((s for s in moment.lea.samples("work-%d" % number) if s["moment_id"] == moment_id), None))
    moment.ask(moment.lea.cookie, "DELETE", "%s/work-%d" % (PLANS, number), If_Match='"1"')


def state_of(moment, sample):
    for state in ("open", "taken", "done", "expired"):
        for s in moment.lea.samples(sample["plan_id"], "&state=" + state):
            if s["sample_id"] == sample["sample_id"]:
                return s
    raise AssertionError("it is gone")


def test_a_sample_is_taken_by_one_at_a_time_and_given_back(moment, sample):
    draft = begin(moment.carl, sample)["evaluation"]
    taken = state_of(moment, sample)
    assert (taken["state"], taken["taken_by"], taken["taken_by_name"], taken["evaluation_id"]) == (
        "taken", moment.carl.user_id, "Carl", draft["evaluation_id"])
    again = begin(moment.carl, sample, draft["revision"])["evaluation"]
    assert state_of(moment, sample) == taken, "it is his already"
    problem = begin(moment.lea, sample, expect=409)
    assert problem["type"].endswith("sample-taken") and "Carl" in problem["detail"]
    moment.carl.ask("DELETE", "%s/%s" % (EVALUATIONS, draft["evaluation_id"]), If_Match='"%d"' % again["revision"])
    back = state_of(moment, sample)
    assert (back["state"], back["taken_by"], back["evaluation_id"]) == ("open", sample["taken_by"], sample["evaluation_id"])
    begin(moment.lea, sample)
    assert state_of(moment, sample)["taken_by"] == moment.lea.user_id


def test_the_evaluation_says_for_ever_why_its_moment_was_looked_at(moment, sample):
    begun = begin(moment.carl, sample)
    # Saved again without naming it, over a crash, and released.
    moment.kill("feedback")
    moment.start("feedback")
    wait_for("the answer after the restart", lambda: moment.lea.samples(sample["plan_id"]))
    draft = moment.carl.ask("PUT", "/api/v1/moments/%s/evaluation" % sample["moment_id"], {
        "answers": answers_to(begun["standard"]), "comment": "Well done."},
        If_Match='"%d"' % begun["evaluation"]["revision"])["evaluation"]
    assert state_of(moment, sample)["state"] == "taken"
    released = moment.carl.ask("POST", "%s/%s/release" % (EVALUATIONS, draft["evaluation_id"]), {},
                               If_Match='"%d"' % draft["revision"])["evaluation"]
    after = state_of(moment, sample)
    assert (after["state"], after["evaluation_id"]) == ("done", released["evaluation_id"])
    provenance = {"plan_id": sample["plan_id"], "plan_title": "Two a day", "sample_id": sample["sample_id"],
                  "seed": sample["seed"], "drawn_at": sample["drawn_at"], "filters": "teams ruby"}
    assert released["provenance"] == provenance
    # Whatever becomes of the plan.
    moment.lea.ask("DELETE", "%s/%s" % (PLANS, sample["plan_id"]), If_Match='"1"')
    shown = moment.lea.ask("GET", "%s/%s" % (EVALUATIONS, released["evaluation_id"]))["evaluation"]
    assert shown["provenance"] == provenance
    assert begin(moment.lea, sample, expect=409)["type"].endswith("sample-over")
    # Who was looked at owes nothing any more: the next draw says so.
    later = calls_of(moment, "wanda")[0]
    save(moment, "later", "ruby", quota=20, time_zone="UTC", period="month")
    found = wait_for("a sample", lambda: next((s for s in moment.lea.samples("later") if s["moment_id"] == later), None))
    moment.lea.ask("DELETE", PLANS + "/later", If_Match='"1"')
    assert found["debt_days"] == 0


def test_a_sample_that_was_taken_does_not_run_out_until_it_is_given_back(moment, sample):
    draft = begin(moment.carl, sample)["evaluation"]
    moment.kill("feedback")
    moment.change("update feedback.sample set period_to_at = now() - interval '1 day' where sample_id = %s", sample["sample_id"])
    moment.start("feedback")
    wait_for("the answer after the restart", lambda: moment.lea.samples(sample["plan_id"]))
    look(moment)
    assert state_of(moment, sample)["state"] == "taken"
    moment.carl.ask("DELETE", "%s/%s" % (EVALUATIONS, draft["evaluation_id"]), If_Match='"%d"' % draft["revision"])
    wait_for("it to run out", lambda: state_of(moment, sample)["state"] == "expired")
    assert begin(moment.carl, sample, expect=409)["type"].endswith("sample-over")
    assert state_of(moment, sample)["taken_by"] == sample["taken_by"]


def test_a_sample_is_about_its_own_moment(moment, sample):
    other, = calls_of(moment, "udo")
    for wrong in ({"moment_id": other, "sample_id": sample["sample_id"]},
                  {"moment_id": sample["moment_id"], "sample_id": "0190163d-8694-739b-aea5-966c26f8ad91"},
                  {"moment_id": sample["moment_id"], "sample_id": "x"}):
        problem = begin(moment.carl, wrong, expect=422)
        assert problem["field"] == "sample_id"
    # Without one it is an evaluation as any other, and the sample stays in the queue.
    draft = moment.carl.ask("PUT", "/api/v1/moments/%s/evaluation" % sample["moment_id"], {"answers": [], "comment": ""})["evaluation"]
    assert draft["provenance"] is None and state_of(moment, sample)["state"] == "open"


def test_every_change_of_a_plan_and_a_sample_is_on_the_stream(moment):
    counts = dict(moment.sql("select type, count(*) from feedback.stream where type like 'Sampl%%' group by 1"))
    assert counts["SamplingPlanChanged"] >= 10
    for sample_id, records, revision in moment.sql(
            "select s.sample_id::text, count(*), max((select count(*) from feedback.stream t where t.key = s.sample_id::text))"
            " from feedback.sample s join feedback.stream r on r.key = s.sample_id::text and r.type = 'SampleChanged'"
            " group by 1"):
        assert records == revision >= 1, sample_id
