"""kill -9 of each service and of PostgreSQL during the replay: the same final state as without."""
import asyncio
import os

import pytest

from installation import ROOT, Installation, wait_for
from test_replay import play
from truth import differences

# What a crash may change: clocks of ours, and the order in which things became known.
OURS = {"revision", "received_at", "repeat_contacts"}


def final_state(moment):
    """Everything that people see in the end, without our own clocks."""
    moments = {m["source_contact_id"]: {k: v for k, v in m.items() if k not in OURS} for m in moment.moments()}
    ids = {m["moment_id"]: c for c, m in moments.items()}
    scores = sorted((ids[e[0]], e[1], e[2]) for e in moment.sql(
        "select moment_id::text, standard_id, final_score from feedback.evaluation e where revision = "
        "(select max(revision) from feedback.evaluation l where l.moment_id = e.moment_id and l.standard_id = e.standard_id)"))
    for m in moments.values():
        m.pop("customer_id")  # random by design
    return moments, scores


def run(at=None):
    with Installation() as moment:
        moment.start()
        for name in ("sales", "support"):
            moment.ctl("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-%s.json" % name))
        asyncio.run(play(moment, ami=False, speed=40, at={k: v(moment) for k, v in (at or {}).items()}))
        wait_for("reading to go on", moment.moments, 10)
        assert differences(moment.moments(), False) == []
        verified = moment.ctl("verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        doubles = moment.sql("select rule_id, moment_id, crossed_at, count(*) from feedback.alert where moment_id is not null "
                             "group by 1, 2, 3 having count(*) > 1")
        assert doubles == []
        return final_state(moment)


@pytest.fixture(scope="module")
def undisturbed():
    return run()


def crash_service(name):
    def make(moment):
        def crash():
            moment.kill(name)
            moment.start(name)
        return crash
    return make


def crash_postgres(moment):
    def crash():
        moment.postgres.kill()
        moment.postgres.start()
    return crash


# Services that hold projections crash in turn, ingest and PostgreSQL on their own: five days would take too long.
CRASHES = {
    "ingest": {0.3: crash_service("ingest"), 0.6: crash_service("ingest")},
    "consumers": {0.2: crash_service("feedback"), 0.3: crash_service("recognition"), 0.4: crash_service("reporting"),
                  0.5: crash_service("feedback"), 0.6: crash_service("recognition"), 0.7: crash_service("reporting")},
    "postgres": {0.3: crash_postgres, 0.6: crash_postgres},
}


@pytest.mark.parametrize("who", CRASHES)
def test_kill_9_changes_nothing_in_the_end(undisturbed, who):
    moments, scores = run(CRASHES[who])
    assert moments == undisturbed[0]
    assert scores and scores == undisturbed[1]
