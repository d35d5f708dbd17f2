"""truth - what the recorded day really was (truth.json), compared with what Moment says it was."""
import json
import os
from collections import Counter

from installation import CAPTURE

with open(os.path.join(CAPTURE, "truth.json"), encoding="utf-8") as f:
    TRUTH = json.load(f)
CALLS = {call["uniqueid"]: call for call in TRUTH["calls"]}
WITHOUT_VISITS = {c["uniqueid"]: "refused" for c in TRUTH["refused"]} | {
    c["uniqueid"]: "never_queued" for c in TRUTH["never_queued"]}


def seconds(visit, *names):
    return sum(visit[n] or 0 for n in names) / 1000


def visit_differences(contact, number, real, ours, has_ami):
    """Sentences about everything in which our visit differs from the real one."""
    def differs(name, a, b):
        return ["%s visit %d: %s is %r, truth %r" % (contact, number, name, a, b)]

    out = []
    for name, a, b in (("queue", ours["queue"], real["queue"]),
                       ("outcome", ours["outcome"], real["outcome"]),
                       ("agent", ours["agent"] if real["answered"] else None, real["agent"] if real["answered"] else None),
                       ("csat", ours.get("csat"), real["csat"])):
        if a != b:
            out += differs(name, a, b)
    if abs(seconds(ours, "wait_ms") - real["wait_s"]) > 1.0:
        out += differs("wait", seconds(ours, "wait_ms"), real["wait_s"])
    # Asterisk's talk time includes the time on hold; ours does not where the hold is known.
    if real["answered"] and abs(seconds(ours, "talk_ms", "hold_ms") - real["talk_s"]) > 1.0:
        out += differs("talk + hold", seconds(ours, "talk_ms", "hold_ms"), real["talk_s"])
    if has_ami and real["answered"] and (ours["hold_count"] or 0) != real["hold_count"]:
        out += differs("holds", ours["hold_count"], real["hold_count"])
    if ours["offer_failures"] < len(real["ring_no_answer"]):
        out += differs("offers not taken", ours["offer_failures"], len(real["ring_no_answer"]))
    return out


def differences(moments, has_ami, skip_holds=False):
    """Everything in which the moments differ from the truth: an empty list is the proof."""
    out = []
    ours = {m["source_contact_id"]: m for m in moments}
    twice = [c for c, n in Counter(m["source_contact_id"] for m in moments).items() if n > 1]
    out += ["%s is there twice" % c for c in twice]
    expected = set(CALLS) | (set(WITHOUT_VISITS) if has_ami else set())
    out += ["%s is missing" % c for c in sorted(expected - set(ours))]
    out += ["%s is extra (%s)" % (c, ours[c]["outcome"]) for c in sorted(set(ours) - expected)]
    for contact, call in CALLS.items():
        m = ours.get(contact)
        if not m:
            continue
        if m["state"] != "ended":
            out.append("%s is still %s" % (contact, m["state"]))
        if len(m["visits"]) != len(call["visits"]):
            out.append("%s has %d visits, truth %d" % (contact, len(m["visits"]), len(call["visits"])))
            continue
        for i, (real, visit) in enumerate(zip(call["visits"], m["visits"])):
            out += visit_differences(contact, i + 1, real, visit, has_ami and not skip_holds)
    if has_ami:
        for contact, outcome in WITHOUT_VISITS.items():
            m = ours.get(contact)
            if m and (m["visits"] or m["outcome"] != outcome):
                out.append("%s is %s with %d visits, truth %s" % (contact, m["outcome"], len(m["visits"]), outcome))
    return out
