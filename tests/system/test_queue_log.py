"""The tailing of queue_log: rotation, truncation, a partial line, and a kill at any byte."""
import os
import random

import pytest

from installation import CAPTURE, Installation
from truth import differences

with open(os.path.join(CAPTURE, "queue_log"), "rb") as f:
    LOG = f.read()


@pytest.fixture()
def moment():
    with Installation() as m:
        m.start()
        m.log_path = os.path.join(m.dir, "queue_log")
        yield m


def connect(moment):
    moment.ctl("source", "add", "asterisk-queue-log", "pbx-log", "--system", "pbx", "--path", moment.log_path)


def append(moment, data):
    with open(moment.log_path, "ab") as f:
        f.write(data)


def taken(moment):
    return moment.sql("select count(*) from ingest.event")[0][0]


def test_a_kill_at_any_byte_repeats_and_loses_nothing(moment):
    connect(moment)
    rng = random.Random(7)
    cuts = sorted(rng.sample(range(1, len(LOG)), 8)) + [len(LOG)]
    at = 0
    for cut in cuts:
        append(moment, LOG[at:cut])
        at = cut
        if cut < len(LOG):
            moment.kill("ingest")
            moment.start("ingest")
    moment.settle()
    assert differences(moment.moments(), False) == []
    # Nothing twice: a second reading of the very same content adds no event.
    before = taken(moment)
    moment.kill("ingest")
    os.replace(moment.log_path, moment.log_path + ".old")
    append(moment, LOG)
    moment.start("ingest")
    moment.settle()
    assert taken(moment) == before
    assert differences(moment.moments(), False) == []


def test_rotation_by_rename_finishes_the_old_file_first(moment):
    connect(moment)
    third = len(LOG) // 3
    append(moment, LOG[:third])
    moment.settle()
    # Written to the old name just before the rename, in the middle of a line: nothing of it may get lost.
    append(moment, LOG[third:2 * third])
    line_end = LOG.index(b"\n", 2 * third) + 1
    append(moment, LOG[2 * third:line_end])
    os.rename(moment.log_path, moment.log_path + ".1")
    append(moment, LOG[line_end:])
    moment.settle()
    assert differences(moment.moments(), False) == []


def test_truncation_in_place_begins_again_at_the_start(moment):
    connect(moment)
    half = LOG.index(b"\n", len(LOG) // 2) + 1
    append(moment, LOG[:half])
    moment.settle()
    os.truncate(moment.log_path, 0)
    append(moment, LOG[half:])
    moment.settle()
    assert differences(moment.moments(), False) == []


def test_a_source_that_goes_and_comes_back_repeats_and_loses_nothing(moment):
    connect(moment)
    half = LOG.index(b"\n", len(LOG) // 2) + 1
    append(moment, LOG[:half])
    moment.settle()
    before = taken(moment)
    assert before > 0
    moment.ctl("source", "remove", "pbx-log")
    append(moment, LOG[half:])
    connect(moment)
    moment.settle()
    assert differences(moment.moments(), False) == []
    keys, = moment.sql("select count(*) - count(distinct event_id) from ingest.event")[0]
    assert keys == 0 and taken(moment) > before


def test_a_missing_file_is_waited_for_and_said(moment):
    connect(moment)
    listed = moment.ctl("source", "list")
    assert "waiting" in listed or "missing" in listed, listed
    append(moment, LOG)
    moment.settle()
    assert differences(moment.moments(), False) == []
