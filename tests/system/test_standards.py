"""Standards: drafted by anybody who looks after the sites, signed by a leader, tried out, rolled out,
taken back, retired; what was published never changes."""
import itertools
import json
import os
import time
from datetime import datetime, timezone

import pytest

import native_client
from installation import ROOT, Installation, wait_for

(feedback_pb2,) = native_client.protocol("feedback")
NUMBERS = itertools.count(1)
WHY = {"why": "Because customers told us so.", "example": "She asked twice, and the second answer was the true one."}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.sources = {site: m.add_events_source("crm-" + site, "--site", site)["token"] for site in ("lyon", "pune")}
        m.lea = m.new_user("lea", "--role", "leader", "--name", "Lea Larsson")
        m.leo = m.new_user("leo", "--role", "leader", "--name", "Leo Lyon", "--site", "lyon")
        m.tea = m.new_user("tea", "--role", "leader", "--name", "Tea Team", "--team", "red")
        m.cleo = m.new_user("cleo", "--role", "coach", "--name", "Cleo Coach")
        m.ada = m.new_user("ada", "--role", "agent", "--name", "Ada Agent", "--person", "p-ada")
        m.ian = m.new_user("ian", "--role", "integrator", "--name", "Ian I")
        yield m


def criterion(**changes):
    return {"criterion_id": "wait", "section": "speed", "title": "Short wait", "kind": "measured", "weight": 100,
            "metric": "wait_ms", "comparison": "at_most", "value": 20000, **changes}


ASKED = {"criterion_id": "greeting", "section": "word", "title": "Says hello", "kind": "observed", "weight": 100,
         "scale": "yes_no", "fatal": "whole", "comment_below": 100, "example_good": "Good morning", "example_bad": "Yes?"}


def content(queue, **changes):
    return {"title": "About " + queue, "scope": {"queues": [queue]}, "criteria": [criterion(), ASKED], **changes}


def draft(moment, who, name, standard, revision=None, expect=200):
    headers = {"If_Match": '"%d"' % revision} if revision else {}
    status, answer, sent = moment.ask(who, "PUT", "/api/v1/standards/%s/draft" % name, {"standard": standard}, **headers)
    assert status == expect, (status, answer)
    if status == 200:
        assert sent["ETag"] == '"%d"' % answer["standard"]["revision"]
    return answer


def do(moment, who, name, what, body, revision=None, expect=200):
    headers = {"If_Match": '"%d"' % revision} if revision else {}
    status, answer, _ = moment.ask(who, "POST", "/api/v1/standards/%s/%s" % (name, what), body, **headers)
    assert status == expect, (status, answer)
    return answer["standard"] if status == 200 else answer


def publish(moment, name, standard, who=None, **more):
    """Drafts and publishes as the leader without limits."""
    who = who or moment.lea
    open_drafts = listed(moment, moment.lea, name)["drafts"]
    revision = open_drafts[0]["revision"] if open_drafts else None
    saved = draft(moment, who, name, standard, revision)
    assert saved["objections"] == [], saved["objections"]
    return do(moment, who, name, "publish", {**WHY, **more}, saved["standard"]["revision"])


def listed(moment, who, name, history=False):
    status, answer, _ = moment.ask(who, "GET", "/api/v1/standards?standard_id=%s&history=%s" % (
        name, "true" if history else "false"))
    assert status == 200, answer
    return answer


def versions(moment, name, history=False, who=None):
    return [(s["version"], s["state"]) for s in listed(moment, who or moment.lea, name, history)["standards"]]


def records(moment, name):
    """Every StandardChanged of this standard, oldest first."""
    rows = moment.sql("select body from feedback.stream where type = 'StandardChanged' and key = %s order by seq", name)
    return [feedback_pb2.StandardChanged.FromString(bytes(r[0])).standard for r in rows]


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(moment, site, queue, ended=None):
    """A whole call that is over at that time; its moment_id once it is evaluated or passed over."""
    contact, end = "st-%d" % next(NUMBERS), ended or time.time()
    for kind, at, data in (("contact.queued", end - 9, {"queue": queue}),
                           ("contact.answered", end - 8, {"queue": queue, "agent": "ada"}), ("contact.ended", end, {})):
        status, answer = moment.post(
            {"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x." + kind, "time": stamp(at),
             "data": {"contact_id": contact, **data}}, token=moment.sources[site])
        assert status == 202, answer
    moment.settle()
    return contact


def used(moment, contact):
    """standard_id and version that the moment counts on now."""
    rows = moment.sql(
        "select distinct on (e.evaluation_id) e.standard_id, e.standard_version, e.withdrawn from feedback.evaluation e"
        " join ingest.moment m using (moment_id) where m.contact_id = %s order by e.evaluation_id, e.revision desc", contact)
    return [(name, version) for name, version, withdrawn in rows if not withdrawn]


def touch(moment, site, contact):
    """A late survey: the moment is evaluated again."""
    status, answer = moment.post(
        {"specversion": "1.0", "id": "late-%d" % next(NUMBERS), "source": "/t", "type": "x.feedback.received",
         "time": stamp(time.time()), "data": {"contact_id": contact, "instrument": "csat", "score": 5, "scale_min": 1,
                                              "scale_max": 5}}, token=moment.sources[site])
    assert status == 202, answer
    moment.settle()


# --- drafts ---------------------------------------------------------------------------------------

def test_a_draft_is_saved_as_it_is_and_says_what_publishing_would_refuse(moment):
    saved = draft(moment, moment.cleo, "begun", {"title": "", "criteria": [criterion(weight=60), {**ASKED, "scale": "choice"}]})
    assert saved["standard"]["state"] == "draft" and saved["standard"]["version"] == 1
    assert saved["standard"]["edited_by_name"] == "Cleo Coach" and saved["standard"]["edited_at"]
    fields = [o["field"] for o in saved["objections"]]
    assert fields[0] == "standard.title"
    assert {"standard.criteria[0].weight", "standard.criteria[1].choices", "standard.criteria[1].comment_below"} <= set(fields)
    better = draft(moment, moment.lea, "begun", content("begun"), 1)
    assert (better["standard"]["revision"], better["objections"]) == (2, [])
    assert [(r.state, r.revision) for r in records(moment, "begun")] == [(feedback_pb2.STANDARD_STATE_DRAFT, 1),
                                                                         (feedback_pb2.STANDARD_STATE_DRAFT, 2)]
    same = draft(moment, moment.lea, "begun", content("begun"), 2)
    assert same["standard"]["revision"] == 2 and len(records(moment, "begun")) == 2


def test_who_has_not_seen_the_last_save_overwrites_nothing(moment):
    draft(moment, moment.lea, "shared", content("shared"))
    assert draft(moment, moment.cleo, "shared", content("shared", title="Mine"), expect=428)["type"].endswith("revision-required")
    draft(moment, moment.lea, "shared", content("shared", title="Other"), 1)
    assert draft(moment, moment.cleo, "shared", content("shared", title="Mine"), 1, expect=412)["type"].endswith("stale")
    assert listed(moment, moment.lea, "shared")["drafts"][0]["title"] == "Other"
    assert moment.ask(moment.cleo, "DELETE", "/api/v1/standards/shared/draft")[0] == 428
    assert moment.ask(moment.cleo, "DELETE", "/api/v1/standards/shared/draft", If_Match='"2"')[0] in (200, 204)
    assert listed(moment, moment.lea, "shared")["drafts"] == []
    assert records(moment, "shared")[-1].state == feedback_pb2.STANDARD_STATE_DISCARDED
    assert moment.ask(moment.cleo, "DELETE", "/api/v1/standards/shared/draft", If_Match='"2"')[0] == 404
    draft(moment, moment.lea, "shared", content("shared"), 2, expect=412)
    assert draft(moment, moment.lea, "shared", content("shared"))["standard"]["revision"] == 3


def test_only_what_cannot_be_kept_is_refused(moment):
    for field, standard in (("standard.criteria", {"criteria": [criterion(criterion_id="c%d" % i) for i in range(131)]}),
                            ("standard.criteria[0].example_good", {"criteria": [criterion(example_good="x" * 4001)]}),
                            ("standard.standard_id", {"standard_id": "another"})):
        problem = draft(moment, moment.lea, "too-much", content("too-much", **standard), expect=422)
        assert problem["field"] == field
    problem = draft(moment, moment.lea, "bad%20name", content("bad"), expect=422)
    assert problem["field"] == "standard.standard_id"
    assert listed(moment, moment.lea, "too-much")["drafts"] == []


def test_drafts_are_shown_to_leaders_and_coaches_only(moment):
    draft(moment, moment.lea, "secret", content("secret"))
    for who, count in ((moment.lea, 1), (moment.leo, 1), (moment.cleo, 1), (moment.ada, 0), (moment.ian, 0)):
        answer = listed(moment, who, "secret")
        assert (len(answer["drafts"]), answer["standards"]) == (count, [])
    assert moment.ask(moment.ada, "PUT", "/api/v1/standards/secret/draft", {"standard": content("secret")})[0] == 403


def test_a_standard_is_edited_by_who_looks_after_all_its_sites(moment):
    lyon = content("north", scope={"queues": ["north"], "sites": ["lyon"]})
    both = content("north", scope={"queues": ["north"], "sites": ["lyon", "pune"]})
    problem = draft(moment, moment.leo, "north", both, expect=403)
    assert problem["field"] == "standard.scope.sites" and "pune" in problem["detail"]
    draft(moment, moment.leo, "north", content("north"), expect=403)
    draft(moment, moment.tea, "north", lyon, expect=403)
    draft(moment, moment.leo, "north", lyon)
    draft(moment, moment.lea, "north", both, 1)
    # Taking one's own part out of what others look after, too, is no way in.
    draft(moment, moment.leo, "north", lyon, 2, expect=403)
    do(moment, moment.leo, "north", "publish", WHY, 2, expect=403)
    assert moment.ask(moment.leo, "DELETE", "/api/v1/standards/north/draft", If_Match='"2"')[0] == 403
    do(moment, moment.lea, "north", "publish", WHY, 2)
    draft(moment, moment.leo, "north", lyon, expect=403)
    do(moment, moment.leo, "north", "retire", {"because": "I want to."}, expect=403)
    do(moment, moment.leo, "north", "roll-back", {"to_version": 1, "why": "I want to."}, expect=403)


def test_nobody_goes_back_to_what_reached_further_than_they_do(moment):
    both = content("wide", scope={"queues": ["wide"], "sites": ["lyon", "pune"]})
    publish(moment, "wide", both)
    publish(moment, "wide", content("wide", scope={"queues": ["wide"], "sites": ["lyon"]}))
    do(moment, moment.leo, "wide", "roll-back", {"to_version": 1, "why": "I want more."}, expect=403)
    assert publish(moment, "wide", content("wide", title="Ours", scope={"queues": ["wide"], "sites": ["lyon"]}),
                   moment.leo)["signed_by"] == "Leo Lyon"
    assert do(moment, moment.leo, "wide", "roll-back", {"to_version": 2, "why": "It was fine."})["version"] == 4


# --- publishing -----------------------------------------------------------------------------------

def test_a_leader_signs_and_the_version_never_changes(moment):
    saved = draft(moment, moment.cleo, "signed", content("signed", signed_by="Somebody else", version=9, published_at=stamp(5)))
    assert (saved["standard"]["signed_by"], saved["standard"]["published_at"], saved["standard"]["version"]) == (None, None, 1)
    assert moment.ask(moment.cleo, "POST", "/api/v1/standards/signed/publish", WHY, If_Match='"1"')[0] == 403
    for missing in ("why", "example"):
        problem = do(moment, moment.lea, "signed", "publish", {**WHY, missing: " "}, 1, expect=422)
        assert problem["field"] == missing
    do(moment, moment.lea, "signed", "publish", WHY, expect=428)
    do(moment, moment.lea, "signed", "publish", WHY, 2, expect=412)
    problem = do(moment, moment.lea, "signed", "publish", {**WHY, "effective_at": stamp(time.time() - 60)}, 1, expect=422)
    assert problem["field"] == "effective_at"
    first = do(moment, moment.lea, "signed", "publish", WHY, 1)
    assert (first["version"], first["state"], first["signed_by"]) == (1, "published", "Lea Larsson")
    assert first["signed_by_id"] and first["why"] == WHY["why"] and first["revision"] == saved["standard"]["revision"]
    assert listed(moment, moment.lea, "signed")["drafts"] == []
    do(moment, moment.lea, "signed", "publish", WHY, 1, expect=404)
    before = moment.sql("select body from feedback.standard where standard_id = 'signed'")
    publish(moment, "signed", content("signed", title="Another title"))
    do(moment, moment.lea, "signed", "retire", {"because": "Over."})
    assert moment.sql("select body from feedback.standard where standard_id = 'signed' and version = 1") == before
    assert versions(moment, "signed", history=True) == [(1, "retired"), (2, "retired")]


def test_what_is_not_sound_is_refused_when_published(moment):
    draft(moment, moment.lea, "unsound", content("unsound", criteria=[criterion(weight=60), ASKED]))
    problem = do(moment, moment.lea, "unsound", "publish", WHY, 1, expect=422)
    assert problem["field"] == "standard.criteria[0].weight" and "speed" in problem["detail"]
    assert versions(moment, "unsound") == []


def test_a_tie_is_told_while_drafting_and_refused_with_both_named(moment):
    publish(moment, "tied", content("tied"))
    saved = draft(moment, moment.lea, "rival", content("tied", title="A rival"))
    assert [o["field"] for o in saved["objections"]] == ["standard.scope"]
    assert "About tied" in saved["objections"][0]["detail"]
    problem = do(moment, moment.lea, "rival", "publish", WHY, 1, expect=409)
    assert "A rival" in problem["detail"] and "About tied" in problem["detail"]
    do(moment, moment.lea, "tied", "retire", {"because": "The rival is better."})
    assert do(moment, moment.lea, "rival", "publish", WHY, 1)["version"] == 1


def test_the_same_command_again_publishes_once(moment):
    draft(moment, moment.lea, "once", content("once"))
    key = {"If_Match": '"1"', "Idempotency_Key": "publish-once-1"}
    answers = [moment.ask(moment.lea, "POST", "/api/v1/standards/once/publish", WHY, **key)[:2] for _ in range(2)]
    assert answers[0] == answers[1] and answers[0][0] == 200
    assert versions(moment, "once", history=True) == [(1, "published")]


def test_operators_publish_a_whole_standard_from_a_file(moment):
    with open(os.path.join(ROOT, "deploy/examples/standard-support.json"), encoding="utf-8") as f:
        document = json.load(f)
    path = os.path.join(moment.dir, "whole.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({**document, "canary_sites": ["pune"], "copy_of_version": 7, "signed_by_id": "u", "revision": 3,
                   "retired_because": "?"}, f)
    moment.ctl("standard", "publish", path)
    moment.ctl("standard", "publish", path)
    assert versions(moment, "support-call", history=True) == [(1, "published")]
    assert "canary" in moment.ctl("standard", "list")
    shown = listed(moment, moment.ada, "support-call")["standards"][0]
    assert shown["signed_by"].startswith("Maya") and shown["signed_by_id"] is None
    assert {c["kind"] for c in shown["criteria"]} == {"measured", "observed"}
    assert (shown["canary_sites"], shown["copy_of_version"], shown["retired_because"]) == (["pune"], 0, None)


# --- trying out, rolling out, going back, retiring ------------------------------------------------

def test_a_canary_is_tried_rolled_out_taken_back_and_retired(moment):
    publish(moment, "trial", content("trial"))
    early = {site: call(moment, site, "trial") for site in ("lyon", "pune")}
    assert [used(moment, c) for c in early.values()] == [[("trial", 1)], [("trial", 1)]]

    second = publish(moment, "trial", content("trial", title="Better"), canary_sites=["lyon"])
    assert second["canary_sites"] == ["lyon"] and second["rolled_out_at"] is None
    assert versions(moment, "trial") == [(1, "published"), (2, "published")]
    tried = {site: call(moment, site, "trial") for site in ("lyon", "pune")}
    assert (used(moment, tried["lyon"]), used(moment, tried["pune"])) == ([("trial", 2)], [("trial", 1)])
    touch(moment, "lyon", early["lyon"])
    assert used(moment, early["lyon"]) == [("trial", 1)]

    do(moment, moment.lea, "trial", "roll-out", {"version": 1}, expect=409)
    do(moment, moment.lea, "trial", "roll-out", {"version": 7}, expect=404)
    rolled = do(moment, moment.lea, "trial", "roll-out", {"version": 2})
    assert rolled["rolled_out_at"] and rolled["rolled_out_by_name"] == "Lea Larsson"
    do(moment, moment.lea, "trial", "roll-out", {"version": 2}, expect=409)
    assert versions(moment, "trial") == [(2, "published")]
    assert used(moment, call(moment, "pune", "trial")) == [("trial", 2)]

    moment.kill("feedback")
    moment.start("feedback")
    assert used(moment, call(moment, "pune", "trial")) == [("trial", 2)]

    problem = do(moment, moment.lea, "trial", "roll-back", {"to_version": 1, "why": ""}, expect=422)
    assert problem["field"] == "why"
    do(moment, moment.lea, "trial", "roll-back", {"to_version": 2, "why": "No."}, expect=409)
    back = do(moment, moment.lea, "trial", "roll-back", {"to_version": 1, "why": "It was worse."})
    assert (back["version"], back["copy_of_version"], back["title"]) == (3, 1, "About trial")
    assert (back["signed_by"], back["why"], back["canary_sites"]) == ("Lea Larsson", "It was worse.", [])
    late = call(moment, "lyon", "trial")
    assert used(moment, late) == [("trial", 3)]

    problem = do(moment, moment.lea, "trial", "retire", {"because": ""}, expect=422)
    assert problem["field"] == "because"
    gone = do(moment, moment.lea, "trial", "retire", {"because": "Nobody calls there any more."})
    assert (gone["state"], gone["retired_by_name"]) == ("retired", "Lea Larsson")
    do(moment, moment.lea, "trial", "retire", {"because": "Again."}, expect=409)
    assert used(moment, call(moment, "lyon", "trial")) == []
    touch(moment, "lyon", late)
    assert used(moment, late) == [("trial", 3)]
    told = [(r.version, r.state) for r in records(moment, "trial") if r.state != feedback_pb2.STANDARD_STATE_DRAFT]
    published, retired = feedback_pb2.STANDARD_STATE_PUBLISHED, feedback_pb2.STANDARD_STATE_RETIRED
    assert told == [(1, published), (2, published), (2, published), (3, published), (3, retired)]

    moment.kill("feedback")
    moment.start("feedback")
    assert used(moment, call(moment, "lyon", "trial")) == []
    assert publish(moment, "trial", content("trial"))["version"] == 4
    assert used(moment, call(moment, "lyon", "trial")) == [("trial", 4)]


def test_a_canary_that_was_replaced_or_retired_is_not_rolled_out(moment):
    for version, more in ((1, {}), (2, {"canary_sites": ["lyon"]}), (3, {"canary_sites": ["pune"]})):
        assert publish(moment, "replaced", content("replaced", title="No. %d" % version), **more)["version"] == version
    assert versions(moment, "replaced") == [(1, "published"), (2, "published"), (3, "published")]
    assert [used(moment, call(moment, site, "replaced")) for site in ("lyon", "pune")] == [[("replaced", 2)], [("replaced", 3)]]
    do(moment, moment.lea, "replaced", "roll-out", {"version": 3})
    do(moment, moment.lea, "replaced", "roll-out", {"version": 2}, expect=409)
    assert publish(moment, "replaced", content("replaced", title="No. 4"), canary_sites=["lyon"])["version"] == 4
    do(moment, moment.lea, "replaced", "retire", {"because": "Enough."})
    do(moment, moment.lea, "replaced", "roll-out", {"version": 4}, expect=409)
    retired = [r.version for r in records(moment, "replaced") if r.state == feedback_pb2.STANDARD_STATE_RETIRED]
    assert retired == [3, 4]  # what was in force; the others had been replaced before
    publish(moment, "replaced", content("replaced"))
    do(moment, moment.lea, "replaced", "retire", {"because": "Once more."})
    because = [s["retired_because"] for s in listed(moment, moment.lea, "replaced", history=True)["standards"]]
    assert because == ["Enough."] * 4 + ["Once more."]


def test_canary_sites_are_sites_of_the_standard(moment):
    draft(moment, moment.lea, "narrow", content("narrow", scope={"queues": ["narrow"], "sites": ["lyon"]}))
    problem = do(moment, moment.lea, "narrow", "publish", {**WHY, "canary_sites": ["pune"]}, 1, expect=422)
    assert problem["field"] == "canary_sites" and "pune" in problem["detail"]


def test_what_counts_from_tomorrow_hides_nothing_today(moment):
    publish(moment, "soon", content("soon"))
    publish(moment, "soon", content("soon", title="Later"), effective_at=stamp(time.time() + 86400))
    assert versions(moment, "soon", who=moment.ada) == [(1, "published"), (2, "published")]
    assert used(moment, call(moment, "lyon", "soon")) == [("soon", 1)]
    draft(moment, moment.lea, "far", content("far"))
    problem = do(moment, moment.lea, "far", "publish", {**WHY, "effective_at": stamp(time.time() + 400 * 86400)}, 1, expect=422)
    assert problem["field"] == "effective_at"


def test_what_people_answer_does_not_count_before_they_did(moment):
    publish(moment, "half", content("half"))
    contact = call(moment, "lyon", "half")
    rows = moment.sql("select e.body from feedback.evaluation e join ingest.moment m using (moment_id) where m.contact_id = %s",
                      contact)
    evaluation = feedback_pb2.Evaluation.FromString(bytes(rows[0][0]))
    by_id = {r.criterion_id: r for r in evaluation.results}
    assert (evaluation.final_score, by_id["wait"].answer, by_id["wait"].points) == (100.0, "met", 1.0)
    greeting = by_id["greeting"]
    assert (greeting.not_applicable, greeting.not_asked, greeting.answer, greeting.fatal_failed) == (True, False, "", False)
    assert (greeting.kind, greeting.points_possible) == (feedback_pb2.CRITERION_KIND_OBSERVED, 1.0)


def test_nothing_was_quarantined(moment):
    wait_for("quiet", lambda: moment.settle() or True)
    assert moment.sql("select count(*) from feedback.quarantine") == [(0,)]
    assert moment.ctl("verify", check=False).returncode == 0
