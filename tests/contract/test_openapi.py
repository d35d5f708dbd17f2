"""The description of the HTTP API against the program and the protocol, both ways.

What the program routes must be described and the reverse; what a schema says about a message of the
protocol must be what the mapping of io/json makes of it; references must lead somewhere.
"""
import json
import os
import re
import subprocess

import pytest
from google.protobuf import descriptor_pb2

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.join(ROOT, os.environ.get("MOMENT_BIN", "build/gcc-release"))
FIELD = descriptor_pb2.FieldDescriptorProto
# The person on the floor is the record and the team.
FLOOR_PERSON = ("AgentChanged", "FloorPerson", {"team_id": {"type": ["string", "null"]}})


@pytest.fixture(scope="module", name="document")
def load_document():
    with open(os.path.join(ROOT, "services/reporting/openapi.json"), encoding="utf-8") as f:
        return json.load(f)


@pytest.fixture(scope="module", name="schemas")
def load_schemas(document):
    return document["components"]["schemas"]


@pytest.fixture(scope="module", name="protocol")
def load_protocol(tmp_path_factory):
    """({message name: descriptor}, {enum name: descriptor})"""
    to = str(tmp_path_factory.mktemp("protocol") / "set.pb")
    files = ["moment/v1/%s.proto" % name for name in ("ingest", "feedback", "recognition", "reporting")]
    subprocess.run(["protoc", "-I", os.path.join(ROOT, "proto"), "-o", to, *files], check=True)
    with open(to, "rb") as f:
        parsed = descriptor_pb2.FileDescriptorSet.FromString(f.read())
    return ({m.name: m for f in parsed.file for m in f.message_type}, {e.name: e for f in parsed.file
                                                                       for e in f.enum_type})


def described_routes(document):
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def printed_routes():
    text = subprocess.run([os.path.join(BIN, "moment-reporting"), "--print-routes"], check=True, text=True,
                          capture_output=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def test_every_route_is_described_and_every_description_is_routed(document):
    api = {(route["method"], route["path"]) for route in printed_routes() if route["path"].startswith("/api/")}
    assert api == described_routes(document)


def test_the_file_is_what_the_program_and_the_protocol_say():
    subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/lint/openapi.py")], check=True)


def test_what_is_passed_on_is_described_by_the_fields_of_its_request(document, protocol):
    """Each field can be said in exactly one place: path, query or body; the revision in If-Match."""
    for route in printed_routes():
        if "call" not in route:
            continue
        operation = document["paths"][route["path"]][route["method"].lower()]
        said = [p["name"] for p in operation["parameters"] if p["in"] in ("path", "query")]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        said += list(body.get("properties", {}))
        fields = {f.name for f in protocol[0][route["request"]].field}
        headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        assert sorted(said) == sorted(fields - {"if_revision"}), route
        assert headers == ({"If-Match"} if "if_revision" in fields else set()) | (
            {"Idempotency-Key"} if route["is_command"] else set()), route


def test_parameters_of_a_path_are_described(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert names == set(re.findall(r"{(\w+)}", path)), (method, path)


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_references_lead_somewhere_and_no_schema_is_idle(document, schemas):
    used = set(references(document))
    assert used == {"#/components/schemas/" + name for name in schemas} | {
        "#/components/responses/" + name for name in document["components"]["responses"]}


def test_operations_have_names_of_their_own(document):
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


def test_required_members_exist_and_are_all_of_them(schemas):
    for name, schema in schemas.items():
        if schema.get("type") == "object" and name != "Problem" and not name.endswith("Input"):
            assert sorted(schema["required"]) == sorted(schema["properties"]), name


def is_time(field):
    return field.type == FIELD.TYPE_INT64 and (field.name in ("at", "since") or field.name.endswith(("_at", "_since")))


def expected(field):
    """What io/json.h makes of a field, null for the unknown."""
    known = field.HasField("oneof_index")
    if field.type in (FIELD.TYPE_MESSAGE, FIELD.TYPE_ENUM):
        one = {"$ref": "#/components/schemas/" + field.type_name.split(".")[-1]}
    elif is_time(field):
        one = {"$ref": "#/components/schemas/Time"}
    elif field.type == FIELD.TYPE_STRING:
        one = {"type": "string" if field.label == FIELD.LABEL_REPEATED else ["string", "null"]}
    elif field.type == FIELD.TYPE_BOOL:
        one = {"type": "boolean"}
    elif field.type == FIELD.TYPE_DOUBLE:
        one = {"type": ["number", "null"] if known else "number"}
    else:
        one = {"type": ["integer", "null"] if known else "integer"}
        if field.type in (FIELD.TYPE_UINT32, FIELD.TYPE_UINT64):
            one["minimum"] = 0
    if field.label == FIELD.LABEL_REPEATED:
        return {"type": "array", "items": one}
    return {"anyOf": [one, {"type": "null"}]} if field.type == FIELD.TYPE_MESSAGE else one


def test_a_message_is_described_as_it_is_sent(schemas, protocol):
    sent = [(name, name, {}) for name in schemas if name in protocol[0] and name != "LiveUpdate"]
    assert len(sent) > 50
    for message, name, more in sent + [FLOOR_PERSON]:
        described = {field: {k: v for k, v in schema.items() if k != "description"}
                     for field, schema in schemas[name]["properties"].items()}
        is_page = "next" in described and name.endswith("Response")
        fields = {"items" if is_page and f.label == FIELD.LABEL_REPEATED else f.name: expected(f)
                  for f in protocol[0][message].field}
        assert described == {**fields, **more}, name


def test_a_live_update_has_a_form_for_each_kind(schemas, protocol):
    kinds = {f.name for f in protocol[0]["LiveUpdate"].field if f.HasField("oneof_index")}
    assert {name for form in schemas["LiveUpdate"]["oneOf"] for name in form["properties"]} == kinds


def test_enumerations_list_their_values(schemas, protocol):
    for name, schema in schemas.items():
        if "enum" not in schema:
            continue
        values = protocol[1][name].value
        prefix = values[0].name[:-len("UNSPECIFIED")]
        assert schema["enum"] == [v.name[len(prefix):].lower() for v in values[1:]] + [None], name
