"""Native clients over ZeroMQ: two independent implementations, in C and in Python, and intruders."""
import os
import subprocess
import time

import pytest
import zmq

from installation import BIN, Installation
from native_client import NativeClient, Refused

AT = 1772460000000000


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.native = m.add_events_source("dialer", "--native")
        m.address = "tcp://127.0.0.1:%d" % m.bus["ingest"]
        yield m


def call(contact, at):
    """A small call: started, queued, answered, ended."""
    return [(contact, 1, at), (contact, 2, at + 10**6, "sales"), (contact, 5, at + 5 * 10**6, "sales", "Ann"),
            (contact, 13, at + 65 * 10**6, "sales", "Ann")]


def run_c_client(moment, calls):
    lines = "".join(" ".join(map(str, e)) + "\n" for c in calls for e in c)
    return subprocess.run([os.path.join(BIN, "native-client"), moment.address, moment.server_key(), moment.native["public"],
                           moment.native["secret"]], input=lines, capture_output=True, text=True, timeout=60, check=False)


def test_the_c_client_submits_and_a_repetition_has_no_effect(moment):
    calls = [call("n-%d" % n, AT + n * 10**8) for n in range(200)]
    done = run_c_client(moment, calls)
    assert (done.returncode, done.stdout) == (0, "accepted 800 duplicate 0\n"), done.stderr
    assert run_c_client(moment, calls).stdout == "accepted 0 duplicate 800\n"
    moment.settle()
    found = [m for m in moment.moments() if m["source_contact_id"].startswith("n-")]
    assert len(found) == 200
    assert {(m["wait_ms"], m["talk_ms"], m["queue"], m["agent"], m["outcome"], m["state"]) for m in found} == {
        (4000, 60000, "sales", "Ann", "answered", "ended")}


def test_the_python_client_is_answered_after_the_commit(moment):
    with NativeClient(moment.address, moment.server_key(), moment.native["public"], moment.native["secret"]) as client:
        event = {"contact_id": "py-1", "type": "CONTACT_STARTED", "occurred_at": AT}
        assert client.submit([event, {**event, "type": "CONTACT_ENDED", "occurred_at": AT + 10**6}]) == (2, 0)
        assert moment.sql("select count(*) from ingest.moment where contact_id = 'py-1'")[0][0] == 1
        assert client.submit([event]) == (0, 1)


def test_a_bad_event_is_refused_with_its_field(moment):
    with NativeClient(moment.address, moment.server_key(), moment.native["public"], moment.native["secret"]) as client:
        with pytest.raises(Refused) as refused:
            client.submit([{"contact_id": "ok", "type": "CONTACT_STARTED", "occurred_at": AT},
                           {"contact_id": "", "type": "CONTACT_STARTED", "occurred_at": AT}])
        problem = refused.value.args[0]
        assert problem.status in (400, 422) and problem.field == "events[1].contact_id", problem
    with NativeClient(moment.address, moment.server_key(), moment.native["public"], moment.native["secret"]) as client:
        with pytest.raises(Refused):
            client.submit_bytes(b"\xff\xff\xff\xff not protobuf")


def test_an_unknown_key_and_no_key_are_not_heard(moment):
    public, secret = (k.decode() for k in zmq.curve_keypair())
    with pytest.raises(zmq.Again):
        NativeClient(moment.address, moment.server_key(), public, secret, timeout_ms=1500).__enter__()
    plain = zmq.Context.instance().socket(zmq.DEALER)
    plain.linger, plain.rcvtimeo, plain.sndtimeo = 0, 1500, 1500
    plain.connect(moment.address)
    with pytest.raises(zmq.Again):
        plain.send(b"hello")
        plain.recv()
    plain.close()


def test_a_removed_source_is_cut_off_at_once(moment):
    keys = moment.add_events_source("short-lived", "--native")
    with NativeClient(moment.address, moment.server_key(), keys["public"], keys["secret"], timeout_ms=3000) as client:
        assert client.submit([{"contact_id": "s-1", "type": "CONTACT_STARTED", "occurred_at": AT}]) == (1, 0)
        moment.ctl("source", "remove", "short-lived")
        with pytest.raises((zmq.Again, Refused)):
            for n in range(20):
                client.submit([{"contact_id": "s-%d" % (n + 2), "type": "CONTACT_STARTED", "occurred_at": AT}])
                time.sleep(0.2)
