"""Evaluations by people, over HTTP: a draft is its evaluator's alone; released it is the agent's to acknowledge or dispute,
and somebody else's to decide."""
import itertools
import os
import time
import uuid
from datetime import datetime, timezone

import pytest

from installation import ROOT, Installation, wait_for

NUMBERS = itertools.count(1)
DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,main,Main,,,,,,Europe/Paris,\"Mon-Fri 08:00-18:00\",\n"
             "team,red,Red,main,,,,,,,\n"
             "person,p-cora,Cora,main,red,coach,,cora,,,\n"
             "person,p-ann,Ann,main,red,agent,p-cora,ann,,,\n"
             "person,p-bob,Bob,main,red,agent,p-cora,bob,,,\n")
ANSWERS = {"greeting": "no", "listens": "3", "tone": "polite", "honest": "yes", "outcome": "settled"}
COMMENTS = {"greeting": "No name was said."}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")
        path = os.path.join(m.dir, "directory.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        m.ctl("directory", "import", path)
        m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-sales.json"))
        m.lea = m.new_user("lea", "--role", "leader", "--name", "Lea")
        m.cora = m.new_user("cora", "--role", "coach", "--name", "Cora", "--site", "main", "--person", "p-cora")
        m.cleo = m.new_user("cleo", "--role", "coach", "--name", "Cleo", "--site", "main")
        m.nils = m.new_user("nils", "--role", "coach", "--name", "Nils", "--site", "north")
        m.ann = m.new_user("ann", "--role", "agent", "--name", "Ann", "--person", "p-ann")
        m.bob = m.new_user("bob", "--role", "agent", "--name", "Bob", "--person", "p-bob")
        wait_for("the directory", lambda: m.sql("select count(*) from feedback.person")[0][0] == 3)
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tell(moment, contact, kind, at, **data):
    status, answer = moment.post(
        {"specversion": "1.0", "id": "e-%d" % next(NUMBERS), "source": "/t", "type": "x." + kind, "time": stamp(at),
         "data": {"contact_id": contact, **data}}, token=moment.crm["token"])
    assert status == 202, answer


def call_of(moment, agent="ann", wait=30):
    """A call that is over: contact and moment_id once feedback has evaluated it. The wait is too long unless it is said."""
    contact, at = "ev-%d" % next(NUMBERS), time.time() - 600
    tell(moment, contact, "contact.queued", at, queue="sales")
    tell(moment, contact, "contact.answered", at + wait, queue="sales", agent=agent)
    tell(moment, contact, "contact.ended", at + wait + 60)
    rows = wait_for("the moment", lambda: moment.sql("select moment_id::text from ingest.moment where contact_id = %s", contact))
    wait_for("its evaluation", lambda: moment.sql("select 1 from feedback.evaluation where moment_id = %s", rows[0][0]))
    return contact, rows[0][0]


def answers_of(answers, comments=None):
    return [{"criterion_id": c, "answer": a, "comment": (comments or {}).get(c, "")} for c, a in answers.items()]


def ask(moment, who, method, path, body=None, expect=200, **headers):
    status, answer, _ = moment.ask(who, method, "/api/v1/" + path, body, **headers)
    assert status == expect, (method, path, status, answer)
    return answer


def save(moment, who, moment_id, answers=None, revision=0, expect=200, **more):
    headers = {"If_Match": '"%d"' % revision} if revision else {}
    return ask(moment, who, "PUT", "moments/%s/evaluation" % moment_id,
               {"answers": answers_of(ANSWERS if answers is None else answers, COMMENTS), **more}, expect, **headers)


def release(moment, who, draft, expect=200):
    return ask(moment, who, "POST", "evaluations/%s/release" % draft["evaluation_id"], {}, expect,
               If_Match='"%d"' % draft["revision"])


def released(moment, agent="ann", **more):
    _, moment_id = call_of(moment, agent, **more)
    return release(moment, moment.cora, save(moment, moment.cora, moment_id)["evaluation"])["evaluation"]


def get(moment, who, evaluation, expect=200):
    answer = ask(moment, who, "GET", "evaluations/" + evaluation["evaluation_id"], expect=expect)
    return answer.get("evaluation", answer)


def listed(moment, who, query):
    return ask(moment, who, "GET", "evaluations?" + query)["items"]


def result(evaluation, criterion_id):
    return next(r for r in evaluation["results"] if r["criterion_id"] == criterion_id)


def dispute(moment, who, evaluation, criterion_id="greeting", answer="yes", reason="I said my name at 0:03.", expect=200):
    return ask(moment, who, "POST", "evaluations/%s/disputes" % evaluation["evaluation_id"],
               {"criterion_id": criterion_id, "proposed_answer": answer, "reason": reason}, expect)


def decide(moment, who, evaluation, accept=True, reason="Heard it again: she did.", number=-1, expect=200):
    return ask(moment, who, "POST", "evaluations/%s/disputes/%s/decide"
               % (evaluation["evaluation_id"], evaluation["disputes"][number]["dispute_id"]),
               {"accept": accept, "reason": reason}, expect)


# --- drafts -----------------------------------------------------------------------------------------

def test_a_draft_is_its_evaluators_alone(moment):
    _, moment_id = call_of(moment)
    saved = save(moment, moment.cora, moment_id, {"greeting": "yes"})
    draft = saved["evaluation"]
    assert (draft["state"], draft["revision"], draft["evaluator_name"]) == ("draft", 1, "Cora")
    assert saved["standard"]["standard_id"] == "sales-call"
    assert [o["field"] for o in saved["objections"]] == ["answers.%s.answer" % c for c in ("listens", "tone", "honest", "outcome")]
    assert get(moment, moment.cora, draft)["state"] == "draft"
    for other in (moment.ann, moment.bob, moment.cleo, moment.lea, moment.nils):
        get(moment, other, draft, expect=404)
        assert draft["evaluation_id"] not in [e["evaluation_id"] for e in listed(moment, other, "limit=200")]
    for other in (moment.cleo, moment.lea):
        release(moment, other, draft, expect=404)
    assert draft["evaluation_id"] in [e["evaluation_id"] for e in listed(moment, moment.cora, "mine=true&moment_id=" + moment_id)]
    assert moment.sql("select 1 from feedback.evaluation where evaluation_id = %s", draft["evaluation_id"]) == []
    ask(moment, moment.ann, "PUT", "moments/%s/evaluation" % moment_id, {"answers": []}, expect=403)
    save(moment, moment.nils, moment_id, expect=404)


def test_saving_again_needs_what_was_seen_last(moment):
    _, moment_id = call_of(moment)
    save(moment, moment.cora, moment_id, {"greeting": "yes"})
    save(moment, moment.cora, moment_id, {"greeting": "no"}, expect=428)
    assert save(moment, moment.cora, moment_id, {"greeting": "no"}, 1)["evaluation"]["revision"] == 2
    stale = save(moment, moment.cora, moment_id, {"greeting": "yes"}, 1, expect=412)
    assert stale["type"].endswith("stale")
    draft = listed(moment, moment.cora, "mine=true&moment_id=" + moment_id)[0]
    assert result(draft, "greeting")["answer"] == "no"
    assert result(draft, "greeting")["comment"] == "No name was said."


def test_what_cannot_be_answered_is_refused_by_its_place(moment):
    _, moment_id = call_of(moment)
    for answers, field in (({"nothing": "yes"}, "answers[0].criterion_id"), ({"greeting": "perhaps"}, "answers[0].answer"),
                           ({"wait": "met"}, "answers[0].criterion_id")):
        assert save(moment, moment.cora, moment_id, answers, expect=422)["field"] == field
    assert save(moment, moment.cora, moment_id, {}, comment="x" * 2001, expect=422)["field"] == "comment"
    assert save(moment, moment.cora, str(uuid.uuid4()), expect=404)["status"] == 404


def test_a_discarded_draft_is_gone_and_may_be_begun_again(moment):
    _, moment_id = call_of(moment)
    draft = save(moment, moment.cora, moment_id)["evaluation"]
    path, key = "evaluations/" + draft["evaluation_id"], str(uuid.uuid4())
    status, _, _ = moment.ask(moment.cora, "DELETE", "/api/v1/" + path, None, If_Match='"9"')
    assert status == 412
    for _ in range(2):  # the same command again has the same answer
        status, _, _ = moment.ask(moment.cora, "DELETE", "/api/v1/" + path, None, If_Match='"1"', Idempotency_Key=key)
        assert status in (200, 204)
    get(moment, moment.cora, draft, expect=404)
    assert save(moment, moment.cora, moment_id)["evaluation"]["revision"] == 1


def test_nobody_evaluates_their_own_moment(moment):
    _, moment_id = call_of(moment, "cora")
    assert save(moment, moment.cora, moment_id, expect=409)["type"].endswith("own-moment")


# --- released ---------------------------------------------------------------------------------------

def test_release_names_what_is_missing_and_then_the_agent_sees_it(moment):
    _, moment_id = call_of(moment)
    draft = save(moment, moment.cora, moment_id, {**ANSWERS, "outcome": ""})["evaluation"]
    assert release(moment, moment.cora, draft, expect=422)["field"] == "answers.outcome.answer"
    draft = save(moment, moment.cora, moment_id, {**ANSWERS, "tone": "cold"}, 1)["evaluation"]
    assert release(moment, moment.cora, draft, expect=422)["field"] == "answers.tone.comment"
    draft = save(moment, moment.cora, moment_id, revision=2, comment="Good call.")["evaluation"]
    done = release(moment, moment.cora, draft)["evaluation"]
    assert (done["state"], done["comment"]) == ("released", "Good call.")
    assert done["dispute_until_at"] > done["released_at"]
    assert result(done, "wait")["answer"] == "not_met"
    for who in (moment.ann, moment.cora, moment.cleo, moment.lea):
        assert get(moment, who, done)["final_score"] == done["final_score"]
    for who in (moment.bob, moment.nils):
        get(moment, who, done, expect=404)
    assert [e["evaluator_name"] for e in listed(moment, moment.ann, "by_people=true&moment_id=" + moment_id)] == ["Cora"]
    assert release(moment, moment.cora, done, expect=409)["type"].endswith("already-released")
    assert save(moment, moment.cora, moment_id, expect=409)["type"].endswith("already-evaluated")


def test_late_facts_evaluate_again_and_keep_what_people_said(moment):
    contact, moment_id = call_of(moment)
    done = release(moment, moment.cora, save(moment, moment.cora, moment_id)["evaluation"])["evaluation"]
    tell(moment, contact, "feedback.received", time.time(), instrument="csat", score=5, scale_min=1, scale_max=5)
    again = wait_for("the next revision", lambda: next((e for e in [get(moment, moment.ann, done)]
                                                        if e["revision"] > done["revision"]), None))
    assert (result(again, "satisfied")["answer"], result(again, "greeting")["answer"]) == ("met", "no")
    assert (again["state"], again["released_at"]) == ("released", done["released_at"])
    history = listed(moment, moment.ann, "history=true&by_people=true&moment_id=" + moment_id)
    assert [e["revision"] for e in history] == [again["revision"], done["revision"]]


def test_the_agent_acknowledges_once_and_nobody_else_does(moment):
    done = released(moment)
    path = "evaluations/%s/acknowledge" % done["evaluation_id"]
    ask(moment, moment.bob, "POST", path, {}, expect=404)
    ask(moment, moment.cora, "POST", path, {}, expect=403)
    answer = ask(moment, moment.ann, "POST", path, {"comment": "Thank you."})["evaluation"]
    assert (answer["state"], answer["acknowledge_comment"]) == ("acknowledged", "Thank you.")
    assert ask(moment, moment.ann, "POST", path, {}, expect=409)["type"].endswith("already-acknowledged")


# --- disputes ---------------------------------------------------------------------------------------

def test_a_dispute_is_decided_by_somebody_else_and_the_score_rises(moment):
    done = released(moment)
    dispute(moment, moment.bob, done, expect=404)
    assert dispute(moment, moment.ann, done, answer="no", expect=422)["field"] == "proposed_answer"
    assert dispute(moment, moment.ann, done, answer="maybe", expect=422)["field"] == "proposed_answer"
    assert dispute(moment, moment.ann, done, criterion_id="none", expect=422)["field"] == "criterion_id"
    assert dispute(moment, moment.ann, done, reason=" ", expect=422)["field"] == "reason"
    open_ = dispute(moment, moment.ann, done)["evaluation"]
    assert (open_["state"], open_["disputes"][0]["state"]) == ("disputed", "open")
    assert dispute(moment, moment.ann, done, expect=409)["type"].endswith("dispute-open")
    decide(moment, moment.cora, open_, expect=403)
    decide(moment, moment.ann, open_, expect=403)
    decide(moment, moment.nils, open_, expect=404)
    assert decide(moment, moment.cleo, open_, reason="Fine.", expect=422)["field"] == "reason"
    over = decide(moment, moment.cleo, open_)["evaluation"]
    assert (over["state"], over["disputes"][0]["state"], over["disputes"][0]["decided_by_name"]) == ("decided", "accepted", "Cleo")
    assert result(over, "greeting")["answer"] == "yes"
    assert over["final_score"] > done["final_score"]
    assert decide(moment, moment.cleo, over, expect=409)["type"].endswith("already-decided")
    assert moment.sql("select count(*) from feedback.evaluation where evaluation_id = %s", done["evaluation_id"])[0][0] == 3


def test_what_was_declined_stays_and_is_not_disputed_again(moment):
    done = released(moment)
    over = decide(moment, moment.lea, dispute(moment, moment.ann, done)["evaluation"], accept=False)["evaluation"]
    assert (over["state"], over["final_score"], result(over, "greeting")["answer"]) == ("decided", done["final_score"], "no")
    assert dispute(moment, moment.ann, done, expect=409)["type"].endswith("already-decided")


def test_a_decision_about_what_was_measured_outlives_later_facts(moment):
    contact, moment_id = call_of(moment)
    own = listed(moment, moment.ann, "moment_id=" + moment_id)[0]
    assert (own["evaluator"], own["state"], result(own, "wait")["answer"]) == ("moment", "released", "not_met")
    over = decide(moment, moment.cora, dispute(moment, moment.ann, own, "wait", "met")["evaluation"])["evaluation"]
    assert (result(over, "wait")["answer"], result(over, "wait")["actual"]) == ("met", 30000)
    assert over["final_score"] > own["final_score"]
    tell(moment, contact, "feedback.received", time.time(), instrument="csat", score=5, scale_min=1, scale_max=5)
    again = wait_for("the next revision", lambda: next((e for e in [get(moment, moment.ann, own)]
                                                        if e["revision"] > over["revision"]), None))
    assert (result(again, "wait")["answer"], again["disputes"][0]["state"]) == ("met", "accepted")
    assert again["final_score"] >= over["final_score"]


def restart(moment, env=None):
    moment.kill("feedback")
    moment.start("feedback", env=env)
    wait_for("feedback to be asked again", lambda: moment.ask(moment.lea, "GET", "/api/v1/evaluations?limit=1")[0] == 200)


def test_steps_survive_a_kill_between_them(moment):
    _, moment_id = call_of(moment)

    def again():
        restart(moment)
    draft = save(moment, moment.cora, moment_id)["evaluation"]
    again()
    assert get(moment, moment.cora, draft)["revision"] == 1
    done = release(moment, moment.cora, draft)["evaluation"]
    again()
    open_ = dispute(moment, moment.ann, done)["evaluation"]
    again()
    over = decide(moment, moment.cleo, open_)["evaluation"]
    again()
    assert get(moment, moment.ann, done) == over
    records = moment.sql("select count(*) from feedback.stream where key = %s and type = 'EvaluationMade'", moment_id)[0][0]
    assert records == 1 + 3  # the service's own, and three steps of the person's


def test_the_window_ends(moment):
    restart(moment, env={"MOMENT_DISPUTE_WORKING_DAYS": "0"})
    done = released(moment)
    assert done["dispute_until_at"] == done["released_at"]
    assert dispute(moment, moment.ann, done, expect=409)["type"].endswith("dispute-window-over")
