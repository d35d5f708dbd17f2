"""What people of every role may send to the routes that are passed on to an owner, said as wrongly as can be.

Nothing of it ends a process, puts a record aside, reaches PostgreSQL as an error, or is answered with a failure of ours.
The values are those of openapi.json, one field at a time spoilt; what is asked about is there, so that much of it comes as
far as an apply.
"""
import concurrent.futures
import http.client
import itertools
import json
import os
import random
import re
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

import pytest

from installation import ROOT, SERVICES, Installation, wait_for

DIRECTORY = {
    "sites": [{"site_id": "lyon", "name": "Lyon", "time_zone": "Europe/Paris"}],
    "teams": [{"team_id": "red", "name": "Red", "site_id": "lyon"}],
    "people": [{"person_id": "p-anna", "name": "Anna", "site_id": "lyon", "team_id": "red", "agent_ids": [{"agent": "anna"}]}],
    "queues": [{"queue_id": "sales", "name": "Sales", "site_id": "lyon"}],
}
CRITERIA = [
    {"criterion_id": "wait", "section": "speed", "title": "Short wait", "kind": "measured", "weight": 100, "metric": "wait_ms",
     "comparison": "at_most", "value": 20000},
    {"criterion_id": "greeting", "section": "word", "title": "Says hello", "kind": "observed", "weight": 100, "scale": "yes_no"},
]
STANDARD = {"title": "Hostile", "scope": {"sites": ["lyon"]}, "criteria": CRITERIA}
OF_EACH_ROUTE = 60
ROLES = ("leader", "coach", "agent", "integrator", "operator")


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- what is wrong with a value ---

TEXTS = ["", " ", "\t\n\r", "\x01\x7f", "\u202e\u2066", "\ufeff", "😀" * 200, "a" * 70000, "'\"; --", "%s%n%x", "\\", "{", "null",
         "../../etc/passwd", "\ud800", "a\x00b", "00000000-0000-0000-0000-000000000000", "NaN", "-1", "2026-13-45T99:99:99Z"]
NUMBERS = [-1, 0, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, -2**63, 10**40, 1.5, -0.0, 1e308, float("nan"),
           float("inf"), -float("inf")]
TIMES = ["99999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z",
         "2026-02-30T00:00:00Z", "294277-01-01T00:00:00Z", "2100-01-01T00:00:00Z", 2**63 - 1, -1, "yesterday"]
SHAPES = [None, [], {}, [[]], [None], [{}], {"a": {"b": {}}}, True, "x", 1, [1, "a", None, {}]]
OF_QUERY = ["", "%00", "%ff%fe", "%", "%zz", "a" * 5000, "-1", "0", "501", "4294967296", "99999999999999999999", "1e3", "nan",
            "true", "true&{name}=true", "'", "%F0%9F%98%80", "2026-01-01T00:00:00Z", "99999-01-01T00:00:00Z", str(uuid.uuid4())]
OF_PATH = ["%00", "%ff", "%2e%2e%2f", "a" * 300, "%F0%9F%98%80", "'", "0", str(uuid.uuid4()), "%20", "a%00b"]
IF_MATCH = ['"0"', '"-1"', '"1"', '"99999999999"', '"1', "*", 'W/"1"', '"1", "2"', '""', "1", '"é"']


def spoilt(schema, right):
    """Values of a field, most of them wrong."""
    values = list(SHAPES)
    kind = schema.get("type")
    if kind == "array":
        inner = schema["items"]
        one = right[0] if isinstance(right, list) and right else "x"
        values += [[one] * 2, [one] * 300, [one] * 20000, [value for value in TEXTS], [one, None, one]]
        values += [[v] for v in (TEXTS[:6] if inner.get("type") == "string" else NUMBERS[:8])]
    elif kind == "object":
        names = schema.get("properties", {})
        values += [{"nobody": 1}, dict.fromkeys(names, 1), dict.fromkeys(names, "x")]
    elif kind in ("integer", "number"):
        values += NUMBERS
    else:
        values += TEXTS + (TIMES if schema.get("format") == "date-time" else TIMES[:3]) + NUMBERS[:6]
    return values


class Api:
    def __init__(self):
        with open(os.path.join(ROOT, "services/reporting/openapi.json"), encoding="utf-8") as f:
            self.all = json.load(f)

    def whole(self, schema):
        while "$ref" in schema:
            node = self.all
            for part in schema["$ref"].lstrip("#/").split("/"):
                node = node[part]
            schema = node
        for part in schema.get("allOf", [])[:1]:
            schema = {**self.whole(part), **{k: v for k, v in schema.items() if k != "allOf"}}
        return schema

    def routes(self):
        for path, verbs in self.all["paths"].items():
            for verb, operation in verbs.items():
                if verb in ("get", "post", "put", "delete") and path.startswith("/api/v1/") and path not in (
                        "/api/v1/live", "/api/v1/session"):
                    yield verb.upper(), path, operation

    def body(self, operation):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return self.whole(content["schema"]) if content else None

    def variants(self, schema, right, depth=0):
        """Bodies, each with one field spoilt, at any depth."""
        for name, field in schema.get("properties", {}).items():
            field = self.whole(field)
            now = right.get(name)
            for value in spoilt(field, now):
                yield {**right, name: value}
            inner = self.whole(field["items"]) if field.get("type") == "array" else field
            if inner.get("properties") and depth < 2:
                base = now[0] if isinstance(now, list) and now else now if isinstance(now, dict) else {}
                for value in self.variants(inner, base, depth + 1):
                    yield {**right, name: [value] if field.get("type") == "array" else value}


# --- the house ---

class House:
    def __init__(self, m):
        self.m, self.who, self.ids, self.users, self.errors_before = m, {}, {}, {}, 0
        path = os.path.join(m.dir, "directory.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(DIRECTORY, f)
        m.ctl("directory", "import", path)
        self.source = m.add_events_source("crm", "--site", "lyon")["token"]
        for role in ROLES:
            self.who[role] = m.new_user(role, "--role", role, *(("--person", "p-anna") if role == "agent" else ()))

    def do(self, who, method, path, body=None, **headers):
        status, answer, _ = self.m.ask(self.who[who], method, "/api/v1/" + path, body, **headers)
        assert status == 200, (method, path, status, answer)
        return answer

    def tell(self, contact, kind, at, **data):
        status, answer = self.m.post([{"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/t", "type": "x." + kind,
                                       "time": stamp(at), "data": {"contact_id": contact, **data}}],
                                     "application/cloudevents-batch+json", token=self.source)
        assert status == 202, answer

    def call(self, contact):
        at = time.time() - 0.2
        self.tell(contact, "contact.queued", at, queue={"id": "sales"}, channel="voice")
        self.tell(contact, "contact.answered", at + 0.2, queue={"id": "sales"}, agent={"id": "anna"}, wait_ms=200)
        self.tell(contact, "contact.ended", at + 0.8, ended_by="agent", outcome="answered")
        moment = wait_for("the moment", lambda: [x for x in self.do("leader", "GET", "moments")["items"]
                                                 if x["source_contact_id"] == contact])[0]["moment_id"]
        wait_for("its evaluation", lambda: self.do("leader", "GET", "evaluations?moment_id=" + moment)["items"])
        return moment

    def furnish(self):
        """One of each thing, so that its routes find it."""
        made = self.do("leader", "PUT", "standards/hostile/draft", {"standard": STANDARD})["standard"]
        self.do("leader", "POST", "standards/hostile/publish", {"why": "Because of this.", "example": "An example of it."},
                If_Match='"%d"' % made["revision"])
        self.m.settle()
        moment = self.call("one")
        users = {u["login"]: u["user_id"] for u in self.do("operator", "GET", "users")["users"]}
        released = self.do("coach", "PUT", "moments/%s/evaluation" % moment,
                           {"answers": [{"criterion_id": "greeting", "answer": "no"}]})["evaluation"]
        self.do("coach", "POST", "evaluations/%s/release" % released["evaluation_id"], If_Match='"%d"' % released["revision"])
        self.do("leader", "PUT", "sampling-plans/hostile", {"plan": {
            "title": "Hostile", "sites": ["lyon"], "quota": 1, "period": "day", "time_zone": "Europe/Paris", "seed": "h"}})
        self.do("leader", "PUT", "alert-rules/hostile", {"rule": {
            "title": "Talks", "subject": "talking", "threshold": 1000, "sites": ["lyon"], "severity": "notice"}})
        note = self.do("coach", "POST", "notes", {"kind": "praise", "moment_id": moment,
                                                  "text": "You were so patient with them today."})["note"]
        post = wait_for("the post", lambda: self.do("leader", "GET", "posts")["items"])[0]["post_id"]
        comment = self.do("agent", "POST", "posts/%s/comments" % post, {"text": "Thank you"})["post"]["comments"][0]["comment_id"]
        later = stamp(time.time() + 86400)
        self.ids = {
            "standard_id": "hostile", "moment_id": moment, "evaluation_id": released["evaluation_id"], "plan_id": "hostile",
            "rule_id": "hostile", "note_id": note["note_id"], "post_id": post, "comment_id": comment, "login": "nobody",
            "dispute_id": str(uuid.uuid4()), "alert_id": str(uuid.uuid4()), "candidate_id": str(uuid.uuid4()),
            "session_id": self.do("coach", "POST", "coaching", {"attendee": "p-anna", "planned_at": later, "topic": "Words"})[
                "session"]["session_id"],
            "rhythm_id": self.do("leader", "POST", "rhythms", {"practice": "praise", "times": 2, "period": "week",
                                                               "time_zone": "Europe/Paris"})["rhythm"]["rhythm_id"],
            "calibration_id": self.do("coach", "POST", "calibrations", {"calibration": {
                "title": "Hostile", "standard_id": "hostile", "standard_version": 1, "moment_ids": [moment], "deadline_at": later,
                "participants": [{"user_id": users[name], "name": name} for name in ("coach", "leader")]}})[
                    "calibration"]["calibration_id"],
            "webhook_id": self.do("integrator", "POST", "webhooks", {"url": "https://example.com/"})["webhook"]["webhook_id"],
        }
        self.users = users
        self.errors_before = len(sql_errors(self))

    def right(self, path):
        """A body that is right, where a wrong one would not come far."""
        numbers = itertools.count(1)
        later = stamp(time.time() + 86400)
        return {
            "PUT standards/{standard_id}/draft": {"standard": STANDARD},
            "POST standards/{standard_id}/publish": {"why": "Because of this.", "example": "An example of it."},
            "PUT moments/{moment_id}/evaluation": {"answers": [{"criterion_id": "greeting", "answer": "yes"}]},
            "POST evaluations/{evaluation_id}/disputes": {"criterion_id": "greeting", "proposed_answer": "yes", "reason": "I did."},
            "POST calibrations": {"calibration": {
                "title": "Hostile", "standard_id": "hostile", "standard_version": 1, "moment_ids": [self.ids["moment_id"]],
                "deadline_at": later, "participants": [{"user_id": self.users[n], "name": n} for n in ("coach", "leader")]}},
            "POST calibrations/{calibration_id}/submit": {"moment_id": self.ids["moment_id"], "answers": [
                {"criterion_id": "greeting", "answer": "yes"}]},
            "PUT sampling-plans/{plan_id}": {"plan": {"title": "Hostile", "sites": ["lyon"], "quota": 1, "period": "day",
                                                      "time_zone": "Europe/Paris", "seed": "h"}},
            "PUT alert-rules/{rule_id}": {"rule": {"title": "Talks", "subject": "talking", "threshold": 1000, "sites": ["lyon"],
                                                   "severity": "notice"}},
            "POST alert-rules/preview": {"rule": {"title": "Talks", "subject": "talking", "threshold": 1000, "sites": ["lyon"],
                                                  "severity": "notice"}, "days": 1, "time_zone": "Europe/Paris"},
            "POST notes": {"kind": "improvement", "moment_id": self.ids["moment_id"], "text": "Say hello. %d" % next(numbers)},
            "POST coaching": {"attendee": "p-anna", "planned_at": later, "topic": "Words"},
            "PUT coaching/{session_id}": {"session": {"topic": "Words", "planned_at": later}},
            "POST coaching/{session_id}/move": {"state": "held", "agreement": "To say it."},
            "POST rhythms": {"practice": "note", "times": 2, "period": "week", "time_zone": "Europe/Paris"},
            "POST posts": {"kind": "journal", "title": "Today", "text": "We heard it."},
            "POST posts/{post_id}/story": {"text": "I listen."}, "POST posts/{post_id}/comments": {"text": "Nice."},
            "POST posts/{post_id}/reactions": {"kind": "heart"},
            "POST webhooks": {"url": "https://example.com/"}, "POST webhooks/{webhook_id}/replay": {},
        }.get(path, {})


class Person:
    """One connection that stays open."""

    def __init__(self, house, role):
        self.house, self.role, self.wrong, self.asked = house, role, [], 0
        self.connection = None

    def ask(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.house.m.http["reporting"], timeout=30)
        sent = {"Cookie": self.house.who[self.role], **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
            text, status, ends = answer.read(), answer.status, answer.will_close
        except (OSError, http.client.HTTPException):
            # The server may cut what it will not read; whether it lives is asked at the end.
            self.connection.close()
            self.connection = None
            return 0
        if ends:
            self.connection.close()
            self.connection = None
        self.asked += 1
        if status >= 500 and not (status == 503 and b'"busy"' in text):
            self.wrong.append("%s %s %s %.200s: %d %.300s" % (self.role, method, path[:200], body, status, text))
        return status


def written(value):
    return json.dumps(value).encode()


def bodies(api, schema, right):
    """Everything that is wrong with a body: as bytes."""
    yield from (written(value) for value in api.variants(schema, right))
    yield from (b"", b"{", b"[" * 5000, b'{"a":' * 2000, b"\xff\xfe", b"null", b"[]", b'{"a":1,"a":2}', b'{"kind":"\xc3\x28"}',
                b'{"x":"\\u0000"}', b'{"x":1e999}', b" " * 7000, written({"if_revision": 1}), written({"command_id": "x"}))


def of_route(house, api, method, path, operation, chance):
    """(path, body, headers), those that are right in all but one thing."""
    names = re.findall(r"{(\w+)}", path)
    at = re.sub(r"{(\w+)}", lambda n: house.ids.get(n[1], "x"), path)
    schema = api.body(operation)
    right = house.right("%s %s" % (method, path.removeprefix("/api/v1/")))
    made = [(at, written(right) if schema else None, {})]
    for name in names:
        for value in OF_PATH:
            made.append((re.sub(r"{(\w+)}", lambda n, v=value, i=name: v if n[1] == i else house.ids.get(n[1], "x"), path),
                         written(right) if schema else None, {}))
        at_other = at.replace(house.ids.get(name, "x"), house.ids.get(name, "x").upper())
        made.append((at_other, written(right) if schema else None, {}))
    for parameter in (p for p in operation.get("parameters", []) if p.get("in") == "query"):
        made += [("%s?%s=%s" % (at, parameter["name"], v.format(name=parameter["name"])), None, {}) for v in OF_QUERY]
    made += [(at, written(right) if schema else None, {"If-Match": value.encode().decode("latin-1")}) for value in IF_MATCH]
    made += [(at, written(right) if schema else None, {"Idempotency-Key": value}) for value in ("x" * 64, "x" * 65, "same", "same")]
    for body in bodies(api, schema, right) if schema else ():
        made.append((at, body, {"If-Match": '"1"'} if method == "PUT" else {}))
    return [row for row in made if chance.random() < min(1.0, OF_EACH_ROUTE / len(made))]


def storm(house, api, role, seed):
    person, chance = Person(house, role), random.Random(seed)
    for method, path, operation in api.routes():
        if path.endswith(("/retire", "/webhooks/{webhook_id}")) and method != "GET":
            continue  # what the others need
        for at, body, headers in of_route(house, api, method, path, operation, chance):
            person.ask(method, at, body, headers)
    return person


@pytest.fixture(scope="module", name="house")
def build_house():
    with Installation() as m:
        m.start()
        house = House(m)
        house.furnish()
        yield house


def sql_errors(house):
    """What PostgreSQL refused since the house was furnished."""
    log = os.path.join(os.path.dirname(house.m.postgres.host), "data", "log")
    with open(log, encoding="utf-8", errors="replace") as f:
        return re.findall(r"(?m)^.*(?:ERROR|FATAL|PANIC):.*\n.*", f.read())[house.errors_before:]


def test_an_id_in_other_letters_is_not_another_thing(house):
    post = wait_for("the post", lambda: house.do("leader", "GET", "posts")["items"])[0]["post_id"]
    for i in range(3):
        answers = [house.m.ask(house.who["agent"], "POST", "/api/v1/posts/%s/comments" % name, {"text": "%d" % i})[0]
                   for name in (post, post.upper())]
        assert answers == [200, 404]
    comments = house.do("leader", "GET", "posts/" + post)["post"]["comments"]
    assert [c["text"] for c in comments if c["text"].isdigit()] == ["0", "1", "2"]


def test_nothing_that_is_said_wrongly_is_more_than_refused(house):
    api = Api()
    seed = int(os.environ.get("MOMENT_TEST_SEED", "3"))
    with concurrent.futures.ThreadPoolExecutor(len(ROLES)) as pool:
        people = list(pool.map(lambda role: storm(house, api, role, seed), ROLES))
    house.m.settle()
    wrong = [line for person in people for line in person.wrong]
    wrong += sql_errors(house)
    assert not wrong, "\n".join(wrong[:40])
    assert min(person.asked for person in people) > 500
    assert {name: house.m.processes[name].poll() for name in SERVICES} == dict.fromkeys(SERVICES)
    for name in SERVICES:
        assert house.m.sql("select count(*) from %s.quarantine" % name) == [(0,)], name
