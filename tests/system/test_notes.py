"""Notes, coaching and rhythms: what leaders and coaches say about moments, and who may see it."""
import concurrent.futures
import contextlib
import itertools
import os
import time
from datetime import datetime, timezone

import psycopg2
import pytest

from bus_person import BusPerson, feedback_pb2, ingest_pb2
from installation import ROOT, Installation, wait_for
from native_client import NativeClient

NUMBERS = itertools.count(1)
HEADER = "kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
DIRECTORY = (HEADER +
             "site,lyon,Lyon,,,,,,Europe/Paris,\"Mon-Fri 08:00-12:00,13:00-18:00\",2026-12-25 Noël\n"
             "site,pune,Pune,,,,,,Asia/Kolkata,,\n"
             "team,red,Red,lyon,,,,,,,\n"
             "team,blue,Blue,pune,,,,,,,\n"
             "person,p-cleo,Cleo C,lyon,red,coach,,,,,\n"
             "person,p-lea,Lea L,lyon,red,leader,,,,,\n"
             "person,p-nora,Nora N,lyon,red,agent,p-cleo,nora,,,\n"
             "person,p-omar,Omar O,lyon,red,agent,p-cleo,omar,,,\n"
             "person,p-ravi,Ravi R,pune,blue,agent,,ravi,,,\n")


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm", "--site", "lyon", "--native")
        path = os.path.join(m.dir, "directory.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        m.ctl("directory", "import", path)
        m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-sales.json"))

        def person(user_id, roles, **more):
            return BusPerson(m, "feedback", user_id, roles, **more)
        m.lea = person("u-lea", ["leader"], name="Lea L", sites=["lyon"], person_id="p-lea")
        m.leo = person("u-leo", ["leader"], name="Leo", sites=["lyon"])
        m.cleo = person("u-cleo", ["coach"], name="Cleo C", sites=["lyon"], teams=["red"], person_id="p-cleo")
        m.puja = person("u-puja", ["leader", "coach"], name="Puja", sites=["pune"])
        m.nora = person("u-nora", ["agent"], name="Nora N", person_id="p-nora")
        m.omar = person("u-omar", ["agent"], name="Omar O", person_id="p-omar")
        m.rest = [m.leo, m.puja, m.omar]
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- what feedback knows of the directory, and of moments that are over ----------------------------

def people(moment):
    return dict(moment.sql("select person_id, coach_id from feedback.person order by 1"))


def test_feedback_keeps_the_directory(moment):
    wait_for("the directory", lambda: len(people(moment)) == 5)
    assert people(moment)["p-nora"] == "p-cleo"
    site = ingest_pb2.Site.FromString(bytes(moment.sql("select body from feedback.site where site_id = 'lyon'")[0][0]))
    assert (site.time_zone, len(site.open_hours), site.holidays[0].date) == ("Europe/Paris", 10, "2026-12-25")
    assert moment.sql("select team_id, site_id from feedback.team order by 1") == [("blue", "pune"), ("red", "lyon")]


def test_what_changes_in_the_directory_counts_at_once(moment):
    path = os.path.join(moment.dir, "change.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(HEADER + "person,p-ravi,Ravi S,pune,blue,agent,,ravi,,,\n")
    assert plan(moment.puja, "p-ravi").attendee_name == "Ravi R"
    moment.ctl("directory", "import", path)
    wait_for("the new name", lambda: moment.sql("select name from feedback.person where person_id = 'p-ravi'")[0][0] == "Ravi S")
    assert plan(moment.puja, "p-ravi").attendee_name == "Ravi S"


def test_what_went_by_before_feedback_kept_it_is_asked_of_ingest(moment):
    before = people(moment)
    assert moment.stop("feedback") == 0
    assert moment.stop("ingest") == 0
    moment.change("truncate feedback.site, feedback.team, feedback.person")
    moment.start("feedback", wait=False)
    wait_for("a question without an answer", lambda: moment.metric("feedback", "moment_calls_asked_total") > 0)
    moment.start("ingest")
    wait_for("feedback to be ready", lambda: moment.is_ready("feedback"))
    wait_for("the directory", lambda: people(moment) == before, 30)


def call_of(moment, agent, ended_at, talk_s=60):
    """A call that is over; its moment_id once feedback has it."""
    contact = "n-%d" % next(NUMBERS)
    steps = (("queued", talk_s + 2, {"queue": "sales"}), ("answered", talk_s, {"queue": "sales", "agent": agent}), ("ended", 0, {}))
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
               "time": stamp(ended_at - before), "data": {"contact_id": contact, "channel": "voice", **more}}
              for kind, before, more in steps]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm["token"])[0] == 202
    return wait_for("the moment", lambda: moment.sql(
        "select f.moment_id::text from feedback.moment f join ingest.moment i using (moment_id)"
        " where i.contact_id = %s and f.ended_at is not null", contact))[0][0]


def test_a_moment_that_is_over_is_kept_with_its_content(moment):
    at = int(time.time()) - 60
    moment_id = call_of(moment, "nora", at)
    (body, *columns), = moment.sql("select body, extract(epoch from ended_at)::bigint, person_id, team_id, queue, channel,"
                                   " talk_ms, is_open from feedback.moment where moment_id = %s", moment_id)
    assert columns == [at, "p-nora", "red", "sales", 1, 60000, False]
    kept = ingest_pb2.Moment.FromString(bytes(body))
    assert (kept.moment_id, kept.person_id, len(kept.visits)) == (moment_id, "p-nora", 1)


# --- notes ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def moment_id(moment):
    return call_of(moment, "nora", int(time.time()) - 120)


def words():
    return "You heard what she needed, number %d." % next(NUMBERS)


def give(person, moment_id, kind="PRAISE", text=None, **more):
    return person.ask("GiveNote", kind="NOTE_KIND_" + kind, moment_id=moment_id, text=text or words(), **more).note


def readers(moment, note_id):
    """Who gets the note by its id; the list must agree."""
    found = set()
    for person in (moment.lea, moment.leo, moment.cleo, moment.puja, moment.nora, moment.omar):
        listed = [n for n in person.ask("ListNotes", limit=500).notes if n.note_id == note_id]
        reply = person.reply("GetNote", note_id=note_id)
        if reply.HasField("problem"):
            assert (reply.problem.status, listed) == (404, []), person.caller.id
        else:
            assert listed == [feedback_pb2.GetNoteResponse.FromString(reply.body).note], person.caller.id
            found.add(person.caller.id)
    return found


def test_a_note_says_who_what_and_when(moment, moment_id):
    note = give(moment.lea, moment_id, from_ms=1000, to_ms=9000)
    assert (note.giver, note.giver_name, note.giver_person_id) == ("u-lea", "Lea L", "p-lea")
    assert (note.receiver, note.receiver_name, note.site, note.team_id) == ("p-nora", "Nora N", "lyon", "red")
    assert (note.queue, note.revision, note.acknowledged_at) == ("sales", 1, 0)
    assert 0 < note.moment_ended_at < note.given_at and note.given_at / 1e6 == pytest.approx(time.time(), abs=30)
    (kind, key, body), = moment.sql("select type, key, body from feedback.stream where key = %s", note.note_id)
    assert (kind, feedback_pb2.NoteChanged.FromString(bytes(body)).note) == ("NoteChanged", note)


def test_public_praise_is_read_by_those_who_look_after_the_receiver(moment, moment_id):
    assert readers(moment, give(moment.lea, moment_id).note_id) == {"u-lea", "u-leo", "u-cleo", "u-nora"}


def test_private_praise_stays_between_the_two(moment, moment_id):
    note = give(moment.lea, moment_id, is_private=True)
    assert readers(moment, note.note_id) == {"u-lea", "u-nora"}


def test_an_improvement_is_read_by_receiver_coach_and_author(moment, moment_id):
    note = give(moment.lea, moment_id, "IMPROVEMENT", "Ask before you put her on hold.")
    assert readers(moment, note.note_id) == {"u-lea", "u-cleo", "u-nora"}


def test_what_a_note_may_not_be_is_said_with_the_field(moment, moment_id):
    def refused(person=moment.lea, **fields):
        return person.refused("GiveNote", **{"kind": "NOTE_KIND_PRAISE", "moment_id": moment_id, "text": words(), **fields})

    invalid = (422, "invalid-field")
    assert refused(text="Well done!") == (*invalid, "text")
    assert refused(kind="NOTE_KIND_UNSPECIFIED") == (*invalid, "kind")
    assert refused(kind="NOTE_KIND_IMPROVEMENT", is_private=True) == (*invalid, "is_private")
    assert refused(from_ms=5000, to_ms=62001) == (*invalid, "to_ms")  # it took 62 s
    assert refused(receiver="p-lea") == (*invalid, "receiver")  # herself
    assert refused(receiver="p-nobody") == (*invalid, "receiver")
    assert refused(receiver="p-ravi") == (*invalid, "receiver")  # at another site
    assert refused(criterion_id="kindness") == (*invalid, "criterion_id")
    assert refused(alert_id="0190163d-8694-739b-aea5-966c26f8ad91") == (*invalid, "alert_id")
    assert refused(candidate_id="x") == (*invalid, "candidate_id")
    not_there = (404, "not-found", "moment_id")
    assert refused(moment_id="0190163d-8694-739b-aea5-966c26f8ad91") == not_there
    assert refused(moment_id="m-1") == not_there
    assert refused(moment.puja) == not_there
    assert refused(moment.nora)[0] == 403


def test_praise_is_not_given_twice_in_the_same_words(moment, moment_id):
    give(moment.lea, moment_id, text="Thank you for your patience today.")
    again = {"kind": "NOTE_KIND_PRAISE", "moment_id": moment_id, "text": "THANK you -- for your patience, today"}
    assert moment.lea.refused("GiveNote", **again) == (409, "praise-repeated", "text")
    give(moment.lea, moment_id, "IMPROVEMENT", again["text"])
    give(moment.leo, moment_id, text=again["text"])


@contextlib.contextmanager
def held_up(moment, table):
    """Nothing can be written there meanwhile: commands that come now wait, and then share one transaction."""
    with contextlib.closing(psycopg2.connect(moment.postgres.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("lock table feedback.%s in share mode" % table)
        yield


def test_of_the_same_words_in_one_transaction_one_is_taken(moment, moment_id):
    def send(text):
        return moment.lea.reply("GiveNote", kind="NOTE_KIND_PRAISE", moment_id=moment_id, text=text)

    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        with held_up(moment, "note"):
            first = pool.submit(send, words())
            wait_for("the first to wait", lambda: moment.sql(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into note%%'"))
            def waiting():
                return moment.metric("feedback", "moment_stream_queued_bytes")
            text, before = "These are the same words in one transaction.", waiting()
            same = [pool.submit(send, text)]
            weight = wait_for("another one to wait", lambda: waiting() - before)
            same += [pool.submit(send, text) for _ in range(3)]
            wait_for("the others to wait", lambda: waiting() >= before + 4 * weight)
        assert first.result().problem.type == ""
        assert sorted(r.result().problem.type for r in same) == [""] + 3 * ["praise-repeated"]


def test_a_criterion_of_the_moments_standard_gets_its_title(moment, moment_id):
    body, = moment.sql("select body from feedback.evaluation where moment_id = %s", moment_id)[0]
    result = feedback_pb2.Evaluation.FromString(bytes(body)).results[0]
    note = give(moment.cleo, moment_id, "IMPROVEMENT", "The wait was long.", criterion_id=result.criterion_id)
    assert (note.criterion_id, note.criterion_title) == (result.criterion_id, result.title)


def test_only_the_receiver_acknowledges_and_once(moment, moment_id):
    note = give(moment.lea, moment_id, "IMPROVEMENT", "Ask for her name first.")
    for person in (moment.omar, BusPerson(moment, "feedback", "u-nobody", ["agent"])):
        assert person.refused("AcknowledgeNote", note_id=note.note_id) == (404, "not-found", "note_id")
    assert moment.lea.refused("AcknowledgeNote", note_id=note.note_id)[0] == 403
    assert moment.nora.refused("AcknowledgeNote", note_id=note.note_id, answer="é" * 2001) == (422, "invalid-field", "answer")
    done = moment.nora.ask("AcknowledgeNote", note_id=note.note_id.upper(), answer="I will, thank you.").note
    assert (done.note_id, done.answer, done.revision) == (note.note_id, "I will, thank you.", 2)
    assert done.acknowledged_at >= note.given_at
    assert moment.nora.refused("AcknowledgeNote", note_id=note.note_id)[:2] == (409, "already-acknowledged")
    assert moment.lea.ask("GetNote", note_id=note.note_id).note == done


def test_lists_are_filtered_and_paged(moment):
    moment_id = call_of(moment, "omar", int(time.time()) - 300)
    notes = [give(moment.cleo, moment_id, "PRAISE" if i % 2 else "IMPROVEMENT") for i in range(5)]
    moment.omar.ask("AcknowledgeNote", note_id=notes[0].note_id)

    def ids(**fields):
        return [n.note_id for n in moment.cleo.ask("ListNotes", **fields).notes]

    newest_first = [n.note_id for n in reversed(notes)]
    assert ids(moment_id=moment_id) == ids(receiver="p-omar", giver="u-cleo") == newest_first
    assert ids(moment_id=moment_id, kind="NOTE_KIND_PRAISE") == [newest_first[1], newest_first[3]]
    assert ids(moment_id=moment_id, unacknowledged=True) == newest_first[:4]
    page = moment.cleo.ask("ListNotes", moment_id=moment_id, limit=2)
    rest = moment.cleo.ask("ListNotes", moment_id=moment_id, limit=3, cursor=page.next)
    assert [n.note_id for n in (*page.notes, *rest.notes)] == newest_first and rest.next == ""
    assert moment.cleo.refused("ListNotes", moment_id="m") == (422, "invalid-field", "moment_id")


def test_the_same_command_gives_one_note_also_over_a_crash(moment, moment_id):
    text = words()
    first = moment.lea.ask("GiveNote", command_id="once", kind="NOTE_KIND_PRAISE", moment_id=moment_id, text=text)
    moment.kill("feedback")
    moment.start("feedback")
    assert moment.lea.ask("GiveNote", command_id="once", kind="NOTE_KIND_PRAISE", moment_id=moment_id, text=text) == first
    assert moment.sql("select count(*) from feedback.stream where type = 'NoteChanged' and key = %s",
                      first.note.note_id)[0][0] == 1
    acknowledged = moment.nora.ask("AcknowledgeNote", note_id=first.note.note_id).note  # read again after the restart
    assert acknowledged.text == text


# --- coaching -------------------------------------------------------------------------------------

SOON = "1795400000000000"


def plan(person, attendee="p-nora", **more):
    return person.ask("PlanCoaching", **{"attendee": attendee, "planned_at": SOON, "topic": "Waiting", **more}).session


def move(person, session, state, **more):
    return person.ask("MoveCoaching", session_id=session.session_id, state="COACHING_STATE_" + state,
                      if_revision=session.revision, **more).session


def test_a_session_is_planned_held_acknowledged_and_followed_up(moment, moment_id):
    session = plan(moment.cleo, moment_ids=[moment_id])
    assert (session.coach, session.coach_name, session.attendee_name) == ("u-cleo", "Cleo C", "Nora N")
    assert (session.site, session.team_id, session.revision, session.held_at) == ("lyon", "red", 1, 0)
    name = session.session_id
    assert moment.nora.refused("AcknowledgeCoaching", session_id=name)[:2] == (409, "coaching-not-held")
    assert moment.cleo.refused("MoveCoaching", session_id=name, state="COACHING_STATE_FOLLOWED_UP",
                               if_revision=1)[:2] == (409, "coaching-state")
    assert moment.cleo.refused("MoveCoaching", session_id=name, state="COACHING_STATE_HELD",
                               if_revision=1) == (422, "invalid-field", "agreement")
    held = move(moment.cleo, session, "HELD", agreement="Ask before holding.",
                actions=[{"text": "Listen to two calls", "due_at": SOON}, {"text": "Write the phrase down"}])
    assert held.held_at > session.created_at and len({a.action_id for a in held.actions}) == 2
    assert moment.omar.refused("AcknowledgeCoaching", session_id=name)[0] == 404
    done = moment.nora.ask("AcknowledgeCoaching", session_id=name, comment="Yes.").session
    assert (done.acknowledge_comment, done.revision) == ("Yes.", 3)
    assert moment.nora.refused("AcknowledgeCoaching", session_id=name)[:2] == (409, "already-acknowledged")
    actions = [{"action_id": a.action_id, "text": a.text, "due_at": str(a.due_at), "done_at": "1"} for a in done.actions]
    end = move(moment.cleo, done, "FOLLOWED_UP", actions=actions)
    assert [a.action_id for a in end.actions] == [a.action_id for a in held.actions]
    assert all(a.done_at == end.followed_up_at for a in end.actions)  # when it was done is not the client's to say
    assert moment.cleo.refused("EditCoaching", session_id=name, if_revision=4, session={"topic": "x"})[:2] == (409, "coaching-over")
    states = [feedback_pb2.CoachingChanged.FromString(bytes(b)).session.state for b, in moment.sql(
        "select body from feedback.stream where key = %s order by seq", name)]
    assert states == [1, 2, 2, 3]
    assert moment.cleo.ask("GetCoaching", session_id=name).session == end


def test_an_edit_says_what_it_changes_and_takes_back_the_acknowledgement_of_another_agreement(moment):
    session = move(moment.cleo, plan(moment.cleo), "HELD", agreement="Ask first.")
    name = session.session_id
    session = moment.nora.ask("AcknowledgeCoaching", session_id=name).session

    def edit(revision, **fields):
        return {"session_id": name, "if_revision": revision,
                "session": {"planned_at": SOON, "topic": "Holds", "agreement": "Ask first.", **fields}}

    assert moment.cleo.refused("EditCoaching", **edit(0))[:2] == (428, "revision-required")
    assert moment.cleo.refused("EditCoaching", **edit(2))[:2] == (412, "stale")
    assert moment.cleo.refused("EditCoaching", **edit(3, agreement="")) == (422, "invalid-field", "session.agreement")
    assert moment.cleo.refused("EditCoaching", **edit(3, attendee="p-omar")) == (422, "invalid-field", "session.attendee")
    assert moment.cleo.refused("EditCoaching", **edit(3, moment_ids=["m"])) == (422, "invalid-field", "session.moment_ids[0]")
    edited = moment.cleo.ask("EditCoaching", **edit(3)).session
    assert (edited.topic, edited.acknowledged_at, edited.revision) == ("Holds", session.acknowledged_at, 4)
    edited = moment.cleo.ask("EditCoaching", **edit(4, agreement="Ask twice.")).session
    assert (edited.agreement, edited.acknowledged_at) == ("Ask twice.", 0)


def test_a_session_is_seen_by_its_coach_its_attendee_and_coaches_there(moment):
    session = plan(moment.lea, topic="Seen by few")
    for person in (moment.lea, moment.cleo, moment.nora):
        assert person.ask("GetCoaching", session_id=session.session_id).session == session
        assert session in person.ask("ListCoaching", attendee="p-nora", state="COACHING_STATE_PLANNED").sessions
    for person in (moment.leo, moment.puja, moment.omar):
        assert person.refused("GetCoaching", session_id=session.session_id) == (404, "not-found", "session_id")
        assert session not in person.ask("ListCoaching").sessions
    for person in (moment.leo, moment.puja):
        assert person.refused("MoveCoaching", session_id=session.session_id, state="COACHING_STATE_CANCELLED", because="x",
                              if_revision=1) == (404, "not-found", "session_id")
    of_a_coach = plan(moment.lea, "p-cleo")
    assert moment.cleo.ask("GetCoaching", session_id=of_a_coach.session_id).session == of_a_coach
    assert moment.cleo.refused("MoveCoaching", session_id=of_a_coach.session_id, state="COACHING_STATE_HELD", agreement="x",
                               if_revision=1)[0] == 404  # who is coached changes nothing
    assert moment.puja.refused("PlanCoaching", attendee="p-nora", planned_at=SOON, topic="x") == (404, "not-found", "attendee")
    assert moment.cleo.refused("PlanCoaching", attendee="p-cleo", planned_at=SOON, topic="x") == (422, "invalid-field", "attendee")
    assert moment.nora.refused("PlanCoaching", attendee="p-omar", planned_at=SOON, topic="x")[0] == 403
    assert move(moment.cleo, session, "CANCELLED", because="Ill").cancelled_because == "Ill"


def test_the_effect_is_the_pass_rate_before_and_after(moment):
    now, days = int(time.time()), 86400
    results = [(-i, i % 2 == 0) for i in range(1, 5)] + [(i, True) for i in range(0, 3)]
    results += [(-400, True), (400, True)]  # too long before and after
    session = move(moment.cleo, plan(moment.cleo, "p-omar", standard_id="sales-call", criterion_id=criterion(moment)), "HELD",
                   agreement="Answer sooner.")
    moment.change("delete from feedback.criterion_result where person_id = 'p-omar'")
    for number, (day, met) in enumerate(results):
        moment.change("insert into feedback.criterion_result select gen_random_uuid(), %s, md5(%s)::uuid, 'sales-call', 'p-omar',"
                "to_timestamp(%s), to_timestamp(%s) + o * interval '1 hour', case when o = 1 then %s else not %s end"
                " from generate_series(0, 1) o", criterion(moment), str(number), now + 5 + day * days, now, met, met)
    effect = moment.cleo.ask("GetCoaching", session_id=session.session_id).effect
    assert (effect.wanted, effect.criterion_id, bool(effect.criterion_title)) == (10, criterion(moment), True)
    assert (effect.before.passed, effect.before.n, effect.after.passed, effect.after.n) == (2, 4, 3, 3)
    assert (effect.before.low, effect.before.high) == pytest.approx((0.1500, 0.8500), abs=1e-4)
    assert (effect.after.low, effect.after.high) == pytest.approx((0.4385, 1.0), abs=1e-4)
    nearest = moment.cleo.ask("GetCoaching", session_id=session.session_id, effect_moments=1).effect
    assert (nearest.before.passed, nearest.before.n) == (0, 1)
    assert list(nearest.before.moment_ids) == list(effect.before.moment_ids[:1])
    assert moment.cleo.refused("GetCoaching", session_id=session.session_id, effect_moments=101)[2] == "effect_moments"
    other = move(moment.cleo, plan(moment.cleo, "p-omar"), "HELD", agreement="Answer sooner.")
    assert not moment.cleo.ask("GetCoaching", session_id=other.session_id).HasField("effect")


def criterion(moment):
    """A measured one of the standard for sales."""
    return moment.sql("select criterion_id from feedback.criterion_result where standard_id = 'sales-call'"
                      " and person_id = 'p-nora' order by 1")[0][0]


def test_every_evaluation_leaves_the_result_of_each_criterion(moment, moment_id):
    (body,), = moment.sql("select body from feedback.evaluation where moment_id = %s", moment_id)
    evaluation = feedback_pb2.Evaluation.FromString(bytes(body))
    kept = dict(moment.sql("select criterion_id, met from feedback.criterion_result where moment_id = %s", moment_id))
    assert kept == {r.criterion_id: r.met for r in evaluation.results if r.WhichOneof("actual_known") and not r.not_applicable}
    assert kept


def test_a_late_survey_changes_results_and_a_part_of_another_moment_has_none(moment):
    at = int(time.time()) - 200
    first, second = call_of(moment, "nora", at), call_of(moment, "nora", at + 70)
    contacts = dict(moment.sql("select moment_id::text, contact_id from ingest.moment where moment_id = any(%s::uuid[])", [first, second]))

    def results(moment_id):
        return dict(moment.sql("select criterion_id, met from feedback.criterion_result where moment_id = %s", moment_id))

    before = results(first)
    assert before and before == results(second)
    assert moment.post({"specversion": "1.0", "id": "survey-1", "source": "/t", "type": "x.feedback.received", "time": stamp(at + 30),
                        "data": {"contact_id": contacts[first], "instrument": "csat", "score": 2, "scale_min": 1, "scale_max": 5}},
                       token=moment.crm["token"])[0] == 202
    added = wait_for("the survey's result", lambda: set(results(first).items()) - set(before.items()))
    assert [met for _, met in added] == [False] and len(results(first)) == len(before) + 1
    (alert_id,), = wait_for("the alert of the low survey", lambda: moment.sql(
        "select alert_id::text from feedback.alert where moment_id = %s and rule_id = 'low-survey'", first))
    assert give(moment.cleo, first, "IMPROVEMENT", "What happened here?", alert_id=alert_id).alert_id == alert_id
    with NativeClient("tcp://127.0.0.1:%d" % moment.bus["ingest"], moment.server_key(), moment.crm["public"], moment.crm["secret"]) as client:
        client.submit([{"contact_id": contacts[second], "type": "CONTACT_LINKED", "root_contact_id": contacts[first],
                        "event_id": "link-1", "occurred_at": (at + 80) * 1000000}])
    wait_for("the end of its results", lambda: results(second) == {})
    assert moment.lea.refused("GiveNote", kind="NOTE_KIND_PRAISE", moment_id=second, text=words()) == (
        409, "moment-merged", "moment_id")


# --- rhythms --------------------------------------------------------------------------------------

def declare(person, times, period="WEEK", practice="PRAISE", zone="Europe/Paris"):
    return person.ask("DeclareRhythm", practice="PRACTICE_" + practice, times=times, period="RHYTHM_PERIOD_" + period,
                      time_zone=zone).rhythm


def in_paris(moment, back_days=0):
    """Monday after today, and the Sunday before that, as PostgreSQL sees them."""
    return moment.sql("select to_char(m, 'YYYY-MM-DD'), to_char(m - 1, 'YYYY-MM-DD') from (select"
                      " (date_trunc('week', now() at time zone 'Europe/Paris') + interval '7 days')::date - %s as m) d", back_days)[0]


def test_a_rhythm_begins_on_the_next_monday_and_another_takes_its_place(moment):
    monday, sunday = in_paris(moment)
    first = declare(moment.lea, 3)
    assert (first.user_id, first.user_name, first.times, first.from_date, first.until_date, first.revision) == (
        "u-lea", "Lea L", 3, monday, "", 1)
    assert declare(moment.lea, 3) == first
    second = declare(moment.lea, 5)  # before it began: in its place
    assert (second.rhythm_id, second.times, second.revision) == (first.rhythm_id, 5, 2)
    month = declare(moment.lea, 8, "MONTH")
    assert month.from_date[8:] == "01" and month.from_date > moment.sql("select to_char(now(), 'YYYY-MM-DD')")[0][0]
    other = declare(moment.lea, 2, practice="JOURNAL")
    mine = {r.rhythm_id: r for r in moment.nora.ask("ListRhythms", user_id="u-lea").rhythms}
    if month.rhythm_id != second.rhythm_id:  # else the month begins on that Monday
        assert (mine[second.rhythm_id].until_date, mine[second.rhythm_id].revision) == (sunday, 3)
    assert mine[month.rhythm_id] == month and mine[other.rhythm_id] == other
    assert not moment.leo.ask("ListRhythms", user_id="u-leo").rhythms
    assert {r.rhythm_id for r in moment.leo.ask("ListRhythms").rhythms} >= set(mine)


def test_a_rhythm_under_way_ends_with_its_week(moment):
    running = declare(moment.cleo, 4)
    began, _ = in_paris(moment, 14)
    run_body = feedback_pb2.Rhythm()
    run_body.CopyFrom(running)
    run_body.from_date = began
    moment.stop("feedback")
    moment.change("update feedback.rhythm set from_date = %s, body = %s where rhythm_id = %s", began,
            run_body.SerializeToString(), running.rhythm_id)
    moment.start("feedback")
    monday, sunday = in_paris(moment)
    assert moment.leo.refused("EndRhythm", rhythm_id=running.rhythm_id) == (404, "not-found", "rhythm_id")
    ended = moment.cleo.ask("EndRhythm", rhythm_id=running.rhythm_id).rhythm
    assert (ended.from_date, ended.until_date) == (began, sunday)
    assert moment.cleo.refused("EndRhythm", rhythm_id=running.rhythm_id)[:2] == (409, "rhythm-ended")
    again = declare(moment.cleo, 4)
    assert again.from_date == monday
    never = moment.cleo.ask("EndRhythm", rhythm_id=again.rhythm_id).rhythm  # before it began
    assert never.until_date == sunday


def test_what_is_no_promise_is_refused(moment):
    def refused(person=moment.leo, **fields):
        return person.refused("DeclareRhythm", **{"practice": "PRACTICE_NOTE", "times": 2, "period": "RHYTHM_PERIOD_WEEK",
                                                  "time_zone": "Europe/Paris", **fields})
    assert refused(times=51) == (422, "invalid-field", "times")
    assert refused(practice="PRACTICE_UNSPECIFIED")[2] == "practice"
    assert refused(period="RHYTHM_PERIOD_UNSPECIFIED")[2] == "period"
    assert refused(time_zone="Europe/Lyon")[2] == "time_zone"
    assert refused(moment.nora)[0] == 403


# --- the same over HTTP ---------------------------------------------------------------------------

def test_the_loop_over_http(moment, moment_id):
    lea = moment.new_user("lea", "--role", "leader", "--site", "lyon", "--person", "p-lea")
    cleo = moment.new_user("cleo", "--role", "coach", "--site", "lyon", "--person", "p-cleo")
    nora = moment.new_user("nora", "--role", "agent", "--person", "p-nora")
    omar = moment.new_user("omar", "--role", "agent", "--person", "p-omar")

    wish = {"kind": "improvement", "moment_id": moment_id, "from_ms": 1000, "to_ms": 2000, "text": "Say her name."}
    status, answer, _ = moment.ask(lea, "POST", "/api/v1/notes", wish, Idempotency_Key="n-1")
    assert status == 200, answer
    note = answer["note"]
    assert moment.ask(lea, "POST", "/api/v1/notes", wish, Idempotency_Key="n-1")[1] == answer
    assert moment.ask(lea, "POST", "/api/v1/notes", {**wish, "text": ""})[1]["field"] == "text"
    assert [n["note_id"] for n in moment.ask(nora, "GET", "/api/v1/notes?unacknowledged=true")[1]["items"]].count(note["note_id"]) == 1
    path = "/api/v1/notes/" + note["note_id"]
    assert moment.ask(omar, "GET", path)[0] == 404 and moment.ask(omar, "POST", path + "/acknowledge", {})[0] == 404
    assert moment.ask(nora, "POST", path + "/acknowledge", {"answer": "I will."})[1]["note"]["answer"] == "I will."
    assert moment.ask(cleo, "GET", path)[1]["note"]["acknowledged_at"]

    status, answer, headers = moment.ask(cleo, "POST", "/api/v1/coaching", {
        "attendee": "p-nora", "planned_at": "2026-12-01T09:00:00.000Z", "topic": "Names"})
    assert (status, headers["ETag"]) == (200, '"1"'), answer
    path = "/api/v1/coaching/" + answer["session"]["session_id"]
    held = {"state": "held", "agreement": "Use the name twice.", "actions": [{"text": "Listen to a call"}]}
    assert moment.ask(cleo, "POST", path + "/move", held)[0] == 428
    status, answer, headers = moment.ask(cleo, "POST", path + "/move", held, If_Match='"1"')
    assert (status, headers["ETag"]) == (200, '"2"'), answer
    changed = {"session": {"planned_at": "2026-12-01T09:00:00.000Z", "topic": "Names", "agreement": "Use the name once."}}
    assert moment.ask(cleo, "PUT", path, changed, If_Match='"1"')[0] == 412
    assert moment.ask(cleo, "PUT", path, changed, If_Match='"2"')[1]["session"]["actions"] == []
    assert moment.ask(nora, "POST", path + "/acknowledge", {"comment": "Fine."})[1]["session"]["acknowledge_comment"] == "Fine."
    assert moment.ask(lea, "GET", path)[0] == 404 and moment.ask(nora, "GET", path)[0] == 200

    status, answer, _ = moment.ask(lea, "POST", "/api/v1/rhythms", {"practice": "praise", "times": 3, "period": "week",
                                                                    "time_zone": "Europe/Paris"})
    assert status == 200, answer
    ended = moment.ask(lea, "POST", "/api/v1/rhythms/%s/end" % answer["rhythm"]["rhythm_id"], {})[1]["rhythm"]
    assert ended["until_date"] < ended["from_date"]
    assert ended in moment.ask(nora, "GET", "/api/v1/rhythms?user_id=" + ended["user_id"])[1]["rhythms"]
