"""The pages on which people speak to each other: a moment's evaluation and notes, an agent's day, the wall, a coach's
queue, coaching, samples and calibrations; each as a new user of its role would try it, three of them signed in at once."""
import os
import time
import uuid
from datetime import datetime, timezone

import pytest

from browser import WEB, Screen
from installation import ROOT, Installation, wait_for

PASSWORD = "a long enough password"
PEOPLE = {"lea": ("Lea Leader", "leader", "lena"), "cora": ("Cora Coach", "coach", "carla"), "owen": ("Owen Price", "coach", "owen"),
          "alice": ("Alice Moreno", "agent", "alice"), "bob": ("Bob Okafor", "agent", "bob")}
ANSWERS = {"greeting": "no", "listens": "4", "tone": "polite", "honest": "yes", "outcome": "open"}
PRAISE = "You stayed calm while she shouted, and she thanked you in the end."


class House:
    """A running Moment with people of each role and two standards; calls come as events."""

    def __init__(self, moment):
        self.moment = moment
        self.address = "http://127.0.0.1:%d" % moment.http["reporting"]
        moment.ctl("directory", "import", os.path.join(ROOT, "deploy/examples/directory.csv"))
        for login, (name, role, person) in PEOPLE.items():
            moment.ctl("user", "add", login, "--name", name, "--role", role, "--person", person, env={"MOMENT_PASSWORD": PASSWORD})
        for name in ("sales", "support"):
            moment.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-%s.json" % name))
        self.token = moment.add_events_source("crm")["token"]

    def call(self, agent, queue="sales", ago=300):
        """A call that is over: its moment_id, once everybody knows of it."""
        contact, started, events = str(uuid.uuid4()), time.time() - ago, []

        def event(kind, after, **data):
            at = datetime.fromtimestamp(started + after, timezone.utc).isoformat(timespec="milliseconds")
            events.append({"specversion": "1.0", "id": str(uuid.uuid4()), "source": "crm", "type": kind, "time": at,
                           "data": {"contact_id": contact, **data}})
        event("contact.started", 0, channel="voice", direction="inbound")
        event("contact.queued", 1, queue=queue)
        event("contact.answered", 6, agent=agent, queue=queue)
        event("contact.updated", 20, customer_signal="wants to cancel")
        event("contact.ended", 96, ended_by="customer")
        status, answer = self.moment.post(events, "application/cloudevents-batch+json", self.token)
        assert status in (200, 202), answer

        def known():
            found = [m for m in self.moment.api("/api/v1/moments?limit=50")["items"] if m["source_contact_id"] == contact]
            return found and self.moment.api("/api/v1/evaluations?moment_id=" + found[0]["moment_id"])["items"] and found[0]["moment_id"]
        return wait_for("the moment and its evaluation", known)


@pytest.fixture(scope="module")
def house():
    with Installation(env={"MOMENT_WEB_ROOT": WEB}) as moment:
        moment.start()
        yield House(moment)


@pytest.fixture()
def enter(house):
    """Opens a screen of its own for somebody."""
    screens = []

    def open_for(login):
        screen = Screen(house.address)
        screens.append(screen)
        screen.sign_in(login, PASSWORD)
        screen.see("[data-testid=me]", PEOPLE[login][0])
        return screen

    yield open_for
    for screen in screens:
        screen.__exit__()


def look(screen, name):
    """No violation in either theme, nothing wider than a telephone; pictures of all three."""
    for theme in ("light", "dark"):
        screen.theme(theme)
        assert screen.violations() == [], (name, theme)
        screen.keep("%s-%s" % (name, theme))
    screen.resize(360, 760)
    assert screen.overflow() <= 0, name
    screen.keep(name + "-narrow")
    screen.resize(1440, 1000)
    screen.theme("light")


def answer(screen, answers):
    for criterion, value in answers.items():
        screen.click("[data-criterion='%s'] input[value='%s']" % (criterion, value))


def evaluate(screen, moment_id):
    screen.open("/moments/" + moment_id)
    screen.click("[data-testid=evaluate]")
    answer(screen, ANSWERS)
    answer(screen, {"next-step": "yes"})
    screen.see("[data-criterion=greeting] textarea").send_keys("Did not say the name.")
    screen.see("[data-testid=complete]")
    screen.click("[data-testid=release]")
    screen.see("[data-testid=evaluation][data-evaluator=person]")


def test_a_coach_evaluates_and_the_agent_sees_nothing_before_it_is_released(house, enter):
    moment_id = house.call("Alice Moreno")
    cora, alice = enter("cora"), enter("alice")
    cora.open("/moments/" + moment_id)
    cora.see(".facts", "wants to cancel")
    cora.click("[data-testid=evaluate]")
    cora.see("[data-testid=missing]", "5 things are missing")
    assert not cora.see("[data-testid=release]").is_enabled()
    assert cora.count("[data-criterion=next-step].answer") == 0
    answer(cora, ANSWERS)
    # Only now is it asked.
    cora.see("[data-criterion=next-step].answer")
    answer(cora, {"next-step": "no"})
    cora.see("[data-testid=missing]", "1 thing is missing")
    low = cora.text("[data-testid=running-score]")
    answer(cora, {"next-step": "yes"})
    assert cora.text("[data-testid=running-score]") > low
    cora.see("[data-criterion=greeting] textarea").send_keys("Did not say the name.")
    cora.see("[data-testid=saving]", "Saved")
    look(cora, "evaluating")

    # Whoever comes back finds what was saved; nobody else finds anything.
    cora.open("/moments/" + moment_id)
    wait_for("the answers", lambda: cora.see("[data-criterion=listens] input[value='4']").is_selected())
    alice.open("/moments/" + moment_id)
    alice.see("[data-testid=evaluation][data-evaluator=moment]")
    assert alice.count("[data-testid=evaluation][data-evaluator=person]") == 0

    score = cora.text("[data-testid=running-score]").split()[-1]
    cora.click("[data-testid=release]")
    cora.see("[data-testid=evaluation][data-evaluator=person] [data-testid=final-score]", score)
    alice.see("[data-testid=evaluation][data-evaluator=person]", "Did not say the name.")
    look(cora, "moment-evaluated")


def test_a_note_shows_at_once_on_the_agents_day_and_its_answer_at_once_on_the_moment(house, enter):
    moment_id = house.call("Alice Moreno")
    cora, alice, bob = enter("cora"), enter("alice"), enter("bob")
    alice.see("h1", "My day")
    cora.open("/moments/" + moment_id)
    cora.click("[data-testid=give-note]")
    cora.see("[data-testid=who-sees]", "everybody")
    cora.click("[data-testid=note-form] input[value=improvement]")
    cora.see("[data-testid=who-sees]", "their coaches and you")
    cora.see("[data-testid=note-form] input[name=from_ms]").send_keys("0:75")
    cora.see("[data-testid=note-form] .objection", "1:30")
    field = cora.see("[data-testid=note-form] input[name=from_ms]")
    field.clear()
    field.send_keys("0:05")
    cora.see("[data-testid=note-form] input[name=to_ms]").send_keys("0:20")
    cora.see("[data-testid=note-form] textarea[name=text]").send_keys("Say your name first: the caller asked twice.")
    look(cora, "moment-note")
    cora.click("[data-testid=note-form] button[type=submit]")
    cora.see("[data-testid=note]", "from 5 s to 20 s")
    alice.see("[data-testid=my-feedback] [data-testid=note]", "the caller asked twice")
    look(alice, "my-day")
    alice.see("[data-testid=acknowledge-note] textarea").send_keys("I will.")
    alice.click("[data-testid=acknowledge-note] button[type=submit]")
    cora.see("[data-testid=note] blockquote", "I will.")
    cora.see("[data-testid=note-acknowledged]")
    bob.open("/moments/" + moment_id)
    bob.see("h1", "There is no such moment")


def test_an_agent_disputes_somebody_else_decides_and_the_score_rises(house, enter):
    moment_id = house.call("Alice Moreno")
    cora, alice, lea = enter("cora"), enter("alice"), enter("lea")
    evaluate(cora, moment_id)
    alice.see("[data-testid=my-evaluation] summary")
    alice.open("/moments/" + moment_id)
    person = "[data-testid=evaluation][data-evaluator=person] "
    before = int(alice.text(person + "[data-testid=final-score]"))
    alice.see(person + "[data-testid=dispute-until]")
    alice.click(person + "[data-criterion=greeting] [data-testid=dispute]")
    alice.see("[data-testid=dispute-form] textarea").send_keys("I said it at second 4.")
    look(alice, "disputing")
    alice.click("[data-testid=dispute-form] button[type=submit]")
    alice.see("[data-testid=dispute][data-state=open]", "I said it at second 4.")
    cora.see("[data-testid=dispute]", "somebody else decides")
    assert cora.count("[data-testid=decide-form]") == 0
    lea.open("/queue")
    lea.click("[data-testid=queue-dispute] a")
    lea.see("[data-testid=decide-form] input[value=yes]").click()
    lea.see("[data-testid=decide-form] textarea").send_keys("Too short")
    assert not lea.see("[data-testid=decide-form] button[type=submit]").is_enabled()
    look(lea, "deciding")
    lea.see("[data-testid=decide-form] textarea").send_keys(": the recording has it.")
    lea.click("[data-testid=decide-form] button[type=submit]")
    alice.see("[data-testid=dispute][data-state=accepted]", "the recording has it")
    wait_for("the score to rise", lambda: int(alice.text(person + "[data-testid=final-score]")) > before)
    alice.see("[data-testid=acknowledge-evaluation] textarea").send_keys("Thank you.")
    alice.click("[data-testid=acknowledge-evaluation] button[type=submit]")
    cora.see(person, "Thank you.")


def test_praise_goes_on_the_wall_the_praised_tells_and_peers_react(house, enter):
    moment_id = house.call("Alice Moreno")
    lea, alice, bob = enter("lea"), enter("alice"), enter("bob")
    bob.open("/wall")
    bob.see(".empty", "Nothing on the wall yet")
    look(bob, "wall-empty")
    lea.open("/moments/%s?note=praise" % moment_id)
    lea.see("[data-testid=note-form] textarea[name=text]").send_keys(PRAISE)
    lea.click("[data-testid=note-form] button[type=submit]")
    post = bob.see("[data-testid=post][data-kind=praise]", PRAISE).get_attribute("data-post")
    assert "See the moment" not in bob.text("[data-post='%s']" % post)
    bob.click("[data-testid=react-applause]")
    bob.see("[data-testid=react-applause][aria-pressed=true]", "1")
    bob.click("[data-testid=comments]")
    bob.see("[data-testid=comment-form] textarea").send_keys("Well done, Alice.")
    bob.click("[data-testid=comment-form] button[type=submit]")
    bob.see("[data-testid=comment]", "Well done")
    look(bob, "wall")
    alice.see("[data-testid=my-praise] blockquote", PRAISE)
    look(alice, "my-day-story")
    alice.see("[data-testid=story-form] textarea").send_keys("I count to three, then say what I will do.")
    alice.click("[data-testid=story-form] button[type=submit]")
    bob.see("[data-testid=post][data-kind=story]", "I count to three")
    wait_for("the question to be gone", lambda: alice.count("[data-testid=story-request]") == 0)


def test_a_leader_keeps_a_journal_pins_and_withdraws(enter):
    lea, cora = enter("lea"), enter("cora")
    cora.open("/wall")
    lea.open("/wall")
    lea.click("[data-testid=write-post]")
    lea.see("[data-testid=post-form] textarea").send_keys("I listened to three calls. Two of them had called before.")
    look(lea, "wall-writing")
    lea.click("[data-testid=post-form] button[type=submit]")
    post = cora.see("[data-testid=post][data-kind=journal]", "three calls").get_attribute("data-post")
    lea.click("[data-post='%s'] [data-testid=pin]" % post)
    cora.see("[data-post='%s']" % post, "pinned")
    assert cora.count("[data-testid=withdraw]") == 0
    lea.click("[data-post='%s'] [data-testid=withdraw]" % post)
    lea.see("dialog input[name=because]").send_keys("It named a customer.")
    assert lea.violations() == []
    lea.click("dialog button[type=submit]")
    wait_for("it to be gone for all", lambda: cora.count("[data-post='%s']" % post) == 0)


def test_coaching_is_planned_held_acknowledged_and_followed_up(house, enter):
    house.call("Alice Moreno")
    cora, alice = enter("cora"), enter("alice")
    cora.open("/coaching")
    cora.see(".empty", "Plan one about a moment")
    cora.click("[data-testid=plan-coaching]")
    cora.see("dialog input[name=topic]").send_keys("Saying one's name")
    cora.see("dialog datalist option[value='Alice Moreno']")
    cora.see("dialog input[name=attendee]").send_keys("Alice Moreno")
    cora.see("dialog select[name=criterion_id] option[value='sales-call wait']")
    cora.choose("dialog select[name=criterion_id]", "sales-call wait")
    cora.click("[data-testid=moments-picker] input")
    assert cora.violations() == []
    cora.click("dialog button[type=submit]")
    cora.see("[data-testid=coaching-state]", "planned")
    alice.see("[data-testid=my-coaching] a", "Saying one's name").click()
    cora.click("[data-testid=hold]")
    cora.see("dialog textarea[name=agreement]").send_keys("Name first, then the greeting.")
    cora.see("dialog [name='actions[0].text']").send_keys("Try it on ten calls")
    assert cora.violations() == []
    cora.click("dialog button[type=submit]")
    cora.see("[data-testid=effect] svg")
    look(cora, "coaching")
    alice.see("[data-testid=acknowledge-coaching]")
    look(alice, "coaching-agent")
    alice.click("[data-testid=acknowledge-coaching] button[type=submit]")
    cora.see("[data-testid=coaching-acknowledged]")
    cora.click("[data-testid=follow-up]")
    cora.click("dialog button[type=submit]")
    cora.see("[data-testid=coaching-state]", "followed up")


def test_a_plan_draws_moments_into_the_coachs_queue(house, enter):
    moments = {house.call("Bob Okafor", "support"), house.call("Bob Okafor", "support", 200)}
    cora = enter("cora")
    cora.see("h1", "My queue")
    cora.open("/sampling")
    cora.see(".empty", "No plan yet")
    cora.click("[data-testid=add-plan]")
    cora.see("dialog input[name='plan.title']").send_keys("Everybody twice a day")
    cora.click("dialog select[name='plan.period'] option", "day")
    assert cora.violations() == []
    cora.click("dialog button[type=submit]")
    cora.see("[data-testid=plan]", "Everybody twice a day")
    look(cora, "sampling")
    cora.open("/queue")
    cora.see("[data-testid=sample]", "Bob Okafor", 60)
    look(cora, "queue")
    cora.see("[data-testid=sample] a", "Bob Okafor").click()
    cora.click("[data-testid=evaluate]")
    cora.see("[data-testid=evaluation-form]")
    assert cora.driver.current_url.split("/moments/")[1][:36] in moments


def test_a_calibration_is_blind_until_everybody_answered(house, enter):
    house.call("Alice Moreno")
    cora, owen = enter("cora"), enter("owen")
    cora.open("/calibrations")
    cora.see(".empty", "No calibration yet")
    cora.click("[data-testid=add-calibration]")
    cora.see("dialog input[name='calibration.title']").send_keys("What is polite?")
    cora.see("dialog select[name='calibration.standard_id'] option[value='sales-call/1']")
    cora.choose("dialog select[name='calibration.standard_id']", "sales-call/1")
    cora.see("dialog .choices label", "Owen Price").click()
    cora.click("[data-testid=moments-picker] input")
    assert cora.violations() == []
    cora.click("dialog button[type=submit]")
    cora.see("[data-testid=submit-form]")
    look(cora, "calibration-blind")
    whole = {"greeting": "yes", "listens": "4", "tone": "polite", "honest": "yes", "outcome": "settled"}
    answer(cora, whole)
    cora.click("[data-testid=submit-form] button[type=submit]")
    cora.see("[data-testid=toast]", "Submitted")
    owen.open("/queue")
    owen.see("[data-testid=queue-calibrations] a", "What is polite?").click()
    owen.see("[data-testid=submit-form]")
    assert owen.count("[data-testid=results]") == 0
    assert not [i for i in owen.all("[data-testid=submit-form] input[type=radio]") if i.is_selected()]
    answer(owen, {**whole, "tone": "warm"})
    owen.click("[data-testid=submit-form] button[type=submit]")
    owen.see("[data-testid=results]", "1 of 1 pairs")
    cora.see("[data-testid=agreement]", "How it sounded")
    look(owen, "calibration-results")


def test_everything_is_said_in_german_too(house, enter):
    moment_id = house.call("Alice Moreno")
    lea = enter("lea")
    lea.driver.execute_script("localStorage.setItem('language', 'de')")
    for path, title in (("/queue", "Meine Aufgaben"), ("/wall", "Wand"), ("/coaching", "Coachings"), ("/sampling", "Stichprobenpläne"),
                        ("/calibrations", "Kalibrierungen"), ("/moments/" + moment_id, "sales")):
        lea.open(path)
        lea.see("h1", title)
        assert lea.violations() == [], path
    lea.see("[data-testid=evaluate]", "Diesen Moment bewerten")
