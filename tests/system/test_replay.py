"""The recorded day through real sockets, files and processes: Moment knows exactly what happened."""
import asyncio
import os

import pytest

from installation import CAPTURE, Installation, free_ports
from pbx import SECRET, USER, Pbx
from truth import differences

AMI_OPTIONS = ("--option", "inbound_contexts=from-carrier")


def add_sources(moment, pbx, log_path):
    if pbx.address:
        secret = os.path.join(moment.dir, "ami.secret")
        with open(secret, "w", encoding="ascii") as f:
            f.write(SECRET)
        moment.ctl("source", "add", "asterisk-ami", "pbx-ami", "--system", "pbx", "--host", "127.0.0.1", "--port",
                   str(pbx.port), "--user", USER, "--secret-file", secret, *AMI_OPTIONS)
    if log_path:
        moment.ctl("source", "add", "asterisk-queue-log", "pbx-log", "--system", "pbx", "--path", log_path)


async def play(moment, ami=True, log=True, speed=10, sessions=("ami.1",), at=None):
    """Live the day; at = {progress: function} happens meanwhile, off the loop."""
    log_path = os.path.join(moment.dir, "queue_log") if log else None
    pending = sorted((at or {}).items())
    pbx = Pbx(CAPTURE, ("127.0.0.1", free_ports(1)[0]) if ami else None, log_path, speed, sessions=sessions, wait_for_login=ami)
    async with pbx:
        await asyncio.to_thread(add_sources, moment, pbx, log_path)
        while not pbx.finished.is_set():
            if pending and pbx.progress >= pending[0][0]:
                await asyncio.to_thread(pending.pop(0)[1])
            await asyncio.sleep(0.02)
            assert not pbx.task.done() or not pbx.task.exception(), pbx.task.exception()
        await asyncio.to_thread(moment.settle)
    assert not pending, "the day was over before everything had happened"


@pytest.mark.parametrize("ami,log", [(True, True), (False, True)], ids=["ami_and_queue_log", "queue_log_alone"])
def test_every_visit_is_there_as_it_was(ami, log):
    with Installation() as moment:
        moment.start()
        asyncio.run(play(moment, ami, log, speed=40 if ami else 0))
        assert differences(moment.moments(), ami) == []


def test_ami_alone_tells_the_same_story():
    with Installation() as moment:
        moment.start()
        asyncio.run(play(moment, log=False, speed=40))
        assert differences(moment.moments(), True) == []


def test_kill_9_of_ingest_in_the_middle_loses_nothing():
    with Installation() as moment:
        moment.start()

        def crash():
            moment.kill("ingest")
            moment.start("ingest")

        # Past the calls that are in no queue_log: those of an outage nobody can know of.
        asyncio.run(play(moment, speed=25, at={0.55: crash}))
        found = differences(moment.moments(), True, skip_holds=True)
        assert [d for d in found if "is extra" in d] == []
        assert found == []


def test_a_lost_ami_connection_beside_the_whole_log_changes_nothing():
    with Installation() as moment:
        moment.start()
        asyncio.run(play(moment, speed=25, sessions=("ami-cut.1", "ami-cut.2")))
        # never_queued calls are known by AMI alone; those inside the gap stay unknown to everybody.
        found = [d for d in differences(moment.moments(), True, skip_holds=True) if "1795307772.208" not in d
                 and "1795307774.209" not in d]
        assert found == []
        gaps = moment.sql("select count(*) from ingest.stream where type = 'SourceGap'")
        assert gaps[0][0] >= 1
