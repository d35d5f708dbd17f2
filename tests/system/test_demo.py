"""`make demo`: everybody of the small organisation finds something on each of their pages; a second time adds nothing.

The two days are over when the people begin: the replay is as fast as it is read, and began that long ago."""
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timezone

import pytest

from installation import BIN, CAPTURE, ROOT, SERVICES, Installation, free_ports, wait_for
from pbx import SECRET, USER

DEMO = os.path.join(ROOT, "deploy/demo")
DAY_S = 400  # a little more than the recorded day
# What people make; samples, alerts and what comes of evaluations by itself go on.
MADE = ("NoteChanged", "CoachingChanged", "RhythmChanged", "CalibrationChanged", "SamplingPlanChanged", "StandardChanged",
        "AlertRuleChanged", "EvaluationMade", "PostChanged", "WebhookChanged")


def live_a_day(moment, system, site):
    """A replay with sources of its own: the process, which ends when the day is over."""
    port, = free_ports(1)
    log = os.path.join(moment.dir, system + ".queue_log")
    secret = os.path.join(moment.dir, "ami.secret")
    with open(secret, "w", encoding="ascii") as f:
        f.write(SECRET)
    moment.ctl("source", "add", "asterisk-ami", system + "-ami", "--system", system, "--site", site, "--host", "127.0.0.1",
               "--port", str(port), "--user", USER, "--secret-file", secret)
    moment.ctl("source", "add", "asterisk-queue-log", system + "-log", "--system", system, "--site", site, "--path", log)
    return subprocess.Popen([sys.executable, os.path.join(ROOT, "tests/support/pbx.py"), "--capture", CAPTURE, "--ami",
                             "127.0.0.1:%d" % port, "--queue-log", log, "--speed", "0", "--ago", str(DAY_S), "--wait-for-login"])


def is_read(moment, system):
    size = os.path.getsize(os.path.join(moment.dir, system + ".queue_log"))
    return re.search(r"(?m)^%s-log .* %d of %d bytes" % (system, size, size), moment.ctl("source", "list"))


def stamp(ahead):
    return datetime.fromtimestamp(time.time() + ahead, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(moment):
    done = subprocess.run(
        [sys.executable, os.path.join(DEMO, "fill.py"), "--url", "http://127.0.0.1:%d" % moment.http["reporting"],
         "--password-file", os.path.join(moment.dir, "demo-password"), "--patience", "60", "--",
         os.path.join(BIN, "momentctl"), "--dir", moment.dir], capture_output=True, text=True, env=moment.env, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def moment():
    with Installation(env={"MOMENT_SAMPLING_EVERY_S": "1"}) as m:
        m.start()
        m.ctl("directory", "import", os.path.join(DEMO, "directory.csv"))
        for name in ("sales", "support"):
            m.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-%s.json" % name))
        for day in [live_a_day(m, "pbx", "main"), live_a_day(m, "bay", "bay")]:
            assert day.wait(120) == 0
        wait_for("both queue_logs to be read", lambda: all(is_read(m, system) for system in ("pbx", "bay")))
        m.settle()
        m.said = fill(m)
        m.password, = set(re.findall(r"Password of all of them: (\S+)", m.said))
        m.settle()
        m.cookies = {}
        yield m


def made(moment):
    """(type, key, how many states) of everything that people made."""
    return {row for service in SERVICES for row in moment.sql(
        "select type, key, count(*) from %s.stream where type = any(%%s) group by type, key" % service, list(MADE))}


def ask(moment, login, path):
    if login not in moment.cookies:
        moment.cookies[login] = moment.sign_in(login, moment.password)
    status, answer, _ = moment.ask(moment.cookies[login], "GET", "/api/v1/" + path)
    assert status == 200, (login, path, answer)
    return answer


def items(page):
    return next(value for value in page.values() if isinstance(value, list))


def test_everybody_signs_in_with_the_one_password_and_is_in_the_table(moment):
    told = dict(re.findall(r"(?m)^  ([a-z]+) +(leader|coach|agent|integrator|operator) +\S", moment.said))
    assert len(told) == 10
    for login, role in told.items():
        me = ask(moment, login, "session")
        assert (me["login"], me["roles"]) == (login, [role]), me
    assert "left out" not in moment.said


def test_two_sites_three_teams_twenty_people(moment):
    answer = ask(moment, "lena", "directory")
    assert [s["time_zone"] for s in answer["sites"]] == ["America/New_York", "Europe/London"]
    assert (len(answer["teams"]), len(answer["people"])) == (3, 20)
    # Nobody of one site took a call of the other.
    site_of = {p["person_id"]: p["site_id"] for p in answer["people"]}
    calls = [m for m in moment.moments() if m["person_id"]]
    assert {site_of[m["person_id"]] for m in calls} == {"main", "bay"}
    assert [m for m in calls if site_of[m["person_id"]] != m["site"]] == []


# What each page asks for first; each has something to show.
@pytest.mark.parametrize("login,path", [
    *((login, path) for login in ("lena", "carla", "owen", "maya") for path in (
        "moments", "standards", "alerts", "alert-rules", "posts", "rhythms", "evaluations?by_people=true", "notes", "samples",
        "sampling-plans", "candidates?open_only=true")),
    *((login, "coaching") for login in ("carla", "owen", "maya", "bob", "siobhan", "amelia")),
    *((login, "calibrations") for login in ("lena", "carla", "owen")),
    *((login, path) for login in ("alice", "bob", "siobhan", "amelia") for path in (
        "moments", "standards", "posts", "notes", "evaluations?by_people=true")),
    ("maya", "evaluations?mine=true&state=draft"), ("carla", "alerts?mine=true"), ("lena", "webhooks"), ("ines", "webhooks"),
    ("ines", "moments"), ("ines", "posts"), ("otto", "users"), ("owen", "evaluations?state=disputed"),
    ("alice", "evaluations?state=acknowledged"), ("bob", "evaluations?state=decided"), ("amelia", "notes?unacknowledged=true")])
def test_each_page_has_something_to_show(moment, login, path):
    look = "samples of %s" % login if path == "samples" else path
    assert wait_for(look, lambda: items(ask(moment, login, path)), 20)


def test_the_flame_and_accountability_begin_with_what_was_done_now(moment):
    for login in ("lena", "carla", "owen", "maya"):
        assert ask(moment, login, "flame")["flames"], login
        assert ask(moment, login, "acts")["items"], login
    day = 86400
    report = ask(moment, "lena", "accountability?from_at=%s&to_at=%s&time_zone=Europe/London" % (stamp(-day), stamp(day)))
    assert {g["name"] for g in report["givers"]} >= {"Lena Hartmann", "Carla Rossi", "Owen Price", "Maya Santos"}
    assert (report["praise"], report["improvement"]) == (2, 2)
    assert report["time_to_feedback_median_ms"]["value"] > 0


def test_one_standard_is_tried_at_the_bay_and_signed_by_the_leader(moment):
    tried = [s for s in ask(moment, "lena", "standards?standard_id=support-call")["standards"] if s["canary_sites"]]
    assert [(s["canary_sites"], s["signed_by"], s["rolled_out_at"]) for s in tried] == [(["bay"], "Lena Hartmann", None)]


def test_the_wall_tells_a_story_that_others_answered(moment):
    posts = ask(moment, "amelia", "posts")["items"]
    assert sorted(p["kind"] for p in posts) == ["celebration", "journal", "praise", "story"]
    praise = next(p for p in posts if p["kind"] == "praise")
    assert praise["story_id"] and len(praise["reactions"]) == 2 and len(praise["comments"]) == 1
    assert "what kind of week" not in str(posts), "private praise stays between the two"


def test_a_second_run_adds_nothing_and_tells_no_password(moment):
    before, users = made(moment), moment.ctl("user", "list", "--json").count('"login"')
    assert ({kind for kind, _, _ in before}, users) == (set(MADE), 10)
    said = fill(moment)
    moment.settle()
    assert (made(moment), moment.ctl("user", "list", "--json").count('"login"')) == (before, users)
    assert moment.password not in said and "momentctl" in said and "left out" not in said
