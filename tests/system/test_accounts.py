"""Operators mind the accounts over HTTP as with momentctl; the others see their colleagues' names and nothing else."""
import pytest

from installation import Installation
from openapi import answer_errors

USERS = "/api/v1/users"


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.operator = m.new_token("operator")
        m.leader = m.new_token("leader")
        yield m


def listed(moment, login):
    status, answer, _ = moment.ask(moment.operator, "GET", USERS)
    assert status == 200 and answer_errors("GET", USERS, 200, answer) == []
    return next((u for u in answer["users"] if u["login"] == login and not u["disabled"]), None)


def add(moment, login, **more):
    status, answer, _ = moment.ask(moment.operator, "POST", USERS, {"login": login, "roles": ["coach"], **more})
    assert status == 200, answer
    return answer


def test_a_user_is_added_signs_in_and_is_removed(moment):
    made = add(moment, "anna", name="Anna", sites=["lyon"], teams=["red"])
    assert made["user_id"] and made["password"]
    one = listed(moment, "anna")
    assert (one["user_id"], one["name"], one["roles"], one["sites"], one["teams"]) == (
        made["user_id"], "Anna", ["coach"], ["lyon"], ["red"])
    cookie = moment.sign_in("anna", made["password"])
    assert moment.ask(cookie, "GET", "/api/v1/session")[0] == 200
    assert moment.ask(moment.operator, "DELETE", USERS + "/anna")[0] == 200
    assert moment.ask(cookie, "GET", "/api/v1/session")[0] == 401
    assert listed(moment, "anna") is None
    status, problem, _ = moment.ask(moment.operator, "DELETE", USERS + "/anna")
    assert (status, problem["field"]) == (404, "login")


def test_a_password_can_be_said_or_made(moment):
    assert add(moment, "bert", password="correct horse")["password"] is None
    old = moment.sign_in("bert", "correct horse")
    status, answer, _ = moment.ask(moment.operator, "POST", USERS + "/bert/password", {})
    assert status == 200 and answer["password"]
    assert moment.ask(old, "GET", "/api/v1/session")[0] == 401, "the sessions end with the password"
    moment.sign_in("bert", answer["password"])


def test_what_is_edited_counts_at_once_and_what_was_before_is_kept(moment):
    cookie = moment.sign_in("cleo", add(moment, "cleo", name="Cleo", sites=["lyon"], person_id="p-1")["password"])
    path = USERS + "/cleo"
    status, answer, _ = moment.ask(moment.operator, "PUT", path, {"name": "Cleo C.", "roles": ["leader"], "teams": ["red"]})
    assert status == 200 and answer_errors("PUT", path, 200, answer) == []
    assert {**answer["user"], "last_login_at": None} == {**listed(moment, "cleo"), "last_login_at": None}
    me = moment.ask(cookie, "GET", "/api/v1/session")[1]
    assert (me["name"], me["roles"], me["sites"], me["teams"], me["person_id"]) == ("Cleo C.", ["leader"], [], ["red"], None)
    assert moment.sql("select b.name, b.roles, b.sites, b.person_id from reporting.account_before b "
                      "join reporting.account a using (user_id) where a.login = 'cleo'") == [("Cleo", ["coach"], ["lyon"], "p-1")]


def test_momentctl_edits_only_what_is_said(moment):
    add(moment, "dora", name="Dora", sites=["lyon"], teams=["red"], person_id="p-2")
    moment.ctl("user", "edit", "dora", "--role", "agent", "--every-team")
    one = listed(moment, "dora")
    assert (one["name"], one["roles"], one["sites"], one["teams"], one["person_id"]) == ("Dora", ["agent"], ["lyon"], [], "p-2")
    moment.ctl("user", "edit", "dora", "--site", "oslo", "--no-person", "--name", "D.")
    one = listed(moment, "dora")
    assert (one["name"], one["roles"], one["sites"], one["person_id"]) == ("D.", ["agent"], ["oslo"], None)
    assert "no user nobody" in moment.ctl("user", "edit", "nobody", "--name", "x", check=False).stderr


@pytest.mark.parametrize("body,status,field", [
    ({"login": "x y", "roles": ["coach"]}, 422, "login"), ({"login": "x", "roles": []}, 422, "roles"),
    ({"login": "x", "roles": ["king"]}, 422, "roles"), ({"login": "x", "roles": "coach"}, 422, "roles"),
    ({"login": "x", "roles": ["coach"], "password": "short"}, 422, "password"),
    ({"login": "x", "roles": ["coach"], "colour": "red"}, 422, "colour"),
    ({"login": "x", "roles": ["coach"], "name": "n" * 257}, 422, "name"),
])
def test_a_bad_account_is_told_which_field(moment, body, status, field):
    got, problem, _ = moment.ask(moment.operator, "POST", USERS, body)
    assert (got, problem["type"], problem["field"]) == (status, "/problems/invalid-field", field)


def test_the_same_login_twice_is_a_conflict(moment):
    add(moment, "emil")
    status, problem, _ = moment.ask(moment.operator, "POST", USERS, {"login": "Emil", "roles": ["coach"]})
    assert (status, problem["type"]) == (409, "/problems/exists")


def test_only_operators_see_accounts_and_only_leaders_and_coaches_their_colleagues(moment):
    add(moment, "fritz", name="Fritz", roles=["coach"], person_id="p-9")
    add(moment, "gerd", name="Gerd", roles=["agent"])
    status, answer, _ = moment.ask(moment.leader, "GET", "/api/v1/colleagues")
    assert status == 200 and answer_errors("GET", "/api/v1/colleagues", 200, answer) == []
    names = {c["name"]: c for c in answer["colleagues"]}
    assert "Fritz" in names and "Gerd" not in names
    assert sorted(names["Fritz"]) == ["name", "person_id", "roles", "user_id"] and names["Fritz"]["person_id"] == "p-9"
    answer = moment.ask(moment.leader, "GET", "/api/v1/colleagues?roles=agent&roles=operator")[1]
    assert "Gerd" in {c["name"] for c in answer["colleagues"]} and "Fritz" not in {c["name"] for c in answer["colleagues"]}
    assert moment.ask(moment.leader, "GET", "/api/v1/colleagues?roles=king")[0] == 422
    assert moment.ask(moment.leader, "GET", USERS)[0] == 403
    assert moment.ask(moment.operator, "GET", "/api/v1/colleagues")[0] == 403
