"""Who may ask what: every route of the HTTP API that reporting answers itself against every role (test_walk.py has those that it
passes on), and every call of the services against every key.

The table below is written from the rules (visibility: deny by default, operators see no customer content), not from the program;
a route that is new fails here until somebody has decided who may use it."""
import json
import os
import re
import subprocess
import urllib.request
import uuid

import pytest

from installation import BIN, Installation

ROLES = ("leader", "coach", "agent", "integrator", "operator")
ALL, CONTENT = set(ROLES), set(ROLES) - {"operator"}
PUBLIC = "public"
TABLE = {
    "POST /api/v1/session": PUBLIC,
    "GET /api/v1/session": ALL,
    "DELETE /api/v1/session": ALL,
    "GET /api/v1/moments": CONTENT,
    "GET /api/v1/moments/{moment_id}": CONTENT,
    "GET /api/v1/directory": ALL,
    "GET /api/v1/definitions": ALL,
    "GET /api/v1/reports/interval": CONTENT,
    "GET /api/v1/floor": CONTENT,
    "GET /api/v1/live": CONTENT,
    "GET /api/v1/wall.atom": CONTENT,
    "GET /api/openapi.json": PUBLIC,
    "GET /{path...}": PUBLIC,
}
PRINTED = subprocess.run([os.path.join(BIN, "moment-reporting"), "--print-routes"], capture_output=True, text=True,
                         check=True).stdout.splitlines()
ROUTES = ["%(method)s %(path)s" % route for route in map(json.loads, PRINTED) if "call" not in route]


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        status, _ = m.post({"specversion": "1.0", "id": "r1", "source": "/t", "type": "x.contact.started",
                            "time": "2026-03-02T14:00:00Z", "data": {"contact_id": "r-1"}}, token=m.crm)
        assert status == 202
        m.settle()
        m.tokens = {role: m.new_token(role) for role in ROLES}
        m.ids = {"moment_id": m.moments()[0]["moment_id"], "path...": "index.html"}
        yield m


def status_of(moment, route, token):
    """Only the status: a live stream never ends."""
    method, path = route.split(" ")
    path = re.sub(r"\{([^}]*)\}", lambda m: moment.ids[m.group(1)], path)
    if path.endswith("/interval"):
        path += "?from=2026-03-02&to=2026-03-03"
    body = b"" if method == "POST" else None
    headers = {} if body is None else {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    if token:
        headers["Authorization"] = "Bearer " + token
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (moment.http["reporting"], path), body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        problem = json.loads(e.read())
        assert problem["status"] == e.code and problem["title"], problem
        return e.code


def test_every_route_has_been_thought_of():
    assert sorted(ROUTES) == sorted(TABLE)


@pytest.mark.parametrize("route", sorted(r for r, who in TABLE.items() if who is not PUBLIC))
def test_a_route_is_open_to_whom_it_is_meant_for_and_closed_to_all_others(moment, route):
    assert status_of(moment, route, None) == 401
    assert status_of(moment, route, "mt_" + "x" * 43) == 401
    assert status_of(moment, route, moment.crm) == 401, "the token of a source is no token here"
    for role in ROLES:
        status = status_of(moment, route, moment.tokens[role])
        if role not in TABLE[route]:
            assert status == 403, (role, status)
        elif route == "GET /api/v1/moments/{moment_id}" and role == "agent":
            assert status == 404, "an agent without a person sees nobody's moments"
        elif route == "DELETE /api/v1/session":
            assert status in (204, 400, 403, 409), (role, status)
        else:
            assert status == 200, (role, status)


def test_the_detail_keeps_no_part_back_from_machines(moment):
    detail = moment.api("/api/v1/moments/" + moment.ids["moment_id"], token=moment.tokens["integrator"])
    assert {name: detail[name]["problem"] for name in ("events", "evaluations", "alerts", "candidates")} == {
        "events": None, "evaluations": None, "alerts": None, "candidates": None}


def test_the_tokens_live_on_after_all_of_that(moment):
    for role in ROLES:
        assert status_of(moment, "GET /api/v1/session", moment.tokens[role]) == 200


def test_a_removed_token_is_dead_at_once(moment):
    token = moment.new_token("leader", "short")
    assert status_of(moment, "GET /api/v1/moments", token) == 200
    tokens = json.loads(moment.ctl("token", "list", "--json"))
    tokens = tokens if isinstance(tokens, list) else tokens["tokens"]
    moment.ctl("token", "remove", str(next(t["token_id"] for t in tokens if t["name"] == "short-leader")))
    assert status_of(moment, "GET /api/v1/moments", token) == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
def test_other_methods_do_nothing(moment, method):
    for path in ("/api/v1/moments", "/api/v1/session"):
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (moment.http["reporting"], path), method=method,
                                         headers={"Authorization": "Bearer " + moment.tokens["leader"]})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code in (405, 501), path
