#!/usr/bin/python3
"""native_client - how an integrator sends events to ingest over ZeroMQ, in Python.

A second, independent reader of proto/moment/v1: pyzmq and protobuf only. The classes are made from the
.proto files at the first import (protoc --python_out), as an integrator's build would do it.

    with NativeClient("tcp://127.0.0.1:7101", server_key, public_key, secret_key) as client:
        client.submit([{"contact_id": "c-1", "type": "CONTACT_STARTED", "occurred_at": 1772460000000000}])
"""
import importlib
import os
import subprocess
import sys
import tempfile

import zmq

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PROTOCOL = 1


def protocol(*names):
    """The generated modules moment.v1.<name>_pb2."""
    folder = tempfile.mkdtemp(prefix="moment-proto.")
    source = os.path.join(ROOT, "proto")
    files = [os.path.join("moment/v1", f) for f in sorted(os.listdir(os.path.join(source, "moment/v1")))
             if f.endswith(".proto")]
    subprocess.run(["protoc", "-I", source, "--python_out", folder, *files], check=True, cwd=source)
    sys.path.insert(0, folder)
    return [importlib.import_module("moment.v1.%s_pb2" % name) for name in names]


stream_pb2, ingest_pb2 = protocol("stream", "ingest")


class Refused(Exception):
    """The batch, or the whole conversation, was refused; the problem says which field and why."""


class NativeClient:
    def __init__(self, address, server_key, public_key, secret_key, timeout_ms=10000):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        # A refused handshake may take the pipe away: then sending would wait for ever, not receiving.
        self.socket.rcvtimeo = self.socket.sndtimeo = timeout_ms
        self.socket.curve_serverkey = server_key.encode()
        self.socket.curve_publickey = public_key.encode()
        self.socket.curve_secretkey = secret_key.encode()
        self.socket.connect(address)
        self.credit, self.next_id, self.pending, self.answers = 0, 0, set(), []

    def __enter__(self):
        hello = stream_pb2.Frame()
        hello.hello.name, hello.hello.protocol = "native_client.py", PROTOCOL
        try:
            self.socket.send(hello.SerializeToString())
            while not self.credit:
                self.take()
        except BaseException:
            self.socket.close()
            raise
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self):
        frame = stream_pb2.Frame.FromString(self.socket.recv())
        kind = frame.WhichOneof("kind")
        if kind == "welcome":
            self.credit = frame.welcome.submit_credit
        elif kind == "accepted":
            self.pending.discard(frame.accepted.id)
            self.credit += frame.accepted.credit
            if frame.accepted.HasField("problem"):
                raise Refused(frame.accepted.problem)
            self.answers.append(frame.accepted)
        elif kind == "refuse":
            raise Refused(frame.refuse)

    def submit(self, events):
        """(accepted, duplicate) of one batch, after its commit."""
        batch = ingest_pb2.EventBatch()
        for event in events:
            message = batch.events.add()
            for name, value in event.items():
                if name == "type":
                    value = ingest_pb2.EventType.Value("EVENT_TYPE_" + value)
                setattr(message, name, value)
        return self.submit_bytes(batch.SerializeToString())

    def submit_bytes(self, body):
        while self.credit < len(body):
            self.take()
        self.next_id += 1
        frame = stream_pb2.Frame()
        frame.submit.id, frame.submit.body = self.next_id, body
        self.socket.send(frame.SerializeToString())
        self.credit -= len(body)
        self.pending.add(self.next_id)
        while self.pending:
            self.take()
        return self.answers[-1].accepted, self.answers[-1].duplicate
