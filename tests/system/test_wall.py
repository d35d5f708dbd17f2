"""The wall: praise from notes, the story that it asks for, journal and celebrations, reactions and comments; and
the candidate that a praise or a dismissal settles."""
import itertools
import os
import time
import uuid
from datetime import datetime, timezone

import pytest

from bus_person import BusPerson, recognition_pb2
from installation import ROOT, Installation, wait_for

NUMBERS = itertools.count(1)
DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,lyon,Lyon,,,,,,Europe/Paris,,\n"
             "team,red,Red,lyon,,,,,,,\n"
             "person,p-lea,Lea L,lyon,red,leader,,,,,\n"
             "person,p-nora,Nora N,lyon,red,agent,,nora,,,\n"
             "person,p-omar,Omar O,lyon,red,agent,,omar,,,\n")
PEOPLE = {
    "lea": ("u-lea", ["leader"], {"name": "Lea L", "sites": ["lyon"], "person_id": "p-lea"}),
    "leo": ("u-leo", ["leader"], {"name": "Leo"}),
    "far": ("u-far", ["leader"], {"name": "Far", "sites": ["pune"]}),
    "cleo": ("u-cleo", ["coach"], {"name": "Cleo", "sites": ["lyon"], "teams": ["red"]}),
    "nora": ("u-nora", ["agent"], {"name": "Nora N", "person_id": "p-nora"}),
    "omar": ("u-omar", ["agent"], {"name": "Omar O", "person_id": "p-omar"}),
    "ines": ("u-ines", ["integrator"], {"name": "Ines"}),
    "otto": ("u-otto", ["operator"], {"name": "Otto"}),
}


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start("ingest", "feedback", "recognition")
        m.crm = m.add_events_source("crm", "--site", "lyon", "--native")
        path = os.path.join(m.dir, "directory.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        m.ctl("directory", "import", path)
        m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-sales.json"))
        for name, (user_id, roles, more) in PEOPLE.items():
            setattr(m, name, BusPerson(m, "recognition", user_id, roles, **more))
            setattr(m, name + "_feedback", BusPerson(m, "feedback", user_id, roles, **more))
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def send(moment, contact, *steps):
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x." + kind,
               "time": stamp(at), "data": {"contact_id": contact, **more}} for kind, at, more in steps]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm["token"])[0] == 202


def call_of(moment, agent="nora", csat=5):
    """A call that is over, after a hard wait; its moment_id once feedback has it. csat None: nobody answered yet."""
    contact, end = "w-%d" % next(NUMBERS), time.time() - 30
    send(moment, contact, ("contact.queued", end - 120, {"queue": "sales"}),
         ("contact.answered", end - 60, {"queue": "sales", "agent": agent}), ("contact.ended", end, {}))
    if csat:
        survey(moment, contact, csat)
    moment_id = wait_for("the moment", lambda: moment.sql(
        "select f.moment_id::text from feedback.moment f join ingest.moment i using (moment_id)"
        " where i.contact_id = %s and f.ended_at is not null", contact))[0][0]
    return contact, moment_id


def survey(moment, contact, csat):
    send(moment, contact, ("feedback.received", time.time() - 10, {"instrument": "csat", "score": csat, "scale_max": 5}))


def candidates(person, **fields):
    return person.ask("ListCandidates", **fields).candidates


def candidate_of(moment, moment_id):
    return wait_for("the candidate", lambda: candidates(moment.leo, moment_id=moment_id))[0]


def praise(moment, moment_id, text=None, giver="lea", receiver="p-nora", **more):
    note = getattr(moment, giver + "_feedback").ask(
        "GiveNote", kind="NOTE_KIND_PRAISE", moment_id=moment_id, receiver=receiver,
        text=text or "You kept calm and found the way, number %d." % next(NUMBERS), **more).note
    moment.settle()
    return note


def post_of(moment, note):
    found = [p for p in moment.leo.ask("ListPosts", kind="POST_KIND_PRAISE").posts if p.note_id == note.note_id]
    return found[0] if found else None


def journal(moment, text="I listened to five calls today."):
    return moment.lea.ask("WritePost", kind="POST_KIND_JOURNAL", title="Day", text=text).post


def revisions(moment, key, kind):
    message = getattr(recognition_pb2, kind)
    return [message.FromString(bytes(body)) for body, in moment.sql(
        "select body from recognition.stream where key = %s and type = %s order by seq", key, kind)]


# --- praise, story, candidate ------------------------------------------------------------------------

def test_a_praise_note_becomes_a_post_asks_for_a_story_and_settles_the_candidate(moment):
    _, moment_id = call_of(moment)
    candidate = candidate_of(moment, moment_id)
    assert candidate.state == recognition_pb2.CANDIDATE_STATE_PROPOSED
    assert candidate.candidate_id in [c.candidate_id for c in candidates(moment.lea, open_only=True)]
    note = praise(moment, moment_id, candidate_id=candidate.candidate_id)
    post = post_of(moment, note)
    assert (post.author, post.author_name, post.about, post.about_name) == ("u-lea", "Lea L", "p-nora", "Nora N")
    assert (post.text, post.moment_id, post.site, post.team_id) == (note.text, moment_id, "lyon", "red")
    assert (post.posted_at, post.revision) == (note.given_at, 1)
    settled = candidate_of(moment, moment_id)
    assert settled.state == recognition_pb2.CANDIDATE_STATE_PRAISED
    assert (settled.decided_by, settled.note_id, settled.decided_at) == ("u-lea", note.note_id, note.given_at)
    assert candidate.candidate_id not in [c.candidate_id for c in candidates(moment.lea, open_only=True)]
    asked, = [r for r in moment.nora.ask("ListStoryRequests").requests if r.post_id == post.post_id]
    assert (asked.asked, asked.praise_text, asked.praised_by_name) == ("p-nora", note.text, "Lea L")
    assert not moment.omar.ask("ListStoryRequests").requests


def test_a_praise_happens_once_also_when_it_is_acknowledged(moment):
    _, moment_id = call_of(moment)
    note = praise(moment, moment_id)
    moment.nora_feedback.ask("AcknowledgeNote", note_id=note.note_id, answer="Thank you!")
    moment.settle()
    post = post_of(moment, note)
    assert post.revision == 1
    assert len(revisions(moment, post.post_id, "PostChanged")) == 1


def test_a_private_praise_and_an_improvement_stay_off_the_wall(moment):
    _, moment_id = call_of(moment)
    candidate_of(moment, moment_id)
    note = praise(moment, moment_id, is_private=True)
    improvement = moment.lea_feedback.ask("GiveNote", kind="NOTE_KIND_IMPROVEMENT", moment_id=moment_id,
                                          receiver="p-nora", text="Next time say what happens next.").note
    moment.settle()
    assert not post_of(moment, note) and not post_of(moment, improvement)
    assert candidate_of(moment, moment_id).state == recognition_pb2.CANDIDATE_STATE_PROPOSED


def test_praise_that_comes_before_the_candidate_settles_it_too(moment):
    contact, moment_id = call_of(moment, csat=None)
    note = praise(moment, moment_id)
    survey(moment, contact, 5)
    moment.settle()
    candidate = candidate_of(moment, moment_id)
    assert candidate.state == recognition_pb2.CANDIDATE_STATE_PRAISED
    assert candidate.note_id == note.note_id
    assert not candidates(moment.leo, open_only=True, moment_id=moment_id)


def test_the_praised_tells_the_story_once(moment):
    _, moment_id = call_of(moment)
    praised = post_of(moment, praise(moment, moment_id))
    assert moment.omar.refused("TellStory", post_id=praised.post_id, text="Not me.") == (403, "forbidden", "post_id")
    assert moment.lea.refused("TellStory", post_id=praised.post_id, text="Not me.")[0] == 403
    assert moment.nora.refused("TellStory", post_id=praised.post_id, text=" ")[::2] == (422, "text")
    story = moment.nora.ask("TellStory", post_id=praised.post_id, text="I asked what mattered most.").post
    assert (story.kind, story.author, story.about) == (recognition_pb2.POST_KIND_STORY, "u-nora", "p-nora")
    assert (story.praise_id, story.moment_id) == (praised.post_id, moment_id)
    answered = moment.omar.ask("GetPost", post_id=praised.post_id).post
    assert (answered.story_id, answered.revision) == (story.post_id, 2)
    assert praised.post_id not in [r.post_id for r in moment.nora.ask("ListStoryRequests").requests]
    assert moment.nora.refused("TellStory", post_id=praised.post_id, text="Again.") == (409, "already-told", "post_id")
    assert moment.nora.refused("TellStory", post_id=story.post_id, text="Of a story.") == (409, "not-a-praise", "post_id")


def test_a_candidate_is_dismissed_with_a_reason_and_stays_so(moment):
    contact, moment_id = call_of(moment)
    ident = candidate_of(moment, moment_id).candidate_id
    assert moment.lea.refused("DismissCandidate", candidate_id=ident)[::2] == (422, "because")
    assert moment.far.refused("DismissCandidate", candidate_id=ident, because="No.")[0] == 404
    assert moment.nora.refused("DismissCandidate", candidate_id=ident, because="No.")[0] == 403
    assert moment.lea.refused("DismissCandidate", candidate_id=str(uuid.uuid4()), because="No.")[0] == 404
    assert moment.lea.refused("DismissCandidate", candidate_id="x", because="No.")[0] == 404
    dismissed = moment.cleo.ask("DismissCandidate", candidate_id=ident, because="A misunderstanding.").candidate
    assert dismissed.state == recognition_pb2.CANDIDATE_STATE_DISMISSED
    assert (dismissed.decided_by, dismissed.dismissed_because) == ("u-cleo", "A misunderstanding.")
    assert moment.lea.refused("DismissCandidate", candidate_id=ident, because="Again.")[:2] == (409, "candidate-settled")
    survey(moment, contact, 1)
    moment.settle()
    praise(moment, moment_id)
    assert candidate_of(moment, moment_id).state == recognition_pb2.CANDIDATE_STATE_DISMISSED
    told = [c.candidate.state for c in revisions(moment, moment_id, "CandidateChanged")]
    assert set(told[:-1]) == {recognition_pb2.CANDIDATE_STATE_PROPOSED}, "revised as facts came, until somebody decided"
    assert told[-1] == recognition_pb2.CANDIDATE_STATE_DISMISSED


# --- writing -----------------------------------------------------------------------------------------

def test_who_writes_what(moment):
    post = journal(moment)
    assert (post.kind, post.author, post.author_name) == (recognition_pb2.POST_KIND_JOURNAL, "u-lea", "Lea L")
    assert moment.cleo.refused("WritePost", kind="POST_KIND_JOURNAL", text="Mine.") == (403, "forbidden", "kind")
    party = moment.cleo.ask("WritePost", kind="POST_KIND_CELEBRATION", text="Cake!", about="p-nora",
                            about_name="Nora N", site="lyon", team_id="red").post
    assert (party.about, party.about_name, party.site, party.team_id) == ("p-nora", "Nora N", "lyon", "red")
    assert moment.nora.refused("WritePost", kind="POST_KIND_CELEBRATION", text="Me!")[0] == 403
    for kind in ("POST_KIND_PRAISE", "POST_KIND_STORY", "POST_KIND_UNSPECIFIED"):
        assert moment.lea.refused("WritePost", kind=kind, text="Made up.") == (422, "invalid-field", "kind")


@pytest.mark.parametrize("field, fields", [
    ("text", {"text": ""}), ("text", {"text": "x" * 4001}), ("text", {"text": "bell \x07"}),
    ("title", {"title": "é" * 121}), ("about_name", {"about_name": "Nobody"}), ("moment_id", {"moment_id": "m-1"}),
    ("about_name", {"about": "p-nora", "about_name": "x" * 121})])
def test_what_is_written_is_bounded(moment, field, fields):
    assert moment.lea.refused("WritePost", **{"kind": "POST_KIND_CELEBRATION", "text": "Fine.", **fields}) == (
        422, "invalid-field", field)


def test_nobody_celebrates_themselves_or_speaks_for_another_place(moment):
    assert moment.lea.refused("WritePost", kind="POST_KIND_CELEBRATION", text="Me.", about="p-lea")[:2] == (
        409, "self-praise")
    assert moment.lea.refused("WritePost", kind="POST_KIND_JOURNAL", text="There.", site="pune") == (
        403, "forbidden", "site")
    assert moment.cleo.refused("WritePost", kind="POST_KIND_CELEBRATION", text="There.", team_id="blue") == (
        403, "forbidden", "team_id")


def test_reactions_are_one_of_each_kind_and_can_be_taken_back(moment):
    post = journal(moment)

    def react(person, kind, **more):
        return [(r.user_id, r.kind) for r in person.ask("React", post_id=post.post_id, kind=kind, **more).post.reactions]
    assert react(moment.nora, "REACTION_KIND_HEART") == [("u-nora", recognition_pb2.REACTION_KIND_HEART)]
    assert len(react(moment.nora, "REACTION_KIND_HEART")) == 1
    assert len(react(moment.nora, "REACTION_KIND_THANKS")) == 2
    assert len(react(moment.omar, "REACTION_KIND_HEART")) == 3
    assert react(moment.nora, "REACTION_KIND_HEART", remove=True) == [
        ("u-nora", recognition_pb2.REACTION_KIND_THANKS), ("u-omar", recognition_pb2.REACTION_KIND_HEART)]
    assert len(react(moment.nora, "REACTION_KIND_HEART", remove=True)) == 2
    told = revisions(moment, post.post_id, "PostChanged")
    assert [len(p.post.reactions) for p in told] == [0, 1, 2, 3, 2], "what changes nothing tells nothing"
    assert [p.post.revision for p in told] == [1, 2, 3, 4, 5]
    assert moment.lea.refused("React", post_id=post.post_id, kind="REACTION_KIND_HEART") == (409, "own-post", "post_id")
    assert moment.nora.refused("React", post_id=post.post_id, kind="REACTION_KIND_UNSPECIFIED")[::2] == (422, "kind")
    assert moment.ines.refused("React", post_id=post.post_id, kind="REACTION_KIND_HEART")[0] == 403


def test_comments_are_taken_back_by_who_wrote_them(moment):
    post = journal(moment)
    first = moment.nora.ask("Comment", post_id=post.post_id, text="Well said.").post.comments[0]
    second = moment.omar.ask("Comment", post_id=post.post_id, text="Indeed.").post.comments[1]
    assert (first.author, first.author_name, second.author_name) == ("u-nora", "Nora N", "Omar O")
    for text in ("", "x" * 1001):
        assert moment.nora.refused("Comment", post_id=post.post_id, text=text)[::2] == (422, "text")
    back = {"post_id": post.post_id, "comment_id": first.comment_id}
    assert moment.omar.refused("WithdrawComment", **back) == (403, "forbidden", "comment_id")
    assert moment.lea.refused("WithdrawComment", **back)[0] == 403
    assert moment.nora.refused("WithdrawComment", post_id=post.post_id, comment_id="x")[::2] == (404, "comment_id")
    after = moment.nora.ask("WithdrawComment", **back).post
    assert [(c.withdrawn, c.text) for c in after.comments] == [(True, ""), (False, "Indeed.")]
    assert moment.nora.ask("WithdrawComment", **back).post.revision == after.revision


def test_a_command_that_is_sent_again_has_its_effect_once(moment):
    post, ident = journal(moment), str(uuid.uuid4())
    answers = [moment.nora.ask("Comment", ident, post_id=post.post_id, text="Once.").post for _ in range(2)]
    assert answers[0] == answers[1] and len(answers[0].comments) == 1


def test_what_is_withdrawn_is_in_no_list_and_its_record_stays(moment):
    post = journal(moment, "A mistake.")
    assert moment.lea.refused("WithdrawPost", post_id=post.post_id)[::2] == (422, "because")
    assert moment.nora.refused("WithdrawPost", post_id=post.post_id, because="No.") == (403, "forbidden", "post_id")
    gone = moment.leo.ask("WithdrawPost", post_id=post.post_id, because="Names a customer.").post
    assert (gone.withdrawn, gone.withdrawn_by, gone.withdrawn_because) == (True, "u-leo", "Names a customer.")
    assert post.post_id not in [p.post_id for p in moment.nora.ask("ListPosts").posts]
    assert moment.nora.refused("GetPost", post_id=post.post_id)[0] == 404
    assert moment.lea.ask("GetPost", post_id=post.post_id).post.withdrawn
    for person, rpc, fields in ((moment.nora, "React", {"kind": "REACTION_KIND_HEART"}),
                                (moment.nora, "Comment", {"text": "Still?"}),
                                (moment.lea, "PinPost", {"pinned": True}),
                                (moment.leo, "WithdrawPost", {"because": "Again."})):
        assert person.refused(rpc, post_id=post.post_id, **fields)[:2] == (409, "post-withdrawn"), rpc
    assert [p.post.text for p in revisions(moment, post.post_id, "PostChanged")] == ["A mistake."] * 2


def test_a_withdrawn_praise_asks_for_nothing_any_more(moment):
    _, moment_id = call_of(moment)
    post = post_of(moment, praise(moment, moment_id))
    moment.lea.ask("WithdrawPost", post_id=post.post_id, because="The wrong call.")
    assert post.post_id not in [r.post_id for r in moment.nora.ask("ListStoryRequests").requests]
    assert moment.nora.refused("TellStory", post_id=post.post_id, text="I did.")[:2] == (409, "post-withdrawn")


def test_five_posts_are_pinned_at_most(moment):
    posts = [journal(moment, "pin %d" % i) for i in range(6)]
    for post in posts[:5]:
        assert moment.lea.ask("PinPost", post_id=post.post_id, pinned=True).post.pinned
    assert moment.lea.refused("PinPost", post_id=posts[5].post_id, pinned=True) == (409, "too-many-pinned", "post_id")
    assert moment.cleo.refused("PinPost", post_id=posts[5].post_id, pinned=True)[0] == 403
    assert {p.post_id for p in moment.nora.ask("ListPosts", pinned=True).posts} == {p.post_id for p in posts[:5]}
    moment.leo.ask("WithdrawPost", post_id=posts[0].post_id, because="Makes room.")
    moment.lea.ask("PinPost", post_id=posts[5].post_id, pinned=True)
    assert not moment.lea.ask("PinPost", post_id=posts[1].post_id, pinned=False).post.pinned
    moment.kill("recognition")
    moment.start("recognition")
    seventh, eighth = journal(moment, "pin 6"), journal(moment, "pin 7")
    moment.lea.ask("PinPost", post_id=seventh.post_id, pinned=True)
    assert moment.lea.refused("PinPost", post_id=eighth.post_id, pinned=True)[0] == 409


def test_lists_are_paged_newest_first_and_filtered(moment):
    texts = ["page %d" % i for i in range(7)]
    for text in texts:
        moment.leo.ask("WritePost", kind="POST_KIND_CELEBRATION", text=text, about="p-omar", about_name="Omar O")
    seen, cursor = [], ""
    while True:
        page = moment.nora.ask("ListPosts", about="p-omar", kind="POST_KIND_CELEBRATION", author="u-leo", limit=3, cursor=cursor)
        seen += [p.text for p in page.posts]
        cursor = page.next
        if not cursor:
            break
    assert seen == texts[::-1]
    assert not moment.nora.ask("ListPosts", about="p-omar", kind="POST_KIND_JOURNAL").posts
    assert moment.nora.refused("ListPosts", limit=501)[::2] == (422, "limit")
    assert moment.nora.refused("ListPosts", cursor="x")[::2] == (422, "cursor")
    assert moment.ines.ask("ListPosts").posts
    assert moment.otto.refused("ListPosts")[0] == 403
    assert moment.nora.refused("GetPost", post_id="x")[0] == 404
    assert moment.nora.refused("GetPost", post_id=str(uuid.uuid4()))[0] == 404


def test_kill_9_of_each_service_changes_nothing(moment):
    contact, moment_id = call_of(moment, csat=None)
    survey(moment, contact, 5)
    for name in ("ingest", "feedback", "recognition"):
        moment.kill(name)
    moment.start("ingest", "feedback", "recognition")
    moment.settle()
    candidate = candidate_of(moment, moment_id)
    moment.kill("recognition")
    note = moment.lea_feedback.ask("GiveNote", kind="NOTE_KIND_PRAISE", moment_id=moment_id, receiver="p-nora",
                                   candidate_id=candidate.candidate_id, text="Said while nobody listened, and heard.").note
    moment.kill("feedback")
    moment.start("feedback", "recognition")
    moment.settle()
    post = post_of(moment, note)
    assert post and candidate_of(moment, moment_id).note_id == note.note_id
    moment.nora.ask("TellStory", post_id=post.post_id, text="I let them finish.")
    moment.kill("recognition")
    moment.start("recognition")
    assert moment.leo.ask("GetPost", post_id=post.post_id).post.story_id
    assert moment.sql("select count(*) from recognition.quarantine")[0][0] == 0
