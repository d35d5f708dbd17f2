"""A leader's pages, and those of operators and integrators, as a new user of each would try them."""
import os
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from browser import WEB, Screen
from installation import CAPTURE, ROOT, Installation, wait_for
from pbx import SECRET, USER

PASSWORD = "a long enough password"
PEOPLE = {"lea": ("Lea Leader", "leader"), "cora": ("Cora Coach", "coach"), "olaf": ("Olaf Operator", "operator"),
          "ina": ("Ina Integrator", "integrator")}
PRAISE = "You let the caller finish, then told them what happens next."


class House:
    """A running Moment with people of every role, two standards, and a PBX that lives its recorded day now."""

    def __init__(self, moment):
        self.moment = moment
        self.address = "http://127.0.0.1:%d" % moment.http["reporting"]
        moment.ctl("directory", "import", os.path.join(ROOT, "deploy/examples/directory.csv"))
        for login, (name, role) in PEOPLE.items():
            moment.ctl("user", "add", login, "--name", name, "--role", role, env={"MOMENT_PASSWORD": PASSWORD})
        for name in ("sales", "support"):
            moment.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-%s.json" % name))

    def connect_pbx(self, port):
        log_path, secret = (os.path.join(self.moment.dir, n) for n in ("queue_log", "ami.secret"))
        with open(secret, "w", encoding="ascii") as f:
            f.write(SECRET)
        self.pbx = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests/support/pbx.py"), "--capture", CAPTURE, "--ami", "127.0.0.1:%d" % port,
             "--queue-log", log_path, "--loop"], stdout=subprocess.DEVNULL)
        self.moment.ctl("source", "add", "asterisk-ami", "pbx-ami", "--system", "pbx", "--host", "127.0.0.1", "--port", str(port),
                        "--user", USER, "--secret-file", secret)
        self.moment.ctl("source", "add", "asterisk-queue-log", "pbx-log", "--system", "pbx", "--path", log_path)


@pytest.fixture(scope="module")
def house():
    from installation import free_ports
    with Installation(env={"MOMENT_WEB_ROOT": WEB}) as moment:
        moment.start()
        it = House(moment)
        it.connect_pbx(free_ports(1)[0])
        try:
            yield it
        finally:
            it.pbx.terminate()
            it.pbx.wait(10)


@pytest.fixture()
def enter(house):
    """Opens a screen of its own for somebody."""
    screens = []

    def open_for(login):
        screen = Screen(house.address)
        screens.append(screen)
        screen.sign_in(login, PASSWORD)
        screen.see("[data-testid=me]", PEOPLE.get(login, (login,))[0])
        return screen

    yield open_for
    for screen in screens:
        screen.__exit__()


def look(screen, path, name):
    """No violation in either theme, nothing wider than a telephone; pictures of all three."""
    for theme in ("light", "dark"):
        screen.theme(theme)
        assert screen.violations() == [], (path, theme)
        screen.keep("%s-%s" % (name, theme))
    screen.resize(360, 760)
    assert screen.overflow() <= 0, path
    screen.keep(name + "-narrow")
    screen.resize(1440, 1000)
    screen.theme("light")


def test_a_leader_begins_with_today_and_praises_who_was_caught_doing_it_right(enter):
    lea = enter("lea")
    lea.see("h1", "Today")
    first = lea.see("[data-testid=candidate]", seconds=90)
    who = first.find_element("css selector", "h3").text
    look(lea, "/today", "today")
    first.find_element("css selector", "button.main-action").click()
    lea.see("[data-testid=candidate] textarea").send_keys("Good.")
    lea.see(".counter", "5 of at least 20 characters")
    assert not lea.see("[data-testid=candidate] button[type=submit]").is_enabled()
    lea.see("[data-testid=candidate] textarea").send_keys(" " + PRAISE)
    lea.keep("today-praising")
    lea.click("[data-testid=candidate] button[type=submit]", "Send")
    lea.see("[data-testid=toast]", who)


def test_a_leader_promises_a_rhythm(enter):
    lea = enter("lea")
    lea.see("[data-testid=own-flame]", "not promised anything")
    lea.click("[data-testid=own-flame] button", "Promise a rhythm")
    lea.see("dialog select[name=practice]")
    assert lea.violations() == []
    lea.click("dialog button[type=submit]", "Promise it")
    lea.see("[data-testid=toast]", "Promised")
    lea.see("[data-testid=own-flame]", "2 praise a week, from")
    lea.keep("today-promised")


def test_a_standard_is_written_published_compared_and_taken_back(enter, house):
    lea = enter("lea")
    lea.open("/standards")
    lea.see("[data-testid=standard]", "A sales call")
    look(lea, "/standards", "standards")
    lea.click("button", "New standard")
    lea.see("dialog input[name='standard.title']").send_keys("A call about a bill")
    lea.click("dialog button[type=submit]", "Begin")
    lea.see("h1", "A call about a bill")

    # What stands in the way of publishing is said, and where.
    lea.click("button", "Add a criterion")
    title = lea.see("[name='standard.criteria[1].title']")
    title.clear()
    title.send_keys("Reads the bill aloud")
    weight = lea.see("[name='standard.criteria[1].weight']")
    weight.clear()
    weight.send_keys("30")
    lea.see(".section-head", "Weights: 130 of 100")
    lea.see("[data-testid=saving]", "Saved")
    lea.see("[data-testid=objections]", "One thing stands in the way")
    lea.see(".objection", "100")
    look(lea, "/standards/a-call-about-a-bill", "standard-refused")
    lea.click(".section-head button", "Share them equally")
    lea.see("[data-testid=ready]")

    # The keyboard moves a criterion, and what moved keeps the focus.
    up = lea.see("button[aria-label='Move “Reads the bill aloud” up']")
    up.send_keys("\n")
    lea.see("[role=status]", "is now number 1")
    wait_for("the focus to follow", lambda: "Reads the bill" in (lea.driver.switch_to.active_element.get_attribute("aria-label") or ""))

    lea.click("[role=tab]", "As an evaluator sees it")
    lea.see("[data-testid=as-evaluator] legend", "Reads the bill aloud")
    look(lea, "evaluator", "standard-evaluator")
    lea.click("[role=tab]", "As the agent sees it")
    lea.see("[data-testid=as-agent]", "Reads the bill aloud")
    lea.click("[role=tab]", "Edit")

    lea.click("button", "Publish…")
    lea.see("dialog", "Signed by you, Lea Leader")
    assert lea.violations() == []
    lea.see("dialog textarea[name=why]").send_keys("A bill that is understood is paid.")
    lea.see("dialog textarea[name=example]").send_keys("She went through it line by line.")
    lea.keep("standard-publishing")
    lea.click("dialog button[type=submit]", "Sign and publish")
    lea.see("[data-testid=toast]", "Version 1 is published")
    published = house.moment.api("/api/v1/standards?standard_id=a-call-about-a-bill")["standards"][0]
    assert published["signed_by"].startswith("Lea Leader") and published["why"] == "A bill that is understood is paid."
    assert [c["title"] for c in published["criteria"]][0] == "Reads the bill aloud"

    # A second version, what changed in words, and back again.
    lea.click("[role=tab]", "Edit")
    lea.click("button", "Begin a new version")
    field = lea.see("[name='standard.title']")
    field.send_keys(", version two")
    lea.see("[data-testid=saving]", "Saved")
    lea.click("button", "Publish…")
    lea.click("dialog button[type=submit]", "Sign and publish")
    lea.see("[data-testid=toast]", "Version 2 is published")
    lea.click("[role=tab]", "Versions")
    lea.click("[data-testid=differences] summary")
    lea.see("[data-testid=differences] li", "title")
    look(lea, "versions", "standard-versions")
    lea.click("button", "Go back to this")
    lea.see("dialog textarea[name=why]").send_keys("The old title was clearer.")
    lea.click("dialog button[type=submit]", "Go back to this")
    lea.see("[data-testid=version] h3", "Version 3".lower())
    assert len(house.moment.api("/api/v1/standards?standard_id=a-call-about-a-bill&history=true")["standards"]) == 3


def test_two_people_editing_one_standard_are_told_and_choose(enter):
    lea, cora = enter("lea"), enter("cora")
    for who in (lea, cora):
        who.open("/standards/support-call?view=edit")
        who.see("[role=tab]", "Edit")
    lea.click("button", "Begin a new version")
    lea.see("[name='standard.title']")
    cora.open("/standards/support-call?view=edit")
    cora.see("[name='standard.title']").send_keys(" by Cora")
    cora.see("[data-testid=saving]", "Saved")
    lea.see("[name='standard.title']").send_keys(" by Lea")
    lea.see("[role=alert]", "Somebody else changed this")
    assert lea.violations() == []
    lea.keep("standard-stale")
    lea.click("button", "Keep mine")
    lea.see("[data-testid=saving]", "Saved")
    cora.open("/standards/support-call?view=edit")
    wait_for("what Lea kept", lambda: cora.see("[name='standard.title']").get_attribute("value").endswith(" by Lea"))
    cora.click("button", "Discard draft…")
    cora.click("dialog button[type=submit]", "Discard draft")
    cora.see("button", "Begin a new version")


def talk_without_end(house, queue):
    """A conversation in a queue of its own: its alert does not clear while somebody writes about it."""
    token = house.moment.add_events_source("crm")["token"]
    for kind, data in (("queued", {}), ("answered", {"agent": "Grace Kim"})):
        event = {"specversion": "1.0", "id": queue + kind, "source": "/crm", "type": "x.contact." + kind,
                 "time": datetime.now(timezone.utc).isoformat(), "data": {"contact_id": queue, "queue": queue, "channel": "voice", **data}}
        assert house.moment.post(event, token=token)[0] == 202


def test_an_alert_rule_is_tried_on_the_past_and_its_alert_taken_and_closed(enter, house):
    lea = enter("lea")
    lea.open("/alerts/rules")
    lea.see("h1", "Alert rules")
    look(lea, "/alerts/rules", "alert-rules")
    lea.click("a", "New rule")
    lea.choose("select[name='rule.subject']", "talking")
    line = lea.see("input[name='rule.threshold']")
    line.clear()
    line.send_keys("1")
    lea.see(".good-panel", "A conversation lasts longer than 1 s")
    lea.click("button", "Try it on the past")
    lea.see("[data-testid=preview]")
    lea.see("input[name='rule.title']").send_keys("Talks at all")
    look(lea, "/alerts/rules/new", "alert-rule")
    lea.click("button[type=submit]", "Save rule")
    lea.see("[role=status]", "Saved")
    talk_without_end(house, "vip")
    lea.open("/alerts")
    alert = lea.see("[data-testid=alert]", "vip", 60).get_attribute("data-alert")
    look(lea, "/alerts", "alerts")
    lea.click("[data-alert='%s'] button" % alert, "Take it")
    lea.see("[data-testid=toast]", "It is yours")
    lea.click("[role=tab]", "Mine")
    lea.see("[data-alert='%s']" % alert, "owner: Lea Leader")
    lea.click("[data-alert='%s'] button" % alert, "Close…")
    lea.see("dialog textarea[name=closing_note]").send_keys("Listened in; all was well.")
    assert lea.violations() == []
    lea.click("dialog button[type=submit]", "Close")
    lea.click("[role=tab]", "All")
    lea.see("[data-alert='%s']" % alert, "all was well")
    lea.click("[data-alert='%s'] summary" % alert)
    lea.see("[data-alert='%s'] .events" % alert, "Lea Leader")


def test_accountability_shows_figures_with_their_definition_and_what_is_behind_them(enter):
    lea = enter("lea")
    lea.open("/accountability")
    lea.see("[data-testid=figure-median]", "n =")
    lea.click("[data-testid=figure-median] summary")
    lea.see("[data-testid=figure-median] code", "@")
    lea.see("[data-testid=receivers]")
    look(lea, "/accountability", "accountability")
    lea.click("[data-testid=receivers] tbody th a")
    lea.see("h1", "Notes")
    assert lea.violations() == []


def test_an_operator_adds_somebody_whose_password_is_shown_once(enter, house):
    olaf = enter("olaf")
    olaf.see("h1", "Users")
    olaf.see("[data-login=lea]", "Leader")
    look(olaf, "/users", "users")
    olaf.click("button", "Add a user")
    olaf.see("dialog input[name=login]").send_keys("nina")
    olaf.see("dialog input[name=name]").send_keys("Nina New")
    assert olaf.violations() == []
    olaf.click("dialog button[type=submit]", "Add")
    password = olaf.see("[data-testid=secret]").text
    olaf.keep("users-password")
    olaf.click("dialog button", "I have noted it")
    olaf.see("[data-login=nina]", "Nina New")
    assert password not in olaf.driver.page_source
    with Screen(house.address) as nina:
        nina.sign_in("nina", password)
        nina.see("[data-testid=me]", "Nina New")
    olaf.click("[data-login=nina] button", "Edit")
    name = olaf.see("dialog input[name=name]")
    name.clear()
    name.send_keys("Nina Newman")
    olaf.click("dialog button[type=submit]", "Save")
    olaf.see("[data-login=nina]", "Nina Newman")
    olaf.click("[data-login=nina] button", "Remove")
    olaf.click("dialog button[type=submit]", "Remove")
    wait_for("her to be gone", lambda: olaf.count("[data-login=nina]") == 0)


def test_an_integrator_adds_a_webhook_whose_secret_is_shown_once(enter):
    ina = enter("ina")
    ina.see("h1", "Webhooks")
    ina.see(".empty", "No webhook yet")
    look(ina, "/webhooks", "webhooks-empty")
    ina.click("button", "Add a webhook")
    ina.see("dialog input[name=url]").send_keys("https://listener.example/moment")
    assert ina.violations() == []
    ina.click("dialog button[type=submit]", "Add")
    ina.see("[data-testid=secret]", "whsec_")
    ina.click("dialog button", "I have noted it")
    ina.see("[data-testid=webhook]", "listener.example")
    ina.keep("webhooks")
    ina.click("button", "Remove…")
    ina.click("dialog button[type=submit]", "Remove")
    ina.see(".empty", "No webhook yet")


def test_pages_are_only_for_their_roles(enter):
    olaf = enter("olaf")
    for path in ("/today", "/floor", "/standards/sales-call", "/accountability", "/webhooks"):
        olaf.open(path)
        olaf.see("h1", "There is no such page")
    assert [a.text for a in olaf.all("nav a")] == ["Users"]


def test_every_page_speaks_german_on_a_telephone(enter):
    lea = enter("lea")
    lea.click("[data-testid=me]")
    lea.choose("select[name=language]", "de")
    lea.see("h1", "Heute")
    lea.resize(360, 760)
    for path, title in (("/today", "Heute"), ("/standards", "Standards"), ("/standards/sales-call?view=agent", "A sales call"), ("/alerts", "Alarme"),
                        ("/alerts/rules", "Alarmregeln"), ("/alerts/rules/new", "Neue Alarmregel"), ("/accountability", "Verantwortung"), ("/webhooks", "Webhooks")):
        lea.open(path)
        lea.see("h1", title)
        wait_for("data on " + path, lambda: "Wird geladen…" not in lea.driver.execute_script("return document.querySelector('main').innerText"))
        assert lea.overflow() <= 0, path
        assert lea.violations() == [], path
    lea.keep("webhooks-german-narrow")
    lea.click("button.menu-button")
    lea.click("nav a", "Heute")
    lea.see("h1", "Heute")
    lea.keep("today-german-narrow")
