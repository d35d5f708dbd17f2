"""loop - the leader's loop as steps that real people take, over the HTTP API.

A leader publishes a standard and promises a rhythm; a call violates the standard as it happens; the coach gets the
alert and sends a note; the agent acknowledges it, is evaluated, disputes one criterion; somebody else decides; a good
call becomes a candidate; the leader praises it; the agent tells how; a peer reacts; the flame moves.

Each step waits for what it needs and then does one thing, tried again with the same Idempotency-Key while a service is
away. So whatever is killed between two steps, the end state must be the same: `Loop(moment).play()`, `.state()`.
"""
import os
import time
import urllib.error
import uuid
from datetime import datetime, timezone

from installation import wait_for

DIRECTORY = ("kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
             "site,lyon,Lyon,,,,,,Europe/Paris,\"Mon-Sun 00:00-23:59\",\nteam,red,Red,lyon,,,,,,,\n"
             "queue,sales,Sales,lyon,,,,,,,\n"
             "person,p-lea,Lea Larsson,lyon,red,leader,,,,,\nperson,p-cleo,Cleo Costa,lyon,red,coach,,,,,\n"
             "person,p-nora,Nora Nilsson,lyon,red,agent,p-cleo,nora,,,\nperson,p-omar,Omar Osei,lyon,red,agent,p-cleo,omar,,,\n")
PEOPLE = {"lea": ("leader", "Lea Larsson", "p-lea"), "leo": ("leader", "Leo Lund", ""), "cleo": ("coach", "Cleo Costa", "p-cleo"),
          "nora": ("agent", "Nora Nilsson", "p-nora"), "omar": ("agent", "Omar Osei", "p-omar")}
STANDARD = {"title": "A sales call", "scope": {"sites": ["lyon"], "queues": ["sales"]}, "criteria": [
    {"criterion_id": "hold", "section": "care", "title": "Never on hold for long", "kind": "measured", "weight": 30,
     "metric": "hold_ms", "comparison": "at_most", "value": 1000},
    {"criterion_id": "wait", "section": "care", "title": "Answered at once", "kind": "measured", "weight": 10,
     "metric": "wait_ms", "comparison": "at_most", "value": 20000, "wow_value": 5000},
    {"criterion_id": "name", "section": "care", "title": "Uses the customer's name", "kind": "observed", "weight": 60,
     "scale": "yes_no", "example_good": "Mrs Ade, ...", "example_bad": "Next!"}]}
RULE = {"title": "On hold for more than a second", "subject": "held", "threshold": 1000, "severity": "critical",
        "sites": ["lyon"], "queues": ["sales"], "enabled": True}


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Loop:
    def __init__(self, moment):
        self.moment = moment
        self.crm = moment.add_events_source("crm", "--site", "lyon")["token"]
        path = os.path.join(moment.dir, "loop.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        moment.ctl("directory", "import", path)
        self.who = {}
        for login, (role, name, person) in PEOPLE.items():
            self.who[login] = moment.new_user(login, "--role", role, "--name", name, "--site", "lyon",
                                              *(("--person", person) if person else ()))
        self.seen = {}
        self.steps = [self.publish, self.promise, self.rule, self.violate, self.take_alert, self.send_note, self.hear, self.hang_up,
                      self.evaluate, self.dispute, self.decide, self.shine, self.praise, self.tell, self.react]

    # --- hands ---

    def ask(self, who, method, path, body=None, key=None, **headers):
        """The answer, once a service that was away is back; a command is the same command all the time."""
        if method != "GET":
            headers["Idempotency_Key"] = key or str(uuid.uuid4())

        def attempt():
            try:
                status, answer, _ = self.moment.ask(self.who[who], method, "/api/v1/" + path, body, **headers)
            except (urllib.error.URLError, ConnectionError, TimeoutError) as e:
                raise AssertionError(str(e)) from None
            assert status not in (502, 503, 504), answer
            return status, answer
        status, answer = wait_for("%s %s" % (method, path), attempt, 40)
        assert status == 200, (method, path, status, answer)
        return answer

    def find(self, what, who, path, accept=lambda item: True):
        """The first item of a list that is accepted, once it is there."""
        def look():
            return [i for i in self.ask(who, "GET", path)["items"] if accept(i)]
        return wait_for(what, look, 40)[0]

    def tell_event(self, contact, kind, at, **data):
        event = {"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
                 "time": stamp(at), "data": {"contact_id": contact, "channel": "voice", **data}}

        def attempt():
            try:
                status, answer = self.moment.post(event, token=self.crm)
            except (urllib.error.URLError, ConnectionError, TimeoutError) as e:
                raise AssertionError(str(e)) from None
            assert status == 202, answer
            return True
        wait_for("the event " + event["id"], attempt, 40)

    # --- steps ---

    def publish(self):
        draft = self.ask("lea", "PUT", "standards/sales-call/draft", {"standard": STANDARD})
        assert draft["objections"] == []
        self.ask("lea", "POST", "standards/sales-call/publish",
                 {"why": "Nobody likes to be a number.", "example": "Good morning, Mrs Ade."},
                 If_Match='"%d"' % draft["standard"]["revision"])

    def promise(self):
        for practice in ("praise", "journal"):
            self.ask("lea", "POST", "rhythms", {"practice": practice, "times": 2, "period": "week", "time_zone": "Europe/Paris"})

    def rule(self):
        self.ask("lea", "PUT", "alert-rules/held-too-long", {"rule": RULE})

    def violate(self):
        self.began = time.time()
        self.tell_event("bad", "queued", self.began - 32, queue="sales")
        self.tell_event("bad", "answered", self.began - 2, queue="sales", agent="nora")
        self.tell_event("bad", "held", self.began)

    def take_alert(self):
        alert = self.find("the alert", "cleo", "alerts?rule_id=held-too-long")
        self.seen["alert"] = alert["alert_id"]
        self.seen["bad"] = alert["moment_id"]
        self.ask("cleo", "POST", "alerts/%s/acknowledge" % alert["alert_id"], {})

    def send_note(self):
        self.ask("cleo", "POST", "notes", {"kind": "improvement", "moment_id": self.seen["bad"], "alert_id": self.seen["alert"],
                                           "receiver": "p-nora", "text": "Ask before you put her on hold."})

    def hear(self):
        note = self.find("the note", "nora", "notes?unacknowledged=true")
        self.ask("nora", "POST", "notes/%s/acknowledge" % note["note_id"], {"answer": "I will."})

    def hang_up(self):
        self.tell_event("bad", "resumed", self.began + 5)
        self.tell_event("bad", "ended", self.began + 10)
        # Facts in the future would be refused as a clock that is wrong: let the call end before it is evaluated.
        self.find("the automatic evaluation", "cleo", "evaluations?moment_id=" + self.seen["bad"])

    def evaluate(self):
        path = "moments/%s/evaluation" % self.seen["bad"]
        saved = self.ask("cleo", "PUT", path, {"answers": [{"criterion_id": "name", "answer": "no"}]})["evaluation"]
        self.seen["evaluation"] = saved["evaluation_id"]
        self.ask("cleo", "POST", "evaluations/%s/release" % saved["evaluation_id"], {}, If_Match='"%d"' % saved["revision"])

    def dispute(self):
        evaluation = self.find("the evaluation", "nora", "evaluations?by_people=true&moment_id=" + self.seen["bad"])
        self.ask("nora", "POST", "evaluations/%s/disputes" % evaluation["evaluation_id"], {
            "criterion_id": "name", "proposed_answer": "yes", "reason": "I said Mrs Ade at 0:04."})

    def decide(self):
        evaluation = self.find("the dispute", "leo", "evaluations?state=disputed")
        (dispute,) = evaluation["disputes"]
        self.ask("leo", "POST", "evaluations/%s/disputes/%s/decide" % (evaluation["evaluation_id"], dispute["dispute_id"]),
                 {"accept": True, "reason": "Heard it again: she did say it."})

    def shine(self):
        at = time.time()
        self.tell_event("good", "queued", at - 40, queue="sales")
        self.tell_event("good", "answered", at - 38, queue="sales", agent="nora")
        self.tell_event("good", "ended", at - 1)

    def praise(self):
        candidate = self.find("the candidate", "lea", "candidates?open_only=true", lambda c: c["moment_id"] != self.seen["bad"])
        self.seen["good"] = candidate["moment_id"]
        self.ask("lea", "POST", "notes", {"kind": "praise", "moment_id": candidate["moment_id"], "candidate_id": candidate["candidate_id"],
                                          "text": "You never let her wait, and she noticed."})

    def tell(self):
        def asked():
            return self.ask("nora", "GET", "story-requests")["requests"]
        (request,) = wait_for("the request for a story", asked, 40)
        self.ask("nora", "POST", "posts/%s/story" % request["post_id"], {"text": "I read the file before I pick up."})

    def react(self):
        post = self.find("the praise on the wall", "omar", "posts?kind=praise")
        self.ask("omar", "POST", "posts/%s/reactions" % post["post_id"], {"kind": "applause"})

    # --- the whole ---

    def play(self, between=lambda number: None):
        for number, step in enumerate(self.steps):
            step()
            between(number)

    def state(self):
        """What there is in the end, without ids and times."""
        flames = {f["practice"]: f["periods"][-1]["kept"] for f in self.ask("lea", "GET", "flame?periods=2")["flames"]}
        evaluations = self.ask("nora", "GET", "evaluations?moment_id=" + self.seen["bad"])["items"]
        candidates = self.ask("lea", "GET", "candidates?moment_id=" + self.seen["good"])["items"]
        alerts = self.ask("lea", "GET", "alerts?rule_id=held-too-long")["items"]
        posts = self.ask("omar", "GET", "posts")["items"]
        notes = self.ask("cleo", "GET", "notes")["items"]
        account = self.ask("lea", "GET", "accountability")
        return {
            "standards": [(s["version"], s["state"], s["signed_by"]) for s in self.ask("nora", "GET", "standards")["standards"]],
            "alerts": [(a["state"], a["owner_name"], a["moment_id"] == self.seen["bad"]) for a in alerts],
            "notes": sorted((n["kind"], n["giver_name"], n["receiver"], n["text"], n["answer"]) for n in notes),
            "evaluations": sorted((e["evaluator_name"] or "", e["state"], e["final_score"], [d["state"] for d in e["disputes"]])
                                  for e in evaluations),
            "candidates": [(c["state"], c["decided_by_name"]) for c in candidates],
            "posts": sorted((p["kind"], p["author_name"], p["about_name"] or "", p["text"],
                             [(r["kind"], r["name"]) for r in p["reactions"]], bool(p["story_id"]), bool(p["praise_id"]))
                            for p in posts),
            "flame": flames,
            "account": (account["praise"], account["improvement"], [g["name"] for g in account["givers"]]),
        }


def nothing_private_is_visible(loop):
    """An improvement is the receiver's, the coach's and its author's; a draft was its evaluator's; others see neither."""
    assert [n["kind"] for n in loop.ask("omar", "GET", "notes")["items"]] == []
    assert {n["kind"] for n in loop.ask("lea", "GET", "notes")["items"]} == {"praise"}
    assert {n["kind"] for n in loop.ask("leo", "GET", "notes")["items"]} == {"praise"}
    assert loop.ask("omar", "GET", "evaluations")["items"] == []
    (note,) = loop.ask("nora", "GET", "notes?kind=improvement")["items"]
    for who in ("omar", "lea", "leo"):
        status, _, _ = loop.moment.ask(loop.who[who], "GET", "/api/v1/notes/" + note["note_id"])
        assert status == 404, who
    for who in ("omar", "nora"):
        status, _, _ = loop.moment.ask(loop.who[who], "GET", "/api/v1/accountability")
        assert status == 403, who
    status, _, _ = loop.moment.ask(loop.who["omar"], "GET", "/api/v1/moments/" + loop.seen["bad"])
    assert status == 404
