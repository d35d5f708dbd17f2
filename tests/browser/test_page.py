"""The page as people use it: a real browser, real services, a recorded call centre living now."""
import json
import os
import re
import subprocess
import sys
import time

import pytest
from selenium.webdriver.common.keys import Keys

from browser import WEB, Screen
from installation import CAPTURE, ROOT, Installation, wait_for
from pbx import SECRET, USER

LOGIN, PASSWORD = "lea", "a long enough password"
PAGES = ["/floor", "/moments", "/report"]


class Office:
    """A running Moment with a leader, a standard and a PBX that lives its recorded day now."""

    def __init__(self, moment):
        self.moment = moment
        self.address = "http://127.0.0.1:%d" % moment.http["reporting"]
        moment.ctl("user", "add", LOGIN, "--name", "Lea Leader", "--role", "leader", env={"MOMENT_PASSWORD": PASSWORD})
        for name in ("sales", "support"):
            path = os.path.join(ROOT, "deploy/examples/standard-%s.json" % name)
            if os.path.exists(path):
                moment.ctl("standard", "publish", path)

    def connect_pbx(self):
        log_path, secret = (os.path.join(self.moment.dir, n) for n in ("queue_log", "ami.secret"))
        with open(secret, "w", encoding="ascii") as f:
            f.write(SECRET)
        self.pbx = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests/support/pbx.py"), "--capture", CAPTURE, "--ami", "127.0.0.1:%d" % self.port(),
             "--queue-log", log_path, "--loop"], stdout=subprocess.DEVNULL)
        self.moment.ctl("source", "add", "asterisk-ami", "pbx-ami", "--system", "pbx", "--host", "127.0.0.1", "--port", str(self.ami_port),
                        "--user", USER, "--secret-file", secret)
        self.moment.ctl("source", "add", "asterisk-queue-log", "pbx-log", "--system", "pbx", "--path", log_path)

    def port(self):
        from installation import free_ports
        self.ami_port = free_ports(1)[0]
        return self.ami_port


@pytest.fixture(scope="module")
def office():
    with Installation(env={"MOMENT_WEB_ROOT": WEB}) as moment:
        moment.start()
        it = Office(moment)
        it.connect_pbx()
        try:
            yield it
        finally:
            it.pbx.terminate()
            it.pbx.wait(10)


@pytest.fixture()
def screen(office):
    with Screen(office.address) as s:
        yield s


@pytest.fixture()
def leader(screen):
    screen.sign_in(LOGIN, PASSWORD)
    screen.see("[data-testid=me]", "Lea Leader")
    screen.open("/floor")
    screen.see("h1", "Live floor")
    return screen


def test_the_door_says_what_is_wrong_and_opens_by_keyboard(screen):
    screen.sign_in(LOGIN, "not this one")
    assert "not right" in screen.see("[role=alert]", "not right").text
    screen.open("/")
    screen.see("input[name=login]")
    screen.press(LOGIN, Keys.TAB, PASSWORD, Keys.ENTER)
    screen.see("[data-testid=me]", "Lea Leader")
    screen.press(Keys.TAB)
    assert "Skip to content" in screen.driver.switch_to.active_element.text


def test_moments_move_over_the_board_as_they_happen(leader):
    card = leader.see("[data-testid=card]", seconds=60)
    contact = card.get_attribute("data-contact")
    seen = []

    def column():
        found = leader.driver.execute_script(
            "const c = document.querySelector(`[data-contact='${arguments[0]}']`);"
            "return c && c.closest('section').dataset.testid", contact)
        if found and found not in seen:
            seen.append(found)
        return "column-ended" in seen

    wait_for("the moment to end on the board", column, 90, 0.1)
    assert len(seen) >= 2, seen
    assert "live" in leader.see("[data-testid=data-age]").text
    leader.see("[data-testid=people]", "Alice Moreno")
    leader.see("[data-testid=queues]", "sales")
    leader.keep("floor-light")
    leader.theme("dark")
    leader.keep("floor-dark")


def test_a_moment_tells_its_story_and_its_score(leader, office):
    done = wait_for("an answered moment", lambda: next((m for m in office.moment.moments() if m["outcome"] == "answered"
                                                        and m["state"] == "ended" and m["queue"] == "sales"), None), 90, 1)
    leader.open("/moments/" + done["moment_id"])
    leader.see("[data-testid=state]", "Ended")
    leader.see("[data-testid=events]", "Answered by: " + done["agent"])
    assert leader.count(".timeline rect") >= 2
    leader.see("[data-testid=evaluations]", "Wait")
    leader.keep("moment")
    leader.driver.back()
    leader.see("h1", "Live floor")


def test_the_report_and_its_table_agree_and_drill_down_to_the_moments(leader, office):
    wait_for("a visit to report", lambda: any(m["state"] == "ended" and m["visits"] for m in office.moment.moments()), 60, 0.5)
    # Up to a time that is over: the call centre goes on between the look at the row and at its moments.
    to = time.time() - 3
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    leader.open("/report?bucket=15m&by=none&tz=UTC&definition=abandons_ignored&threshold_s=20&from=%s&to=%s" % (
        time.strftime(stamp, time.gmtime(to - 3600)), time.strftime(stamp, time.gmtime(to))))
    leader.see("[data-testid=chart] rect")
    row = leader.see("[data-testid=report] tbody tr")
    offered = int(row.find_elements("css selector", "td")[0].text)
    leader.keep("report")
    row.find_element("css selector", "a").click()
    leader.see("[data-testid=moments]")
    visits = wait_for("the moments of the row", lambda: leader.count("[data-testid=moments] tbody tr"))
    assert 1 <= visits <= offered
    leader.see(".note", "entered from")
    leader.keep("moments")


def test_a_restart_of_the_server_is_survived_by_resuming(leader, office):
    leader.see("[data-connection=open]")
    leader.driver.execute_script("window.notReloaded = true")
    office.moment.kill("reporting")
    leader.see("[data-connection=lost]", "connection lost")
    leader.see(".floor.is-stale")
    leader.keep("floor-stale")
    office.moment.start("reporting")
    leader.see("[data-connection=open]", "live", 30)
    assert leader.driver.execute_script("return window.notReloaded") is True

    def same():
        board = {c.get_attribute("data-contact") for c in leader.all("section:not(.column-ended) > ul > [data-testid=card]")}
        floor = {m["source_contact_id"] for m in office.moment.api("/api/v1/floor")["moments"] if m["state"] != "ended"}
        return board == floor

    wait_for("the board and the API to agree", same, 30, 0.2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_violates_wcag(leader, office, theme):
    first = office.moment.moments()[0]["moment_id"]
    for path in [*PAGES, "/moments/" + first, "/nowhere"]:
        leader.open(path)
        leader.see("h1")
        leader.theme(theme)
        wait_for("data on " + path, lambda: leader.count("[role=status]") >= 1)
        assert leader.violations() == [], path


def test_the_door_violates_nothing_either(screen):
    screen.open("/")
    screen.see("input[name=login]")
    for theme in ("light", "dark"):
        screen.theme(theme)
        assert screen.violations() == []
    screen.keep("login")


def test_the_policy_is_strict_and_the_console_silent(leader, office):
    import urllib.request
    with urllib.request.urlopen(office.address + "/") as r:
        policy = r.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "require-trusted-types-for 'script'" in policy
    leader.console()
    for path in PAGES:
        leader.open(path)
        leader.see("h1")
    leader.see("[data-testid=chart] rect")
    assert leader.console() == []


def test_a_narrow_screen_shows_everything_without_sideways_scrolling(leader, office):
    leader.resize(360, 760)
    for path in [*PAGES, "/moments/" + office.moment.moments()[0]["moment_id"]]:
        leader.open(path)
        leader.see("h1")
        assert leader.overflow() <= 0, path
    leader.open("/floor")
    leader.see("[data-testid=board]")
    leader.keep("floor-narrow")


def test_the_reader_chooses_the_language_and_it_is_kept(leader):
    assert leader.driver.execute_script("return document.documentElement.lang") == "en"
    leader.click("[data-testid=me]")
    leader.choose("select[name=language]", "de")
    leader.see("[data-testid=column-talking] h2", "Im Gespräch")
    leader.open("/moments")
    leader.see("h1", "Momente")
    assert leader.driver.execute_script("return document.documentElement.lang") == "de"
    assert leader.violations() == []
    leader.keep("moments-german")


def test_focus_goes_to_the_heading_of_the_page_that_was_asked_for(leader):
    leader.click("nav a", "Moments")
    leader.see("h1", "Moments")
    wait_for("the focus on the heading", lambda: leader.driver.switch_to.active_element.tag_name == "h1")
    assert leader.driver.title == "Moments – Moment"


def test_pausing_stops_movement_and_loses_nothing(leader, office):
    leader.see("[data-testid=card]", seconds=60)
    leader.click("button", "Pause")
    before = leader.driver.execute_script("return document.querySelector('[data-testid=board]').innerText.replace(/[0-9: s]+/g, '')")
    heads = office.moment.sql("select max(seq) from reporting.stream")
    wait_for("more to happen", lambda: office.moment.sql("select max(seq) from reporting.stream") > heads, 30, 0.2)
    after = leader.driver.execute_script("return document.querySelector('[data-testid=board]').innerText.replace(/[0-9: s]+/g, '')")
    assert before == after
    leader.click("button", "Go on")
    floor = lambda: {m["source_contact_id"] for m in office.moment.api("/api/v1/floor")["moments"] if m["state"] != "ended"}
    wait_for("the board to catch up", lambda: {c.get_attribute("data-contact") for c in leader.all(
        "section:not(.column-ended) > ul > [data-testid=card]")} == floor(), 20, 0.2)


def test_the_page_is_light():
    import gzip
    folder = os.path.join(WEB, "assets")
    sizes = {n: len(gzip.compress(open(os.path.join(folder, n), "rb").read())) for n in os.listdir(folder) if n.endswith(".js")}
    assert sum(sizes.values()) < 120_000, json.dumps(sizes)
    assert not re.search(r"\beval\(|new Function\(", open(os.path.join(folder, max(sizes, key=sizes.get)), encoding="utf-8").read())
