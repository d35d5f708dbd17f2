#!/usr/bin/python3
"""pbx - a private branch exchange that lives a recorded day again.

It plays a capture of a real Asterisk (tests/fixtures/asterisk) through a real AMI socket and a real
queue_log file: every byte of an event, its order, pace and chunking are the recording's. What the
recording's own client asked for (answers that carry its ActionIDs) is left out; whoever connects here
logs in (plain or MD5 challenge) and gets answers of its own: QueueStatus and CoreShowChannels describe
the state that the events up to now have made.

Time: with --now (the default of the command line) every epoch in the recording, time stamps and
channel ids alike, is moved by whole seconds so that the day happens now, or began --ago seconds before; ten
digits stay ten digits, so no length changes. Without it the recording keeps its own time, which tests compare with truth.json.

Used by `make run` as a program and by the tests as a class: `async with Pbx(...)`.
"""
import argparse
import asyncio
import gzip
import hashlib
import os
import re
import secrets
import signal
import sys
import time

USER, SECRET = "ingest", "ingest-test-only"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
OWN_ANSWER = re.compile(rb"^ActionID: ami(-cut)?-\d+\r?$", re.M)
EPOCH = re.compile(rb"(?<!\d)(1\d{9})(?!\d)")


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        return f.read()


def shifted(raw, first, last, delta):
    """raw with every epoch of the recording's hour moved by delta seconds; the length stays."""
    if not delta:
        return raw

    def move(match):
        n = int(match.group(1))
        return b"%d" % (n + delta) if first - 900 <= n <= last + 900 else match.group(1)

    return EPOCH.sub(move, raw)


def fields_of(packet):
    out = {}
    for line in packet.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            out.setdefault(name.decode(), value[1:].decode("utf-8", "replace"))
    return out


class Session:
    """One recorded TCP session: (time, bytes) pieces as the recording's client received them."""

    def __init__(self, folder, name):
        self.raw = read(os.path.join(folder, name + ".raw.gz"))
        self.index = []
        with open(os.path.join(folder, name + ".idx"), encoding="ascii") as f:
            for line in f:
                at, offset, length = line.split()
                self.index.append((float(at), int(offset), int(length)))

    def pieces(self, first, last, delta):
        raw = shifted(self.raw, first, last, delta)
        keep = bytearray(b"\1") * len(raw)
        start = raw.index(b"\r\n") + 2  # the banner is sent by the server below
        keep[:start] = bytes(start)
        while start < len(raw):
            end = raw.find(b"\r\n\r\n", start)
            end = len(raw) if end < 0 else end + 4
            packet = raw[start:end]
            if OWN_ANSWER.search(packet) or packet.startswith(b"Event: FullyBooted"):
                keep[start:end] = bytes(end - start)
            start = end
        for at, offset, length in self.index:
            piece = raw[offset:offset + length]
            mask = keep[offset:offset + length]
            if any(mask):
                yield at + delta, bytes(b for b, k in zip(piece, mask) if k) if not all(mask) else piece


class State:
    """What QueueStatus and CoreShowChannels would tell, made of the events so far."""

    def __init__(self):
        self.pending = b""
        self.channels = {}
        self.waiting = {}
        self.members = {}

    def feed(self, data):
        self.pending += data
        while True:
            end = self.pending.find(b"\r\n\r\n")
            if end < 0:
                return
            packet, self.pending = self.pending[:end + 2], self.pending[end + 4:]
            self.packet(fields_of(packet))

    def packet(self, p):
        event, uid = p.get("Event"), p.get("Uniqueid")
        if event == "QueueMember":
            p["MemberName"], p["Interface"] = p.get("Name", ""), p.get("Location", "")
            self.members[p["Queue"], p["Interface"]] = p
        elif event == "Newchannel":
            self.channels[uid] = dict(p, born=float(p.get("Timestamp", 0)))
        elif event == "Hangup":
            self.channels.pop(uid, None)
        elif event in ("Newstate", "NewCallerid") and uid in self.channels:
            self.channels[uid].update(p)
        elif event == "Newexten" and uid in self.channels:
            self.channels[uid].update(application=p.get("Application", ""), data=p.get("AppData", ""))
        elif event in ("BridgeEnter", "BridgeLeave") and uid in self.channels:
            self.channels[uid]["bridge"] = p.get("BridgeUniqueid", "") if event == "BridgeEnter" else ""
        elif event == "QueueCallerJoin":
            self.waiting[uid, p["Queue"]] = p
        elif event == "QueueCallerLeave":
            self.waiting.pop((uid, p["Queue"]), None)
        elif event in ("QueueMemberAdded", "QueueMemberStatus", "QueueMemberPause"):
            self.members[p["Queue"], p["Interface"]] = p
        elif event == "QueueMemberRemoved":
            self.members.pop((p["Queue"], p["Interface"]), None)

    def queue_status(self, now, only=None):
        queues = sorted({q for q, _ in self.members} | {q for _, q in self.waiting})
        for queue in queues:
            if only and queue != only:
                continue
            calls = [w for (_, q), w in self.waiting.items() if q == queue]
            yield dict(Event="QueueParams", Queue=queue, Max="0", Strategy="ringall", Calls=len(calls),
                       Holdtime="0", TalkTime="0", Completed="0", Abandoned="0", ServiceLevel="20",
                       ServicelevelPerf="0.0", ServicelevelPerf2="0.0", Weight="0")
            for (q, _), m in sorted(self.members.items()):
                if q == queue:
                    yield dict(Event="QueueMember", Queue=q, Name=m.get("MemberName", ""),
                               Location=m.get("Interface", ""),
                               **{k: m.get(k, "") for k in (
                                   "StateInterface", "Membership", "Penalty", "CallsTaken", "LastCall",
                                   "LastPause", "LoginTime", "InCall", "Status", "Paused", "PausedReason",
                                   "Wrapuptime")})
            for position, w in enumerate(calls, 1):
                yield dict(Event="QueueEntry", Queue=queue, Position=position, Channel=w["Channel"],
                           Uniqueid=w["Uniqueid"], CallerIDNum=w["CallerIDNum"],
                           CallerIDName=w["CallerIDName"], ConnectedLineNum=w["ConnectedLineNum"],
                           ConnectedLineName=w["ConnectedLineName"],
                           Wait=max(0, int(now - float(w.get("Timestamp", now)))), Priority="0")

    def core_show_channels(self, now):
        for c in self.channels.values():
            seconds = max(0, int(now - c["born"]))
            yield dict(Event="CoreShowChannel",
                       **{k: c.get(k, "") for k in (
                           "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName",
                           "ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode", "Context",
                           "Exten", "Priority", "Uniqueid", "Linkedid")},
                       Application=c.get("application", ""), ApplicationData=c.get("data", ""),
                       Duration="%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60),
                       BridgeId=c.get("bridge", ""))


class Client:
    """One AMI connection: actions in, answers and, once logged in, events out."""

    def __init__(self, pbx, reader, writer):
        self.pbx, self.reader, self.writer = pbx, reader, writer
        self.is_live, self.challenge, self.sent = False, None, 0

    async def serve(self):
        self.send(BANNER)
        action = {}
        try:
            while line := await self.reader.readline():
                line = line.rstrip(b"\r\n").decode("utf-8", "replace")
                if line:
                    name, _, value = line.partition(":")
                    action[name.lower()] = value.strip()
                elif action:
                    self.act(action)
                    action = {}
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.pbx.clients.discard(self)
            self.writer.close()

    def send(self, data):
        """Bytes to the peer, cut off at the pbx's fault limit."""
        limit = self.pbx.cut_after_bytes
        if limit is not None and self.sent + len(data) >= limit:
            self.writer.write(data[:max(0, limit - self.sent)])
            self.pbx.cut_after_bytes = None
            self.close()
            return
        self.sent += len(data)
        if not self.writer.is_closing():
            self.writer.write(data)

    def close(self):
        self.pbx.clients.discard(self)
        self.writer.close()

    def answer(self, action, response="Success", **more):
        head = dict(Response=response)
        if "actionid" in action:
            head["ActionID"] = action["actionid"]
        self.packet({**head, **more})

    def packet(self, fields):
        text = "".join("%s: %s\r\n" % item for item in fields.items())
        self.send(text.encode() + b"\r\n")

    def list_of(self, action, items, complete):
        own = {"ActionID": action["actionid"]} if "actionid" in action else {}
        self.answer(action, EventList="start", Message="List will follow")
        count = 0
        for item in items:
            count += 1
            self.packet({**item, **own})
        self.packet(dict(Event=complete, **own, EventList="Complete", ListItems=count))

    def act(self, action):
        name = action.get("action", "").lower()
        if name == "challenge":
            self.challenge = str(secrets.randbelow(10**9))
            return self.answer(action, Challenge=self.challenge)
        if name == "login":
            return self.login(action)
        if name == "logoff":
            self.answer(action, "Goodbye", Message="Thanks for all the fish.")
            return self.close()
        if not self.is_live:
            return self.answer(action, "Error", Message="Permission denied")
        if name == "ping":
            return self.answer(action, Ping="Pong", Timestamp="%.6f" % self.pbx.now())
        if name == "events":
            return self.answer(action, Events="On")
        if name == "queuestatus":
            return self.list_of(action, self.pbx.state.queue_status(self.pbx.now(), action.get("queue")),
                                "QueueStatusComplete")
        if name == "coreshowchannels":
            return self.list_of(action, self.pbx.state.core_show_channels(self.pbx.now()),
                                "CoreShowChannelsComplete")
        return self.answer(action, "Error", Message="Invalid/unknown command: %s." % name)

    def login(self, action):
        if action.get("authtype", "").lower() == "md5" and self.challenge:
            good = hashlib.md5((self.challenge + SECRET).encode()).hexdigest() == action.get("key")
        else:
            good = action.get("secret") == SECRET
        if action.get("username") != USER or not good:
            self.answer(action, "Error", Message="Authentication failed")
            return self.close()
        self.answer(action, Message="Authentication accepted")
        self.packet(dict(Event="FullyBooted", Privilege="system,all", Uptime="4242", LastReload="4242",
                         Status="Fully Booted"))
        self.is_live = True
        self.pbx.clients.add(self)
        self.pbx.logins += 1
        self.pbx.logged_in.set()


class Pbx:
    """Plays a capture. speed 1 is the recorded pace, 0 as fast as the reader takes it.

    sessions ("ami.1",) is the whole capture; ("ami-cut.1", "ami-cut.2") loses AMI for the recorded gap.
    """

    def __init__(self, capture, ami=("127.0.0.1", 0), queue_log=None, speed=1.0, now=False, loop=False,
                 sessions=("ami.1",), wait_for_login=False, log=None, pause=5, ago=0):
        self.capture, self.address, self.queue_log = capture, ami, queue_log
        self.speed, self.is_now, self.is_loop = speed, now, loop
        self.wait_for_login, self.log = wait_for_login, log or (lambda text: None)
        self.pause, self.ago = pause, ago
        self.sessions = [Session(capture, name) for name in sessions] if ami else []
        self.whole = Session(capture, "ami.1")
        self.lines = read(os.path.join(capture, "queue_log")).splitlines(keepends=True)
        self.first, self.last = int(self.whole.index[0][0]), int(self.whole.index[-1][0]) + 1
        self.clients, self.logins, self.server = set(), 0, None
        self.logged_in, self.finished = asyncio.Event(), asyncio.Event()
        self.state = State()
        self.cut_after_bytes = None  # fault: cut the connection in the middle of whatever is sent then
        self.virtual = float(self.first)
        self.progress = 0.0

    async def __aenter__(self):
        if self.address:
            await self.listen()
        self.task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.deafen()

    async def listen(self):
        host, port = self.address
        self.server = await asyncio.start_server(lambda r, w: Client(self, r, w).serve(), host, port,
                                                 limit=65536)
        self.address = self.server.sockets[0].getsockname()[:2]

    async def deafen(self):
        """Cut everybody off and refuse new connections until listen()."""
        for client in list(self.clients):
            client.close()
        if self.server:
            self.server.close()
            await self.server.wait_closed()
            self.server = None

    @property
    def port(self):
        return self.address[1]

    def now(self):
        return self.virtual

    def timeline(self, delta):
        """(time, kind, bytes) of everything that happens, in order."""
        out = []
        for number, session in enumerate(self.sessions):
            pieces = list(session.pieces(self.first, self.last, delta))
            if number:
                out.append((session.index[0][0] + delta, 1, "listen", b""))
            out += [(at, 3, "ami", data) for at, data in pieces]
            if number + 1 < len(self.sessions):
                out.append((session.index[-1][0] + delta, 4, "cut", b""))
        out += [(at, 2, "state", data) for at, data in self.whole.pieces(self.first, self.last, delta)]
        # A line of second T was written somewhere in [T, T+1); app_queue writes it before the event.
        for line in self.lines:
            text = shifted(line, self.first, self.last, delta)
            out.append((int(text.split(b"|", 1)[0]) + 0.5, 0, "log", text))
        out.sort(key=lambda item: item[:2])
        return [(at, kind, data) for at, _, kind, data in out]

    def initial_members(self, delta):
        for packet in shifted(self.whole.raw, self.first, self.last, delta).split(b"\r\n\r\n"):
            if packet.startswith(b"Event: QueueMember\r\n"):
                self.state.packet(fields_of(packet))
            elif packet.startswith(b"Event: QueueStatusComplete"):
                return

    async def run(self):
        while True:
            self.finished.clear()
            await self.play()
            self.finished.set()
            if not self.is_loop:
                return
            self.log("the recorded day is over; it begins again in %g s" % self.pause)
            await asyncio.sleep(self.pause)

    async def play(self):
        if self.wait_for_login:
            await self.logged_in.wait()
        delta = int(time.time()) + 1 - self.ago - self.first if self.is_now else 0
        self.state = State()
        self.initial_members(delta)
        began = time.monotonic()
        timeline = self.timeline(delta)
        for number, (at, kind, data) in enumerate(timeline):
            if self.speed:
                ahead = (at - delta - self.first) / self.speed - (time.monotonic() - began)
                if ahead > 0.001:
                    await asyncio.sleep(ahead)
            elif number % 50 == 0:
                await self.drain()
            self.virtual = at
            self.progress = (number + 1) / len(timeline)
            await self.happen(kind, data)
        await self.drain()

    async def drain(self):
        await asyncio.sleep(0)
        for client in list(self.clients):
            try:
                await asyncio.wait_for(client.writer.drain(), 10)
            except (ConnectionError, asyncio.TimeoutError):
                client.close()

    async def happen(self, kind, data):
        if kind == "ami":
            for client in list(self.clients):
                client.send(data)
        elif kind == "state":
            self.state.feed(data)
        elif kind == "log" and self.queue_log:
            with open(self.queue_log, "ab") as f:
                f.write(data)
        elif kind == "cut":
            await self.deafen()
        elif kind == "listen":
            await self.listen()


def arguments():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--capture", default=os.path.join(here, "../fixtures/asterisk/A"), help="folder of the capture")
    p.add_argument("--ami", default="127.0.0.1:15038", help="address to listen on; '' for none")
    p.add_argument("--queue-log", help="file to write the queue_log to")
    p.add_argument("--speed", type=float, default=1.0, help="1: the recorded pace; 0: as fast as possible")
    p.add_argument("--recorded-time", action="store_true", help="keep the recording's own time stamps")
    p.add_argument("--loop", action="store_true", help="begin again when the day is over")
    p.add_argument("--pause", type=float, default=5, help="seconds between two days")
    p.add_argument("--ago", type=int, default=0, help="the day began so many seconds ago; with --speed 0 it is over")
    p.add_argument("--sessions", nargs="+", default=["ami.1"], help="recorded sessions, e.g. ami-cut.1 ami-cut.2")
    p.add_argument("--wait-for-login", action="store_true", help="begin when the first client has logged in")
    return p.parse_args()


async def main():
    a = arguments()
    host, _, port = a.ami.rpartition(":")
    pbx = Pbx(a.capture, (host, int(port)) if a.ami else None, a.queue_log, a.speed, not a.recorded_time,
              a.loop, a.sessions, a.wait_for_login, lambda text: print("pbx:", text, flush=True), a.pause, a.ago)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with pbx:
        print("pbx: AMI on %s, queue_log %s" % (a.ami or "-", a.queue_log or "-"), flush=True)
        done = asyncio.create_task(pbx.finished.wait())
        await asyncio.wait([asyncio.create_task(stop.wait())] + ([] if a.loop else [done]),
                           return_when=asyncio.FIRST_COMPLETED)
    if pbx.task.done() and not pbx.task.cancelled() and pbx.task.exception():
        sys.exit("pbx: %s" % pbx.task.exception())


if __name__ == "__main__":
    asyncio.run(main())
