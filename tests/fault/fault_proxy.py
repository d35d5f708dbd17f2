"""fault_proxy - a TCP connection that can fail in every way that a network can.

    proxy = FaultProxy(("127.0.0.1", 6000), "/run/postgresql/.s.PGSQL.5432")     # or a (host, port)
    proxy.set("cut")        every connection reset, new ones closed at once
    proxy.set("half_open")  nothing passes any more, and nobody is told
    proxy.set("one_way")    only towards the server
    proxy.set("slow")       SLOW_BYTES a second, each way
    proxy.set("open")       as if nothing had been; connections that were hung are reset

One thread of its own; set() may be called from any other.
"""
import asyncio
import contextlib
import socket
import struct
import threading

PIECE, SLOW_BYTES = 65536, 20000
MODES = ("cut", "half_open", "one_way", "slow")


class FaultProxy:
    def __init__(self, listen, target):
        self.listen, self.target, self.mode, self.pairs = listen, target, "open", set()
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.changed = asyncio.Event()
        self.server = self.loop.run_until_complete(asyncio.start_server(self.serve, *self.listen, limit=PIECE))
        ready.set()
        self.loop.run_forever()

    def close(self):
        self.set("cut")
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def set(self, mode):
        done = threading.Event()
        self.loop.call_soon_threadsafe(self.change, mode, done)
        done.wait(10)

    def change(self, mode, done):
        if mode == "cut" or self.mode in ("half_open", "one_way"):
            for pair in list(self.pairs):
                for writer in pair:
                    self.reset(writer)
        self.mode = mode
        self.changed.set()
        self.changed = asyncio.Event()
        done.set()

    @staticmethod
    def reset(writer):
        with contextlib.suppress(OSError, AttributeError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def serve(self, reader, writer):
        if self.mode == "cut":
            return self.reset(writer)
        try:
            if isinstance(self.target, str):
                there = await asyncio.open_unix_connection(self.target, limit=PIECE)
            else:
                there = await asyncio.open_connection(*self.target, limit=PIECE)
        except OSError:
            return self.reset(writer)
        pair = (writer, there[1])
        self.pairs.add(pair)
        await asyncio.wait([asyncio.create_task(self.pump(reader, there[1], True)),
                            asyncio.create_task(self.pump(there[0], writer, False))],
                           return_when=asyncio.FIRST_COMPLETED)
        self.pairs.discard(pair)
        for end in pair:
            self.reset(end)

    def is_blocked(self, is_request):
        return self.mode == "half_open" or (self.mode == "one_way" and not is_request)

    async def pump(self, reader, writer, is_request):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(SLOW_BYTES // 10 if self.mode == "slow" else PIECE):
                while self.is_blocked(is_request):
                    await self.changed.wait()
                if self.mode == "slow":
                    await asyncio.sleep(len(data) / SLOW_BYTES)
                writer.write(data)
                await writer.drain()
