"""bus_person - what the web edge is to the owners: calls in the name of somebody, over the bus.

    lea = BusPerson(moment, "feedback", "u-lea", ["leader"], sites=["lyon"], person_id="p-lea")
    note = lea.ask("GiveNote", kind="NOTE_KIND_PRAISE", moment_id=..., text=...).note
    lea.refused("GetNote", note_id=...)  # (status, type, field)
"""
import os
import uuid

import zmq
from google.protobuf import json_format

import native_client

stream_pb2, ingest_pb2, feedback_pb2, recognition_pb2 = native_client.protocol("stream", "ingest", "feedback", "recognition")
MESSAGES = {"ingest": ingest_pb2, "feedback": feedback_pb2, "recognition": recognition_pb2}


class Refusal(Exception):
    def __init__(self, method, problem):
        super().__init__("%s: %d %s %s: %s" % (method, problem.status, problem.type, problem.field, problem.detail))
        self.problem = problem


class BusPerson:
    def __init__(self, moment, service, user_id, roles, name=None, sites=(), teams=(), person_id=""):
        self.moment, self.service = moment, service
        self.caller = stream_pb2.Caller(id=user_id, name=name or user_id, roles=roles, sites=sites, teams=teams,
                                        person_id=person_id)

    def open(self):
        def key(name):
            with open(os.path.join(self.moment.dir, "keys", name), "rb") as f:
                return f.read().strip()
        s = zmq.Context.instance().socket(zmq.DEALER)
        s.linger, s.rcvtimeo, s.sndtimeo = 0, 10000, 10000
        s.curve_serverkey = key(self.service + ".public")
        s.curve_publickey, s.curve_secretkey = key("reporting.public"), key("reporting.secret")
        s.connect("tcp://127.0.0.1:%d" % self.moment.bus[self.service])
        hello = stream_pb2.Frame()
        hello.hello.name, hello.hello.protocol = "test", native_client.PROTOCOL
        s.send(hello.SerializeToString())
        return s

    def reply(self, method, command_id=None, **fields):
        """The reply to a call; fields as the message's JSON. A command_id is made where none is given."""
        request = json_format.ParseDict(fields, getattr(MESSAGES[self.service], method + "Request")())
        frame = stream_pb2.Frame()
        frame.call.id, frame.call.method, frame.call.deadline_ms = 7, "%s.%s" % (self.service, method), 8000
        frame.call.body = request.SerializeToString()
        frame.call.command_id = str(uuid.uuid4()) if command_id is None else command_id
        frame.call.caller.CopyFrom(self.caller)
        with self.open() as s:
            s.send(frame.SerializeToString())
            while True:
                answer = stream_pb2.Frame.FromString(s.recv())
                if answer.WhichOneof("kind") == "reply":
                    return answer.reply

    def ask(self, method, command_id=None, **fields):
        reply = self.reply(method, command_id, **fields)
        if reply.HasField("problem"):
            raise Refusal(method, reply.problem)
        return getattr(MESSAGES[self.service], method + "Response").FromString(reply.body)

    def refused(self, method, **fields):
        reply = self.reply(method, **fields)
        assert reply.HasField("problem"), (method, fields)
        assert reply.problem.detail
        return reply.problem.status, reply.problem.type, reply.problem.field
