"""run - one fault test: clients with ledgers, the nemesis, then the checker. Exit code 0: nothing was found.

    make fault MINUTES=30 SEED=7
"""
import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
os.environ.setdefault("MOMENT_TEST_FSYNC", "on")

from checker import Checker  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from installation import BIN, ROOT, SERVICES, Installation, free_ports, wait_for  # noqa: E402
from ledger import Ledger, LedgerWriter  # noqa: E402
from nemesis import CLIENT_OF_WEBHOOKS, RECOVERY_S, Nemesis, Unmended  # noqa: E402

SETTLE_S = 300
QUIET_S = 3


class Site(Installation):
    """An installation whose every connection, to PostgreSQL and from service to service, goes through a FaultProxy."""

    def __init__(self, run):
        super().__init__(settings="max_connections = 100")
        self.run, self.proxies, self.database_port = run, {}, {}

    def __enter__(self):
        super().__enter__()
        ports = free_ports(2 * len(SERVICES))
        for name, bus, database in zip(SERVICES, ports, ports[len(SERVICES):]):
            self.database_port[name] = database
            self.proxies["bus", name] = FaultProxy(("127.0.0.1", bus), ("127.0.0.1", self.bus[name]))
            self.proxies["database", name] = FaultProxy(("127.0.0.1", database), self.postgres.host + "/.s.PGSQL.5432")
            self.env["MOMENT_PEER_" + name.upper()] = "tcp://127.0.0.1:%d" % bus
        self.ingest_address = self.env["MOMENT_PEER_INGEST"]
        return self

    def database_of(self, name):
        return {"MOMENT_DATABASE": "host=127.0.0.1 port=%d dbname=moment user=moment_%s" % (self.database_port[name], name)}

    def start(self, *names, env=None, wait=True):
        for name in names or SERVICES:
            super().start(name, env={**self.database_of(name), **(env or {})}, wait=False)
        if wait:
            for name in names or SERVICES:
                wait_for("%s to be ready" % name, lambda n=name: self.is_ready(n), 60)

    def __exit__(self, *error):
        super().__exit__(*error)
        for proxy in self.proxies.values():
            proxy.close()


class Client:
    def __init__(self, site, number, rate):
        self.number, self.rate = number, rate
        self.path = os.path.join(site.dir, "ledger-%d" % number)
        self.process = subprocess.Popen(
            [os.path.join(BIN, "ledger-client"), site.ingest_address, site.server_key(), site.source["public"],
             site.source["secret"], self.path, site.run, str(number), str(rate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(30)

    def say(self, text):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()

    def set_rate(self, factor):
        self.say("rate %g" % (self.rate * factor))

    def finish(self):
        """Its figures, when everything is answered; None if it gave up."""
        text = self.process.communicate()[0]
        return text.strip() if self.process.returncode == 0 else None


def publish_standard(site):
    with open(os.path.join(ROOT, "deploy/examples/standard-support.json"), encoding="utf-8") as f:
        standard = json.load(f)
    standard["scope"] = {"queues": ["queue-0", "queue-1"]}
    site.ctl("standard", "publish", "-", stdin=json.dumps(standard))


def recovery(kills, ledgers):
    """After each kill -9 of ingest: seconds to the first acknowledgement of something that was sent afterwards."""
    times = sorted(pair for ledger in ledgers for pair in ledger.times)
    for at, ready in kills:
        first = next((t for t, tried in times if tried > at * 1e6), None)
        yield ready - at, first / 1e6 - at if first else float("inf")


def progress(site, say, over):
    while not over.wait(15):
        with contextlib.suppress(Exception):
            say("  %d events are stored" % site.sql("select count(*) from ingest.event")[0][0])


def disturb(site, clients, options, say):
    """The faults; what did not mend, as findings."""
    nemesis = Nemesis(site, site.proxies, clients, options.seed, say, options.faults)
    try:
        nemesis.run(time.monotonic() + options.minutes * 60)
        nemesis.heal()
    except Unmended as e:
        return nemesis, ["not mended: %s" % e]
    return nemesis, []


def settle(site):
    """Until nothing moves for QUIET_S: a busy machine may stand still for a moment."""
    before = None
    while (now := [site.sql("select max(seq) from %s.stream" % name)[0][0] for name in SERVICES]) != before:
        before = now
        site.settle(SETTLE_S)
        time.sleep(QUIET_S)


def judge(site, clients, nemesis, say):
    findings = []
    for client in clients:
        client.say("stop")
    for client in clients:
        figures = client.finish()
        say("client %d: %s" % (client.number, figures))
        if not figures:
            findings.append("client %d was not answered to the end" % client.number)
    try:
        settle(site)
    except AssertionError as e:
        findings.append("streams: %s" % e)
    ledgers = [Ledger(client.path, client.number) for client in clients]
    times = list(recovery(nemesis.kills, ledgers))
    say("after kill -9 ingest was ready, and acknowledged again, within: " + (", ".join("%.1f, %.1f s" % t for t in times) or "-"))
    findings += ["late: ingest was ready %.1f s after kill -9, and acknowledged after %.1f s" % t for t in times if t[1] > RECOVERY_S]
    ledgers.append(Ledger(site.webhook_ledger, CLIENT_OF_WEBHOOKS))
    found, counts = Checker(site, ledgers, site.run).check()
    return findings + found, counts


def run(options):
    began = time.monotonic()

    def say(text):
        print("%7.1f s  %s" % (time.monotonic() - began, text), flush=True)

    with Site("f%d" % options.seed) as site, contextlib.ExitStack() as ends:
        site.start()
        site.source = site.add_events_source("fault", "--native")
        site.webhook_ledger = os.path.join(site.dir, "ledger-webhooks")
        site.ledger = LedgerWriter(site.webhook_ledger)
        publish_standard(site)
        clients = [ends.enter_context(Client(site, n, options.rate / options.clients)) for n in range(options.clients)]
        over = threading.Event()
        threading.Thread(target=progress, args=(site, say, over), daemon=True).start()
        nemesis, findings = disturb(site, clients, options, say)
        over.set()
        more, counts = judge(site, clients, nemesis, say)
        findings += more
        for name in SERVICES if findings and options.logs else ():
            with open(os.path.join(options.logs, name + ".log"), "w", encoding="utf-8") as f:
                f.write(site.log(name))
    summary(options, nemesis, counts, findings, say)
    return 1 if findings else 0


def summary(options, nemesis, counts, findings, say):
    say("seed %d, %g minutes, %d faults: %s" % (options.seed, options.minutes, sum(nemesis.counts.values()), ", ".join(
        "%s %d" % item for item in sorted(nemesis.counts.items()))))
    say("counts: " + ", ".join("%s %d" % item for item in counts.items()))
    for line in findings:
        say("FOUND %s" % line)
    say("%d findings" % len(findings))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--minutes", type=float, default=5)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--clients", type=int, default=3)
    p.add_argument("--rate", type=float, default=1500, help="events a second, of all clients together")
    p.add_argument("--faults", type=lambda text: text.split(","), default=list(Nemesis.FAULTS), help="only these, with commas")
    p.add_argument("--logs", help="a folder for the services' logs if something is found")
    return run(p.parse_args())


if __name__ == "__main__":
    sys.exit(main())
