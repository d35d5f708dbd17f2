"""Standards, evaluations, alerts and candidates, on real processes: at once, once only, and again
after whatever was down."""
import contextlib
import itertools
import json
import os
import signal
import time
import urllib.request
from datetime import datetime, timezone

import pytest
import zmq

import native_client
from installation import ROOT, Installation, wait_for

feedback_pb2, recognition_pb2, stream_pb2 = native_client.protocol("feedback", "recognition", "stream")
NUMBERS = itertools.count(1)
WAIT_S = 2.0  # the threshold of the rule "waiting" here


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.change("update feedback.alert_rule set threshold = %s, escalate_after_ms = 1500 where rule_id = 'waiting'",
                 WAIT_S * 1000)
        m.change("update feedback.alert_rule set queues = '{pool}', threshold = 3, clear_threshold = 2, cooldown_ms = 0 "
                 "where rule_id = 'queue-length'")
        m.change("update feedback.alert_rule set threshold = 900000 where rule_id = 'longest-wait'")
        m.change("update feedback.alert_rule set threshold = 12000 where rule_id = 'waiting-long'")
        m.start()
        m.crm = m.add_events_source("crm", "--native")
        for name in ("sales", "support"):
            m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-%s.json" % name))
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tell(moment, contact, kind, at=None, key=None, **data):
    status, answer = moment.post(
        {"specversion": "1.0", "id": key or "f-%d" % next(NUMBERS), "source": "/t", "type": "x." + kind,
         "time": stamp(at or time.time()), "data": {"contact_id": contact, **data}}, token=moment.crm["token"])
    assert status == 202, answer
    return answer


def new_contact():
    return "fc-%d" % next(NUMBERS)


def call(moment, contact, at, wait=1.0, talk=5.0, queue="sales", agent="Alice Moreno", csat=None):
    """A whole call, told after it was over."""
    tell(moment, contact, "contact.queued", at, queue=queue)
    tell(moment, contact, "contact.answered", at + wait, queue=queue, agent=agent)
    tell(moment, contact, "contact.ended", at + wait + talk)
    if csat is not None:
        survey(moment, contact, csat, at + wait + talk)


def survey(moment, contact, score, at=None):
    return tell(moment, contact, "feedback.received", at, instrument="csat", score=score, scale_min=1, scale_max=5)


def moment_id(moment, contact):
    return wait_for("the moment of " + contact, lambda: moment.sql(
        "select moment_id::text from ingest.moment where contact_id = %s", contact))[0][0]


def alerts(moment, contact, rule="waiting"):
    return [a for a in moment.api("/api/v1/alerts?limit=200&moment_id=" + moment_id(moment, contact))["items"]
            if a["rule_id"] == rule]


def evaluations(moment, contact):
    """Every revision, oldest first."""
    rows = moment.sql("select body from feedback.evaluation where moment_id = %s order by evaluated_at, revision",
                      moment_id(moment, contact))
    return [feedback_pb2.Evaluation.FromString(bytes(r[0])) for r in rows]


def candidate(moment, contact):
    rows = moment.sql("select body from recognition.candidate where moment_id = %s", moment_id(moment, contact))
    return recognition_pb2.Candidate.FromString(bytes(rows[0][0])) if rows else None


@contextlib.contextmanager
def down(moment, name):
    moment.kill(name)
    try:
        yield
    finally:
        moment.start(name)


# --- alerts ---------------------------------------------------------------------------------------

def test_an_alert_is_raised_within_a_second_though_no_event_arrives(moment):
    contact, start = new_contact(), int(time.time() * 8) / 8  # no fraction that rounds
    tell(moment, contact, "contact.queued", start, queue="sales")
    time.sleep(WAIT_S - 0.7)
    assert alerts(moment, contact) == []
    alert = wait_for("the alert", lambda: alerts(moment, contact), 3, 0.02)[0]
    assert time.time() - start < WAIT_S + 1.0
    assert (alert["state"], alert["late"], alert["queue"], alert["severity"]) == ("raised", False, "sales", "warning")
    assert alert["crossed_at"] == stamp(start + WAIT_S)
    tell(moment, contact, "contact.answered", queue="sales", agent="Alice Moreno")
    wait_for("it to be over", lambda: alerts(moment, contact)[0]["state"] == "cleared", 3)
    tell(moment, contact, "contact.ended")


def test_who_is_answered_in_time_raises_nothing(moment):
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="sales")
    time.sleep(WAIT_S - 0.6)
    tell(moment, contact, "contact.answered", queue="sales", agent="Alice Moreno")
    time.sleep(1.5)
    tell(moment, contact, "contact.ended")
    moment.settle()
    assert alerts(moment, contact) == []


def test_a_crossing_during_an_outage_is_raised_late_and_once(moment):
    waits, is_raised, short, long = (new_contact() for _ in range(4))
    tell(moment, is_raised, "contact.queued", queue="sales")
    wait_for("the alert", lambda: alerts(moment, is_raised), 5)
    tell(moment, waits, "contact.queued", queue="sales")
    moment.settle()
    with down(moment, "feedback"):
        call(moment, short, time.time(), wait=WAIT_S - 1, talk=0.1)
        call(moment, long, time.time(), wait=WAIT_S + 1, talk=0.1)
        time.sleep(WAIT_S + 2.5)
    moment.settle()
    time.sleep(0.5)
    late = alerts(moment, waits)
    assert [(a["state"], a["late"]) for a in late] == [("raised", True)]
    assert len(alerts(moment, is_raised)) == 1
    assert alerts(moment, short) == []
    assert [a["state"] for a in alerts(moment, long)] == ["cleared"]
    with down(moment, "feedback"):
        pass
    time.sleep(1)
    assert alerts(moment, waits)[0]["alert_id"] == late[0]["alert_id"] and len(alerts(moment, waits)) == 1
    for contact in (waits, is_raised):
        tell(moment, contact, "contact.abandoned")
    moment.settle()
    assert {a["state"] for c in (waits, is_raised) for a in alerts(moment, c)} == {"cleared"}


def test_nothing_is_raised_on_what_is_not_known(moment):
    """While ingest is away nobody knows whether a caller still waits."""
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="sales")
    wait_for("the alert", lambda: alerts(moment, contact), 5)
    with down(moment, "ingest"):
        time.sleep(13)
        assert moment.sql("select rule_id from feedback.alert where moment_id = %s", moment_id(moment, contact)) == [("waiting",)]
    wait_for("the alert", lambda: alerts(moment, contact, "waiting-long"), 5)
    assert alerts(moment, contact)[0]["state"] == "raised"
    tell(moment, contact, "contact.abandoned")


def test_old_history_raises_nothing(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 40 * 86400, wait=600)
    moment.settle()
    assert alerts(moment, contact) == []
    assert len(evaluations(moment, contact)) == 1


def do(moment, alert, what):
    request = urllib.request.Request(
        "http://127.0.0.1:%d/api/v1/alerts/%s/%s" % (moment.http["reporting"], alert["alert_id"], what), b"",
        {"Authorization": "Bearer " + moment.token}, method="POST")
    return moment.answer(request)


def test_an_alert_climbs_until_somebody_takes_it(moment):
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="sales")
    wait_for("the second level", lambda: [a for a in alerts(moment, contact) if a["escalation_level"] == 2], 12)
    status, taken = do(moment, alerts(moment, contact)[0], "acknowledge")
    assert status == 200, taken
    time.sleep(2)
    now = alerts(moment, contact)[0]
    assert (now["state"], now["escalation_level"]) == ("acknowledged", 2)
    assert now["owner"] and now["owner"] == now["acknowledged_by"] and now["acknowledged_at"]
    assert do(moment, now, "close")[0] == 200
    assert alerts(moment, contact)[0]["state"] == "closed"
    status, problem = do(moment, now, "close")
    assert (status, problem["field"]) == (404, "alert_id")
    tell(moment, contact, "contact.abandoned")
    moment.settle()
    assert [a["state"] for a in alerts(moment, contact)] == ["closed"]


def queue_alerts(moment):
    rows = moment.sql("select body, crossing from feedback.alert where subject = 'queue:main/pool' order by crossing")
    return [feedback_pb2.Alert.FromString(bytes(r[0])) for r in rows]


def test_a_queue_that_is_too_long_is_told_once_per_crossing(moment):
    waiting = [new_contact() for _ in range(4)]
    for contact in waiting[:3]:
        tell(moment, contact, "contact.queued", queue="pool")
    wait_for("the alert", lambda: queue_alerts(moment), 5)
    with down(moment, "feedback"):
        tell(moment, waiting[3], "contact.queued", queue="pool")
    tell(moment, waiting[0], "contact.abandoned")
    tell(moment, waiting[1], "contact.abandoned")
    moment.settle()
    assert [a.state for a in queue_alerts(moment)] == [feedback_pb2.ALERT_STATE_RAISED]  # 2 are not below 2
    tell(moment, waiting[2], "contact.abandoned")
    moment.settle()
    assert [a.state for a in queue_alerts(moment)] == [feedback_pb2.ALERT_STATE_CLEARED]
    for contact in [new_contact() for _ in range(2)]:
        tell(moment, contact, "contact.queued", queue="pool")
        waiting.append(contact)
    moment.settle()
    states = [a.state for a in queue_alerts(moment)]
    assert states == [feedback_pb2.ALERT_STATE_CLEARED, feedback_pb2.ALERT_STATE_RAISED]
    for contact in waiting[3:]:
        tell(moment, contact, "contact.abandoned")


def test_rules_that_were_changed_count_after_a_reload(moment):
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="pool")
    tell(moment, contact, "contact.answered", queue="pool", agent="Alice Moreno")
    before = [a.state for a in queue_alerts(moment)]
    moment.change("update feedback.alert_rule set threshold = 1000 where rule_id = 'talking'")
    moment.processes["feedback"].send_signal(signal.SIGHUP)
    wait_for("the alert", lambda: alerts(moment, contact, "talking"), 5)
    moment.change("update feedback.alert_rule set enabled = false where rule_id = 'talking'")
    moment.processes["feedback"].send_signal(signal.SIGHUP)
    tell(moment, contact, "contact.held")
    wait_for("it to be over", lambda: alerts(moment, contact, "talking")[0]["state"] == "cleared", 5)
    tell(moment, contact, "contact.ended")
    moment.settle()
    assert [a.state for a in queue_alerts(moment)] == before


def test_alerts_are_paged_without_gap_or_repeat(moment):
    everything = [a["alert_id"] for a in moment.api("/api/v1/alerts?limit=200")["items"]]
    assert len(everything) > 3
    seen, cursor = [], ""
    while True:
        page = moment.api("/api/v1/alerts?limit=2" + cursor)
        seen += [a["alert_id"] for a in page["items"]]
        if not page["next"]:
            break
        cursor = "&cursor=" + page["next"]
    assert seen == everything


# --- standards ------------------------------------------------------------------------------------

def standard(**changes):
    with open(os.path.join(ROOT, "deploy/examples/standard-sales.json"), encoding="utf-8") as f:
        return {**json.load(f), **changes}


def publish(moment, document):
    path = os.path.join(moment.dir, "standard.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(document, f)
    return moment.ctl("standard", "publish", path, check=False)


def refused(moment, document, *words):
    done = publish(moment, document)
    assert done.returncode != 0
    for word in words:
        assert word in done.stdout + done.stderr, (word, done.stdout, done.stderr)


def test_a_standard_that_is_not_sound_is_refused_by_field(moment):
    criteria = standard()["criteria"]
    refused(moment, standard(criteria=criteria[:3]), "There for the caller", "total 80")
    refused(moment, standard(why=""), "standard.why")
    refused(moment, standard(signed_by=" "), "standard.signed_by")
    refused(moment, standard(criteria=[{**criteria[0], "kind": "observed"}] + criteria[1:]), "standard.criteria[0].scale")
    refused(moment, standard(criteria=[{**criteria[0], "metric": "agent_mood"}] + criteria[1:]), "standard.criteria[0].metric")
    refused(moment, {**standard(), "colour": "green"}, "colour")
    refused(moment, standard(standard_id="rival", title="A rival"), "A rival", "A sales call")
    assert moment.sql("select count(*) from feedback.standard where standard_id = 'rival'") == [(0,)]


def test_the_same_standard_again_is_no_new_version(moment):
    before = moment.sql("select standard_id, version from feedback.standard order by 1, 2")
    assert publish(moment, standard()).returncode == 0
    assert moment.sql("select standard_id, version from feedback.standard order by 1, 2") == before


def test_a_version_that_was_used_stays_and_the_next_one_counts_from_its_day(moment):
    first, second = new_contact(), new_contact()
    now = time.time()
    call(moment, first, now - 30)
    moment.settle()
    changed = standard(title="A better sales call", effective_at=stamp(now - 5))
    assert "version 2" in publish(moment, changed).stderr
    call(moment, second, now - 4, wait=0.1, talk=0.1)
    survey(moment, first, 5)
    moment.settle()
    assert [(e.standard_version, e.revision) for e in evaluations(moment, first)] == [(1, 1), (1, 2)]
    assert [(e.standard_version, e.revision) for e in evaluations(moment, second)] == [(2, 1)]
    stored = moment.sql("select body from feedback.standard where standard_id = 'sales-call' order by version")
    titles = [feedback_pb2.Standard.FromString(bytes(r[0])).title for r in stored]
    assert titles == ["A sales call", "A better sales call"]


# --- evaluations ----------------------------------------------------------------------------------

def test_every_ended_moment_is_evaluated_at_once_and_again_when_the_result_changes(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 60, wait=25)
    moment.settle()
    (first,) = evaluations(moment, contact)
    by_id = {r.criterion_id: r for r in first.results}
    assert (by_id["wait"].met, by_id["wait"].actual, by_id["satisfied"].not_applicable) == (False, 25000, True)
    assert first.WhichOneof("critical_known") is None and first.agent == "Alice Moreno"
    assert first.final_score == pytest.approx(50.0)  # 40 of 80: hold is unknown and leaves both sums
    survey(moment, contact, 5)
    moment.settle()
    first_again, second = evaluations(moment, contact)
    assert first_again == first
    assert (second.revision, second.critical_score, second.evaluation_id) == (2, 100.0, first.evaluation_id)
    assert second.final_score == pytest.approx(140 / 180 * 100)


def test_what_changes_nothing_makes_no_revision(moment):
    contact, key = new_contact(), "once-%d" % next(NUMBERS)
    call(moment, contact, time.time() - 60)
    tell(moment, contact, "contact.updated", key=key, disposition="sold")
    tell(moment, contact, "contact.updated", key=key, disposition="sold")
    with down(moment, "feedback"):
        pass
    moment.settle()
    assert [e.revision for e in evaluations(moment, contact)] == [1]


def test_who_was_never_answered_fails_the_fatal_criterion(moment):
    contact = new_contact()
    tell(moment, contact, "contact.queued", queue="support")
    tell(moment, contact, "contact.abandoned")
    moment.settle()
    (evaluation,) = evaluations(moment, contact)
    assert evaluation.final_score == 0.0 and evaluation.raw_score > 0.0
    measured = [r for r in evaluation.results if r.kind == feedback_pb2.CRITERION_KIND_MEASURED]
    assert {r.criterion_id for r in measured if r.not_applicable} == {"hold", "one-person", "satisfied"}
    assert [r.criterion_id for r in evaluation.results if r.fatal_failed] == ["reached"]


def test_a_moment_that_is_part_of_another_is_withdrawn(moment):
    whole, part = new_contact(), new_contact()
    at = time.time() - 60
    call(moment, whole, at)
    call(moment, part, at + 5)
    moment.settle()
    assert len(evaluations(moment, part)) == 1
    client = native_client.NativeClient("tcp://127.0.0.1:%d" % moment.bus["ingest"], moment.server_key(),
                                        moment.crm["public"], moment.crm["secret"])
    with client:
        client.submit([{"contact_id": part, "type": "CONTACT_LINKED", "root_contact_id": whole,
                        "event_id": "link-%s" % part, "occurred_at": int((at + 20) * 1e6)}])
    moment.settle()
    last = evaluations(moment, part)[-1]
    assert (last.revision, last.withdrawn) == (2, True)
    shown = moment.api("/api/v1/moments/" + moment_id(moment, part))["evaluations"]["items"]
    assert shown == []


# --- candidates -----------------------------------------------------------------------------------

def test_a_top_answer_makes_a_candidate_and_a_correction_takes_it_back(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 60, csat=5)
    moment.settle()
    proposed = candidate(moment, contact)
    assert proposed.state == recognition_pb2.CANDIDATE_STATE_PROPOSED and proposed.agent == "Alice Moreno"
    assert {"wow_criterion", "full_score"} <= {e.kind for e in proposed.evidence}
    listed = moment.api("/api/v1/candidates?limit=200")["items"]
    assert proposed.candidate_id in [c["candidate_id"] for c in listed]
    survey(moment, contact, 2)
    moment.settle()
    withdrawn = candidate(moment, contact)
    assert withdrawn.state == recognition_pb2.CANDIDATE_STATE_WITHDRAWN and withdrawn.revision > proposed.revision
    assert withdrawn.candidate_id == proposed.candidate_id
    listed = moment.api("/api/v1/candidates?limit=200")["items"]
    assert proposed.candidate_id not in [c["candidate_id"] for c in listed]


@pytest.mark.parametrize("away", ["feedback", "recognition"])
def test_either_half_may_come_first(moment, away):
    contact = new_contact()
    with down(moment, away):
        call(moment, contact, time.time() - 60, csat=5)
        if away == "feedback":
            wait_for("the moment's half", lambda: moment.sql(
                "select 1 from recognition.sighting where moment_id = %s and evaluation is null", moment_id(moment, contact)))
    moment.settle()
    assert {"wow_criterion", "full_score"} <= {e.kind for e in candidate(moment, contact).evidence}


def test_a_hard_moment_with_a_top_answer_says_why(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 120, wait=75, queue="nobody-declared", csat=5)
    moment.settle()
    assert [(e.kind, e.text) for e in candidate(moment, contact).evidence] == [
        ("top_survey", "The customer gave the top answer, 5, after a hard moment."),
        ("hard_moment", "The customer had waited 1 min 15 s before.")]


# --- who may see what -----------------------------------------------------------------------------

class Person:
    """The web edge, speaking for somebody."""

    def __init__(self, moment, service, **caller):
        self.caller, self.socket = caller, zmq.Context.instance().socket(zmq.DEALER)
        keys = os.path.join(moment.dir, "keys")

        def key(name):
            with open(os.path.join(keys, name), "rb") as f:
                return f.read().strip()
        self.socket.linger, self.socket.rcvtimeo = 0, 10000
        self.socket.curve_serverkey = key(service + ".public")
        self.socket.curve_publickey, self.socket.curve_secretkey = key("reporting.public"), key("reporting.secret")
        self.socket.connect("tcp://127.0.0.1:%d" % moment.bus[service])
        hello = stream_pb2.Frame()
        hello.hello.name, hello.hello.protocol = "test", native_client.PROTOCOL
        self.socket.send(hello.SerializeToString())

    def ask(self, method, request, response):
        frame = stream_pb2.Frame()
        frame.call.id, frame.call.method, frame.call.deadline_ms = 7, method, 5000
        frame.call.body = request.SerializeToString()
        for name, value in self.caller.items():
            if isinstance(value, list):
                getattr(frame.call.caller, name).extend(value)
            else:
                setattr(frame.call.caller, name, value)
        self.socket.send(frame.SerializeToString())
        while True:
            answer = stream_pb2.Frame.FromString(self.socket.recv())
            if answer.WhichOneof("kind") == "reply" and answer.reply.id == 7:
                if answer.reply.HasField("problem"):
                    return answer.reply.problem
                return response.FromString(answer.reply.body)


def asked(moment, service, method, request, response, **caller):
    person = Person(moment, service, id="u-1", **caller)
    try:
        return person.ask(method, request, response)
    finally:
        person.socket.close()


def test_roles_and_sites_decide_who_sees_what(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 60, wait=25, csat=5)
    moment.settle()
    ident = moment_id(moment, contact)

    def scores(**caller):
        return asked(moment, "feedback", "feedback.ListEvaluations", feedback_pb2.ListEvaluationsRequest(moment_id=ident),
                     feedback_pb2.ListEvaluationsResponse, **caller)

    def praised(**caller):
        return asked(moment, "recognition", "recognition.ListCandidates",
                     recognition_pb2.ListCandidatesRequest(moment_id=ident), recognition_pb2.ListCandidatesResponse, **caller)

    assert len(scores(roles=["leader"]).evaluations) == 1
    assert len(scores(roles=["coach"], sites=["main"]).evaluations) == 1
    assert len(scores(roles=["coach"], sites=["elsewhere"]).evaluations) == 0
    assert len(scores(roles=["coach"], teams=["another"]).evaluations) == 0
    assert len(scores(roles=["agent"]).evaluations) == 0
    assert len(scores(roles=["agent"], person_id="somebody").evaluations) == 0
    assert scores(roles=["operator"]).status == 403
    assert scores(roles=[]).status == 403
    assert len(praised(roles=["coach"], sites=["main"]).candidates) == 1
    assert len(praised(roles=["leader"], sites=["elsewhere"]).candidates) == 0
    assert len(praised(roles=["agent"], person_id="somebody").candidates) == 0
    assert praised(roles=["operator"]).status == 403


def test_agents_see_their_own(moment):
    directory = {"sites": [{"site_id": "main", "name": "Main", "time_zone": "UTC"}],
                 "people": [{"person_id": "p-zoe", "name": "Zoe", "site_id": "main", "role": "agent",
                             "agent_ids": [{"agent": "Zoe Z"}]}]}
    path = os.path.join(moment.dir, "directory.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(directory, f)
    moment.ctl("directory", "import", path)
    contact = new_contact()
    call(moment, contact, time.time() - 60, agent="Zoe Z", csat=5)
    moment.settle()
    request = recognition_pb2.ListCandidatesRequest(moment_id=moment_id(moment, contact))
    own = asked(moment, "recognition", "recognition.ListCandidates", request, recognition_pb2.ListCandidatesResponse,
                roles=["agent"], person_id="p-zoe")
    assert [c.person_id for c in own.candidates] == ["p-zoe"]


def test_a_standard_is_published_by_leaders_and_operators_only(moment):
    request = feedback_pb2.PublishStandardRequest()
    request.standard.standard_id = "x"
    for roles, status in ((["agent"], 403), (["coach"], 403), (["leader"], 422)):
        problem = asked(moment, "feedback", "feedback.PublishStandard", request, feedback_pb2.PublishStandardResponse,
                        roles=roles)
        assert problem.status == status
    assert problem.field == "standard"  # a leader signs a draft; only operators bring a whole one


def test_a_field_that_nobody_knows_is_refused(moment):
    request = feedback_pb2.PublishStandardRequest()
    request.standard.ParseFromString(bytes([0xFA, 0x07, 0x01, 0x41]))  # field 127
    problem = asked(moment, "feedback", "feedback.PublishStandard", request, feedback_pb2.PublishStandardResponse,
                    roles=["operator"])
    assert (problem.status, problem.type) == (422, "unknown-field")


# --- and again ------------------------------------------------------------------------------------

def test_a_record_that_comes_again_from_quarantine_has_no_effect(moment):
    contact = new_contact()
    call(moment, contact, time.time() - 60)
    moment.settle()
    before = evaluations(moment, contact)
    moment.change("insert into feedback.quarantine (consumer, producer, shard, seq, epoch, site, key, type, record_at, body, sqlstate,"
        " error) select 'feedback', 'ingest', shard, seq, epoch, site, key, type, at, body, '', 'test' from ingest.stream"
        " where key = %s order by seq limit 1", moment_id(moment, contact))
    ident = moment.sql("select max(id) from feedback.quarantine")[0][0]
    moment.ctl("quarantine", "redrive", "feedback", str(ident))
    moment.settle()
    assert evaluations(moment, contact) == before
    assert moment.sql("select is_open from feedback.moment where moment_id = %s", moment_id(moment, contact)) == [(False,)]


def test_nothing_was_quarantined_and_both_drain(moment):
    assert moment.sql("select count(*) from feedback.quarantine where settled_at is null") == [(0,)]
    assert moment.sql("select count(*) from recognition.quarantine") == [(0,)]
    for name in ("feedback", "recognition"):
        assert moment.stop(name) == 0
        moment.start(name)
    assert moment.ctl("verify", check=False).returncode == 0
