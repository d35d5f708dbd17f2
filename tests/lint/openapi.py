#!/usr/bin/python3
"""openapi.py [--write] - services/reporting/openapi.json is what the program and the protocol say.

It is made of services/reporting/openapi.hand.json (what no machine knows), of the routes that moment-reporting prints (those that
are passed on to an owner), and of the protocol's messages with their comments. Without --write: exit 1 and a diff if it differs.
"""
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.join(ROOT, os.environ.get("MOMENT_BIN", "build/gcc-release"))
HAND = os.path.join(ROOT, "services/reporting/openapi.hand.json")
TO = os.path.join(ROOT, "services/reporting/openapi.json")
FILES = ["moment/v1/%s.proto" % name for name in ("ingest", "feedback", "recognition", "reporting")]
FIELD = descriptor_pb2.FieldDescriptorProto
UNSIGNED = (FIELD.TYPE_UINT32, FIELD.TYPE_UINT64, FIELD.TYPE_FIXED32, FIELD.TYPE_FIXED64)
REVISION = "if_revision"
# An agent on the floor carries the directory's team beside the record.
LIVE_FORMS = {"AgentChanged": "FloorPerson"}


class Protocol:
    """The messages and enumerations by name, and the comment of each message and field."""

    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            to = os.path.join(folder, "set.pb")
            subprocess.run(["protoc", "-I", os.path.join(ROOT, "proto"), "--include_source_info", "-o", to, *FILES], check=True)
            with open(to, "rb") as f:
                files = descriptor_pb2.FileDescriptorSet.FromString(f.read()).file
        self.messages = {m.name: m for f in files for m in f.message_type}
        self.enums = {e.name: e for f in files for e in f.enum_type}
        self.comments = {}
        for f in files:
            for location in f.source_code_info.location:
                path = list(location.path)
                text = " ".join(location.leading_comments.split())
                if text and path[:1] == [4] and len(path) in (2, 4):
                    message = f.message_type[path[1]]
                    if len(path) == 2:
                        self.comments[message.name] = text
                    elif path[2] == 2:
                        self.comments[message.name, message.field[path[3]].name] = text

    def enum_values(self, name):
        values = self.enums[name].value
        prefix = values[0].name[:-len("UNSPECIFIED")]
        return [v.name[len(prefix):].lower() for v in values[1:]]


def ref(name, kind="schemas"):
    return {"$ref": "#/components/%s/%s" % (kind, name)}


def type_name(field):
    return field.type_name.split(".")[-1]


def is_time(field):
    return field.type == FIELD.TYPE_INT64 and (field.name in ("at", "since") or field.name.endswith(("_at", "_since")))


def is_repeated(field):
    return field.label == FIELD.LABEL_REPEATED


def value_schema(field, suffix=""):
    """One value of a field, as io/json.h and the codec of reporting write it: null for the unknown."""
    known = field.HasField("oneof_index")
    if field.type == FIELD.TYPE_MESSAGE:
        return ref(type_name(field) + suffix)
    if field.type == FIELD.TYPE_ENUM:
        return ref(type_name(field))
    if is_time(field):
        return ref("Time")
    if field.type == FIELD.TYPE_STRING:
        return {"type": "string" if is_repeated(field) else ["string", "null"]}
    if field.type == FIELD.TYPE_BOOL:
        return {"type": "boolean"}
    if field.type in (FIELD.TYPE_DOUBLE, FIELD.TYPE_FLOAT):
        return {"type": ["number", "null"] if known else "number"}
    return {"type": ["integer", "null"] if known else "integer", **({"minimum": 0} if field.type in UNSIGNED else {})}


def field_schema(protocol, message, field, suffix=""):
    schema = value_schema(field, suffix)
    if is_repeated(field):
        schema = {"type": "array", "items": schema}
    elif field.type == FIELD.TYPE_MESSAGE:
        schema = {"anyOf": [schema, {"type": "null"}]}
    comment = protocol.comments.get((message.name, field.name))
    return {**schema, "description": comment} if comment else schema


def message_schema(protocol, name):
    message = protocol.messages[name]
    comment = protocol.comments.get(name)
    properties = {field.name: field_schema(protocol, message, field) for field in message.field}
    return {**({"description": comment} if comment else {}), "type": "object", "properties": properties,
            "required": list(properties), "additionalProperties": False}


def input_schema(protocol, name, without=()):
    """What may be sent: any member may be absent."""
    message = protocol.messages[name]
    return {"type": "object", "additionalProperties": False,
            "properties": {field.name: field_schema(protocol, message, field, "Input")
                           for field in message.field if field.name not in without}}


def enum_schema(protocol, name):
    return {"type": ["string", "null"], "enum": protocol.enum_values(name) + [None]}


def answer_schema(protocol, name):
    """A page (a message with `next`) has its items as `items`."""
    message = protocol.messages[name]
    schema = message_schema(protocol, name)
    items = [f.name for f in message.field if is_repeated(f)] if any(f.name == "next" for f in message.field) else []
    if not items:
        return schema
    properties = {"items" if name == items[0] else name: value for name, value in schema["properties"].items()}
    properties["next"]["description"] = "Give it as cursor to get the next page; null at the end."
    return {**schema, "properties": properties, "required": list(properties)}


def live_schema(protocol):
    def form(field):
        name = LIVE_FORMS.get(type_name(field), type_name(field))
        return {"type": "object", "properties": {field.name: ref(name)}, "required": [field.name],
                "additionalProperties": False}
    members = [f for f in protocol.messages["LiveUpdate"].field if f.HasField("oneof_index")]
    return {"description": "Data of `event: update`: exactly one member.", "oneOf": [form(f) for f in members]}


def parameter_schema(protocol, field):
    if field.type == FIELD.TYPE_ENUM:
        one = {"type": "string", "enum": protocol.enum_values(type_name(field))}
    elif is_time(field):
        one = {"type": "string", "format": "date-time"}
    elif field.type == FIELD.TYPE_BOOL:
        one = {"type": "string", "enum": ["true", "false"]}
    elif field.type == FIELD.TYPE_STRING:
        one = {"type": "string"}
    else:
        one = {"type": "integer", **({"minimum": 0} if field.type in UNSIGNED else {})}
    return {"type": "array", "items": one} if is_repeated(field) else one


def parameters(protocol, route):
    request = protocol.messages[route["request"]]
    fields = {f.name: f for f in request.field}
    in_path = re.findall(r"{(\w+)}", route["path"])
    out = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in in_path]
    if route["method"] == "GET":
        for name, field in fields.items():
            if name not in in_path:
                comment = protocol.comments.get((request.name, name))
                out.append({"name": name, "in": "query", "required": False, **({"description": comment} if comment else {}),
                            "schema": parameter_schema(protocol, field)})
    if REVISION in fields:
        out.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
                    "description": "The ETag of what was read, like \"3\". Needed when the thing exists already (428)."})
    if route["is_command"]:
        out.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 64},
                    "description": "The same key has its effect once and gets the same answer."})
    return out


def responses(route, protocol):
    codes = ["400", "401", "403", "404", "422", "503", "504"]
    if route["method"] != "GET":
        codes += ["413", "415"]
    if route["is_command"]:
        codes += ["409"]
    if any(f.name == REVISION for f in protocol.messages[route["request"]].field):
        codes += ["412", "428"]
    schema = ref(route["response"])
    return {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}},
            **{code: ref("Problem" + code, "responses") for code in sorted(codes)}}


def operation(protocol, route):
    rpc = route["call"].split(".")[1]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", rpc)
    comment = protocol.comments.get(route["request"])
    roles = "Roles: %s; what of it a caller may see or do, the owner of the facts decides." % ", ".join(route["roles"])
    out = {"operationId": rpc[0].lower() + rpc[1:], "summary": words[0] + words[1:].lower(),
           "description": comment + " " + roles if comment else roles, "parameters": parameters(protocol, route)}
    if route["method"] in ("POST", "PUT"):
        without = re.findall(r"{(\w+)}", route["path"]) + [REVISION]
        out["requestBody"] = {"required": False, "content": {"application/json": {
            "schema": input_schema(protocol, route["request"], without)}}}
    return {**out, "responses": responses(route, protocol)}


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def add_schemas(protocol, document):
    """Whatever is referred to and not yet there, until nothing is missing."""
    schemas = document["components"]["schemas"]
    while True:
        wanted = {r.rsplit("/", 1)[1] for r in references(document) if "/schemas/" in r} - set(schemas)
        if not wanted:
            break
        for name in wanted:
            if name == "LiveUpdate":
                schemas[name] = live_schema(protocol)
            elif name in protocol.enums:
                schemas[name] = enum_schema(protocol, name)
            elif name.endswith("Input"):
                schemas[name] = input_schema(protocol, name[:-len("Input")])
            elif name.endswith("Response"):
                schemas[name] = answer_schema(protocol, name)
            else:
                schemas[name] = message_schema(protocol, name)
    document["components"]["schemas"] = dict(sorted(schemas.items()))


def printed_routes():
    text = subprocess.run([os.path.join(BIN, "moment-reporting"), "--print-routes"], check=True, text=True,
                          capture_output=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def document():
    protocol = Protocol()
    with open(HAND, encoding="utf-8") as f:
        out = json.load(f)
    for route in printed_routes():
        if "call" in route:
            out["paths"].setdefault(route["path"], {})[route["method"].lower()] = operation(protocol, route)
    add_schemas(protocol, out)
    return json.dumps(out, indent=1, ensure_ascii=False) + "\n"


def main():
    made = document()
    if "--write" in sys.argv:
        with open(TO, "w", encoding="utf-8") as f:
            f.write(made)
        return 0
    with open(TO, encoding="utf-8") as f:
        there = f.read()
    if there == made:
        return 0
    sys.stdout.writelines(list(difflib.unified_diff(there.splitlines(True), made.splitlines(True), TO, "made"))[:60])
    print("services/reporting/openapi.json differs from the program; `make docs` writes it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
