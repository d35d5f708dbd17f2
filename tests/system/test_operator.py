"""The operator's hands: status, verify, quarantine, levels, drain, signals, errors that say how to mend it."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import urllib.request

import psycopg2
import pytest

from installation import BIN, ROOT, SERVICES, Installation, wait_for


@pytest.fixture(scope="module")
def moment():
    with Installation() as m:
        m.start()
        m.crm = m.add_events_source("crm")["token"]
        yield m


def post(moment, ident, **data):
    status, answer = moment.post({"specversion": "1.0", "id": ident, "source": "/t", "type": "x.contact.started",
                                  "time": "2026-03-02T14:00:00Z", "data": {"contact_id": ident, **data}}, token=moment.crm)
    assert status == 202, answer


def test_status_tells_streams_cursors_and_sources(moment):
    post(moment, "s1")
    moment.settle()
    status = json.loads(moment.ctl("status", "--json"))
    services = {s["service"]: s for s in status["services"]}
    assert set(services) == set(SERVICES)
    assert services["ingest"]["head"] >= 1
    cursors = {c["producer"]: c for c in services["reporting"]["cursors"]}
    assert set(cursors) == {"ingest", "feedback", "recognition"}
    assert cursors["ingest"]["seq"] == services["ingest"]["head"]
    assert any(s["name"] == "crm" for s in status["sources"])
    text = moment.ctl("status")
    assert "ingest" in text and "crm" in text


@pytest.mark.parametrize("words", ["status", "source list", "standard list", "user list", "token list", "directory list",
                                   "quarantine list"])
def test_every_list_is_a_table_for_people_and_json_for_machines(moment, words):
    for command in (("user", "add", "lister", "--role", "leader"), ("token", "add", "--role", "leader", "lister"),
                    ("standard", "publish", os.path.join(ROOT, "deploy/examples/standard-sales.json")),
                    ("directory", "import", os.path.join(ROOT, "deploy/examples/directory.csv"))):
        moment.ctl(*command, check=False)  # there already, from the second time on
    shown = moment.ctl(*words.split())
    assert shown.strip() and "(null)" not in shown
    json.loads(moment.ctl(*words.split(), "--json"))


def test_one_service_that_is_down_does_not_hide_the_others(moment):
    moment.kill("recognition")
    try:
        done = moment.ctl("status", check=False)
        assert done.returncode != 0 and re.search(r"recognition\s+down", done.stdout), done
        assert re.search(r"feedback\s+(?!down)\w", done.stdout)
        done = moment.ctl("quarantine", "list", check=False)
        assert done.returncode != 0 and "recognition" in done.stderr
    finally:
        moment.start("recognition")


def test_verify_proves_the_chain_and_finds_one_altered_byte(moment):
    post(moment, "v1")
    moment.settle()
    assert moment.ctl("verify", check=False).returncode == 0
    with contextlib.closing(psycopg2.connect(moment.postgres.dsn)) as c, c.cursor() as cursor:
        cursor.execute("update ingest.stream set site = site || 'x' where seq = 1")
        c.commit()
        try:
            done = moment.ctl("verify", check=False)
            assert done.returncode == 1 and "1" in done.stdout + done.stderr, done
        finally:
            cursor.execute("update ingest.stream set site = left(site, -1) where seq = 1")
            c.commit()
    assert moment.ctl("verify", check=False).returncode == 0


def test_a_poisoned_record_goes_to_quarantine_and_can_be_redriven(moment):
    """A body that reporting cannot apply stops nothing, is shown, and has its effect once it is redriven."""
    post(moment, "q0")
    moment.settle()
    with contextlib.closing(psycopg2.connect(moment.postgres.dsn)) as c, c.cursor() as cursor:
        # The poison is in the consumer: its table refuses this one contact.
        cursor.execute("alter table reporting.moment add constraint poison check (channel is distinct from 'email') not valid")
        c.commit()
        post(moment, "q1", channel="email")
        post(moment, "q2")
        wait_for("the stream to go on", lambda: any(m["source_contact_id"] == "q2" for m in moment.moments()))
        listed = moment.ctl("quarantine", "list")
        assert "reporting" in listed and "23514" in listed, listed
        assert moment.metric("reporting", r"moment_quarantined") >= 1
        entry = next(e for e in json.loads(moment.ctl("quarantine", "list", "--json")) if e["service"] == "reporting")
        assert "MomentChanged" in moment.ctl("quarantine", "show", "reporting", str(entry["id"]))
        cursor.execute("alter table reporting.moment drop constraint poison")
        c.commit()
    moment.ctl("quarantine", "redrive", "reporting", str(entry["id"]))
    moment.settle()
    assert sum(m["source_contact_id"] == "q1" for m in moment.moments()) == 1
    assert "23514" not in moment.ctl("quarantine", "list")


def test_loglevel_changes_at_run_time(moment):
    def nonsense():
        """What only the HTTP library notices, on level debug."""
        with socket.create_connection(("127.0.0.1", moment.http["ingest"]), 10) as s:
            s.sendall(b"GET / HTTP/1.1\r\n broken\r\n\r\n")
            while s.recv(4096):
                pass
        return " debug ingest http_library " in moment.log("ingest")

    assert not nonsense()
    moment.ctl("loglevel", "ingest", "debug")
    wait_for("a debug line", nonsense)
    moment.ctl("loglevel", "ingest", "info")


def test_probes_and_metrics_speak_prometheus(moment):
    for service in SERVICES:
        base = "http://127.0.0.1:%d" % moment.admin[service]
        assert urllib.request.urlopen(base + "/livez").status == 200
        text = urllib.request.urlopen(base + "/metrics").read().decode()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert kind != "counter" or name.endswith("_total"), name
        assert "moment_stream_records_total" in text
        assert "process_resident_memory_bytes" in text


def test_sigterm_drains_with_exit_code_0_and_sighup_reloads(moment):
    moment.processes["recognition"].send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: moment.metric("recognition", r"moment_config_last_reload_success") == 1)
    assert moment.stop("recognition") == 0
    moment.start("recognition")
    moment.ctl("drain", "recognition")
    assert moment.processes.pop("recognition").wait(20) == 0
    moment.start("recognition")


def service(moment, name, *args, **env):
    return subprocess.run([os.path.join(BIN, "moment-" + name), "--config", os.path.join(moment.dir, "etc", name + ".conf"), *args],
                          capture_output=True, text=True, env={**moment.env, **env}, timeout=30, check=False)


def test_settings_are_checked_printed_and_explained(moment):
    assert service(moment, "ingest", "--check").returncode == 0
    wrong = service(moment, "ingest", "--check", MOMENT_RING_BYTES="many")
    assert wrong.returncode == 78 and "ring_bytes" in wrong.stderr.lower(), wrong
    shown = service(moment, "ingest", "--print-config", MOMENT_LOG_LEVEL="warn").stdout
    assert "LOG_LEVEL=warn" in shown and "MOMENT_LOG_LEVEL" in shown
    password = open(os.path.join(moment.dir, "secrets/moment_ingest.password"), encoding="ascii").read().strip()
    assert password not in shown


def test_a_taken_port_is_one_clear_sentence(moment):
    done = service(moment, "ingest", MOMENT_BUS_ADDRESS="tcp://127.0.0.1:%d" % moment.bus["ingest"],
                   MOMENT_ADMIN_ADDRESS="127.0.0.1:%d" % moment.admin["ingest"])
    assert done.returncode == 1 and str(moment.admin["ingest"]) in done.stderr + done.stdout


def test_a_second_writer_cannot_write(moment):
    """Two of one service: the lock of the epoch lets one write; the other waits and says so."""
    second = subprocess.Popen([os.path.join(BIN, "moment-feedback"), "--config", os.path.join(moment.dir, "etc/feedback.conf")],
                              env={**moment.env, "MOMENT_BUS_ADDRESS": "tcp://127.0.0.1:*", "MOMENT_ADMIN_ADDRESS": "127.0.0.1:0"},
                              stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        post(moment, "w1")
        moment.settle()
        assert len(moment.sql("select 1 from feedback.epoch where pid = %s", second.pid)) == 0
    finally:
        second.kill()
        second.wait()
