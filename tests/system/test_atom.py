"""The wall as a feed: what a news reader gets, with nothing but a name and a password."""
import base64
import re
import urllib.error
import urllib.request
import xml.etree.ElementTree

import pytest

from installation import Installation, wait_for

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.leader = m.new_token("leader")
        m.reader = m.new_token("integrator")
        yield m


def read(moment, authorization=None, **headers):
    sent = {k.replace("_", "-"): v for k, v in headers.items()}
    if authorization:
        sent["Authorization"] = authorization
    request = urllib.request.Request("http://127.0.0.1:%d/api/v1/wall.atom" % moment.http["reporting"], headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


def basic(name, password):
    return "Basic " + base64.b64encode(("%s:%s" % (name, password)).encode()).decode()


def entries(text):
    return xml.etree.ElementTree.fromstring(text).findall(ATOM + "entry")


def celebrate(moment, title, text):
    status, answer, _ = moment.ask(moment.leader, "POST", "/api/v1/posts", {"kind": "celebration", "title": title, "text": text})
    assert status == 200, answer
    return answer["post"]["post_id"]


def test_a_post_is_read_as_it_was_written_and_keeps_its_id(moment):
    words = "<script>alert(1)</script> & \"so on\" \U0001f389"
    post_id = celebrate(moment, "5 < 6 & 7", words)
    status, text, headers = wait_for("the post", lambda: next(
        (r for r in [read(moment, "Bearer " + moment.reader)] if entries(r[1])), None))
    assert status == 200 and headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    entry = entries(text)[0]
    assert entry.find(ATOM + "id").text == "urn:uuid:" + post_id
    assert (entry.find(ATOM + "title").text, entry.find(ATOM + "content").text) == ("5 < 6 & 7", words)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.find(ATOM + "updated").text)
    feed = xml.etree.ElementTree.fromstring(text)
    assert feed.find(ATOM + "id").text == xml.etree.ElementTree.fromstring(
        read(moment, "Bearer " + moment.leader)[1]).find(ATOM + "id").text


def test_a_reader_that_knows_it_all_is_told_so(moment):
    celebrate(moment, "Once", "more")
    tag = read(moment, "Bearer " + moment.reader)[2]["ETag"]
    status, text, headers = read(moment, "Bearer " + moment.reader, If_None_Match=tag)
    assert (status, text, headers["ETag"]) == (304, b"", tag)
    celebrate(moment, "Twice", "more")
    wait_for("news", lambda: read(moment, "Bearer " + moment.reader, If_None_Match=tag)[0] == 200)


def test_the_token_may_be_the_password_here_and_nowhere_else(moment):
    assert read(moment, basic("anybody", moment.reader))[0] == 200
    assert read(moment, basic("", moment.reader))[0] == 200
    for wrong in (basic("anybody", "mt_" + "x" * 43), basic("anybody", ""), "Basic !!!", "Basic " + "A" * 4000, None):
        status, _, headers = read(moment, wrong)
        assert status == 401, wrong
        assert {value.split(" ")[0] for value in headers.get_all("WWW-Authenticate")} == {"Bearer", "Basic"}
    assert read(moment, basic("operator", moment.new_token("operator")))[0] == 403
    status, _, headers = moment.ask(None, "GET", "/api/v1/posts", Authorization=basic("anybody", moment.reader))
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer")


def test_the_newest_fifty_are_shown_and_nothing_is_asked(moment):
    for n in range(52):
        celebrate(moment, "Number %d" % n, "of many")
    shown = wait_for("the last", lambda: next((e for e in [entries(read(moment, "Bearer " + moment.reader)[1])]
                                               if e[0].find(ATOM + "title").text == "Number 51"), None))
    assert len(shown) == 50
    status, problem, _ = moment.ask(moment.reader, "GET", "/api/v1/wall.atom?limit=3")
    assert (status, problem["field"]) == (400, "limit")
