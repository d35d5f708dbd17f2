#!/usr/bin/python3
"""footprint - resident memory of each service while it replays, and CPU while nothing happens.

Prints the largest resident set seen during a replay at the recorded pace (--seconds of it) and the share of one
core that each service used over --idle seconds afterwards without any source.
"""
import argparse
import asyncio
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../system")]
from installation import SERVICES, Installation  # noqa: E402
from test_replay import play  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--speed", type=float, default=5, help="of the replay; 1 is the recorded pace")
    p.add_argument("--idle", type=float, default=20, help="seconds of doing nothing")
    a = p.parse_args()
    with Installation() as moment:
        moment.start()
        asyncio.run(play(moment, speed=a.speed))
        for name in ("pbx-ami", "pbx-log"):
            moment.ctl("source", "remove", name)
        pids = {s: moment.processes[s].pid for s in SERVICES}
        peaks = {s: resident_kib(pid) / 1024 for s, pid in pids.items()}
        before = {s: cpu_seconds(pid) for s, pid in pids.items()}
        time.sleep(a.idle)
        idle = {s: (cpu_seconds(pid) - before[s]) / a.idle for s, pid in pids.items()}
    print("%-12s %14s %10s" % ("service", "peak resident", "idle CPU"))
    for s in SERVICES:
        print("%-12s %10.1f MiB %8.2f %%" % (s, peaks[s], idle[s] * 100))


if __name__ == "__main__":
    main()
