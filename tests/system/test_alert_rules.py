"""Alert rules edited by people: they count at once, for open alerts too, and after a restart; every
step of an alert is kept; what a rule would have done is what it did."""
import itertools
import json
import os
import signal
import time
from datetime import datetime, timedelta, timezone

import pytest

from installation import Installation, wait_for

NUMBERS = itertools.count(1)
RULES = "/api/v1/alert-rules"
DIRECTORY = {
    "sites": [{"site_id": "main", "name": "Main", "time_zone": "Europe/Berlin"},
              {"site_id": "north", "name": "North", "time_zone": "Europe/Oslo"}],
    "teams": [{"team_id": "red", "name": "Red", "site_id": "main"}, {"team_id": "blue", "name": "Blue", "site_id": "north"}],
    "people": [{"person_id": "p-ann", "name": "Ann", "site_id": "main", "team_id": "red", "role": "agent",
                "agent_ids": [{"agent": "Ann"}]}]}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")
        path = os.path.join(m.dir, "directory.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(DIRECTORY, f)
        m.ctl("directory", "import", path)
        m.leader = m.new_user("lea", "--role", "leader", "--name", "Lea")
        m.main = m.new_user("cora", "--role", "coach", "--name", "Cora", "--site", "main")
        m.red = m.new_user("rita", "--role", "coach", "--site", "main", "--team", "red")
        m.north = m.new_user("nils", "--role", "coach", "--site", "north")
        m.agent = m.new_user("ann", "--role", "agent", "--person", "p-ann")
        # What the defaults raise is not what is asked about here.
        for known in rules(m):
            assert write(m, known["rule_id"], known["revision"], **{**edited(known), "enabled": False})[0] == 200
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tell(moment, contact, event, at=None, **data):
    status, answer = moment.post(
        {"specversion": "1.0", "id": "r-%d" % next(NUMBERS), "source": "/t", "type": "x." + event,
         "time": stamp(at or time.time()), "data": {"contact_id": contact, **data}}, token=moment.crm["token"])
    assert status == 202, answer


def new_contact():
    return "rc-%d" % next(NUMBERS)


def rules(moment):
    return moment.ask(moment.leader, "GET", RULES)[1]["rules"]


def edited(known):
    """What a form sends back: what people may edit."""
    return {k: v for k, v in known.items()
            if v is not None and k not in ("rule_id", "revision", "edited_by", "edited_by_name", "edited_at", "removed")}


def write(moment, rule_id, revision=0, who=None, **rule):
    headers = {"If_Match": '"%d"' % revision} if revision else {}
    return moment.ask(who or moment.leader, "PUT", "%s/%s" % (RULES, rule_id), {"rule": rule}, **headers)


def new_rule(moment, **rule):
    rule_id = "rule-%d" % next(NUMBERS)
    status, answer, _ = write(moment, rule_id, **{"title": "A rule", "severity": "warning", "enabled": True, **rule})
    assert status == 200, answer
    return answer["rule"]


def change(moment, rule, **changes):
    status, answer, _ = write(moment, rule["rule_id"], rule["revision"], **{**edited(rule), **changes})
    assert status == 200, answer
    return answer["rule"]


def remove(moment, rule):
    status, answer, _ = moment.ask(moment.leader, "DELETE", "%s/%s" % (RULES, rule["rule_id"]),
                                   If_Match='"%d"' % rule["revision"])
    assert status == 200, answer


def alerts(moment, rule, who=None, **filters):
    query = "".join("&%s=%s" % f for f in filters.items())
    return moment.ask(who or moment.leader, "GET", "/api/v1/alerts?rule_id=%s%s" % (rule["rule_id"], query))[1]["items"]


def states(moment, rule):
    """Oldest first."""
    return [a["state"] for a in alerts(moment, rule)][::-1]


def steps(moment, alert, who=None):
    return moment.ask(who or moment.leader, "GET", "/api/v1/alerts/%s/steps" % alert["alert_id"])[1]["steps"]


def do(moment, who, alert, what, **body):
    status, answer, _ = moment.ask(who, "POST", "/api/v1/alerts/%s/%s" % (alert["alert_id"], what), body)
    assert status == 200, answer
    return answer["alert"]


def refused(answer, status, kind, field):
    assert answer[0] == status, answer
    assert (answer[1]["type"].rsplit("/", 1)[-1], answer[1].get("field")) == (kind, field), answer


# --- edited, and in force at once ---

def test_an_edited_rule_raises_at_the_next_crossing_within_a_second(moment):
    rule = new_rule(moment, subject="waiting", threshold=600000, queues=["alpha"])
    assert (rule["revision"], rule["edited_by_name"]) == (1, "Lea")
    contact, start = new_contact(), int(time.time() * 8) / 8
    tell(moment, contact, "contact.queued", start, queue="alpha")
    moment.settle()
    assert alerts(moment, rule) == []
    rule = change(moment, rule, threshold=2000)
    assert rule["revision"] == 2
    alert = wait_for("the alert", lambda: alerts(moment, rule), 5, 0.02)[0]
    assert time.time() - start < 3.0
    assert (alert["crossed_at"], alert["late"], alert["threshold"]) == (stamp(start + 2), False, 2000)
    tell(moment, contact, "contact.abandoned")


def test_a_lower_threshold_raises_for_what_crosses_now_and_a_higher_one_withdraws(moment):
    rule = new_rule(moment, subject="waiting", threshold=600000, queues=["beta"])
    contact, over = new_contact(), new_contact()
    tell(moment, contact, "contact.queued", time.time() - 30, queue="beta")
    tell(moment, over, "contact.queued", time.time() - 60, queue="beta")
    tell(moment, over, "contact.answered", time.time() - 20, queue="beta", agent="Ann")
    moment.settle()
    rule = change(moment, rule, threshold=20000)
    assert states(moment, rule) == ["raised"]  # who is in a talk by now waits no more
    rule = change(moment, rule, threshold=600000)
    alert = alerts(moment, rule)[0]
    assert (alert["state"], alert["withdrawn"]) == ("cleared", True)
    rule = change(moment, rule, threshold=25000)
    alert = alerts(moment, rule)[0]
    assert (alert["state"], alert["withdrawn"], alert["threshold"]) == ("raised", False, 25000)
    assert [(s["state"], s["actor_name"]) for s in steps(moment, alert)] == [
        ("raised", None), ("cleared", "Lea"), ("raised", None)]
    for one in (contact, over):
        tell(moment, one, "contact.ended")
    moment.settle()
    assert states(moment, rule) == ["cleared"]


def test_a_queue_has_hysteresis_and_a_changed_rule_none(moment):
    rule = new_rule(moment, subject="queue_length", threshold=3, clear_threshold=2, queues=["gamma"])
    waiting = [new_contact() for _ in range(3)]
    for contact in waiting:
        tell(moment, contact, "contact.queued", queue="gamma")
    moment.settle()
    assert states(moment, rule) == ["raised"]
    tell(moment, waiting.pop(), "contact.abandoned")
    moment.settle()
    assert states(moment, rule) == ["raised"]  # 2 are not below 2
    rule = change(moment, rule, title="The same, under another name", threshold=2)
    assert states(moment, rule) == ["raised"]  # 2 of 2 cross
    rule = change(moment, rule, threshold=4)
    assert states(moment, rule) == ["cleared"]  # 2 don't cross 4, though they are not below 2
    rule = change(moment, rule, threshold=2)
    assert states(moment, rule) == ["cleared", "raised"]
    for contact in waiting:
        tell(moment, contact, "contact.abandoned")
    moment.settle()
    assert states(moment, rule) == ["cleared", "cleared"]


def test_a_removed_rule_withdraws_its_alerts_and_stays_for_them(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["delta"])
    queue = new_rule(moment, subject="longest_wait", threshold=1000, clear_threshold=500, queues=["delta"])
    contact = new_contact()
    tell(moment, contact, "contact.queued", time.time() - 5, queue="delta")
    moment.settle()
    wait_for("both", lambda: states(moment, rule) == ["raised"] and states(moment, queue) == ["raised"], 5)
    for one in (rule, queue):
        remove(moment, one)
        alert = alerts(moment, one)[0]
        assert (alert["state"], alert["withdrawn"]) == ("cleared", True)
        assert steps(moment, alert)[-1]["actor_name"] == "Lea"
        assert one["rule_id"] not in [r["rule_id"] for r in rules(moment)]
        refused(moment.ask(moment.leader, "DELETE", "%s/%s" % (RULES, one["rule_id"]), If_Match='"2"'), 404, "not-found",
                "rule_id")
        refused(write(moment, one["rule_id"], **edited(one)), 409, "alert-rule-removed", "rule_id")
    tell(moment, contact, "contact.abandoned")


def test_a_signal_raises_and_stays_until_somebody_closes_it(moment):
    rule = new_rule(moment, subject="customer_signal", threshold=1, signal="wants to cancel", queues=["epsilon"])
    contact, other = new_contact(), new_contact()
    for one, signal_ in ((contact, "wants to cancel"), (other, "praise")):
        tell(moment, one, "contact.queued", queue="epsilon")
        tell(moment, one, "contact.updated", customer_signal=signal_)
        tell(moment, one, "contact.abandoned")
    moment.settle()
    assert [(a["state"], a["signal"], a["source_contact_id"]) for a in alerts(moment, rule)] == [
        ("raised", "wants to cancel", contact)]
    closed = do(moment, moment.leader, alerts(moment, rule)[0], "close", closing_note="Called back.")
    assert (closed["state"], closed["closing_note"], closed["closed_by_name"]) == ("closed", "Called back.", "Lea")


def test_a_rule_that_is_switched_off_is_withdrawn_and_on_again_raises(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["mu"])
    contact = new_contact()
    tell(moment, contact, "contact.queued", time.time() - 5, queue="mu")
    wait_for("the alert", lambda: states(moment, rule) == ["raised"], 5)
    rule = change(moment, rule, enabled=False)
    assert [(a["state"], a["withdrawn"]) for a in alerts(moment, rule)] == [("cleared", True)]
    rule = change(moment, rule, enabled=True)
    assert [(a["state"], a["withdrawn"]) for a in alerts(moment, rule)] == [("raised", False)]
    rule = change(moment, rule, queues=["nu"])
    assert states(moment, rule) == ["cleared"]
    tell(moment, contact, "contact.abandoned")
    remove(moment, rule)


def test_an_alert_of_a_moment_that_is_over_follows_its_rule(moment):
    rule = new_rule(moment, subject="low_survey", threshold=2, queues=["xi"])
    contacts = [new_contact() for _ in range(2)]
    for contact, score in zip(contacts, (1, 2)):
        tell(moment, contact, "contact.queued", queue="xi")
        tell(moment, contact, "contact.answered", queue="xi", agent="Ann")
        tell(moment, contact, "contact.ended")
        tell(moment, contact, "feedback.received", instrument="csat", score=score, scale_min=1, scale_max=5)
    moment.settle()
    assert states(moment, rule) == ["raised", "raised"]
    rule = change(moment, rule, threshold=1)
    assert {a["source_contact_id"]: a["state"] for a in alerts(moment, rule)} == {
        contacts[0]: "raised", contacts[1]: "cleared"}
    remove(moment, rule)
    assert {a["state"] for a in alerts(moment, rule)} == {"cleared"}


# --- what is refused ---

def test_a_rule_is_checked_as_a_whole_by_field(moment):
    good = {"title": "T", "severity": "notice", "subject": "waiting", "threshold": 1000, "enabled": True}
    for changes, field in (({"threshold": -1}, "rule.threshold"), ({"title": ""}, "rule.title"),
                           ({"severity": None}, "rule.severity"), ({"clear_threshold": 5}, "rule.clear_threshold"),
                           ({"minimum_count": 5}, "rule.minimum_count"), ({"sites": ["a", "a"]}, "rule.sites"),
                           ({"subject": "service_level", "threshold": 80}, "rule.minimum_count")):
        rule = {k: v for k, v in {**good, **changes}.items() if v is not None}
        refused(write(moment, "a-rule", **rule), 422, "invalid-field", field)
    refused(write(moment, "Not_An_Id", **good), 422, "invalid-field", "rule.rule_id")
    rule = new_rule(moment, subject="talking", threshold=600000)
    refused(write(moment, rule["rule_id"], 1, **{**edited(rule), "subject": "waiting"}), 422, "invalid-field", "rule.subject")
    assert "a-rule" not in [r["rule_id"] for r in rules(moment)]


def test_who_has_not_seen_the_newest_does_not_overwrite_it(moment):
    rule = new_rule(moment, subject="waiting", threshold=600000, queues=["zeta"])
    refused(write(moment, rule["rule_id"], **edited(rule)), 428, "revision-required", "if_revision")
    change(moment, rule, threshold=500000)
    refused(write(moment, rule["rule_id"], 1, **edited(rule)), 412, "stale", "if_revision")
    refused(write(moment, "never-was", 3, **edited(rule)), 412, "stale", "if_revision")


def test_a_rule_reaches_no_further_than_who_writes_it(moment):
    rule = {"title": "T", "severity": "notice", "subject": "talking", "threshold": 600000, "enabled": True}
    for who, scope, status in (
            (moment.main, {"sites": ["main"]}, 200), (moment.main, {"sites": ["main"], "teams": ["red"]}, 200),
            (moment.main, {}, 403), (moment.main, {"sites": ["north"]}, 403), (moment.main, {"sites": ["main", "north"]}, 403),
            (moment.red, {"sites": ["main"], "teams": ["red"]}, 200), (moment.red, {"sites": ["main"]}, 403),
            (moment.red, {"sites": ["main"], "teams": ["red", "blue"]}, 403), (moment.agent, {"sites": ["main"]}, 403)):
        rule_id = "scope-%d" % next(NUMBERS)
        answer = write(moment, rule_id, who=who, **rule, **scope)
        assert answer[0] == status, (scope, answer)
        asked = moment.ask(who, "POST", RULES + "/preview", {"rule": {**rule, **scope}, "time_zone": "UTC"})
        assert asked[0] == status, (scope, asked)
        if status != 200:
            continue
        # Nobody takes it over from another site.
        assert write(moment, rule_id, 1, moment.north, **rule, sites=["north"])[0] == 403
        assert moment.ask(moment.north, "DELETE", RULES + "/" + rule_id, If_Match='"1"')[0] == 403


def test_a_team_has_who_waits_at_its_site(moment):
    red = new_rule(moment, subject="waiting", threshold=1000, queues=["eta"], teams=["red"])
    blue = new_rule(moment, subject="waiting", threshold=1000, queues=["eta"], teams=["blue"])
    red_talks = new_rule(moment, subject="talking", threshold=0, queues=["eta"], teams=["red"])
    contact = new_contact()
    tell(moment, contact, "contact.queued", time.time() - 5, queue="eta")
    wait_for("the alert", lambda: states(moment, red) == ["raised"], 5)
    assert (states(moment, blue), states(moment, red_talks)) == ([], [])
    tell(moment, contact, "contact.answered", queue="eta", agent="Ann")
    wait_for("the talk", lambda: states(moment, red_talks) == ["raised"], 5)
    tell(moment, contact, "contact.ended")
    for rule in (red, blue, red_talks):
        remove(moment, rule)


def test_open_alerts_climb_as_the_rule_says_now(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["eta"])
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="eta")
    alert = wait_for("the alert", lambda: alerts(moment, rule), 5)[0]
    rule = change(moment, rule, escalate_after_ms=500)
    wait_for("it to climb", lambda: alerts(moment, rule)[0]["escalation_level"] == 2, 5)
    rule = change(moment, rule, escalate_after_ms=0)
    level = alerts(moment, rule)[0]["escalation_level"]
    time.sleep(1.2)
    assert alerts(moment, rule)[0]["escalation_level"] == level
    assert [s["state"] for s in steps(moment, alert)] == ["raised"] * (level + 1)
    tell(moment, contact, "contact.abandoned")
    remove(moment, rule)


# --- the life of an alert ---

def test_every_step_is_kept_with_who_took_it(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["theta"], escalate_after_ms=600)
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="theta")
    alert = wait_for("it to climb", lambda: [a for a in alerts(moment, rule) if a["escalation_level"] == 1], 6)[0]
    taken = do(moment, moment.main, alert, "acknowledge")
    assert (taken["owner_name"], taken["state"]) == ("Cora", "acknowledged")
    assert do(moment, moment.main, alert, "acknowledge") == taken  # once is enough
    assert [a["alert_id"] for a in alerts(moment, rule, moment.main, mine="true")] == [alert["alert_id"]]
    assert alerts(moment, rule, moment.leader, mine="true") == []
    assert do(moment, moment.leader, alert, "acknowledge")["owner_name"] == "Lea"  # taken over
    refused(moment.ask(moment.leader, "POST", "/api/v1/alerts/%s/close" % alert["alert_id"], {"closing_note": "x" * 2001}),
            422, "invalid-field", "closing_note")
    do(moment, moment.leader, alert, "close", closing_note="Somebody took the call.")
    tell(moment, contact, "contact.abandoned")
    moment.settle()
    seen = steps(moment, alert)
    assert [(s["state"], s["actor_name"]) for s in seen if s["actor_name"] or s["state"] != "raised"] == [
        ("acknowledged", "Cora"), ("acknowledged", "Lea"), ("closed", "Lea")]
    assert [s["escalation_level"] for s in seen[:2]] == [0, 1]
    assert seen[-1]["comment"] == "Somebody took the call."
    values = [s["actual"] for s in seen]
    assert values[0] >= 1000 and values == sorted(values) and values[1] > values[0]
    assert moment.ask(moment.north, "GET", "/api/v1/alerts/%s/steps" % alert["alert_id"])[0] == 404
    assert moment.ask(moment.leader, "GET", "/api/v1/alerts/nonsense/steps")[0] == 404


def test_a_restart_keeps_rules_alerts_and_steps(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["iota"])
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="iota")
    alert = wait_for("the alert", lambda: alerts(moment, rule), 5)[0]
    do(moment, moment.main, alert, "acknowledge")
    rule = change(moment, rule, title="Another name")
    before = rules(moment), alerts(moment, rule), steps(moment, alert)
    moment.kill("feedback")
    moment.start("feedback")
    wait_for("the answer", lambda: moment.ask(moment.leader, "GET", RULES)[0] == 200)
    moment.settle()
    assert (rules(moment), alerts(moment, rule), steps(moment, alert)) == before
    refused(write(moment, rule["rule_id"], 1, **edited(rule)), 412, "stale", "if_revision")
    change(moment, rule, threshold=600000)
    assert [(a["state"], a["withdrawn"]) for a in alerts(moment, rule)] == [("cleared", True)]
    tell(moment, contact, "contact.abandoned")


def test_rules_edited_by_hand_count_after_a_reload(moment):
    rule = new_rule(moment, subject="waiting", threshold=1000, queues=["kappa"])
    quiet = new_rule(moment, subject="queue_length", threshold=2, clear_threshold=1, queues=["kappa"])
    waiting = [new_contact() for _ in range(2)]
    for contact in waiting:
        tell(moment, contact, "contact.queued", time.time() - 5, queue="kappa")
    wait_for("the alerts", lambda: states(moment, rule) == ["raised"] * 2 and states(moment, quiet) == ["raised"], 5)
    tell(moment, waiting.pop(), "contact.abandoned")
    moment.settle()
    moment.change("update feedback.alert_rule set threshold = 600000, revision = revision + 1 where rule_id = %s",
            rule["rule_id"])
    moment.processes["feedback"].send_signal(signal.SIGHUP)
    wait_for("it to be withdrawn", lambda: all(s == "cleared" for s in states(moment, rule)), 5)
    assert states(moment, quiet) == ["raised"]  # not changed, so 1 is not below 1
    tell(moment, waiting.pop(), "contact.abandoned")


# --- what would it have done? ---

def preview(moment, who=None, days=2, **rule):
    status, answer, _ = moment.ask(who or moment.leader, "POST", RULES + "/preview", {
        "rule": {"title": "T", "severity": "notice", "enabled": True, **rule}, "days": days, "time_zone": "Europe/Berlin"})
    assert status == 200, answer
    return answer


def test_a_preview_says_what_the_rule_did(moment):
    """Calls told as they go: what the live rules raise is what the preview counts. What is short is far
    from what is long, so that a slow machine changes nothing."""
    live = {
        "waiting": new_rule(moment, subject="waiting", threshold=2000, queues=["lambda"]),
        "talking": new_rule(moment, subject="talking", threshold=2000, queues=["lambda"]),
        "transfers": new_rule(moment, subject="transfers", threshold=1, queues=["lambda"]),
        "low_survey": new_rule(moment, subject="low_survey", threshold=2, queues=["lambda"]),
        "customer_signal": new_rule(moment, subject="customer_signal", threshold=1, queues=["lambda"]),
        "queue_length": new_rule(moment, subject="queue_length", threshold=3, clear_threshold=2, queues=["lambda"]),
    }
    start, events = time.time() + 0.2, []
    for i in range(10):
        contact, at = new_contact(), start + i * 0.31
        wait, talk = 3.2 if i % 3 == 0 else 0.25, 3.1 if i % 4 == 0 else 0.4
        events.append((at, contact, "contact.queued", {"queue": "lambda"}))
        events.append((at + wait, contact, "contact.answered", {"queue": "lambda", "agent": "Ann"}))
        if i % 3 == 0:
            events.append((at + wait + 0.1, contact, "contact.updated", {"customer_signal": "complaint"}))
        if i % 4 == 0:
            events.append((at + wait + talk - 0.1, contact, "contact.transferred", {"agent": "Ann", "kind": "blind"}))
        events.append((at + wait + talk, contact, "contact.ended", {}))
        if i % 5 == 0:
            events.append((at + wait + talk + 0.1, contact, "feedback.received",
                           {"instrument": "csat", "score": 1 + i % 2, "scale_min": 1, "scale_max": 5}))
    for at, contact, event, data in sorted(events, key=lambda e: e[0]):
        time.sleep(max(0, at - time.time()))
        tell(moment, contact, event, at, **data)
    moment.settle()
    for subject, rule in live.items():
        raised = wait_for("alerts about " + subject, lambda r=rule: alerts(moment, r))
        answer = preview(moment, **edited(rule))
        assert answer["fired"] == len(raised), subject
        assert answer["fired"] == sum(day["fired"] for day in answer["days"])
        assert answer["moments"] >= 10
        if raised[0]["moment_id"]:
            assert set(answer["moment_ids"]) == {a["moment_id"] for a in raised}, subject
    for rule in live.values():
        remove(moment, rule)


def test_a_preview_cuts_the_days_where_it_is_asked_to(moment):
    answer = preview(moment, days=31, subject="waiting", threshold=1000)
    zone_day = timedelta(days=1)
    days = [datetime.strptime(d["date"], "%Y-%m-%d") for d in answer["days"]]
    assert len(days) == 31 and all(b - a == zone_day for a, b in zip(days, days[1:]))
    assert "kept only since" in answer["caveat"]
    assert len(preview(moment, days=0, subject="waiting", threshold=1000)["days"]) == 7
    for body, field in (({"days": 32, "time_zone": "UTC"}, "days"), ({"time_zone": "Mars/Base"}, "time_zone"),
                        ({}, "time_zone")):
        rule = {"title": "T", "severity": "notice", "subject": "waiting", "threshold": 1000}
        refused(moment.ask(moment.leader, "POST", RULES + "/preview", {"rule": rule, **body}), 422, "invalid-field", field)
    refused(moment.ask(moment.leader, "POST", RULES + "/preview", {"rule": {"threshold": 1}, "time_zone": "UTC"}),
            422, "invalid-field", "rule.title")
    assert preview(moment, moment.main, subject="waiting", threshold=1000, sites=["main"])["moments"] > 0


def test_nothing_was_quarantined(moment):
    assert moment.sql("select count(*) from feedback.quarantine")[0][0] == 0
