"""The figures of the recorded day, against sums made here from truth.json alone."""
import asyncio
from datetime import datetime, timezone

import pytest

from installation import Installation
from test_replay import play
from truth import CALLS, TRUTH

DAY = "/api/v1/reports/interval?from=2026-11-21T12:00:00Z&to=2026-11-23T00:00:00Z&tz=UTC"
VISITS = [dict(visit, contact=contact) for contact, call in CALLS.items() for visit in call["visits"]]
QUEUES = sorted(TRUTH["summary"])
SHORT_S = 5


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        asyncio.run(play(m, ami=False, speed=0))
        yield m


def seconds(time):
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def stamp(at):
    return datetime.fromtimestamp(at, timezone.utc).isoformat().replace("+00:00", "Z")


def contacts(moment, path):
    return sorted(m["source_contact_id"] for m in moment.api(path + "&limit=200")["items"])


def contacts_of(visits):
    return sorted({v["contact"] for v in visits})


def level(definition, visits, threshold_s):
    """(in time, out of) as the five definitions say in words."""
    answered = [v for v in visits if v["answered"]]
    abandoned = [v for v in visits if v["outcome"] == "abandoned"]
    in_time = sum(v["wait_s"] <= threshold_s for v in answered)
    gave_up_early = sum(v["wait_s"] <= threshold_s for v in abandoned)
    gave_up_at_once = sum(v["wait_s"] < SHORT_S for v in abandoned)
    return {
        "abandons_count_for": (in_time + gave_up_early, len(answered) + len(abandoned)),
        "abandons_count_against": (in_time, len(answered) + len(abandoned)),
        "abandons_ignored": (in_time, len(answered) + len(abandoned) - gave_up_early),
        "answered_only": (in_time, len(answered)),
        "switchable": (in_time, len(answered) + len(abandoned) - gave_up_at_once),
    }[definition]


@pytest.mark.parametrize("threshold_s", [3, 20])
@pytest.mark.parametrize("definition", ["abandons_count_for", "abandons_count_against", "abandons_ignored", "answered_only",
                                        "switchable"])
def test_the_service_level_is_that_of_the_day(moment, definition, threshold_s):
    report = moment.api(DAY + "&bucket=all&by=queue&definition=%s&threshold_s=%d&short_abandon_s=%d" % (
        definition, threshold_s, SHORT_S))
    assert report["definition"] == "service_level.%s@1" % definition
    rows = [(r["key"], r) for r in report["rows"]] + [(None, report["totals"])]
    assert [key for key, _ in rows] == QUEUES + [None]
    for queue, row in rows:
        part, whole = level(definition, [v for v in VISITS if queue in (None, v["queue"])], threshold_s)
        figure = row["figures"]["service_level"]
        assert (figure["n"], figure["value"]) == (whole, pytest.approx(part / whole)), queue


def test_the_switches_of_the_fifth_definition_do_what_they_say(moment):
    answered, abandoned = (sum(v[k] if k == "answered" else v["outcome"] == k for v in VISITS) for k in ("answered", "abandoned"))
    left = len(VISITS) - answered - abandoned
    for switches, whole in (("exclude_short=false", answered + abandoned), ("exclude_abandons=true", answered),
                            ("exclude_abandons=true&include_left=true", answered + left),
                            ("exclude_short=false&include_left=true", len(VISITS))):
        report = moment.api(DAY + "&bucket=all&definition=switchable&" + switches)
        assert report["totals"]["figures"]["service_level"]["n"] == whole, switches


@pytest.mark.parametrize("queue", QUEUES)
def test_counts_and_sums_are_those_of_the_day(moment, queue):
    truth = TRUTH["summary"][queue]
    row = moment.api(DAY + "&bucket=all&queue=" + queue)["rows"][0]
    counts, outcomes = row["counts"], truth["outcomes"]
    assert counts["offered"] == truth["entered"]
    assert counts["answered"] == truth["answered"]
    assert counts["abandoned"] == outcomes.get("abandoned", 0)
    assert counts["left_otherwise"] == truth["entered"] - truth["answered"] - outcomes.get("abandoned", 0)
    assert counts["answered_within"] == truth["answered_within_sl"]
    assert counts["transfers"] == outcomes.get("blind_transfer", 0) + outcomes.get("attended_transfer", 0)
    assert counts["open"] == 0
    assert (counts["wait_answered_n"], counts["wait_answered_ms"]) == (truth["answered"], 1000 * truth["wait_s_answered_total"])
    assert counts["wait_longest_ms"] == 1000 * truth["longest_wait_s"]
    assert counts["talk_ms"] + counts["hold_ms"] == 1000 * truth["talk_s_total"]
    assert (counts["csat_n"], counts["csat_sum"]) == (truth["csat_count"], truth["csat_total"])
    assert row["figures"]["asa_ms"]["value"] == pytest.approx(1000 * truth["wait_s_answered_total"] / truth["answered"])


def test_every_interval_has_the_visits_that_began_in_it_and_leads_to_them(moment):
    """The recorded day is six minutes long: each of them a report of its own, cut at whole seconds."""
    first, last = (f(v["entered_at"] for v in VISITS) for f in (min, max))
    counted = 0
    for start in range(first, last + 1, 60):
        report = moment.api("/api/v1/reports/interval?bucket=15m&by=queue&from=%s&to=%s" % (stamp(start), stamp(start + 60)))
        rows = [r for r in report["rows"] if r["counts"]["offered"]]
        visits = [v for v in VISITS if start <= v["entered_at"] < start + 60]
        assert {r["key"] for r in rows} == {v["queue"] for v in visits}
        for row in rows:
            ours = [v for v in visits if v["queue"] == row["key"] and seconds(row["start"]) <= v["entered_at"] < seconds(row["end"])]
            assert row["counts"]["offered"] == len(ours)
            assert contacts(moment, row["moments"]) == contacts_of(ours), row["moments"]
            counted += len(ours)
    assert counted == len(VISITS)


def test_figures_by_person_are_those_of_the_person(moment):
    rows = {r["key"]: r for r in moment.api(DAY + "&bucket=all&by=person")["rows"]}
    answered = [v for v in VISITS if v["answered"]]
    assert set(rows) == {v["agent"] for v in answered} | {None}
    for agent, row in rows.items():
        visits = [v for v in VISITS if (v["agent"] if v["answered"] else None) == agent]
        assert row["counts"]["offered"] == len(visits), agent
        assert row["counts"]["answered"] == (len(visits) if agent else 0)
        assert contacts(moment, row["moments"]) == contacts_of(visits), agent


@pytest.mark.parametrize("outcome", sorted({v["outcome"] for v in VISITS}))
def test_the_list_by_outcome_of_a_visit_is_exact(moment, outcome):
    assert contacts(moment, "/api/v1/moments?visit_outcome=" + outcome) == contacts_of(
        v for v in VISITS if v["outcome"] == outcome)
