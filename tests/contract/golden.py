#!/usr/bin/python3
"""golden - writes the golden messages that are missing; `make golden` runs it.

A golden is one message as bytes (<Message>-<n>.bin, what goes over the wire) and as text
(<Message>-<n>.json, canonical proto3 JSON). A released golden is for ever: files that are there are never
written again, for they say what older versions have sent and stored. A field that no golden of its message
has yet gets a new one, so a message has as many as the members of its largest oneof, and one more whenever
it has grown.

Every value is derived from its place in the protocol, no two places have the same, none is the default.
"""
import glob
import os
import sys
import zlib

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from native_client import ROOT, protocol  # noqa: E402

FOLDER = os.path.join(ROOT, "tests/contract/golden")
FILES = sorted(os.path.basename(f)[:-6] for f in glob.glob(os.path.join(ROOT, "proto/moment/v1/*.proto")))
# Sunday, 2 March 2026 14:40 UTC, and some microseconds of its own for each field.
TIME_US = 1772462400000000


def messages(files=FILES):
    """{name below the package: class} of every message of the protocol."""
    found = {}

    def add(module, names):
        for name, descriptor in names.items():
            found[descriptor.full_name.removeprefix("moment.v1.")] = getattr(module, name)
            add(getattr(module, name), descriptor.nested_types_by_name)

    for module in protocol(*files):
        add(module, module.DESCRIPTOR.message_types_by_name)
    return found


def is_repeated(field):
    return field.label == Field.LABEL_REPEATED


def value(field, place):
    """A value of its own for this place; never the default."""
    seed = zlib.crc32(place.encode())
    if field.type == Field.TYPE_STRING:
        return place + " \u00e9\u20ac"
    if field.type == Field.TYPE_BYTES:
        return b"\x00\xff" + seed.to_bytes(4, "big")
    if field.type == Field.TYPE_BOOL:
        return True
    if field.type == Field.TYPE_ENUM:
        numbers = [v.number for v in field.enum_type.values if v.number]
        return numbers[seed % len(numbers)]
    if field.type == Field.TYPE_DOUBLE:
        return seed / 1024.0 + 0.5
    if field.type == Field.TYPE_UINT32:
        return 0x80000000 | seed
    if field.type == Field.TYPE_INT32:
        return -1 - (seed >> 1)  # ten bytes on the wire
    if field.type == Field.TYPE_INT64:
        return TIME_US + seed
    if field.type == Field.TYPE_UINT64:
        # Above 2^63: what is read as signed, or as a double, is wrong.
        return 0x8000000000000001 + (seed << 8)
    raise NotImplementedError("%s has a type that no golden was made of yet" % field.full_name)


def members(descriptor, wanted):
    """The fields to set: of each oneof the first that is wanted, or else the first."""
    chosen = {o.name: next((f for f in o.fields if f.name in wanted), o.fields[0]) for o in descriptor.oneofs}
    return [f for f in descriptor.fields if not f.containing_oneof or f == chosen[f.containing_oneof.name]]


def fill(message, place, wanted=()):
    for field in members(message.DESCRIPTOR, wanted):
        inner = "%s.%s" % (place, field.name)
        if field.type == Field.TYPE_MESSAGE and is_repeated(field):
            for number in range(2):
                fill(getattr(message, field.name).add(), "%s[%d]" % (inner, number))
        elif field.type == Field.TYPE_MESSAGE:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), inner)
        elif is_repeated(field):
            getattr(message, field.name).extend(value(field, "%s[%d]" % (inner, n)) for n in range(2))
        else:
            setattr(message, field.name, value(field, inner))
    return message


def path(name, number, kind):
    return os.path.join(FOLDER, "%s-%d.%s" % (name, number, kind))


def covered(name, cls):
    """(the fields that its goldens have, how many goldens there are)"""
    fields, number = set(), 0
    while os.path.exists(path(name, number + 1, "bin")):
        number += 1
        with open(path(name, number, "bin"), "rb") as f:
            fields |= {field.name for field, _ in cls.FromString(f.read()).ListFields()}
    return fields, number


def write_new(name, text):
    with open(name, "xb") as f:
        f.write(text)
    print(os.path.relpath(name, ROOT))


def write_missing(name, cls):
    fields, number = covered(name, cls)
    every = {f.name for f in cls.DESCRIPTOR.fields}
    while not number or fields < every:
        number += 1
        message = fill(cls(), name if number == 1 else "%s-%d" % (name, number), every - fields)
        text = json_format.MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False)
        write_new(path(name, number, "json"), text.encode() + b"\n")
        write_new(path(name, number, "bin"), message.SerializeToString(deterministic=True))
        fields |= {field.name for field, _ in message.ListFields()}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, cls in messages().items():
        write_missing(name, cls)


if __name__ == "__main__":
    main()
