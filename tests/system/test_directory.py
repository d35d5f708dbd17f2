"""The directory: files in two formats, errors by line, and people who work before anybody has listed them."""
import csv
import json
import os
import re
import signal
import threading

import pytest

from installation import ROOT, Installation

AT = "2026-03-02T14:%02d:00.000Z"
HEADER = "kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        yield m


def write(moment, name, content):
    path = os.path.join(moment.dir, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(content if isinstance(content, str) else json.dumps(content))
    return path


def listed(moment):
    return json.loads(moment.ctl("directory", "list", "--json"))


def unknown(moment):
    return sorted(a["agent"] for a in listed(moment)["unknown_agents"])


def answered(moment, contact, agent, minute):
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
               "time": AT % minute, "data": {"contact_id": contact, "queue": "sales", **more}}
              for kind, more in (("queued", {}), ("answered", {"agent": agent}), ("ended", {}))]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm)[0] == 202


def imported(moment, path, *options):
    """(created, updated, unchanged, refused), and all that was said."""
    done = moment.ctl("directory", "import", path, *options, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return counts(output), output


def counts(output):
    return tuple(int(n) for n in re.search(r"(\d+) created, (\d+) updated, (\d+) unchanged, (\d+) lines refused", output).groups())


def person_of(moment, contact):
    moment.settle()
    return next(m for m in moment.moments() if m["source_contact_id"] == contact)["person_id"]


def test_somebody_unknown_works_is_listed_and_is_known_after_the_import(moment):
    answered(moment, "d-1", "nora", 0)
    assert person_of(moment, "d-1") is None
    assert unknown(moment) == ["nora"]
    path = write(moment, "a.csv", HEADER + "site,lyon,Lyon,,,,,,Europe/Paris,Mon-Fri 08:00-18:00,2026-12-25 Noël\n"
                 "team,red,Red,lyon,,,,,,,\nperson,p-nora,Nora N,lyon,red,agent,,nora,,,\n")
    dry, said = imported(moment, path, "--dry-run")
    assert dry == (3, 0, 0, 0) and "nothing done" in said
    assert unknown(moment) == ["nora"] and listed(moment)["people"] == []
    assert imported(moment, path)[0] == (3, 0, 0, 0)
    assert unknown(moment) == []
    assert imported(moment, path)[0] == (0, 0, 3, 0)
    answered(moment, "d-2", "nora", 5)
    assert person_of(moment, "d-2") == "p-nora"
    names = moment.api("/api/v1/directory")
    assert [(p["person_id"], p["name"]) for p in names["people"]] == [("p-nora", "Nora N")]
    assert [(s["site_id"], s["name"], s["time_zone"]) for s in names["sites"]] == [("lyon", "Lyon", "Europe/Paris")]


def test_what_was_imported_holds_when_the_command_returns(moment):
    """The import answers when ingest works by it, however slow reading it is."""
    path = write(moment, "prompt.csv", HEADER + "site,lyon,Lyon,,,,,,Europe/Paris,,\nperson,p-prompt,Prompt,lyon,,agent,,prompt,,,\n")
    readers, done = moment.backends("ingest", "moment"), []
    for pid in readers:
        os.kill(pid, signal.SIGSTOP)
    try:
        thread = threading.Thread(target=lambda: done.append(moment.ctl("directory", "import", path)))
        thread.start()
        thread.join(0.7)
        if done:
            answered(moment, "d-prompt", "prompt", 20)
    finally:
        for pid in readers:
            os.kill(pid, signal.SIGCONT)
    thread.join(20)
    answered(moment, "d-prompt", "prompt", 20)
    assert person_of(moment, "d-prompt") == "p-prompt"


def test_json_says_the_same_and_changes_one_person_only(moment):
    path = write(moment, "a.json", {"people": [{"person_id": "p-nora", "name": "Nora Newname", "site_id": "lyon", "team_id": "red",
                                                "agent_ids": [{"agent": "nora"}, {"source": "crm", "agent": "nn"}]}]})
    assert imported(moment, path)[0] == (0, 1, 0, 0)
    people = {p["person_id"]: p for p in listed(moment)["people"]}
    assert people["p-nora"]["name"] == "Nora Newname"
    assert [s["site_id"] for s in listed(moment)["sites"]] == ["lyon"], "what a file does not mention stays"
    answered(moment, "d-3", "nn", 10)
    assert person_of(moment, "d-3") == "p-nora"


def test_every_error_is_told_by_line_and_nothing_is_taken(moment):
    before = listed(moment)
    path = write(moment, "bad.csv", HEADER + "site,oslo,Oslo,,,,,,Mars Base,,\nperson,p-x,X,nowhere,,agent,,x,,,\n"
                 "person,p-y,Y,lyon,,king,,y,,,\ndragon,d,D,,,,,,,,\nsite,mars,Mars,,,,,,Mars/Base,,\nperson,p-ok,Fine,lyon,,agent,,ok,,,\n")
    for options in ([], ["--dry-run"]):
        done = moment.ctl("directory", "import", path, *options, check=False)
        assert done.returncode != 0
        told = {int(n): text for n, text in re.findall(r"bad\.csv:(\d+): (.*)", done.stderr)}
        assert set(told) == {2, 3, 4, 5, 6}, done.stderr
        assert [told[n].split(":")[0] for n in (2, 3, 4, 5, 6)] == ["time_zone", "site", "role", "kind", "time_zone"]
    assert listed(moment) == before


@pytest.mark.parametrize("name,content", [("broken.json", "{\"people\": ["), ("wrong.json", {"peeple": []}),
                                          ("columns.csv", "kind,id,colour\nsite,x,red\n"), ("empty.csv", "")])
def test_a_file_that_is_none_is_refused_with_a_sentence(moment, name, content):
    before = listed(moment)
    done = moment.ctl("directory", "import", write(moment, name, content), check=False)
    assert done.returncode != 0 and len((done.stderr + done.stdout).strip()) > 10
    assert listed(moment) == before
    assert moment.ctl("directory", "import", os.path.join(moment.dir, "not-there.csv"), check=False).returncode != 0


def test_the_example_is_taken_and_survives_a_restart(moment):
    path = os.path.join(ROOT, "deploy/examples/directory.csv")
    with open(path, encoding="utf-8") as f:
        rows = len(list(csv.reader(f))) - 1
    assert imported(moment, path)[0] == (rows, 0, 0, 0)
    before = listed(moment)
    moment.kill("ingest")
    moment.start("ingest")
    assert listed(moment) == before
    moment.settle()
    assert "Siobhán O'Neill" in [p["name"] for p in moment.api("/api/v1/directory")["people"]]
