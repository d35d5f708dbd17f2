"""ledger - what the clients of a fault test wrote down: what they sent, and what they were told."""
import hashlib
import os
import struct
import time

# struct entry of ledger_client.c.
ENTRY = struct.Struct("=IIQq16s")
SENT, AGAIN, ACKNOWLEDGED, REFUSED = 1, 2, 3, 4
BATCH = 100


def hash_of(contact, kind, at_us, queue, agent):
    text = "%s|%d|%d|%s|%s" % (contact, kind, at_us, queue, agent)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def letters(digest):
    return "".join(chr(97 + nibble) for byte in digest for nibble in (byte >> 4, byte & 15))


class Ledger:
    """A client's own file. hashes[n]: of each event that was to be sent; answers: bytes of n, 0 none, ACKNOWLEDGED, REFUSED;
    times: of each acknowledgement, and of the last try before it, in microseconds."""

    def __init__(self, path, number):
        self.number, self.hashes, self.answers, self.tries, self.times = number, [], bytearray(), {}, []
        with open(path, "rb") as f:
            data = f.read()
        # A client that was killed may have left half an entry, of nothing that was sent.
        for kind, count, first, at_us, digest in ENTRY.iter_unpack(data[:len(data) // ENTRY.size * ENTRY.size]):
            if kind == SENT:
                assert first == len(self.hashes), "the ledger of client %d has a gap at %d" % (number, first)
                self.hashes.append(digest)
                self.answers.append(0)
                self.tries[first // BATCH] = at_us
            else:
                self.note(kind, first, count, at_us)

    def note(self, kind, first, count, at_us):
        if kind == AGAIN:
            self.tries[first // BATCH] = at_us
            return
        self.answers[first:first + count] = bytes([kind]) * count
        self.times.append((at_us, self.tries[first // BATCH]))

    def acknowledged(self):
        return self.answers.count(ACKNOWLEDGED)


class LedgerWriter:
    """The same file, written by a client in this process: append(), sync, send, answer()."""

    def __init__(self, path):
        self.file, self.next = open(path, "xb"), 0

    def write(self, kind, first, digest=b""):
        self.file.write(ENTRY.pack(kind, 1, first, int(time.time() * 1e6), digest))
        self.file.flush()
        os.fdatasync(self.file.fileno())

    def sent(self, digest):
        self.write(SENT, self.next, digest)
        self.next += 1
        return self.next - 1

    def answer(self, kind, first):
        self.write(kind, first)
