#!/usr/bin/python3
"""fill - gives a running Moment people who can sign in, and lets them do what people do with it.

Everything goes through the doors that anybody has: momentctl adds the users, the HTTP API does the rest, signed
in as each of them. Each change has an Idempotency-Key of its own that never changes: said again it is answered as
the first time, and nothing happens twice. What needs a call of somebody waits until the replay has had one.

    fill.py --url http://127.0.0.1:8080 --password-file var/demo/password -- build/gcc-release/momentctl --dir var

Exit codes: 0 all is there, 1 something is missing (it was said what), 2 wrong usage.
"""
import argparse
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../examples")
LONDON, NEW_YORK = "Europe/London", "America/New_York"

# login, name, role, limits and person, what they find on their page
PEOPLE = (
    ("lena", "Lena Hartmann", "leader", ("--person", "lena"), "today, standards, a canary, the wall, accountability"),
    ("carla", "Carla Rossi", "coach", ("--site", "main", "--team", "front", "--person", "carla"),
     "Front desk: samples, a held coaching session, a calibration"),
    ("owen", "Owen Price", "coach", ("--site", "main", "--team", "care", "--person", "owen"),
     "Customer care: a dispute that is open, a planned session"),
    ("maya", "Maya Santos", "coach", ("--site", "bay", "--team", "bay", "--person", "maya"),
     "Harbour Bay, on New York's clock: samples, a draft evaluation"),
    ("alice", "Alice Moreno", "agent", ("--person", "alice"), "public praise, her story, an evaluation she has read"),
    ("bob", "Bob Okafor", "agent", ("--person", "bob"), "a note answered, a dispute won, what was agreed with his coach"),
    ("siobhan", "Siobhán O'Neill", "agent", ("--person", "siobhan"), "private praise, an evaluation that she disputes"),
    ("amelia", "Amelia Brooks", "agent", ("--person", "amelia"), "a note and an evaluation that wait for her"),
    ("ines", "Ines Duarte", "integrator", (), "webhooks (one, switched off), moments, figures"),
    ("otto", "Otto Berg", "operator", (), "who may sign in"),
)

SALES = {"greeting": "yes", "listens": "4", "tone": "polite", "honest": "yes", "outcome": "settled"}
SUPPORT = {"regret": "yes", "patience": "4", "solved": "solved", "no-blame": "yes"}
ANSWERS = {"sales-call": SALES, "support-call": SUPPORT}
# What is answered with no, to have something to talk about; every standard has one.
MISSED = {"sales-call": ("greeting", "I heard no name, only the company's."),
          "support-call": ("regret", "The caller lost an evening, and nobody said sorry.")}


class Left(Exception):
    """A step that cannot be done, and why."""


class Stranger(Left):
    """Somebody signs in with another password by now: what they did the first time is there."""


def stamp(**ahead):
    at = datetime.now(timezone.utc) + timedelta(**ahead)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def say(text):
    print(text, flush=True)


class House:
    """The installation as its people see it."""

    def __init__(self, url, momentctl, password, patience):
        self.url, self.momentctl, self.password, self.patience = url.rstrip("/"), momentctl, password, patience
        self.cookies, self.users, self.taken = {}, {}, set()

    # --- who ---

    def add_people(self):
        """Those who are not there yet; how many that were."""
        listed = self.ctl("user", "list", "--json")
        there = {user["login"].lower() for user in json.loads(listed)["users"] if not user.get("disabled")}
        new = [person for person in PEOPLE if person[0] not in there]
        for login, name, role, more, _ in new:
            self.ctl("user", "add", login, "--name", name, "--role", role, *more)
        return len(new)

    def ctl(self, *words):
        done = subprocess.run([*self.momentctl, *words], capture_output=True, text=True, check=False,
                              env={**os.environ, "MOMENT_PASSWORD": self.password})
        if done.returncode:
            sys.exit("momentctl %s: %s" % (" ".join(words), (done.stderr or done.stdout).strip()))
        return done.stdout

    def cookie(self, login):
        if login not in self.cookies:
            status, answer, headers = self.send("POST", "session", {"login": login, "password": self.password})
            if status == 401:
                raise Stranger("%s signs in with another password than the demo's" % login)
            if status != 204:
                raise Left("%s cannot sign in: %s" % (login, told(answer)))
            self.cookies[login] = headers["Set-Cookie"].split(";")[0]
        return self.cookies[login]

    def participant(self, login):
        """As colleagues know them."""
        if not self.users:
            people = self.get("lena", "colleagues?roles=leader&roles=coach")
            self.users = {user["name"]: user["user_id"] for user in people["colleagues"]}
        name = next(person[1] for person in PEOPLE if person[0] == login)
        if name not in self.users:
            raise Left("no colleague is called %s" % name)
        return {"user_id": self.users[name], "name": name, "expert": login == "lena"}

    # --- asking ---

    def send(self, method, path, body=None, **headers):
        """(status, answer, headers); a server that is away is tried again for a while."""
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        for attempt in range(20):
            request = urllib.request.Request(self.url + "/api/v1/" + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    text = answer.read()
                    return answer.status, json.loads(text) if text else None, answer.headers
            except urllib.error.HTTPError as refusal:
                text = refusal.read()
                if refusal.code not in (429, 503, 504) or attempt == 19:
                    return refusal.code, json.loads(text) if text else None, refusal.headers
            except (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException) as error:
                if attempt == 19:
                    raise Left("%s does not answer: %s" % (self.url, error)) from None
            time.sleep(0.5)
        raise AssertionError

    def get(self, login, path):
        status, answer, _ = self.send("GET", path, Cookie=self.cookie(login))
        if status != 200:
            raise Left("%s: %s" % (path, told(answer)))
        return answer

    def do(self, login, key, method, path, body=None, revision=None):
        """A change by that person; key: the change's own name, the same in every run."""
        headers = {"Cookie": self.cookie(login), "Idempotency-Key": "demo-" + key}
        if revision is not None:
            headers["If-Match"] = '"%d"' % revision
        status, answer, _ = self.send(method, path, {} if body is None and method == "POST" else body, **headers)
        if status != 200:
            raise Left(told(answer))
        return answer

    def wait(self, what, look):
        """The first true value of look()."""
        began, is_told = time.monotonic(), False
        while not (found := look()):
            if not is_told and time.monotonic() - began > 2:
                say("      waiting for %s ..." % what)
                is_told = True
            if time.monotonic() - began > self.patience:
                raise Left("%s did not come within %d s" % (what, self.patience))
            time.sleep(0.5)
        return found

    # --- what happened on the phones ---

    def askable(self):
        """Versions of standards that have something that a person answers: (standard_id, version)."""
        listed = self.get("lena", "standards?history=true")["standards"]
        return {(s["standard_id"], s["version"]) for s in listed if has_questions(s)}

    def calls(self, login, person, count=1, one_standard=False):
        """The newest calls of a person that are over and evaluated on a standard with questions, each given out once."""
        def look():
            known = self.askable()
            rows = [e for e in self.get(login, "evaluations?limit=100&person_id=" + person)["items"]
                    if (e["standard_id"], e["standard_version"]) in known and e["standard_id"] in ANSWERS
                    and e["evaluator"] == "moment" and not e["withdrawn"] and is_over(e) and e["moment_id"] not in self.taken]
            if one_standard:
                rows = [e for e in rows if e["standard_id"] == rows[0]["standard_id"]
                        and e["standard_version"] == rows[0]["standard_version"]]
            return rows[:count] if len(rows) >= count else None
        found = self.wait("%s of %s" % ("a call" if count == 1 else "%d calls" % count, person.title()), look)
        self.taken.update(e["moment_id"] for e in found)
        return found

    def call(self, login, person):
        return self.calls(login, person)[0]


def is_over(thing):
    """For good: in the seconds after a queue is done with a call its surveys and its end are still on their way."""
    return bool(thing["moment_ended_at"]) and thing["moment_ended_at"] < stamp(seconds=-10)


def told(problem):
    problem = problem or {}
    return ": ".join(str(problem[part]) for part in ("field", "detail", "title") if problem.get(part)) or "no answer"


def has_questions(standard):
    return any(criterion["kind"] == "observed" for criterion in standard["criteria"])


def answers_to(standard_id, misses=False):
    answers = dict(ANSWERS[standard_id])
    comments = {}
    if misses:
        criterion, comment = MISSED[standard_id]
        answers[criterion], comments[criterion] = "no", comment
    return [{"criterion_id": c, "answer": a, "comment": comments.get(c, "")} for c, a in answers.items()]


# --- what they do; each can be done again at any time ---

def examples(house):
    """The two standards for the whole house, where nobody published them with their questions yet."""
    listed = json.loads(house.ctl("standard", "list", "--json")).get("standards", [])
    asked = {standard["standard_id"] for standard in listed if has_questions(standard)}
    for name in ("sales", "support"):
        if name + "-call" not in asked:
            house.ctl("standard", "publish", os.path.join(EXAMPLES, "standard-%s.json" % name))


def content(standard):
    return {part: standard[part] for part in ("title", "scope", "criteria")}


def canary(house):
    with open(os.path.join(EXAMPLES, "standard-support.json"), encoding="utf-8") as file:
        standard = json.load(file)
    for criterion in standard["criteria"]:
        if criterion["criterion_id"] == "hold":
            criterion.update(value=20000, title="No hold longer than 20 s",
                             example_good="Came back before the music did.", example_bad="Half a minute of music.")
    saved = house.do("lena", "canary-draft", "PUT", "standards/support-call/draft", {"standard": content(standard)})
    house.do("lena", "canary-publish", "POST", "standards/support-call/publish", {
        "why": "Half a minute on hold is long when something is broken. Harbour Bay tries twenty seconds first.",
        "example": "She said \"stay with me, I look it up while we talk\", and nobody heard a note of music.",
        "canary_sites": ["bay"]}, saved["standard"]["revision"])


def webhook(house):
    """Switched off at once, before there is anything to send; .invalid is nowhere."""
    made = house.do("ines", "webhook", "POST", "webhooks", {"url": "https://intranet.invalid/moment-wall"})
    house.do("ines", "webhook-off", "POST", "webhooks/%s/enable" % made["webhook"]["webhook_id"], {"enabled": False})


def rhythms(house):
    for login, practice, times, zone in (
            ("lena", "praise", 3, LONDON), ("lena", "journal", 1, LONDON), ("carla", "note", 4, LONDON),
            ("carla", "coaching", 2, LONDON), ("owen", "evaluation", 4, LONDON), ("maya", "evaluation", 4, NEW_YORK),
            ("maya", "praise", 2, NEW_YORK)):
        house.do(login, "rhythm-" + practice, "POST", "rhythms",
                 {"practice": practice, "times": times, "period": "week", "time_zone": zone})


def rule(house):
    house.do("lena", "rule-bay", "PUT", "alert-rules/bay-waiting", {"rule": {
        "title": "A caller waits longer than 8 s at Harbour Bay", "subject": "waiting", "threshold": 8000,
        "severity": "warning", "sites": ["bay"], "escalate_after_ms": 300000, "enabled": True}})


def plans(house):
    for team, site, zone, title in (("front", "main", LONDON, "Front desk: two a day"),
                                    ("care", "main", LONDON, "Customer care: two a day"),
                                    ("bay", "bay", NEW_YORK, "Bay crew: two a day")):
        house.do("lena", "plan-" + team, "PUT", "sampling-plans/demo-" + team, {"plan": {
            "title": title, "sites": [site], "teams": [team], "quota": 2, "period": "day", "time_zone": zone,
            "seed": "demo-" + team, "enabled": True}})


def journal(house):
    house.do("lena", "journal", "POST", "posts", {
        "kind": "journal", "title": "An hour at the front desk",
        "text": "I saw three people wait for a colleague who was looking for a price. I learned that the list is a week old "
                "every Monday. I will have it sent on Sunday night, and sit here again next week to see whether it helped."})
    house.do("maya", "celebration", "POST", "posts", {
        "kind": "celebration", "title": "Harbour Bay is open", "site": "bay", "team_id": "bay",
        "text": "Eight people, one long table and the first calls. The coffee is better than in London; come and check."})


def praise(house):
    """A candidate becomes a praise that all can read; the praised tells how; others answer."""
    def look():
        found = [c for c in house.get("lena", "candidates?limit=100&person_id=alice")["items"] if is_over(c)]
        return sorted(found, key=lambda c: c["state"] != "proposed")
    candidate = house.wait("a call of Alice that went brilliantly", look)[0]
    house.taken.add(candidate["moment_id"])
    note = house.do("lena", "praise-alice", "POST", "notes", {
        "kind": "praise", "moment_id": candidate["moment_id"], "candidate_id": candidate["candidate_id"],
        "text": "Alice, you let the caller finish, and then you answered the question behind the question. It is a joy to listen to."})
    post = wait_for_post(house, note["note"]["note_id"])
    house.do("alice", "story-alice", "POST", "posts/%s/story" % post["post_id"], {
        "text": "I write down the first sentence of every caller as they say it. When I read it aloud again, they tell me what "
                "they really need."})
    house.do("bob", "applause-bob", "POST", "posts/%s/reactions" % post["post_id"], {"kind": "applause"})
    house.do("owen", "inspired-owen", "POST", "posts/%s/reactions" % post["post_id"], {"kind": "inspired"})
    house.do("bob", "comment-bob", "POST", "posts/%s/comments" % post["post_id"], {
        "text": "I sit next to her: it is true, the notebook is full."})


def wait_for_post(house, note_id):
    def look():
        return [p for p in house.get("lena", "posts?kind=praise&about=alice&limit=100")["items"] if p["note_id"] == note_id]
    return house.wait("the post on the wall", look)[0]


def private_praise(house):
    one = house.call("owen", "siobhan")
    house.do("owen", "praise-siobhan", "POST", "notes", {
        "kind": "praise", "moment_id": one["moment_id"], "is_private": True,
        "text": "Siobhán, I know what kind of week you have. Nobody on the phone could hear it. Thank you."})


def improvement(house):
    one = house.call("carla", "bob")
    note = house.do("carla", "improvement-bob", "POST", "notes", {
        "kind": "improvement", "moment_id": one["moment_id"],
        "text": "Say your name before the company's: the caller asked twice who they were talking to."})
    house.do("bob", "answer-bob", "POST", "notes/%s/acknowledge" % note["note"]["note_id"], {
        "answer": "True, I heard it myself afterwards. I have put a card on the screen."})
    two = house.call("maya", "amelia")
    house.do("maya", "improvement-amelia", "POST", "notes", {
        "kind": "improvement", "moment_id": two["moment_id"],
        "text": "Tell the caller what you are doing while you search; four silent seconds are long on the phone."})


def evaluate(house, coach, person, misses=False):
    """Released: what the person reads."""
    one = house.call(coach, person)
    saved = house.do(coach, "evaluation-" + person, "PUT", "moments/%s/evaluation" % one["moment_id"], {
        "answers": answers_to(one["standard_id"], misses), "comment": "Listened to twice."})["evaluation"]
    return house.do(coach, "release-" + person, "POST", "evaluations/%s/release" % saved["evaluation_id"],
                    revision=saved["revision"])["evaluation"]


def dispute(house, person, evaluation, reason):
    criterion, _ = MISSED[evaluation["standard_id"]]
    return house.do(person, "dispute-" + person, "POST", "evaluations/%s/disputes" % evaluation["evaluation_id"],
                    {"criterion_id": criterion, "proposed_answer": "yes", "reason": reason})["evaluation"]


def acknowledged(house):
    one = evaluate(house, "carla", "alice")
    house.do("alice", "acknowledge-alice", "POST", "evaluations/%s/acknowledge" % one["evaluation_id"],
             {"comment": "Thank you. I would have liked to find the price faster."})


def decided(house):
    one = dispute(house, "bob", evaluate(house, "carla", "bob", misses=True), "I say it at the very start, before the click.")
    house.do("lena", "decide-bob", "POST", "evaluations/%s/disputes/%s/decide" % (
        one["evaluation_id"], one["disputes"][-1]["dispute_id"]), {"accept": True, "reason": "I listened again: it is there."})


def disputed(house):
    dispute(house, "siobhan", evaluate(house, "owen", "siobhan", misses=True), "I did, right after the customer told me.")


def at_the_bay(house):
    evaluate(house, "maya", "amelia")
    one = house.call("maya", "ben")
    house.do("maya", "draft-ben", "PUT", "moments/%s/evaluation" % one["moment_id"], {
        "answers": answers_to(one["standard_id"])[:2], "comment": "Half way through."})


def coaching(house):
    one = house.call("carla", "bob")
    held = house.do("carla", "coaching-bob", "POST", "coaching", {
        "attendee": "bob", "planned_at": stamp(minutes=1), "topic": "The first ten seconds", "moment_ids": [one["moment_id"]],
        "standard_id": "sales-call", "criterion_id": "wait"})["session"]
    held = house.do("carla", "held-bob", "POST", "coaching/%s/move" % held["session_id"], {
        "state": "held", "agreement": "Name first, then the company, then a breath.",
        "actions": [{"text": "Listen to three openings together", "due_at": stamp(days=7)},
                    {"text": "Swap a morning with Alice", "due_at": stamp(days=14)}]}, held["revision"])["session"]
    house.do("bob", "agreed-bob", "POST", "coaching/%s/acknowledge" % held["session_id"], {"comment": "Agreed, and Thursday suits me."})
    house.do("owen", "coaching-siobhan", "POST", "coaching", {
        "attendee": "siobhan", "planned_at": stamp(days=2), "topic": "Saying sorry once"})
    house.do("maya", "coaching-amelia", "POST", "coaching", {
        "attendee": "amelia", "planned_at": stamp(days=3), "topic": "Talking while searching"})


def calibration(house):
    calls = house.calls("lena", "alice", 2, one_standard=True)
    one = house.do("lena", "calibration", "POST", "calibrations", {"calibration": {
        "title": "Do we hear the same?", "standard_id": calls[0]["standard_id"], "standard_version": calls[0]["standard_version"],
        "moment_ids": [call["moment_id"] for call in calls], "deadline_at": stamp(days=7),
        "participants": [house.participant(login) for login in ("lena", "carla", "owen")]}})
    one = one["calibration"]
    house.do("carla", "calibration-carla", "POST", "calibrations/%s/submit" % one["calibration_id"], {
        "moment_id": one["moment_ids"][0], "answers": answers_to(one["standard_id"])})


def alert(house):
    """One is taken up; the others stay as they are, for whoever looks."""
    if any(a["acknowledged_at"] for a in house.get("carla", "alerts?mine=true&limit=50")["items"]):
        return
    one = house.wait("an alert of the front desk", lambda: house.get("carla", "alerts?open_only=true&limit=50")["items"])[0]
    house.do("carla", "alert-carla", "POST", "alerts/%s/acknowledge" % one["alert_id"])


STEPS = (
    ("Two standards for both sites", examples),
    ("Lena tries the next support standard at Harbour Bay first", canary),
    ("Ines connects a webhook and switches it off", webhook),
    ("Lena and her coaches declare their rhythms", rhythms),
    ("Lena edits an alert rule for Harbour Bay", rule),
    ("Lena plans samples for each team", plans),
    ("Lena writes in her journal, Maya celebrates", journal),
    ("Lena praises a call that was caught right; Alice tells her story; others answer", praise),
    ("Owen praises Siobhán between the two of them", private_praise),
    ("Carla and Maya say what could be better; Bob answers", improvement),
    ("Carla evaluates Alice, who acknowledges it", acknowledged),
    ("Carla evaluates Bob, who disputes a criterion; Lena decides", decided),
    ("Owen evaluates Siobhán; her dispute waits for an arbitrator", disputed),
    ("Maya evaluates Amelia, and begins with Ben", at_the_bay),
    ("Carla holds a coaching session; Owen and Maya plan theirs", coaching),
    ("Three begin a calibration, Carla is half through", calibration),
    ("Carla takes up an alert", alert),
)


def run_steps(house):
    """Why some could not be done."""
    left = []
    for title, step in STEPS:
        say("  " + title)
        try:
            step(house)
        except Left as why:
            left.append(why)
            say("      left out: %s" % why)
    return left


def password_of(path):
    """(password, is it new). Kept for its owner alone: the next run signs in with it again."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip(), False
    except FileNotFoundError:
        password = "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4)) for _ in range(4))
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(password + "\n")
        return password, True


def show(house, is_new):
    say("\n  %-9s %-11s %s" % ("LOGIN", "ROLE", "THEIR PAGE SHOWS"))
    for login, _, role, _, shows in PEOPLE:
        say("  %-9s %-11s %s" % (login, role, shows))
    if is_new:
        say("\n  Password of all of them: %s   (shown only now)" % house.password)
    else:
        say("\n  What was there stayed as it was. Their password is the one that the first run printed.\n"
            "  A new one for somebody: %s user password LOGIN" % " ".join(house.momentctl))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--url", required=True, help="address of the page")
    parser.add_argument("--password-file", required=True, help="kept there between runs; made when it is not there")
    parser.add_argument("--patience", type=float, default=240, help="seconds to wait for a call of somebody")
    parser.add_argument("momentctl", nargs="+", help="momentctl and its --dir")
    a = parser.parse_args()
    password, is_new = password_of(a.password_file)
    house = House(a.url, a.momentctl, password, a.patience)
    added = house.add_people()
    say("  %d people who can sign in, %d of them new" % (len(PEOPLE), added))
    if is_new:  # said again at the end; should a step be cut off, it is not lost
        say("  Password of all of them: %s" % password)
    left = run_steps(house)
    show(house, is_new)
    if left:
        say("\n  %d of %d steps were left out, as said above; make demo tries them again." % (len(left), len(STEPS)))
    sys.exit(1 if any(is_new or not isinstance(why, Stranger) for why in left) else 0)


if __name__ == "__main__":
    main()
