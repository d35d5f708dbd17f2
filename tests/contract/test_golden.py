"""Golden messages, read by Google's protobuf: the second opinion on what golden_test.c reads by protobuf-c.

The readable half of a golden is compared as text, so neither half can change without the other.
"""
import glob
import os
import subprocess
import sys

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden  # noqa: E402

MESSAGES = golden.messages()
NAMES = sorted({os.path.basename(f).split(".")[0] for f in glob.glob(os.path.join(golden.FOLDER, "*"))})
RELEASED = os.path.join(golden.ROOT, "tests/contract/released.binpb")
NEWER_FIELD, NEWER_VALUE = 15000, 4711


def both(name):
    """(text, bytes) of a golden"""
    halves = []
    for ending in ("json", "bin"):
        with open(os.path.join(golden.FOLDER, "%s.%s" % (name, ending)), "rb") as f:
            halves.append(f.read())
    return halves[0].decode(), halves[1]


def message_of(name):
    return name.rsplit("-", 1)[0]


def as_text(message):
    return json_format.MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False) + "\n"


def test_every_field_of_every_message_has_a_golden_and_no_golden_is_alone():
    assert len(MESSAGES) > 100
    assert {message_of(n) for n in NAMES} == set(MESSAGES), "make golden; what was released may not go away"
    for message, cls in MESSAGES.items():
        fields, _ = golden.covered(message, cls)
        assert fields == {f.name for f in cls.DESCRIPTOR.fields}, "make golden: " + message


def test_values_tell_fields_apart():
    """Two fields of one type that changed places must not read the same."""
    for name in NAMES:
        message = MESSAGES[message_of(name)].FromString(both(name)[1])
        values = [(f.type, str(v)) for f, v in message.ListFields() if f.type not in (Field.TYPE_BOOL, Field.TYPE_ENUM)]
        assert len(values) == len(set(values)), name


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_says_what_it_said(name):
    text, data = both(name)
    message = MESSAGES[message_of(name)].FromString(data)
    assert as_text(message) == text
    assert message.SerializeToString(deterministic=True) == data
    assert json_format.Parse(text, MESSAGES[message_of(name)]()) == message


def classes(*sets):
    """{name: class} of descriptor sets, apart from the classes of this process."""
    pool = descriptor_pool.DescriptorPool()
    for one in sets:
        for file in one.file:
            pool.Add(file)
    return {name: message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("moment.v1." + name))
            for name in MESSAGES}


def released():
    with open(RELEASED, "rb") as f:
        return descriptor_pb2.FileDescriptorSet.FromString(f.read())


def current(folder):
    to = os.path.join(folder, "set.pb")
    subprocess.run(["protoc", "-I", os.path.join(golden.ROOT, "proto"), "-o", to,
                    *("moment/v1/%s.proto" % name for name in golden.FILES)], check=True)
    with open(to, "rb") as f:
        return descriptor_pb2.FileDescriptorSet.FromString(f.read())


def grow(message):
    for name, kind in (("newer_text", Field.TYPE_STRING), ("newer_number", Field.TYPE_UINT64)):
        message.field.add(name=name, number=NEWER_FIELD + kind, type=kind, label=Field.LABEL_OPTIONAL)
    for inner in message.nested_type:
        grow(inner)
    for enum in message.enum_type:
        enum.value.add(name=enum.name.upper() + "_NEWER", number=NEWER_VALUE)


def make_newer(message):
    for field, value in message.ListFields():
        many = field.label == Field.LABEL_REPEATED
        if field.type == Field.TYPE_MESSAGE:
            for inner in value if many else [value]:
                make_newer(inner)
        elif field.type == Field.TYPE_ENUM:
            if many:
                value[:] = [NEWER_VALUE] * len(value)
            else:
                setattr(message, field.name, NEWER_VALUE)
    message.newer_text, message.newer_number = "new", 1


@pytest.fixture(scope="module", name="tomorrow")
def classes_of_tomorrow(tmp_path_factory):
    """The protocol as a later version may have it: a field more in each message, a value more in each enum."""
    grown = current(tmp_path_factory.mktemp("protocol"))
    for file in grown.file:
        for message in file.message_type:
            grow(message)
        for enum in file.enum_type:
            enum.value.add(name="NEWER_" + enum.name.upper(), number=NEWER_VALUE)
    return classes(grown)


def forget_enums(message):
    for field, value in message.ListFields():
        if field.type == Field.TYPE_ENUM:
            message.ClearField(field.name)
        elif field.type == Field.TYPE_MESSAGE:
            for inner in value if field.label == Field.LABEL_REPEATED else [value]:
                forget_enums(inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_later_version_is_read_and_handed_on(name, tomorrow):
    _, data = both(name)
    message = tomorrow[message_of(name)].FromString(data)
    make_newer(message)
    sent = message.SerializeToString(deterministic=True)
    today = MESSAGES[message_of(name)].FromString(sent)
    handed_on = tomorrow[message_of(name)].FromString(today.SerializeToString())
    assert handed_on == message, "what we do not know is not lost on the way through us"
    today.DiscardUnknownFields()
    expected = MESSAGES[message_of(name)].FromString(data)
    forget_enums(today)
    forget_enums(expected)
    assert today == expected


def test_what_was_released_reads_its_goldens():
    """An older process gets what today's sends: fields since then are unknown to it, none is another."""
    pool = descriptor_pool.DescriptorPool()
    for file in released().file:
        pool.Add(file)
    for name in NAMES:
        try:
            descriptor = pool.FindMessageTypeByName("moment.v1." + message_of(name))
        except KeyError:
            continue
        text, data = both(name)
        message = message_factory.MessageFactory(pool).GetPrototype(descriptor).FromString(data)
        # A value that has got a name since then is its number to an older process.
        numbers = json_format.MessageToJson(json_format.Parse(text, MESSAGES[message_of(name)]()), use_integers_for_enums=True)
        expected = json_format.Parse(numbers, type(message)(), ignore_unknown_fields=True)
        message.DiscardUnknownFields()
        assert message == expected, name
