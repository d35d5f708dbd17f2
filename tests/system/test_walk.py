"""The walk: every route that is passed on to an owner, asked by every role in every scope, about things of one site and team.

The house: Lyon with the teams red and blue, Oslo with the team north. What is asked about lies in Lyon, red, and is about Anna.
Who may do what is the table ROWS, written from the rules (design/rules.md 0, Visibility) and not from the program; a route that has
no row fails. Expected of each caller:
  401  nobody, and whose token has expired;
  403  a role that the route is not for;
  404  another scope: what may not be seen is not there (a row may say otherwise, with its reason);
  anything else  whoever may: 200, or a refusal of what was said (409, 412, 422) that comes after the question whether they may.
"""
import contextlib
import itertools
import json
import os
import subprocess
import time
import urllib.request
import uuid
from datetime import datetime, timezone

import psycopg2
import pytest

from installation import BIN, Installation, wait_for
from openapi import answer_errors

NUMBERS = itertools.count(1)
PRINTED = subprocess.run([os.path.join(BIN, "moment-reporting"), "--print-routes"], capture_output=True, text=True,
                         check=True).stdout.splitlines()
ROUTES = {"%(method)s %(path)s" % r: r for r in map(json.loads, PRINTED) if "call" in r}

# --- who asks ---

CALLERS = {
    "leader": ("--role", "leader"), "leader-lyon": ("--role", "leader", "--site", "lyon"),
    "leader-oslo": ("--role", "leader", "--site", "oslo"), "leader-red": ("--role", "leader", "--team", "red"),
    "leader-blue": ("--role", "leader", "--team", "blue"),
    "coach": ("--role", "coach"), "coach-lyon": ("--role", "coach", "--site", "lyon"),
    "coach-oslo": ("--role", "coach", "--site", "oslo"), "coach-red": ("--role", "coach", "--team", "red"),
    "coach-blue": ("--role", "coach", "--team", "blue"),
    "anna": ("--role", "agent", "--person", "p-anna"), "ben": ("--role", "agent", "--person", "p-ben"),
    "bert": ("--role", "agent", "--person", "p-bert"), "ola": ("--role", "agent", "--person", "p-ola"),
    "unknown-agent": ("--role", "agent"),
    "integrator": ("--role", "integrator"), "integrator-lyon": ("--role", "integrator", "--site", "lyon"),
    "integrator-oslo": ("--role", "integrator", "--site", "oslo"),
    "operator": ("--role", "operator"),
}
STRANGERS = ("nobody", "expired")


def of_role(*roles):
    return {name for name, options in CALLERS.items() if options[1] in roles}


ALL, LEADERS, COACHES, AGENTS = set(CALLERS), of_role("leader"), of_role("coach"), of_role("agent")
L_AND_C, CONTENT = LEADERS | COACHES, ALL - {"operator"}
# Of what lies in Lyon, red; of what concerns all of Lyon; of the whole house.
L_IN, C_IN = {"leader", "leader-lyon", "leader-red"}, {"coach", "coach-lyon", "coach-red"}
LC_IN = L_IN | C_IN
LC_LYON = {"leader", "leader-lyon", "coach", "coach-lyon"}
L_LYON = LC_LYON & LEADERS
READ_IN = LC_IN | {"anna", "integrator", "integrator-lyon"}


class Row:
    """may: who may; ask, body: the parameters of path and query, and the body, from the house; other: what some callers are
    answered instead, with the reason in the comment beside it; fresh: ask for whoever may, where that ends the
    thing; lists: (where, member, which): that thing is shown to each of sees and to nobody else."""

    def __init__(self, may, ask=lambda h: {}, body=None, headers=None, other=None, lists=None, sees=None,
                 fresh=None):
        self.may, self.ask, self.body, self.headers, self.fresh = may, ask, body or (lambda h: None), headers or {}, fresh or ask
        self.other, self.lists, self.sees = other or {}, lists, sees

    def shows(self, house, answer):
        where, member, which = self.lists
        return which(house) in [item[member] for item in answer[where]]


def stale():
    """Whoever may is told so, after they were found to be allowed; nothing changes."""
    return {"If_Match": '"999"'}


def text(words):
    return "%s, for the %d. time." % (words, next(NUMBERS))


# --- the house and what is in it ---

DIRECTORY = {
    "sites": [{"site_id": "lyon", "name": "Lyon", "time_zone": "Europe/Paris"},
              {"site_id": "oslo", "name": "Oslo", "time_zone": "Europe/Oslo"}],
    "teams": [{"team_id": "red", "name": "Red", "site_id": "lyon"}, {"team_id": "blue", "name": "Blue", "site_id": "lyon"},
              {"team_id": "north", "name": "North", "site_id": "oslo"}],
    "people": [{"person_id": "p-" + name, "name": name.title(), "site_id": site, "team_id": team, "agent_ids": [{"agent": name}]}
               for name, site, team in (("anna", "lyon", "red"), ("ben", "lyon", "red"), ("bert", "lyon", "blue"),
                                        ("ola", "oslo", "north"))],
    "queues": [{"queue_id": "sales", "name": "Sales", "site_id": "lyon"}],
}
CRITERIA = [
    {"criterion_id": "wait", "section": "speed", "title": "Short wait", "kind": "measured", "weight": 100, "metric": "wait_ms",
     "comparison": "at_most", "value": 20000, "wow_value": 5000},
    {"criterion_id": "greeting", "section": "word", "title": "Says hello", "kind": "observed", "weight": 100, "scale": "yes_no"},
]


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class House:
    def __init__(self, m):
        self.m, self.who, self.kept, self.missing = m, {"nobody": None}, {}, set()

    # --- people ---

    def settle_in(self):
        path = os.path.join(self.m.dir, "directory.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(DIRECTORY, f)
        self.m.ctl("directory", "import", path)
        self.sources = {site: self.m.add_events_source("crm-" + site, "--site", site)["token"] for site in ("lyon", "oslo")}
        for name, options in CALLERS.items():
            self.who[name] = self.m.new_user(name, "--name", name, *options)
        self.who["expired"] = self.m.new_token("leader", "expired")
        with contextlib.closing(psycopg2.connect(self.m.postgres.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("update reporting.token set expires_at = now() - interval '1 second' where name = 'expired-leader'")

    def do(self, who, method, path, body=None, expect=200, **headers):
        status, answer, _ = self.m.ask(self.who[who], method, "/api/v1/" + path, body, **headers)
        assert status == expect, (who, method, path, status, answer)
        return answer

    def once(self, name, make):
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def await_(self, what, condition):
        """What did not come once is not waited for again: a hundred callers would each."""
        assert what not in self.missing, "%s did not come before" % what
        try:
            return wait_for(what, condition, 15)
        except AssertionError:
            self.missing.add(what)
            raise

    # --- moments ---

    def tell(self, site, contact, kind, at, **data):
        status, answer = self.m.post([{"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/t", "type": "x." + kind,
                                       "time": stamp(at), "data": {"contact_id": contact, **data}}],
                                     "application/cloudevents-batch+json", token=self.sources[site])
        assert status == 202, answer

    def call(self, site="lyon", agent="anna", ago=1.0, is_over=True):
        """A moment of somebody, after the standard came into force: its id."""
        contact, at = "walk-%d" % next(NUMBERS), time.time() - ago
        self.tell(site, contact, "contact.queued", at, queue={"id": "sales"}, channel="voice")
        self.tell(site, contact, "contact.answered", at + 0.2, queue={"id": "sales"}, agent={"id": agent}, wait_ms=200)
        if is_over:
            self.tell(site, contact, "contact.ended", at + 0.8, ended_by="agent", outcome="answered")
            self.tell(site, contact, "feedback.received", at + 0.9, instrument="csat", score=5, scale_min=1, scale_max=5)
        return self.await_("the moment", lambda: [m for m in self.do("leader", "GET", "moments?limit=200")["items"]
                                                  if m["source_contact_id"] == contact])[0]["moment_id"]

    def moment(self):
        return self.once("moment", lambda: self.known(self.call()))

    def known(self, moment_id):
        """Evaluated, so that feedback knows it is over."""
        self.await_("its evaluation", lambda: self.do("leader", "GET", "evaluations?moment_id=" + moment_id)["items"])
        return moment_id

    def fresh_moment(self):
        return self.known(self.call())

    # --- standards and evaluations ---

    def standard(self):
        """Published for Lyon, with a draft of what comes next."""
        def make():
            content = {"title": "Walk", "scope": {"sites": ["lyon"], "queues": ["sales"]}, "criteria": CRITERIA}
            made = self.do("leader", "PUT", "standards/walk/draft", {"standard": content})
            self.do("leader", "POST", "standards/walk/publish", {"why": "Because we walk.", "example": "A walk in the park."},
                    If_Match='"%d"' % made["standard"]["revision"])
            self.do("leader", "PUT", "standards/walk/draft", {"standard": {**content, "title": "Walk on"}})
            return "walk"
        return self.once("standard", make)

    def evaluation(self, who="coach-red"):
        """Released: what Anna can see."""
        moment_id = self.fresh_moment()
        made = self.do(who, "PUT", "moments/%s/evaluation" % moment_id,
                       {"answers": [{"criterion_id": "greeting", "answer": "no", "comment": "Not a word."}]})["evaluation"]
        released = self.do(who, "POST", "evaluations/%s/release" % made["evaluation_id"], If_Match='"%d"' % made["revision"])
        return released["evaluation"]

    def draft_evaluation(self):
        def make():
            moment_id = self.fresh_moment()
            return self.do("coach-red", "PUT", "moments/%s/evaluation" % moment_id, {"answers": []})["evaluation"]["evaluation_id"]
        return self.once("draft evaluation", make)

    def released(self):
        return self.once("released", self.evaluation)["evaluation_id"]

    def disputed(self):
        """A fresh dispute: decided once only."""
        one = self.evaluation()["evaluation_id"]
        answer = self.do("anna", "POST", "evaluations/%s/disputes" % one,
                         {"criterion_id": "greeting", "proposed_answer": "yes", "reason": "I did say hello."})
        return {"evaluation_id": one, "dispute_id": answer["evaluation"]["disputes"][-1]["dispute_id"]}

    def participants(self, *names):
        users = self.once("users", lambda: self.do("operator", "GET", "users")["users"])
        return [{"user_id": u["user_id"], "name": u["name"]} for u in users if u["login"] in names]

    def calibration(self):
        """Of coach-red, with coach; fresh, as it can be cancelled."""
        body = {"calibration": {"title": "Walk", "standard_id": self.standard(), "standard_version": 1,
                                "moment_ids": [self.moment()],
                                "participants": self.participants("coach", "coach-red"),
                                "deadline_at": stamp(time.time() + 86400)}}
        return self.do("coach-red", "POST", "calibrations", body)["calibration"]["calibration_id"]

    def kept_calibration(self):
        return self.once("calibration", self.calibration)

    def plan(self):
        def make():
            self.do("leader", "PUT", "sampling-plans/walk", {"plan": {
                "title": "Walk", "sites": ["lyon"], "quota": 1, "period": "day", "time_zone": "Europe/Paris", "seed": "w",
                "enabled": True}})
            return "walk"
        return self.once("plan", make)

    # --- alerts ---

    RULE = {"title": "Talks", "subject": "talking", "threshold": 1000, "sites": ["lyon"], "severity": "notice", "enabled": True}

    def rule(self):
        def make():
            self.do("leader", "PUT", "alert-rules/walk", {"rule": self.RULE})
            return "walk"
        return self.once("rule", make)

    def alert(self):
        self.rule()
        moment_id = self.call(ago=10, is_over=False)
        return self.await_("the alert", lambda: [a for a in self.do("leader", "GET", "alerts?moment_id=" + moment_id)["items"]
                                              if a["rule_id"] == "walk"])[0]["alert_id"]

    def kept_alert(self):
        return self.once("alert", self.alert)

    # --- notes, coaching, rhythms ---

    def note(self, kind="improvement", who="coach-red", **more):
        return self.do(who, "POST", "notes", {"kind": kind, "moment_id": self.moment(), "text": text("That was it"),
                                              **more})["note"]

    def improvement(self):
        return self.once("improvement", self.note)["note_id"]

    def praise(self):
        return self.once("praise", lambda: self.note("praise", "leader-red"))["note_id"]

    def coaching(self):
        return self.do("coach-red", "POST", "coaching", {"attendee": "p-anna", "planned_at": stamp(time.time() + 3600),
                                                         "topic": "Walking"})["session"]["session_id"]

    def kept_coaching(self):
        return self.once("coaching", self.coaching)

    def held_coaching(self):
        def make():
            one = self.coaching()
            self.do("coach-red", "POST", "coaching/%s/move" % one, {"state": "held", "agreement": "To walk."}, If_Match='"1"')
            return one
        return self.once("held", make)

    def rhythm(self):
        """Of the leader; a fresh one where it ends."""
        return self.do("leader", "POST", "rhythms", {"practice": "praise", "times": 1 + next(NUMBERS) % 50, "period": "week",
                                                     "time_zone": "Europe/Paris"})["rhythm"]["rhythm_id"]

    # --- candidates and the wall ---

    def candidate(self):
        moment_id = self.fresh_moment()
        return self.await_("the candidate", lambda: self.do("leader", "GET", "candidates?moment_id=" + moment_id)["items"])[0][
            "candidate_id"]

    def kept_candidate(self):
        return self.once("candidate", self.candidate)

    def praise_post(self):
        """A fresh praise of Anna, on the wall: each is told one story."""
        note_id = self.do("leader-red", "POST", "notes", {"kind": "praise", "moment_id": self.fresh_moment(),
                                                          "text": text("Well walked")})["note"]["note_id"]
        return self.await_("the post", lambda: [p for p in self.do("leader", "GET", "posts?kind=praise&limit=200")["items"]
                                             if p["note_id"] == note_id])[0]["post_id"]

    def celebration(self):
        return self.do("coach", "POST", "posts", {"kind": "celebration", "title": "We walked", "text": text("All of us")})[
            "post"]["post_id"]

    def post(self):
        return self.once("post", self.celebration)

    def comment(self):
        """A fresh one of Anna's."""
        post = self.do("anna", "POST", "posts/%s/comments" % self.post(), {"text": text("Nice")})["post"]
        return {"post_id": post["post_id"], "comment_id": post["comments"][-1]["comment_id"]}

    def webhook(self):
        return self.do("leader", "POST", "webhooks", {"url": "https://example.com/%d" % next(NUMBERS)})["webhook"]["webhook_id"]

    def kept_webhook(self):
        return self.once("webhook", self.webhook)

    def account(self):
        return self.once("account", lambda: self.do("operator", "POST", "users", {"login": "walker", "roles": ["coach"]})
                         and "walker")

    def fresh_account(self):
        login = "walker-%d" % next(NUMBERS)
        self.do("operator", "POST", "users", {"login": login, "roles": ["coach"], "password": "walks and walks"})
        return login


# --- the table ---

ACCOUNT = {"roles": ["coach"], "name": "Walker"}
ROWS = {
    # What is published is known to the house; drafts to leaders and coaches.
    "GET standards": Row(ALL, lambda h: {"standard_id": h.standard()},
                         lists=("drafts", "standard_id", lambda h: h.standard()), sees=L_AND_C),
    "PUT standards/{standard_id}/draft": Row(LC_LYON, lambda h: {"standard_id": h.standard()}, headers=stale(), body=lambda h: {
        "standard": {"title": "Walk", "scope": {"sites": ["lyon"], "queues": ["sales"]}, "criteria": CRITERIA}}),
    "DELETE standards/{standard_id}/draft": Row(LC_LYON, lambda h: {"standard_id": h.standard()}, headers=stale()),
    "POST standards/{standard_id}/publish": Row(L_LYON, lambda h: {"standard_id": h.standard()}, headers=stale(), body=lambda h: {
        "why": "Because we walk.", "example": "A walk in the park."}),
    "POST standards/{standard_id}/roll-out": Row(L_LYON, lambda h: {"standard_id": h.standard()}, body=lambda h: {"version": 1}),
    "POST standards/{standard_id}/roll-back": Row(L_LYON, lambda h: {"standard_id": h.standard()}, body=lambda h: {
        "to_version": 1, "why": ""}),
    "POST standards/{standard_id}/retire": Row(L_LYON, lambda h: {"standard_id": h.standard()}, body=lambda h: {"because": ""}),

    "GET evaluations": Row(CONTENT, lambda h: {"moment_id": h.moment()},
                           lists=("items", "moment_id", lambda h: h.moment()), sees=READ_IN),
    "GET evaluations/{evaluation_id}": Row(READ_IN, lambda h: {"evaluation_id": h.released()}),
    "PUT moments/{moment_id}/evaluation": Row(LC_IN, lambda h: {"moment_id": h.moment()}, body=lambda h: {"answers": []}),
    # A draft is its evaluator's alone.
    "POST evaluations/{evaluation_id}/release": Row({"coach-red"}, lambda h: {"evaluation_id": h.draft_evaluation()},
                                                    headers=stale()),
    "DELETE evaluations/{evaluation_id}": Row({"coach-red"}, lambda h: {"evaluation_id": h.draft_evaluation()}, headers=stale()),
    "POST evaluations/{evaluation_id}/acknowledge": Row({"anna"}, lambda h: {"evaluation_id": h.released()}),
    "POST evaluations/{evaluation_id}/disputes": Row({"anna"}, lambda h: {"evaluation_id": h.released()}, body=lambda h: {
        "criterion_id": "greeting", "proposed_answer": "yes", "reason": ""}),
    # The arbitrator is never the evaluator, who sees it all the same.
    "POST evaluations/{evaluation_id}/disputes/{dispute_id}/decide": Row(
        LC_IN - {"coach-red"}, lambda h: h.disputed(), body=lambda h: {"accept": True, "reason": "She did."},
        other={"coach-red": {403, 409}}),

    # Known to its participants, its maker and the leaders of its site; what each answered is not, until it is closed.
    "GET calibrations": Row(L_AND_C, lists=("items", "calibration_id", lambda h: h.kept_calibration()),
                            sees={"coach", "coach-red", "leader", "leader-lyon"}),
    # A moment that they may not see is no moment that they can name.
    "POST calibrations": Row(LC_IN, other={name: {422} for name in L_AND_C - LC_IN}, body=lambda h: {"calibration": {
        "title": "Walk", "standard_id": h.standard(), "standard_version": 1, "moment_ids": [h.moment()],
        "participants": h.participants("coach", "leader"),
        "deadline_at": stamp(time.time() + 86400)}}),
    "GET calibrations/{calibration_id}": Row({"coach", "coach-red", "leader", "leader-lyon"},
                                             lambda h: {"calibration_id": h.kept_calibration()}),
    "POST calibrations/{calibration_id}/submit": Row(
        {"coach", "coach-red"}, lambda h: {"calibration_id": h.kept_calibration()}, body=lambda h: {
            "moment_id": h.moment(), "answers": [{"criterion_id": "greeting", "answer": "perhaps"}]}),
    "POST calibrations/{calibration_id}/cancel": Row({"coach-red"}, lambda h: {"calibration_id": h.calibration()}),
    # A plan for all of Lyon draws from each of its teams, whose leaders may know; changed by who looks after all of it.
    "GET sampling-plans": Row(L_AND_C, lists=("plans", "plan_id", lambda h: h.plan()),
                              sees=L_AND_C - {"leader-oslo", "coach-oslo"}),
    "PUT sampling-plans/{plan_id}": Row(LC_LYON, lambda h: {"plan_id": h.plan()}, headers=stale(), body=lambda h: {"plan": {
        "title": "Walk", "sites": ["lyon"], "quota": 1, "period": "day", "time_zone": "Europe/Paris", "seed": "w"}}),
    "DELETE sampling-plans/{plan_id}": Row(LC_LYON, lambda h: {"plan_id": h.plan()}, headers=stale()),
    "GET samples": Row(L_AND_C),

    "GET alerts": Row(CONTENT, lambda h: {"limit": 200}, lists=("items", "alert_id", lambda h: h.kept_alert()), sees=READ_IN),
    "GET alerts/{alert_id}/steps": Row(READ_IN, lambda h: {"alert_id": h.kept_alert()}),
    "POST alerts/{alert_id}/acknowledge": Row(LC_IN, lambda h: {"alert_id": h.kept_alert()}),
    "POST alerts/{alert_id}/close": Row(LC_IN, lambda h: {"alert_id": h.kept_alert()},
                                        fresh=lambda h: {"alert_id": h.alert()}, body=lambda h: {"closing_note": "Done."}),
    # Rules are known to the house; whose sites they concern may change them.
    "GET alert-rules": Row(ALL, lists=("rules", "rule_id", lambda h: h.rule()), sees=ALL),
    "PUT alert-rules/{rule_id}": Row(LC_LYON, lambda h: {"rule_id": h.rule()}, headers=stale(),
                                     body=lambda h: {"rule": House.RULE}),
    "DELETE alert-rules/{rule_id}": Row(LC_LYON, lambda h: {"rule_id": h.rule()}, headers=stale()),
    "POST alert-rules/preview": Row(LC_LYON, body=lambda h: {"rule": House.RULE, "days": 1, "time_zone": "Europe/Paris"}),

    # Improvement: its giver, the agent, coaches in scope; no leader who did not give it.
    "GET notes": Row(L_AND_C | AGENTS, lambda h: {"moment_id": h.moment(), "limit": 200},
                     lists=("items", "note_id", lambda h: h.improvement()), sees=C_IN | {"anna"}),
    "POST notes": Row(LC_IN, body=lambda h: {"kind": "praise", "moment_id": h.moment(), "text": text("So well done")}),
    "GET notes/{note_id}": Row(C_IN | {"anna"}, lambda h: {"note_id": h.improvement()}),
    "POST notes/{note_id}/acknowledge": Row({"anna"}, lambda h: {"note_id": h.improvement()}, body=lambda h: {"answer": "Yes."}),
    # Its coach, the attendee, coaches in scope; changed by its coach.
    "GET coaching": Row(L_AND_C | AGENTS, lambda h: {"limit": 200},
                        lists=("items", "session_id", lambda h: h.kept_coaching()), sees=C_IN | {"anna"}),
    "POST coaching": Row(LC_IN, body=lambda h: {"attendee": "p-anna", "planned_at": stamp(time.time() + 3600),
                                                "topic": "Walking"}),
    "GET coaching/{session_id}": Row(C_IN | {"anna"}, lambda h: {"session_id": h.kept_coaching()}),
    "PUT coaching/{session_id}": Row({"coach-red"}, lambda h: {"session_id": h.kept_coaching()}, headers=stale(),
                                     body=lambda h: {"session": {"topic": "Walking on", "planned_at": stamp(time.time() + 7200)}},
                                     other={"coach": {403, 404, 412}, "coach-lyon": {403, 404, 412}}),
    "POST coaching/{session_id}/move": Row({"coach-red"}, lambda h: {"session_id": h.kept_coaching()}, headers=stale(),
                                           body=lambda h: {"state": "cancelled", "because": "It rains."},
                                           other={"coach": {403, 404, 412}, "coach-lyon": {403, 404, 412}}),
    "POST coaching/{session_id}/acknowledge": Row({"anna"}, lambda h: {"session_id": h.held_coaching()},
                                                  body=lambda h: {"comment": "Yes."}),
    # Promises are made before the house; each their own.
    "GET rhythms": Row(L_AND_C | AGENTS),
    "POST rhythms": Row(L_AND_C, body=lambda h: {"practice": "note", "times": 2, "period": "week", "time_zone": "Europe/Paris"}),
    "POST rhythms/{rhythm_id}/end": Row({"leader"}, lambda h: {"rhythm_id": h.once("rhythm", h.rhythm)}),

    "GET candidates": Row(CONTENT, lambda h: {"limit": 200},
                          lists=("items", "candidate_id", lambda h: h.kept_candidate()), sees=READ_IN),
    "POST candidates/{candidate_id}/dismiss": Row(LC_IN, lambda h: {"candidate_id": h.kept_candidate()},
                                                  fresh=lambda h: {"candidate_id": h.candidate()},
                                                  body=lambda h: {"because": "It rained."}),
    # The wall is the house's.
    "GET posts": Row(CONTENT, lambda h: {"limit": 200}, lists=("items", "post_id", lambda h: h.post()),
                     sees=CONTENT),
    "POST posts": Row(L_AND_C, body=lambda h: {"kind": "celebration", "title": "Walk", "text": text("We walked")}),
    "GET posts/{post_id}": Row(CONTENT, lambda h: {"post_id": h.post()}),
    # Asked of the praised. The others see the post, and are not asked.
    "POST posts/{post_id}/story": Row({"anna"}, lambda h: {"post_id": h.once("praise post", h.praise_post)},
                                      body=lambda h: {"text": text("I walk every day")},
                                      other={name: {403, 404, 409} for name in AGENTS - {"anna"}}),
    "POST posts/{post_id}/reactions": Row(L_AND_C | AGENTS, lambda h: {"post_id": h.post()}, body=lambda h: {"kind": "applause"}),
    "POST posts/{post_id}/comments": Row(L_AND_C | AGENTS, lambda h: {"post_id": h.post()}, body=lambda h: {"text": text("Nice")}),
    # Its author's. The others see it.
    "DELETE posts/{post_id}/comments/{comment_id}": Row({"anna"}, lambda h: h.comment(), other={
        name: {403, 404} for name in L_AND_C | AGENTS - {"anna"}}),
    # Its author's, or a leader's.
    "POST posts/{post_id}/withdraw": Row(LEADERS | {"coach"}, lambda h: {"post_id": h.celebration()},
                                         body=lambda h: {"because": "It rained."}, other={
                                             name: {403, 404} for name in COACHES - {"coach"} | AGENTS}),
    "POST posts/{post_id}/pin": Row(LEADERS, lambda h: {"post_id": h.post()}, body=lambda h: {"pinned": True}),
    "GET story-requests": Row(AGENTS, lists=("requests", "post_id", lambda h: h.once("asked", h.praise_post)), sees={"anna"}),
    # What leaves the house is for who has no limit: 403 also for the limited of the right role.
    "GET webhooks": Row({"leader", "integrator"}),
    "POST webhooks": Row({"leader", "integrator"}, body=lambda h: {"url": "https://example.com/%d" % next(NUMBERS)}),
    "DELETE webhooks/{webhook_id}": Row({"leader", "integrator"}, lambda h: {"webhook_id": h.webhook()}),
    "POST webhooks/{webhook_id}/enable": Row({"leader", "integrator"}, lambda h: {"webhook_id": h.kept_webhook()},
                                             body=lambda h: {"enabled": False}),
    "GET webhooks/{webhook_id}/dead-letters": Row({"leader", "integrator"}, lambda h: {"webhook_id": h.kept_webhook()}),
    "POST webhooks/{webhook_id}/replay": Row({"leader", "integrator"}, lambda h: {"webhook_id": h.kept_webhook()},
                                             body=lambda h: {}),

    "GET users": Row({"operator"}),
    "POST users": Row({"operator"}, body=lambda h: {"login": "new-%d" % next(NUMBERS), **ACCOUNT}),
    "PUT users/{login}": Row({"operator"}, lambda h: {"login": h.account()}, body=lambda h: ACCOUNT),
    "DELETE users/{login}": Row({"operator"}, lambda h: {"login": h.fresh_account()}),
    "POST users/{login}/password": Row({"operator"}, lambda h: {"login": h.account()}, body=lambda h: {}),
    "GET colleagues": Row(L_AND_C),
    "GET flame": Row(L_AND_C | AGENTS),
    "GET acts": Row(L_AND_C | AGENTS),
    "GET accountability": Row(L_AND_C),
}
# What everybody of the role may see is not hidden from who may not change it.
for row in [row for route, row in ROWS.items() if route.split(" ")[1].split("/")[0] in (
        "webhooks", "standards", "alert-rules", "sampling-plans")]:
    row.other = {name: {403} for name in L_AND_C | of_role("integrator") if name not in row.may}
ROWS = {route.replace(" ", " /api/v1/", 1): row for route, row in ROWS.items()}


@pytest.fixture(scope="module", name="house")
def build_house():
    with Installation() as m:
        m.start()
        house = House(m)
        house.settle_in()
        house.standard()
        m.settle()
        yield house


def ask(house, route, row, name):
    """(status, answer) of the route for that caller, about what the row says."""
    method, path = route.split(" ")
    parameters = dict((row.fresh if name in row.may else row.ask)(house))
    for key in [k for k in parameters if "{%s}" % k in path]:
        path = path.replace("{%s}" % key, parameters.pop(key))
    query = "&".join("%s=%s" % pair for pair in parameters.items())
    status, answer, _ = house.m.ask(house.who[name], method, path + ("?" + query if query else ""), row.body(house), **row.headers)
    return status, answer


def is_role_at_home(route, name):
    return CALLERS[name][1] in ROUTES[route]["roles"]


def expected(route, row, name):
    """A set of statuses, or None: whatever comes after the question whether they may."""
    if name in STRANGERS:
        return {401}
    if name in row.may:
        return None
    return row.other.get(name, {404} if is_role_at_home(route, name) else {403})


def place_of(item):
    return item.get("site"), item.get("team_id")


def leaks(name, answer):
    """What of a list lies outside of the limits of who asked for it."""
    options = CALLERS[name]
    limit = dict(zip(options[2::2], options[3::2]))
    items = [item for item in answer.get("items") or [] if "site" in item]
    return [item for item in items if ("--site" in limit and place_of(item)[0] != limit["--site"]) or
            ("--team" in limit and place_of(item)[1] != limit["--team"])]


IS_FOR_THE_HOUSE = ("/posts", "/rhythms", "/calibrations")


def test_every_route_has_a_row_and_every_row_a_route():
    assert sorted(ROUTES) == sorted(ROWS)


@pytest.mark.parametrize("route", sorted(ROWS))
def test_a_route_is_open_to_whom_it_is_meant_for_and_closed_to_all_others(house, route):
    row, wrong = ROWS[route], []
    if row.lists:
        row.lists[2](house)  # there before anybody asks
    # Those who may come last: what they do may end it for the others.
    for name in sorted([*CALLERS, *STRANGERS], key=lambda n: (n in row.may, n)):
        status, answer = ask(house, route, row, name)
        wants = expected(route, row, name)
        problem = (answer or {}).get("type"), (answer or {}).get("detail")
        wrong += ["%s: %s" % (name, e) for e in answer_errors(*route.split(" "), status, answer)[:3]]
        is_wrong = status not in wants if wants else status in (401, 403, 404) or status >= 500
        if is_wrong:
            wrong.append("%s: %d, wanted %s %s" % (name, status, wants or "to be allowed", problem if status >= 400 else ""))
        elif status == 200 and row.lists and row.shows(house, answer) != (name in row.sees):
            wrong.append("%s: %s" % (name, "sees what is not theirs" if name not in row.sees else "does not see what is theirs"))
        elif status == 200 and route.startswith("GET") and not route.endswith(IS_FOR_THE_HOUSE):
            wrong += ["%s: sees %s" % (name, place_of(item)) for item in leaks(name, answer)]
    assert not wrong, "\n".join([route] + wrong)


@pytest.mark.parametrize("name", sorted(CALLERS))
def test_the_moment_and_its_parts_are_of_the_scope(house, name):
    status, answer, _ = house.m.ask(house.who[name], "GET", "/api/v1/moments/" + house.moment())
    if name == "operator":
        assert status == 403
    elif name not in READ_IN:
        assert status == 404, name
    else:
        assert status == 200, name
        notes = answer["notes"]
        house.improvement()
        is_machine = name.startswith("integrator")
        assert (notes["problem"] or {}).get("status") == (403 if is_machine else None), name
        status, answer, _ = house.m.ask(house.who[name], "GET", "/api/v1/moments/" + house.moment())
        seen = {n["note_id"] for n in answer["notes"]["items"] or []}
        assert (house.improvement() in seen) == (name in C_IN | {"anna"}), name


# --- the live feed: the same lines, drawn when a thing is told ---

def heard(house, name, after, until):
    """(kind, id) of what this caller is told after that position, up to and with the post that everybody sees."""
    ids = {"note": "note_id", "post": "post_id", "coaching": "session_id", "standard": "standard_id", "rule": "rule_id",
           "rhythm": "rhythm_id"}
    request = urllib.request.Request("http://127.0.0.1:%d/api/v1/live?after=%s" % (house.m.http["reporting"], after),
                                     headers={"Cookie": house.who[name]})
    seen = set()
    with urllib.request.urlopen(request, timeout=20) as stream:
        while ("post", until) not in seen:
            line = stream.readline().decode()
            assert line, "the stream ended"
            update = json.loads(line[6:]) if line.startswith("data: ") else {}
            seen |= {(kind, update[kind][ids[kind]]) for kind in ids if kind in update}
    return seen


def test_the_live_feed_tells_each_what_is_theirs(house):
    house.standard(), house.rule(), house.moment()
    house.m.settle()
    after = house.do("leader", "GET", "floor")["position"]
    told = {
        ("note", house.note()["note_id"]): C_IN | {"anna"},
        ("note", house.note("praise", "leader-red")["note_id"]): C_IN | {"anna", "leader-red"},
        ("note", house.note("praise", "leader-red", is_private=True)["note_id"]): {"anna", "leader-red"},
        ("coaching", house.coaching()): C_IN | {"anna"},
        ("rhythm", house.rhythm()): CONTENT,
    }
    rule = house.do("leader", "GET", "alert-rules")["rules"]
    revision = next(r["revision"] for r in rule if r["rule_id"] == "walk")
    house.do("leader", "PUT", "alert-rules/walk", {"rule": {**house.RULE, "title": "Talks on"}}, If_Match='"%d"' % revision)
    told["rule", "walk"] = LC_LYON
    drafts = house.do("leader", "GET", "standards?standard_id=walk")["drafts"]
    house.do("leader", "PUT", "standards/walk/draft", {"standard": {
        "title": "Walk far", "scope": {"sites": ["lyon"], "queues": ["sales"]}, "criteria": CRITERIA}},
        If_Match='"%d"' % drafts[0]["revision"])
    told["standard", "walk"] = LC_LYON
    house.m.settle()
    last = house.celebration()
    wrong = []
    for name in sorted(CONTENT):
        seen = heard(house, name, after, last)
        wrong += ["%s: %s %s" % (name, thing[0], "is not told" if name in who else "is told what is not theirs")
                  for thing, who in told.items() if (thing in seen) != (name in who)]
    assert not wrong, "\n".join(wrong)
    assert house.m.ask(house.who["operator"], "GET", "/api/v1/live")[0] == 403
