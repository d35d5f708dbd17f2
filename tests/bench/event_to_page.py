#!/usr/bin/python3
"""event_to_page - from an event accepted at 8081 to the change on a leader's open page.

Real services, real PostgreSQL, real Chromium. EVENTS events (half of them start a moment, half end one) are
posted one after the other at a fixed rate, open loop; a MutationObserver in the page notes when the card of
that contact appears or moves. Both clocks are this machine's. Prints p50, p99 and the worst, measured from the
moment the request was sent and from the moment its 202 came back.
"""
import argparse
import datetime
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from browser import Screen  # noqa: E402
from installation import ROOT, Installation, wait_for  # noqa: E402

WATCH = """
window.seen = {};
const note = () => { for (const card of document.querySelectorAll('[data-contact]')) {
  const key = card.dataset.contact + ' ' + card.closest('section').dataset.testid;
  if (!(key in window.seen)) window.seen[key] = Date.now(); } };
new MutationObserver(note).observe(document.body, {childList: true, subtree: true});
note();
"""


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Sender:
    """Posts the events on time, each on the clock of the schedule, whatever the answers do."""

    def __init__(self, moment, token, count, rate):
        self.moment, self.token, self.count, self.rate = moment, token, count, rate
        self.sent, self.accepted = {}, {}

    def event(self, number):
        contact, kind = "b-%d" % (number // 2), ("started", "ended")[number % 2]
        return contact, "column-" + kind, {
            "specversion": "1.0", "id": "bench-%d" % number, "source": "/bench", "type": "bench.contact." + kind,
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(), "data": {"contact_id": contact, "channel": "voice"}}

    def one(self, number):
        contact, column, body = self.event(number)
        key = contact + " " + column
        self.sent[key] = time.time() * 1000
        status, _ = self.moment.post(body, token=self.token)
        assert status == 202, status
        self.accepted[key] = time.time() * 1000

    def run(self):
        began = time.monotonic()
        threads = []
        for number in range(self.count):
            delay = began + number / self.rate - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            threads.append(threading.Thread(target=self.one, args=(number,)))
            threads[-1].start()
        for thread in threads:
            thread.join()


def measure(events, rate):
    with Installation(env={"MOMENT_WEB_ROOT": os.path.join(ROOT, "build/web")}) as moment:
        moment.start()
        moment.ctl("user", "add", "bench", "--name", "Bench", "--role", "leader", env={"MOMENT_PASSWORD": "a long enough password"})
        token = moment.add_events_source("bench")["token"]
        with Screen("http://127.0.0.1:%d" % moment.http["reporting"]) as screen:
            screen.sign_in("bench", "a long enough password")
            screen.see("[data-connection=open]")
            screen.driver.execute_script(WATCH)
            sender = Sender(moment, token, events, rate)
            sender.run()
            seen = wait_for("the page to show everything", lambda: (lambda s: s if len(set(sender.sent) - set(s)) == 0 else None)(
                screen.driver.execute_script("return window.seen")), 30, 0.2)
    return ([seen[k] - sender.sent[k] for k in sender.sent], [max(0, seen[k] - sender.accepted[k]) for k in sender.sent])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--events", type=int, default=1000)
    p.add_argument("--rate", type=float, default=40, help="events per second")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    from_send, from_accept = measure(a.events, a.rate)
    out = {"events": a.events, "rate": a.rate}
    for name, values in (("sent_to_page_ms", from_send), ("accepted_to_page_ms", from_accept)):
        out[name] = {"p50": round(percentile(values, 0.5), 1), "p99": round(percentile(values, 0.99), 1), "max": round(max(values), 1)}
    if a.json:
        print(json.dumps(out))
        return
    print("%d events at %g/s" % (a.events, a.rate))
    for name in ("sent_to_page_ms", "accepted_to_page_ms"):
        print("%-20s p50 %7.1f ms   p99 %7.1f ms   max %7.1f ms" % (name[:-3].replace("_", " "), *out[name].values()))


if __name__ == "__main__":
    main()
