"""Notes, coaching and rhythms: what leaders and coaches say about moments, and who may see it."""
import contextlib
import itertools
import json
import os
import time
from datetime import datetime, timezone

import psycopg2
import pytest

import native_client
from installation import Installation, wait_for

ingest_pb2, feedback_pb2 = native_client.protocol("ingest", "feedback")
NUMBERS = itertools.count(1)
HEADER = "kind,id,name,site,team,role,coach,agent_ids,time_zone,open_hours,holidays\n"
DIRECTORY = (HEADER +
             "site,lyon,Lyon,,,,,,Europe/Paris,\"Mon-Fri 08:00-12:00,13:00-18:00\",2026-12-25 Noël\n"
             "site,pune,Pune,,,,,,Asia/Kolkata,,\n"
             "team,red,Red,lyon,,,,,,,\n"
             "team,blue,Blue,pune,,,,,,,\n"
             "person,p-cleo,Cleo C,lyon,red,coach,,,,,\n"
             "person,p-lea,Lea L,lyon,red,leader,,,,,\n"
             "person,p-nora,Nora N,lyon,red,agent,p-cleo,nora,,,\n"
             "person,p-omar,Omar O,lyon,red,agent,p-cleo,omar,,,\n"
             "person,p-ravi,Ravi R,pune,blue,agent,,ravi,,,\n")


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        path = os.path.join(m.dir, "directory.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DIRECTORY)
        m.ctl("directory", "import", path)
        yield m


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run_sql(moment, text, *args):
    with contextlib.closing(psycopg2.connect(moment.postgres.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text, args)


# --- what feedback knows of the directory, and of moments that are over ----------------------------

def people(moment):
    return dict(moment.sql("select person_id, coach_id from feedback.person order by 1"))


def test_feedback_keeps_the_directory(moment):
    wait_for("the directory", lambda: len(people(moment)) == 5)
    assert people(moment)["p-nora"] == "p-cleo"
    site = ingest_pb2.Site.FromString(bytes(moment.sql("select body from feedback.site where site_id = 'lyon'")[0][0]))
    assert (site.time_zone, len(site.open_hours), site.holidays[0].date) == ("Europe/Paris", 10, "2026-12-25")
    assert moment.sql("select team_id, site_id from feedback.team order by 1") == [("blue", "pune"), ("red", "lyon")]


def test_what_went_by_before_feedback_kept_it_is_asked_of_ingest(moment):
    before = people(moment)
    moment.stop("feedback")
    moment.stop("ingest")
    run_sql(moment, "truncate feedback.site, feedback.team, feedback.person")
    moment.start("feedback", wait=False)
    wait_for("a question without an answer", lambda: moment.metric("feedback", "moment_calls_asked_total") > 0)
    moment.start("ingest")
    wait_for("feedback to be ready", lambda: moment.is_ready("feedback"))
    wait_for("the directory", lambda: people(moment) == before, 30)


def call_of(moment, agent, ended_at, talk_s=60):
    """A call that is over; its moment_id once feedback has it."""
    contact = "n-%d" % next(NUMBERS)
    steps = (("queued", talk_s + 2, {"queue": "sales"}), ("answered", talk_s, {"queue": "sales", "agent": agent}), ("ended", 0, {}))
    events = [{"specversion": "1.0", "id": "%s-%s" % (contact, kind), "source": "/t", "type": "x.contact." + kind,
               "time": stamp(ended_at - before), "data": {"contact_id": contact, "channel": "voice", **more}}
              for kind, before, more in steps]
    assert moment.post(events, "application/cloudevents-batch+json", moment.crm)[0] == 202
    return wait_for("the moment", lambda: moment.sql(
        "select f.moment_id::text from feedback.moment f join ingest.moment i using (moment_id)"
        " where i.contact_id = %s and f.ended_at is not null", contact))[0][0]


def test_a_moment_that_is_over_is_kept_with_its_content(moment):
    at = int(time.time()) - 60
    moment_id = call_of(moment, "nora", at)
    (body, *columns), = moment.sql("select body, extract(epoch from ended_at)::bigint, person_id, team_id, queue, channel,"
                                   " talk_ms, is_open from feedback.moment where moment_id = %s", moment_id)
    assert columns == [at, "p-nora", "red", "sales", 1, 60000, False]
    kept = ingest_pb2.Moment.FromString(bytes(body))
    assert (kept.moment_id, kept.person_id, len(kept.visits)) == (moment_id, "p-nora", 1)
