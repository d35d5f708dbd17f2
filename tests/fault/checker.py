"""checker - holds the clients' ledgers against every table that their events had an effect in.

    findings, counts = Checker(moment, ledgers, run).check()

findings: a line for each kind of damage, with the first examples; none when everything is well. What is
looked for: lost, duplicate, unexpected, altered events; the order of each key; dense streams and whole
hash chains; cursors at the heads; consumers that agree with ingest; quarantines.
"""
import collections
import contextlib
import json
import re

import psycopg2

from installation import SERVICES
from ledger import ACKNOWLEDGED, REFUSED, hash_of, letters
from native_client import ingest_pb2

MARK = re.compile(r"^(\d+):(\d+):([a-p]{32})$")
STEPS = 4
EXAMPLES = 3


class Checker:
    def __init__(self, moment, ledgers, run):
        self.moment, self.run = moment, run
        self.ledgers = {ledger.number: ledger for ledger in ledgers}
        self.found, self.counts = collections.defaultdict(list), collections.Counter()

    def check(self):
        self.attempted()
        self.events()
        self.stream_of_ingest()
        self.streams()
        self.moments()
        self.consumers()
        self.chains()
        lines = ["%s: %d, first: %s" % (kind, len(items), "; ".join(items[:EXAMPLES])) for kind, items in self.found.items()]
        return lines, self.counts

    def rows(self, text, *args):
        """Row by row: a million of them do not fit twice."""
        with contextlib.closing(psycopg2.connect(self.moment.postgres.dsn)) as connection:
            with connection.cursor("checker") as cursor:
                cursor.itersize = 5000
                cursor.execute(text, args)
                yield from cursor

    def attempted(self):
        self.counts["attempted"] = sum(len(ledger.hashes) for ledger in self.ledgers.values())
        self.counts["acknowledged"] = sum(ledger.acknowledged() for ledger in self.ledgers.values())
        self.counts["refused"] = sum(ledger.answers.count(REFUSED) for ledger in self.ledgers.values())

    # --- events, wherever they are kept ---

    def identify(self, where, event):
        """(client, n) of an event, or None: it is not what a client sent."""
        match = MARK.match(event.reason)
        client, n = (int(match.group(1)), int(match.group(2))) if match else (None, None)
        ledger = self.ledgers.get(client)
        if ledger is None or n >= len(ledger.hashes):
            self.found["unexpected in " + where].append("%s %s" % (event.contact_id, event.reason[:40]))
            return None
        digest = hash_of(event.contact_id, event.type, event.occurred_at, event.queue, event.agent)
        if digest != ledger.hashes[n] or letters(digest) != match.group(3):
            self.found["altered in " + where].append("%d:%d %s" % (client, n, event.contact_id))
        return client, n

    def account(self, where, seen):
        """Every acknowledged event is there, each once, and nothing that was refused."""
        for number, ledger in self.ledgers.items():
            there = seen[number]
            for n, answer in enumerate(ledger.answers):
                if answer == ACKNOWLEDGED and there[n] == 0:
                    self.found["lost from " + where].append("%d:%d" % (number, n))
                elif answer == REFUSED and there[n] > 0:
                    self.found["refused, but in " + where].append("%d:%d" % (number, n))
                if there[n] > 1:
                    self.found["duplicate in " + where].append("%d:%d %d times" % (number, n, there[n]))
            self.counts["in " + where] += len(there) - there.count(0)

    def unseen(self):
        return {number: bytearray(len(ledger.hashes)) for number, ledger in self.ledgers.items()}

    def events(self):
        seen = self.unseen()
        event = ingest_pb2.Event()
        for (body,) in self.rows("select body from ingest.event"):
            event.ParseFromString(bytes(body))
            place = self.identify("ingest.event", event)
            if place:
                seen[place[0]][place[1]] += 1
        self.present = seen
        self.account("ingest.event", seen)

    def stream_of_ingest(self):
        """Each event is one record, and the revisions of a moment follow each other."""
        seen, revisions = self.unseen(), collections.Counter()
        changed = ingest_pb2.MomentChanged()
        for seq, key, body in self.rows("select seq, key, body from ingest.stream where type = 'MomentChanged' order by shard, seq"):
            changed.ParseFromString(bytes(body))
            if changed.event.type == ingest_pb2.EVENT_TYPE_CONTACT_LOST:
                self.found["a contact was given up"].append(key)
                continue
            place = self.identify("ingest.stream", changed.event)
            if place:
                seen[place[0]][place[1]] += 1
            revisions[key] += 1
            if changed.moment.revision != revisions[key]:
                self.found["order of a key in ingest.stream"].append(
                    "%s at %d: revision %d after %d" % (key, seq, changed.moment.revision, revisions[key] - 1))
        self.account("ingest.stream", seen)

    # --- streams, cursors ---

    def streams(self):
        heads = {}
        for service in SERVICES:
            count, first, last = self.moment.sql("select count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) from %s.stream" % service)[0]
            heads[service] = last
            self.counts[service + " records"] = count
            if count != last - first + 1:
                self.found["stream with gaps"].append("%s: %d records from %d to %d" % (service, count, first, last))
            bad = self.moment.sql("select seq, epoch from (select seq, epoch, lag(epoch) over (order by shard, seq) as before"
                                  " from %s.stream) s where before > epoch" % service)
            self.found_all("epoch goes back in " + service, bad)
        for service in SERVICES:
            for producer, at in self.moment.sql("select producer, max(to_seq) from %s.cursor group by producer" % service):
                if at != heads[producer]:
                    self.found["cursor is not at the head"].append("%s of %s: %d of %d" % (service, producer, at, heads[producer]))
            self.found_all("cursor rows overlap or leave a gap in " + service, self.moment.sql(
                "select producer, from_seq, before from (select producer, from_seq, lag(to_seq) over"
                " (partition by consumer, producer, shard order by from_seq) as before from %s.cursor) c"
                " where before <> from_seq" % service))
            self.found_all("quarantine of " + service, self.moment.sql(
                "select producer, seq, error from %s.quarantine where settled_at is null" % service))

    def found_all(self, kind, rows):
        self.found[kind].extend(str(row) for row in rows)
        if not self.found[kind]:
            del self.found[kind]

    # --- effects ---

    def expected_revisions(self):
        """contact: how many of its events are there."""
        contacts = collections.Counter()
        for number, there in self.present.items():
            for n, count in enumerate(there):
                if count:
                    contacts[self.contact(number, n)] += 1
        return contacts

    def contact(self, number, n):
        return "%s-%d-%d" % (self.run, number, n // (100 * STEPS) * 100 + n % 100)

    def moments(self):
        """One moment for each contact, with as many revisions as events, the same in every service."""
        expected = self.expected_revisions()
        self.whole = set()
        self.counts["contacts"] = len(expected)
        there = {service: dict(self.rows("select moment_id::text, revision from %s.moment" % service))
                 for service in ("feedback", "reporting")}
        for ident, contact, revision in self.rows("select moment_id::text, contact_id, revision from ingest.moment"):
            want = expected.pop(contact, 0)
            if want != revision:
                self.found["moment of ingest"].append("%s: revision %d of %d events" % (contact, revision, want))
            if want == STEPS:
                self.whole.add(ident)
            for service, revisions in there.items():
                if revisions.pop(ident, 0) != revision:
                    self.found["moment of " + service + " is another than ingest's"].append(contact)
        self.found_all("no moment", sorted(expected)[:100])
        for service, revisions in there.items():
            self.found_all("moment that only %s has" % service, list(revisions))

    def consumers(self):
        """A whole contact is one answered visit, one evaluation that counts where the standard holds, and over."""
        visits = collections.Counter()
        for ident, kind, has_ended in self.rows("select moment_id::text, class, has_ended from reporting.visit"):
            visits[ident] += 1
            if ident in self.whole and (kind != "answered" or not has_ended):
                self.found["visit came out otherwise"].append("%s %s" % (ident, kind))
        for ident in self.whole:
            if visits[ident] != 1:
                self.found["visits of a whole contact"].append("%s: %d" % (ident, visits[ident]))
        self.counts["visits"] = sum(visits.values())
        for service in ("feedback", "reporting"):
            self.found_all("open though over in " + service, [i for (i,) in self.rows(
                "select moment_id::text from %s.moment where is_open" % service) if i in self.whole])
        self.evaluations()
        self.alerts()

    def evaluations(self):
        evaluated = collections.Counter(i for (i,) in self.rows("select moment_id::text from feedback.evaluation_now"))
        queued = {i for (i,) in self.rows("select moment_id::text from reporting.visit where queue in ('queue-0', 'queue-1')")}
        for ident in self.whole & queued:
            if evaluated[ident] != 1:
                self.found["evaluations of a whole contact"].append("%s: %d" % (ident, evaluated[ident]))
        self.counts["evaluations"] = sum(evaluated.values())
        self.found_all("revisions of an evaluation", self.moment.sql(
            "select evaluation_id::text, count(*), max(revision) from feedback.evaluation group by 1"
            " having count(*) <> max(revision) or min(revision) <> 1"))
        self.agree("evaluations", "select count(*) from feedback.evaluation",
                   "select count(*) from feedback.stream where type = 'EvaluationMade'")
        sighted = {i for (i,) in self.rows("select moment_id::text from recognition.sighting where evaluation is not null")}
        self.found_all("evaluated, but not seen by recognition", sorted(set(evaluated) - sighted))

    def alerts(self):
        self.found_all("alert raised twice", self.moment.sql(
            "select rule_id, moment_id::text, crossed_at::text, count(*) from feedback.alert where moment_id is not null"
            " group by 1, 2, 3 having count(*) > 1"))
        self.counts["alerts"] = self.moment.sql("select count(*) from feedback.alert")[0][0]
        self.agree("alerts", "select count(*) from feedback.alert", "select count(*) from reporting.alert")
        self.agree("alerts in the stream", "select count(*) from feedback.alert",
                   "select count(distinct key) from feedback.stream where type = 'AlertChanged'")
        # One record may tell of two steps: what was raised late and is over already.
        self.found_all("steps of an alert", self.moment.sql(
            "select alert_id::text, count(*), max(step) from feedback.alert_step group by 1 having count(*) <> max(step)"))
        self.agree("candidates", "select count(*) from recognition.candidate", "select count(*) from reporting.candidate")

    def agree(self, what, one, other):
        a, b = self.moment.sql(one)[0][0], self.moment.sql(other)[0][0]
        if a != b:
            self.found["totals of %s do not agree" % what].append("%d and %d" % (a, b))

    def chains(self):
        done = self.moment.ctl("verify", "--json", check=False)
        for service, chain in json.loads(done.stdout or "{}").items():
            if not chain["whole"]:
                self.found["hash chain"].append("%s: %s" % (service, chain["detail"]))
        if done.returncode and "hash chain" not in self.found:
            self.found["momentctl verify"].append(done.stderr[-200:])
