"""The edge for people: who sees what, figures that agree with their moments, sessions that end."""
import csv
import io
import json
import os
import re
import urllib.parse
import urllib.request

import pytest

from installation import Installation, wait_for
from openapi import answer_errors, errors

DIRECTORY = {
    "sites": [{"site_id": "lyon", "name": "Lyon", "time_zone": "Europe/Paris"},
              {"site_id": "oslo", "name": "Oslo", "time_zone": "Europe/Oslo"}],
    "teams": [{"team_id": "red", "name": "Red", "site_id": "lyon"}, {"team_id": "blue", "name": "Blue", "site_id": "lyon"}],
    "people": [
        {"person_id": "p-anna", "name": "Anna A", "site_id": "lyon", "team_id": "red", "agent_ids": [{"agent": "anna"}]},
        {"person_id": "p-bert", "name": "Bert B", "site_id": "lyon", "team_id": "blue", "coach_id": "p-anna",
         "agent_ids": [{"agent": "bert"}]},
        {"person_id": "p-ola", "name": "Ola O", "site_id": "oslo"}],
    "queues": [{"queue_id": "sales", "name": "Sales", "site_id": "lyon"}],
}
# contact: source, agent who answers (None: abandoned), start, seconds waited, satisfaction
CALLS = {
    "a1": ("lyon", "anna", "2026-10-25T00:10:00Z", 10, 5),
    "a2": ("lyon", "anna", "2026-10-25T01:10:00Z", 30, None),
    "b1": ("lyon", "bert", "2026-10-25T01:50:00Z", 5, 2),
    "x1": ("lyon", None, "2026-10-25T02:05:00Z", 3, None),
    "x2": ("lyon", None, "2026-10-25T02:06:00Z", 40, None),
    "o1": ("oslo", "carl", "2026-10-25T02:30:00Z", 7, None),
}
REPORT = "/api/v1/reports/interval?from=2026-10-25&to=2026-10-26&tz=Europe/Paris"


def post_call(moment, contact, source, agent, start, waited, csat):
    """The call as its source tells it afterwards, in one event, and the survey in another."""
    def at(seconds):
        minute = start[:17]
        return "%s%02dZ" % (minute, seconds)
    data = {"contact_id": contact, "channel": "voice", "direction": "inbound", "queue": {"id": "sales"}, "started_at": at(0),
            "queued_at": at(0), "ended_at": at(waited + 10), "durations_ms": {"wait": waited * 1000}}
    if agent:
        data.update(agent={"id": agent}, answered_at=at(waited), outcome="answered",
                    durations_ms={"wait": waited * 1000, "talk": 10000, "acw": 2000})
    else:
        data.update(ended_at=at(waited), outcome="abandoned")
    events = [{"specversion": "1.0", "id": "e-" + contact, "source": "/t", "type": "x.contact.summarised",
               "time": data["ended_at"], "data": data}]
    if csat:
        events.append({"specversion": "1.0", "id": "s-" + contact, "source": "/t", "type": "x.feedback.received",
                       "time": data["ended_at"], "data": {"contact_id": contact, "instrument": "csat", "score": csat,
                                                          "scale_min": 1, "scale_max": 5}})
    status, answer = moment.post(events, "application/cloudevents-batch+json", token=moment.sources[source])
    assert status == 202, answer


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        path = os.path.join(m.dir, "directory.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(DIRECTORY, f)
        m.ctl("directory", "import", path)
        m.sources = {site: m.add_events_source("crm-" + site, "--site", site)["token"] for site in ("lyon", "oslo")}
        for contact, call in CALLS.items():
            post_call(m, contact, *call)
        m.settle()
        yield m


def contacts(moment, path="/api/v1/moments?limit=200", token=None):
    return sorted(m["source_contact_id"] for m in moment.api(path, token)["items"])


def token(moment, name, *options):
    return re.search(r"\bmt_\S+", moment.ctl("token", "add", name, *options)).group(0)


# --- who sees what ---

@pytest.mark.parametrize("name,options,seen", [
    ("everything", ("--role", "leader"), ["a1", "a2", "b1", "o1", "x1", "x2"]),
    ("one-site", ("--role", "leader", "--site", "oslo"), ["o1"]),
    ("one-team", ("--role", "coach", "--team", "red"), ["a1", "a2", "x1", "x2"]),
    ("team-elsewhere", ("--role", "coach", "--team", "red", "--site", "oslo"), []),
    ("machine", ("--role", "integrator", "--site", "lyon"), ["a1", "a2", "b1", "x1", "x2"]),
    ("agent-without-person", ("--role", "agent"), []),
])
def test_scope_limits_lists_figures_details_and_floor_alike(moment, name, options, seen):
    who = token(moment, name, *options)
    assert contacts(moment, token=who) == seen
    report = moment.api(REPORT + "&bucket=all", token=who)
    assert report["totals"]["counts"]["offered"] == len(seen)
    for m in moment.moments():
        is_seen = m["source_contact_id"] in seen
        detail = moment.api("/api/v1/moments/" + m["moment_id"], token=who, expect=200 if is_seen else 404)
        # Every part of it: each owner draws the same line.
        assert not is_seen or [detail[part]["problem"] for part in ("events", "evaluations", "alerts", "candidates")] == [None] * 4


@pytest.mark.parametrize("name,options,seen", [
    ("names-all", ("--role", "leader"), "Lyon Oslo Red Blue Anna Bert Ola Sales"),
    ("names-site", ("--role", "coach", "--site", "oslo"), "Oslo Ola"),
    ("names-team", ("--role", "coach", "--team", "red"), "Lyon Red Anna Sales"),
    ("names-machine", ("--role", "integrator", "--site", "lyon"), "Lyon Red Blue Anna Bert Sales"),
    ("names-operator", ("--role", "operator"), "Lyon Oslo Red Blue Anna Bert Ola Sales"),
    ("names-agent", ("--role", "agent"), ""),
])
def test_names_are_those_of_ones_own_scope(moment, name, options, seen):
    answer = moment.api("/api/v1/directory", token=token(moment, name, *options))
    names = [entry["name"].split(" ")[0] for part in ("sites", "teams", "people", "queues") for entry in answer[part]
             if part != "queues" or entry["listed"]]
    assert sorted(names) == sorted(seen.split()), names


def test_an_agent_knows_the_names_of_their_own_site(moment):
    cookie = moment.new_user("ola", "--role", "agent", "--person", "p-ola")
    answer = moment.ask(cookie, "GET", "/api/v1/directory")[1]
    assert [p["person_id"] for p in answer["people"]] == ["p-ola"] and [s["site_id"] for s in answer["sites"]] == ["oslo"]
    people = {p["person_id"]: p["coach_id"] for p in moment.api("/api/v1/directory")["people"]}
    assert people == {"p-anna": None, "p-bert": "p-anna", "p-ola": None}


def test_an_agent_sees_what_is_about_themselves(moment):
    out = moment.ctl("user", "add", "anna", "--role", "agent", "--person", "p-anna")
    session = sign_in(moment, "anna", re.search(r"password: (\S+)", out).group(1))
    assert sorted(m["source_contact_id"] for m in session.get("/api/v1/moments")[1]["items"]) == ["a1", "a2"]
    for part in ("alerts", "candidates"):
        status, page = session.get("/api/v1/%s?limit=200" % part)
        assert status == 200 and {item["person_id"] for item in page["items"]} <= {"p-anna"}, part
    for m in moment.moments():
        status, detail = session.get("/api/v1/moments/" + m["moment_id"])
        assert status == (200 if m["source_contact_id"] in ("a1", "a2") else 404)
        assert status == 404 or (detail["events"]["items"] and detail["evaluations"]["problem"] is None)
    assert session.get(REPORT + "&bucket=all")[1]["totals"]["counts"]["offered"] == 2


# --- figures ---

def test_figures_are_those_of_the_definition(moment):
    def level(definition, **more):
        return moment.api(REPORT + "&bucket=all&definition=%s&%s" % (definition, urllib.parse.urlencode(more)))
    ignored = level("abandons_ignored")
    counts = ignored["totals"]["counts"]
    assert {k: counts[k] for k in ("offered", "answered", "abandoned", "left_otherwise", "open", "answered_within",
                                   "abandoned_within", "short_abandoned")} == {
        "offered": 6, "answered": 4, "abandoned": 2, "left_otherwise": 0, "open": 0, "answered_within": 3,
        "abandoned_within": 1, "short_abandoned": 1}
    assert ignored["definition"] == "service_level.abandons_ignored@1"
    values = {d: level(d)["totals"]["figures"]["service_level"] for d in (
        "abandons_count_for", "abandons_count_against", "abandons_ignored", "answered_only", "switchable")}
    assert {d: (round(v["value"] * v["n"]), v["n"]) for d, v in values.items()} == {
        "abandons_count_for": (4, 6), "abandons_count_against": (3, 6), "abandons_ignored": (3, 5),
        "answered_only": (3, 4), "switchable": (3, 5)}
    assert level("switchable", exclude_short="false")["totals"]["figures"]["service_level"]["n"] == 6
    assert level("answered_only", threshold_s=30)["totals"]["counts"]["answered_within"] == 4
    figures = ignored["totals"]["figures"]
    assert figures["asa_ms"] == {"value": 13000.0, "n": 4, "definition": "asa@1"}
    assert figures["aht_ms"] == {"value": 12000.0, "n": 4, "definition": "aht@1"}
    assert (figures["csat"]["value"], figures["csat"]["n"]) == (0.5, 2)
    assert (round(figures["abandon_rate"]["value"], 4), figures["abandon_rate"]["n"]) == (0.3333, 6)


def test_a_figure_without_a_denominator_is_null(moment):
    empty = moment.api("/api/v1/reports/interval?from=2020-01-01&to=2020-01-02&bucket=day")
    row = empty["rows"][0]
    assert row["counts"]["offered"] == 0
    assert all(f["value"] is None and f["n"] == 0 for f in row["figures"].values())


@pytest.mark.parametrize("day,next_day,hours", [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25),
                                                ("2026-06-01", "2026-06-02", 24)])
def test_a_day_with_a_clock_change_has_23_or_25_hours(moment, day, next_day, hours):
    path = "/api/v1/reports/interval?from=%s&to=%s&tz=Europe/Paris&bucket=" % (day, next_day)
    rows = moment.api(path + "hour")["rows"]
    assert len(rows) == hours
    assert all(a["end"] == b["start"] for a, b in zip(rows, rows[1:]))
    assert len(moment.api(path + "15m")["rows"]) == 4 * hours
    assert [(r["start"], r["end"]) for r in moment.api(path + "day")["rows"]] == [(rows[0]["start"], rows[-1]["end"])]


def test_the_hour_that_comes_twice_is_two_hours(moment):
    rows = {r["start"]: r["counts"]["offered"] for r in moment.api(REPORT)["rows"] if r["counts"]["offered"]}
    assert rows == {"2026-10-25T00:00:00.000Z": 1, "2026-10-25T01:00:00.000Z": 2, "2026-10-25T02:00:00.000Z": 3}


def test_weeks_begin_on_monday_and_are_clipped_to_the_question(moment):
    rows = moment.api("/api/v1/reports/interval?from=2026-10-23&to=2026-10-27&tz=Europe/Paris&bucket=week")["rows"]
    assert [(r["start"], r["end"]) for r in rows] == [("2026-10-22T22:00:00.000Z", "2026-10-25T23:00:00.000Z"),
                                                      ("2026-10-25T23:00:00.000Z", "2026-10-26T23:00:00.000Z")]


@pytest.mark.parametrize("by", ["none", "site", "queue", "team", "person", "channel"])
@pytest.mark.parametrize("more", ["", "&queue=sales", "&person=p-anna"])
def test_every_row_drills_down_to_exactly_its_moments(moment, by, more):
    report = moment.api(REPORT + "&by=" + by + more)
    total = 0
    for row in report["rows"]:
        found = contacts(moment, row["moments"] + "&limit=200")
        assert len(found) == row["counts"]["offered"], (row["key"], row["moments"])
        total += len(found)
    assert len(contacts(moment, report["totals"]["moments"])) == total == report["totals"]["counts"]["offered"]


def test_rows_by_person_have_names_and_one_for_nobody(moment):
    rows = moment.api(REPORT + "&bucket=all&by=person")["rows"]
    assert [(r["key"], r["name"], r["counts"]["offered"]) for r in rows] == [
        ("carl", "carl", 1), ("p-anna", "Anna A", 2), ("p-bert", "Bert B", 1), (None, None, 2)]


def test_the_export_has_the_same_numbers(moment):
    report = moment.api(REPORT + "&bucket=all&by=person")
    request = urllib.request.Request("http://127.0.0.1:%d%s&bucket=all&by=person" % (moment.http["reporting"], REPORT), headers={
        "Authorization": "Bearer " + moment.token, "Accept": "text/csv"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        lines = list(csv.DictReader(io.StringIO(answer.read().decode())))
    assert len(lines) == len(report["rows"])
    for line, row in zip(lines, report["rows"]):
        assert (line["start"], line["key"], line["definition"]) == (row["start"], row["key"] or "", report["definition"])
        assert {k: float(line[k]) for k in row["counts"]} == row["counts"]
        level = row["figures"]["service_level"]["value"]
        assert line["service_level"] == ("" if level is None else pytest.approx(level)) or float(
            line["service_level"]) == pytest.approx(level)


# --- lists ---

def test_pages_cover_everything_once(moment):
    seen, cursor = [], ""
    while True:
        page = moment.api("/api/v1/moments?limit=2" + cursor)
        seen += [m["source_contact_id"] for m in page["items"]]
        if not page["next"]:
            break
        cursor = "&cursor=" + page["next"]
    assert sorted(seen) == sorted(CALLS) and seen[0] == "o1" and seen[-1] == "a1"


@pytest.mark.parametrize("query,seen", [
    ("queue=sales&site=lyon", ["a1", "a2", "b1", "x1", "x2"]), ("queue=none", []), ("person=p-anna", ["a1", "a2"]),
    ("person=carl", ["o1"]), ("person=anna", ["a1", "a2"]), ("outcome=abandoned", ["x1", "x2"]), ("source=crm-oslo", ["o1"]),
    ("from=2026-10-25T02:06:00Z", ["o1", "x2"]), ("to=2026-10-25T01:10:00Z", ["a1"]), ("channel=chat", []),
    ("state=ended&team=blue", ["b1"]), ("visit_outcome=abandoned", ["x1", "x2"]), ("none=person", ["x1", "x2"]),
    ("from=2026-10-25T03:10:00%2B01:00", ["o1"]),
])
def test_filters_do_what_they_say(moment, query, seen):
    assert contacts(moment, "/api/v1/moments?" + query) == seen


@pytest.mark.parametrize("path,field", [
    ("/api/v1/moments?colour=red", "colour"), ("/api/v1/moments?limit=201", "limit"), ("/api/v1/moments?limit=x", "limit"),
    ("/api/v1/moments?from=yesterday", "from"), ("/api/v1/moments?outcome=happy", "outcome"),
    ("/api/v1/moments?cursor=abc", "cursor"), ("/api/v1/moments?queue=", "queue"), ("/api/v1/live?after=x", "after"),
    ("/api/v1/reports/interval", "from"), ("/api/v1/reports/interval?from=2026-01-01", "to"), (REPORT + "&bucket=year", "bucket"),
    (REPORT + "&by=colour", "by"), (REPORT + "&definition=best", "definition"), (REPORT + "&threshold_s=0", "threshold_s"),
    ("/api/v1/reports/interval?from=2026-01-02&to=2026-01-01", "to"),
    ("/api/v1/reports/interval?from=2026-02-30&to=2026-03-01", "from"),
    ("/api/v1/reports/interval?from=2026-01-01&to=2026-01-02&tz=Mars/Base", "tz"),
    ("/api/v1/reports/interval?from=2026-01-01&to=2026-01-02&tz=FOO3", "tz"),
    ("/api/v1/reports/interval?from=2000-01-01&to=2026-01-02&bucket=15m", "bucket"),
    ("/api/v1/alerts?open_only=maybe", "open_only"), ("/api/v1/alerts?limit=many", "limit"), ("/api/v1/floor?tz=;drop", "tz"),
])
def test_a_bad_question_is_told_which_field(moment, path, field):
    assert moment.api(path, expect=400)["field"] == field


def test_the_detail_shows_the_rest_when_an_owner_is_away(moment):
    one = next(m for m in moment.moments() if m["source_contact_id"] == "a1")
    detail = moment.api("/api/v1/moments/" + one["moment_id"])
    assert detail["moment"] == one
    assert sorted(e["type"] for e in detail["events"]["items"]) == ["contact_summarised", "feedback_received"]
    moment.kill("feedback")
    try:
        detail = moment.api("/api/v1/moments/" + one["moment_id"])
        assert detail["moment"] == one and len(detail["events"]["items"]) == 2
        assert detail["alerts"]["items"] is None and detail["alerts"]["problem"]["status"] in (503, 504)
        assert detail["candidates"]["problem"] is None
    finally:
        moment.start("feedback")
        wait_for("feedback to be reached again", lambda: moment.api("/api/v1/alerts"))


# --- the description of the API ---

@pytest.mark.parametrize("path,status", [
    ("/api/v1/session", 200), ("/api/v1/moments?limit=3", 200), ("/api/v1/moments?x=1", 400), ("/api/v1/moments/1", 404),
    ("/api/v1/alerts", 200), ("/api/v1/candidates", 200), ("/api/v1/directory", 200), ("/api/v1/definitions", 200),
    (REPORT + "&by=person", 200), (REPORT + "&queue=sales", 200), ("/api/v1/reports/interval", 400), ("/api/v1/floor", 200),
    ("/api/v1/floor?tz=Europe/Oslo", 200), ("/api/v1/live?after=x", 400)])
def test_answers_are_what_the_description_says(moment, path, status):
    assert answer_errors("GET", path, status, moment.api(path, expect=status)) == []


def test_details_are_what_the_description_says(moment):
    for m in moment.moments():
        path = "/api/v1/moments/" + m["moment_id"]
        assert answer_errors("GET", path, 200, moment.api(path)) == []


def test_live_events_are_what_the_description_says(moment):
    position = moment.api("/api/v1/floor")["position"].split("-")[0] + "-0"
    stream = urllib.request.urlopen(urllib.request.Request(
        "http://127.0.0.1:%d/api/v1/live?after=%s" % (moment.http["reporting"], position),
        headers={"Authorization": "Bearer " + moment.token}), timeout=10)
    schemas = {"update": "LiveUpdate", "beat": "LiveBeat", "reset": "LiveReset"}
    seen, name = [], None
    while len(seen) < 12:
        line = stream.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            assert errors(json.loads(line[6:]), {"$ref": "#/components/schemas/" + schemas[name]}) == []
            seen.append(name)
    assert {"update", "beat"} <= set(seen)
    stream.close()


# --- sessions ---

class Session:
    def __init__(self, moment, cookie):
        self.base, self.cookie = "http://127.0.0.1:%d" % moment.http["reporting"], cookie

    def ask(self, method, path, body=None, **headers):
        request = urllib.request.Request(self.base + path, body and json.dumps(body).encode(), {
            **({"Cookie": self.cookie} if self.cookie else {}), **({"Content-Type": "application/json"} if body else {}),
            **{k.replace("_", "-"): v for k, v in headers.items()}}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None, answer.headers
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read()), e.headers

    def get(self, path):
        return self.ask("GET", path)[:2]


def sign_in(moment, login, password):
    status, _, headers = Session(moment, None).ask("POST", "/api/v1/session", {"login": login, "password": password})
    assert status == 204
    return Session(moment, headers["Set-Cookie"].split(";")[0])


@pytest.fixture(scope="module")
def boss(moment):
    out = moment.ctl("user", "add", "Boss", "--role", "leader", "--name", "The Boss")
    return re.search(r"password: (\S+)", out).group(1)


def test_signing_in_and_out(moment, boss):
    session = sign_in(moment, "boss", boss)
    status, user = session.get("/api/v1/session")
    assert (status, user["login"], user["name"], user["roles"]) == (200, "boss", "The Boss", ["leader"])
    assert session.ask("DELETE", "/api/v1/session")[0] == 204
    assert session.get("/api/v1/session")[0] == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(moment, boss):
    headers = Session(moment, None).ask("POST", "/api/v1/session", {"login": "boss", "password": boss})[2]
    cookie = headers["Set-Cookie"]
    assert cookie.startswith("__Host-moment=")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_another_site_can_not_write(moment, boss):
    session = sign_in(moment, "boss", boss)
    assert session.ask("DELETE", "/api/v1/session", Origin="https://evil.example")[0] == 403
    assert session.ask("DELETE", "/api/v1/session", Sec_Fetch_Site="cross-site")[0] == 403
    assert session.get("/api/v1/session")[0] == 200


def test_a_new_password_and_a_removal_end_old_sessions(moment):
    old = re.search(r"password: (\S+)", moment.ctl("user", "add", "carla", "--role", "leader")).group(1)
    session = sign_in(moment, "carla", old)
    new = re.search(r"password: (\S+)", moment.ctl("user", "password", "carla")).group(1)
    assert new != old and session.get("/api/v1/session")[0] == 401
    status, problem, _ = Session(moment, None).ask("POST", "/api/v1/session", {"login": "carla", "password": old})
    assert (status, problem["type"]) == (401, "/problems/wrong-credentials")
    session = sign_in(moment, "carla", new)
    moment.ctl("user", "remove", "carla")
    assert session.get("/api/v1/session")[0] == 401
    assert Session(moment, None).ask("POST", "/api/v1/session", {"login": "carla", "password": new})[0] == 401
    # The login is free again.
    moment.ctl("user", "add", "carla", "--role", "leader")
    assert moment.ctl("user", "add", "Carla", "--role", "leader", check=False).returncode != 0


def test_a_live_stream_ends_with_its_session(moment, boss):
    session = sign_in(moment, "boss", boss)
    stream = urllib.request.urlopen(urllib.request.Request(session.base + "/api/v1/live", headers={"Cookie": session.cookie}),
                                    timeout=10)
    assert stream.readline()
    assert session.ask("DELETE", "/api/v1/session")[0] == 204
    while stream.readline():
        pass


def test_streams_of_one_user_are_bounded(moment, boss):
    session = sign_in(moment, "boss", boss)
    streams = []
    for _ in range(8):
        streams.append(urllib.request.urlopen(urllib.request.Request(
            session.base + "/api/v1/live", headers={"Cookie": session.cookie}), timeout=10))
    assert session.get("/api/v1/live")[0] == 429
    for stream in streams:
        stream.close()


def test_guessing_is_slowed_down_for_the_known_and_the_unknown_alike(moment):
    door = Session(moment, None)
    for login in ("boss2", "nobody"):
        answers = [door.ask("POST", "/api/v1/session", {"login": login if n % 2 else login.upper(), "password": "guess-%d" % n})
                   for n in range(11)]
        assert [a[0] for a in answers[:10]] == [401] * 10
        assert answers[10][0] == 429 and int(answers[10][2]["Retry-After"]) > 0


def test_no_secret_is_kept(moment, boss):
    text = json.dumps(moment.sql(
        "select (select json_agg(a) from reporting.account a)::text, (select json_agg(s) from reporting.session s)::text, "
        "(select json_agg(t) from reporting.token t)::text, "
        "(select string_agg(encode(answer, 'escape'), ' ') from reporting.seen)"))
    assert boss not in text and moment.token not in text
    assert "$argon2id$" in text
