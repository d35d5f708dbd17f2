"""The leader's loop on the page: a leader, a coach, an agent signed in at once, and a fourth screen that others share.

What one of them does shows on the pages of the others without a reload; what is not theirs shows nowhere. Pictures of
each step are kept in build/screenshots/loop.
"""
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from selenium.webdriver.common.keys import Keys

from browser import WEB, Screen
from installation import Installation, wait_for
from loop import PEOPLE, Loop, nothing_private_is_visible

# Of services/feedback/main.c: so long it waits for facts that are under way before it says that a line was crossed.
ALERT_GRACE_MS = 250
WHY, EXAMPLE = "Nobody likes to be a number.", "Good morning, Mrs Ade."
NOTE, ANSWER = "Ask before you put her on hold.", "I will, and I will say why."
REASON, DECISION = "I said Mrs Ade at 0:04.", "Heard it again: she did say it."
PRAISE, STORY = "You never let her wait, and she noticed.", "I read the file before I pick up."
# Between the agent and their coaches (and, for a dispute, who decides): for no peer, and what was noted for no other leader.
NOTED, EVALUATED = (NOTE, ANSWER), (REASON, DECISION)
ALERTS_AS_THEY_SHOW = """
window.shown = {};
const look = () => { for (const row of document.querySelectorAll('[data-alert]')) window.shown[row.dataset.alert] ??= Date.now(); };
new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
"""


class Play:
    """Four screens at one running Moment."""

    def __init__(self, moment):
        self.moment, self.loop, self.steps = moment, Loop(moment), itertools.count(1)
        self.address = "http://127.0.0.1:%d" % moment.http["reporting"]
        with ThreadPoolExecutor() as at_once:
            self.lea, self.cleo, self.nora, self.fourth = at_once.map(lambda _: Screen(self.address), range(4))
        for screen, login in ((self.lea, "lea"), (self.cleo, "cleo"), (self.nora, "nora")):
            screen.open("/")
            self.enter(screen, login)

    def close(self):
        """With a picture of what everybody saw last: where it failed, that tells most."""
        for who, screen in (("leader", self.lea), ("coach", self.cleo), ("agent", self.nora), ("fourth", self.fourth)):
            screen.keep("loop/last-" + who)
            screen.__exit__()

    # --- hands ---

    def enter(self, screen, login):
        screen.sign_in_here(login, self.moment.passwords[login])
        screen.see("[data-testid=me]", PEOPLE[login][1])
        screen.see("[data-connection=open]")
        # At the door it was told that nobody is signed in.
        screen.console()
        # A reload would lose it.
        screen.driver.execute_script("window.notReloaded = true")

    @staticmethod
    def leave(screen):
        screen.click("[data-testid=me]")
        screen.click(".me-menu button", "Sign out")
        screen.see("input[name=login]")

    @staticmethod
    def walk(screen, name, heading=None):
        """To a page of the menu, as a person goes there."""
        screen.click("nav a", name)
        screen.see("h1", heading or name)

    def keep(self, name, *screens):
        number = next(self.steps)
        for who, screen in screens:
            screen.driver.execute_script("scrollTo(0, 0)")
            screen.keep("loop/%02d-%s-%s" % (number, name, who))

    # --- the leader declares ---

    def write_standard(self):
        lea = self.lea
        self.walk(lea, "Standards")
        lea.click("button", "New standard")
        lea.write("dialog input[name='standard.title']", "A sales call")
        lea.click("dialog button[type=submit]", "Begin")
        lea.see("h1", "A sales call")
        lea.choose("select[name='standard.scope.queues']", "sales")
        lea.write("input[name='section-0']", "Care")
        self.observed(0, "Uses the customer's name", 60)
        self.measured(1, "Never on hold for long", 30, "hold_ms", 1)
        self.measured(2, "Answered at once", 10, "wait_ms", 20, wow=5)
        lea.see(".section-head", "Weights: 100")
        lea.see("[data-testid=ready]")

    def observed(self, index, title, weight):
        at = "[name='standard.criteria[%d].%%s']" % index
        self.lea.click("[data-testid=criterion] summary", "New criterion")
        self.lea.write(at % "title", title)
        self.lea.write(at % "weight", str(weight))

    def measured(self, index, title, weight, metric, value, wow=None):
        lea, at = self.lea, "[name='standard.criteria[%d].%%s']" % index
        lea.click("button", "Add a criterion")
        lea.write(at % "title", title)
        # The keyboard alone: Tab goes from the title to how it is known, and on to its weight.
        lea.press(Keys.TAB, "measured", Keys.TAB)
        lea.press(Keys.CONTROL, "a", Keys.NULL, str(weight))
        lea.choose("select" + at % "metric", metric)
        lea.write(at % "value", str(value))
        if wow is not None:
            lea.write(at % "wow_value", str(wow))

    def publish_standard(self):
        lea, nora = self.lea, self.nora
        lea.click("button", "Publish…")
        lea.see("dialog", "Signed by you, Lea Larsson")
        lea.write("dialog textarea[name=why]", WHY)
        lea.write("dialog textarea[name=example]", EXAMPLE)
        self.keep("standard", ("leader", lea))
        lea.click("dialog button[type=submit]", "Sign and publish")
        lea.see("[data-testid=toast]", "Version 1 is published")
        nora.see("[data-testid=toast]", "New standard in force: A sales call")
        self.keep("published", ("leader", lea), ("agent", nora))

    def promise(self):
        lea = self.lea
        self.walk(lea, "Today")
        lea.click("[data-testid=own-flame] button", "Promise a rhythm")
        lea.click("dialog button[type=submit]", "Promise it")
        lea.see("[data-testid=own-flame]", "2 praise a week, from")
        self.begin_rhythm_a_week_ago()
        self.walk(lea, "Floor", "Live floor")
        self.walk(lea, "Today")
        lea.see("[data-testid=flame] h3", "0 of 2 praise this week")
        self.keep("promised", ("leader", lea))

    def begin_rhythm_a_week_ago(self):
        """A promise counts from the next Monday; as if this one had been made before this week."""
        import native_client  # pylint: disable=import-outside-toplevel
        (feedback_pb2,) = native_client.protocol("feedback")
        for schema in ("feedback", "reporting"):
            ((body,),) = wait_for("the rhythm", lambda s=schema: self.moment.sql("select body from %s.rhythm" % s))
            rhythm = feedback_pb2.Rhythm.FromString(bytes(body))
            begins = datetime.strptime(rhythm.from_date, "%Y-%m-%d") - timedelta(weeks=1)
            rhythm.from_date = begins.strftime("%Y-%m-%d")
            self.moment.change("update %s.rhythm set body = %%s" % schema, rhythm.SerializeToString())

    # --- a call goes wrong, and is spoken about ---

    def alert(self):
        cleo, loop = self.cleo, self.loop
        cleo.see("h1", "My queue")
        cleo.see("[data-testid=queue-alerts]", "No")
        cleo.driver.execute_script(ALERTS_AS_THEY_SHOW)
        loop.violate()
        row = cleo.see("[data-testid=queue-alerts] [data-testid=alert]", "On hold for more than a second")
        assert "Sales, Nora Nilsson, Lyon" in row.text
        self.keep("alert", ("coach", cleo))
        alert_id = row.get_attribute("data-alert")
        alert = loop.find("the alert", "cleo", "alerts?rule_id=held-too-long")
        assert alert["alert_id"] == alert_id
        loop.seen.update(alert=alert_id, bad=alert["moment_id"])
        crossed = datetime.fromisoformat(alert["crossed_at"].replace("Z", "+00:00")).timestamp() * 1000
        took = cleo.driver.execute_script("return window.shown[arguments[0]]", alert_id) - crossed
        assert took < 1000 + ALERT_GRACE_MS, took

    def note(self):
        cleo, nora = self.cleo, self.nora
        nora.see("h1", "My day")
        cleo.click("[data-testid=alert] button", "Take it")
        cleo.see("[data-testid=alert]", "owner: Cleo Costa")
        cleo.click("[data-testid=alert-note]")
        cleo.see("[data-testid=note-form]", "answers the alert")
        cleo.see("[data-testid=who-sees]", "Nora Nilsson, their coaches and you")
        cleo.write("[data-testid=note-form] textarea[name=text]", NOTE)
        self.keep("note", ("coach", cleo))
        cleo.click("[data-testid=note-form] button[type=submit]", "Send note")
        cleo.see("[data-testid=toast]", "Nora Nilsson has your note")
        nora.see("[data-testid=toast]", "Cleo Costa sent you a note")
        nora.see("[data-testid=my-feedback] [data-testid=note]", NOTE)
        self.keep("note-arrives", ("agent", nora))
        nora.write("[data-testid=acknowledge-note] [name=answer]", ANSWER)
        nora.click("[data-testid=acknowledge-note] button[type=submit]", "Got it")
        nora.see("[data-testid=my-feedback] [data-testid=note-acknowledged]")
        cleo.see("[data-testid=toast]", "Nora Nilsson answered your note")
        cleo.see("[data-testid=notes] blockquote", ANSWER)
        self.keep("note-answered", ("agent", nora), ("coach", cleo))

    def evaluate(self):
        cleo, nora = self.cleo, self.nora
        now = time.time()
        self.loop.tell_event("bad", "resumed", now - 0.2)
        self.loop.tell_event("bad", "ended", now)
        cleo.see("[data-testid=state]", "Ended")
        cleo.see("[data-evaluator=moment]", "Never on hold for long")
        cleo.click("[data-testid=evaluate]")
        cleo.click("[data-testid=own-evaluation] .answer label", "no")
        cleo.see("[data-testid=own-evaluation] [data-testid=saving]", "Saved")
        # Nobody else knows of it until it is released.
        for who in ("nora", "lea", "leo", "omar"):
            assert self.loop.ask(who, "GET", "evaluations?by_people=true")["items"] == [], who
        nora.see("[data-testid=my-evaluations]", "No evaluation waits for you")
        self.keep("evaluation", ("coach", cleo))
        cleo.click("[data-testid=release]")
        cleo.see("[data-testid=toast]", "Released")
        assert cleo.count("[data-testid=evaluate]") == 0
        nora.see("[data-testid=toast]", "Cleo Costa evaluated a moment of yours")
        nora.see("[data-testid=my-evaluation] summary", "A sales call: 0")
        self.keep("evaluated", ("coach", cleo), ("agent", nora))

    def dispute(self):
        nora = self.nora
        nora.click("[data-testid=my-evaluation] summary")
        nora.click("[data-testid=my-evaluation] [data-testid=dispute]", "Uses the customer's name")
        nora.write("[data-testid=dispute-form] textarea[name=reason]", REASON)
        self.keep("dispute", ("agent", nora))
        nora.click("[data-testid=dispute-form] button[type=submit]", "Send dispute")
        nora.see("[data-testid=dispute][data-state=open]", REASON)
        # Not by who evaluated it.
        self.cleo.see("[data-testid=dispute]", "somebody else decides")
        assert self.cleo.count("[data-testid=decide-form]") == 0

    def decide(self):
        leo, nora = self.fourth, self.nora
        leo.open("/")
        self.enter(leo, "leo")
        self.walk(leo, "My queue")
        leo.click("[data-testid=queue-dispute] a", "A sales call")
        leo.click("[data-testid=decide-form] label", "Accept")
        leo.write("[data-testid=decide-form] textarea[name=reason]", DECISION)
        self.keep("decision", ("arbitrator", leo))
        leo.click("[data-testid=decide-form] button[type=submit]", "Decide")
        leo.see("[data-testid=toast]", "Decided")
        nora.see("[data-testid=toast]", "Leo Lund decided your dispute")
        nora.see("[data-testid=my-evaluation]", DECISION)
        nora.see("[data-testid=my-evaluation] summary", "A sales call: 60")
        self.keep("decided", ("arbitrator", leo), ("agent", nora))
        assert not says(leo, *NOTED)
        self.leave(leo)

    # --- a call goes well, and everybody learns from it ---

    def praise(self):
        lea, nora = self.lea, self.nora
        lea.see("[data-testid=candidates]", "Nobody is waiting for praise")
        self.loop.shine()
        lea.see("[data-testid=candidate] h3", "Nora Nilsson")
        self.keep("candidate", ("leader", lea))
        lea.click("[data-testid=candidate] button", "Praise Nora Nilsson")
        lea.write("[data-testid=candidate] textarea", PRAISE)
        lea.click("[data-testid=candidate] button[type=submit]", "Send")
        lea.see("[data-testid=toast]", "Nora Nilsson has your praise")
        lea.see("[data-testid=flame] h3", "1 of 2 praise this week")
        nora.see("[data-testid=toast]", "Lea Larsson praised you")
        nora.see("[data-testid=my-praise]", PRAISE)
        self.keep("praised", ("leader", lea), ("agent", nora))
        self.loop.seen["good"] = self.loop.find("the candidate", "lea", "candidates?limit=1")["moment_id"]

    def tell(self):
        nora = self.nora
        nora.see("[data-testid=story-request]", "Lea Larsson praised you. How do you do it?")
        nora.write("[data-testid=story-form] textarea[name=text]", STORY)
        self.keep("story", ("agent", nora))
        nora.click("[data-testid=story-form] button[type=submit]", "Tell it")
        nora.see("[data-testid=toast]", "Your story is on the wall")
        assert nora.driver.execute_script("return window.notReloaded") is True

    def react(self):
        omar, lea = self.fourth, self.lea
        self.enter(omar, "omar")
        # Of who was at this screen before nothing is left.
        omar.see("h1", "My day")
        assert omar.count("[data-testid=toast]") == 0
        self.walk(omar, "Wall")
        omar.see("[data-kind=story]", STORY)
        omar.see("[data-kind=praise]", PRAISE)
        self.walk(lea, "Wall")
        lea.see("[data-kind=story]", STORY)
        omar.click("[data-kind=story] [data-testid=react-applause]")
        omar.see("[data-kind=story] [data-testid=react-applause][aria-pressed=true]", "1")
        lea.see("[data-kind=story] [data-testid=react-applause]", "1")
        self.keep("wall", ("peer", omar), ("leader", lea))


def says(screen, *texts):
    return [t for t in texts if t in screen.driver.page_source]


@pytest.fixture()
def play():
    with Installation(env={"MOMENT_WEB_ROOT": WEB}) as moment:
        moment.start()
        it = Play(moment)
        try:
            yield it
        finally:
            it.close()


def nothing_private_is_shown(play):
    """Whatever page they go to: no peer reads of a note or an evaluation, no leader of a note between others."""
    bad = "/moments/" + play.loop.seen["bad"]
    for path, heading in (("/wall", "Wall"), ("/moments", "Moments"), ("/notes", "Notes"), ("/me", "My day"), ("/standards", "My standard"),
                          (bad, "no such moment"), ("/accountability", "no such page"), ("/alerts", "no such page"), ("/queue", "no such page")):
        play.fourth.open(path)
        shown(play.fourth, heading)
        assert says(play.fourth, *NOTED, *EVALUATED) == [], path
    play.fourth.open(bad)
    shown(play.fourth, "no such moment")
    play.keep("not-for-a-peer", ("peer", play.fourth))
    for path, heading in (("/today", "Today"), ("/wall", "Wall"), ("/notes", "Notes"), (bad, "Sales"), ("/alerts?view=history", "Alerts")):
        play.lea.open(path)
        shown(play.lea, heading)
        assert says(play.lea, *NOTED) == [], path
    play.lea.open(bad)
    shown(play.lea, "Sales")
    play.keep("not-for-a-leader", ("leader", play.lea))
    # Where it may be read it is found in the same way.
    play.nora.open(bad)
    shown(play.nora, "Sales")
    play.nora.see("[data-testid=dispute]", DECISION)
    assert says(play.nora, *NOTED, *EVALUATED) == [*NOTED, *EVALUATED]


def shown(screen, heading):
    """Everything that the page asked for is there."""
    screen.see("h1", heading)
    wait_for("the page to have loaded", lambda: "Loading…" not in screen.text("main"))


def test_the_whole_loop_with_everybody_signed_in_at_once(play):
    play.write_standard()
    play.publish_standard()
    play.promise()
    play.loop.rule()
    play.alert()
    play.note()
    play.evaluate()
    play.dispute()
    play.decide()
    play.praise()
    play.tell()
    play.react()
    assert [screen.console() for screen in (play.lea, play.cleo, play.nora, play.fourth)] == [[], [], [], []]
    nothing_private_is_shown(play)
    nothing_private_is_visible(play.loop)
