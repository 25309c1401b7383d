"""Java's serialization stream: bytes as Java writes them, round trips, and garbage."""

from __future__ import annotations

import contextlib
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow.java import serialization, serialization_read
from proactive_jupyter_kernel.workflow.java.serialization import JavaObject, dumps, loads
from proactive_jupyter_kernel.workflow.values import MAX_DEPTH, Opaque

texts = st.text(max_size=12)
keys = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False).map(lambda value: value if value else abs(value))
)
portables = st.recursive(
    keys,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4) | st.sets(keys, max_size=4),
    max_leaves=12,
)

INTEGER = (
    "737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c"
    "616e672e4e756d62657286ac951d0b94e08b0200007870"
)
LONG = (
    "7372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014a000576616c7565787200106a6176612e6c616e67"
    "2e4e756d62657286ac951d0b94e08b0200007870"
)
DOUBLE = (
    "737200106a6176612e6c616e672e446f75626c6580b3c24a296bfb0402000144000576616c7565787200106a6176612e6c61"
    "6e672e4e756d62657286ac951d0b94e08b0200007870"
)
BOOLEAN = "737200116a6176612e6c616e672e426f6f6c65616ecd207280d59cfaee0200015a000576616c75657870"
BYTES = "757200025b42acf317f8060854e00200007870"
ARRAY_LIST = "737200136a6176612e7574696c2e41727261794c6973747881d21d99c7619d03000149000473697a657870"
HASH_MAP = (
    "737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468"
    "726573686f6c647870"
)
MAGIC = "aced0005"


@pytest.mark.parametrize(
    ("value", "stream"),
    [
        (None, "70"),
        ("hello", "74000568656c6c6f"),
        ("\0ü😀", "74000a" + "c080" + "c3bc" + "eda0bdedb880"),
        (1, INTEGER + "00000001"),
        (-(2**40), LONG + "ffffff0000000000"),
        (1.5, DOUBLE + "3ff8000000000000"),
        (True, BOOLEAN + "01"),
        (b"ab", BYTES + "000000026162"),
        (["a", None], ARRAY_LIST + "00000002" + "770400000002" + "74000161" + "70" + "78"),
        (
            {"k": "v"},
            HASH_MAP + "3f400000" + "0000000c" + "77080000001000000001" + "7400016b" + "74000176" + "78",
        ),
    ],
)
def test_the_bytes_are_those_of_java(value: Any, stream: str) -> None:
    """Each type of the table has exactly the bytes that Java writes for its class."""
    expected = bytes.fromhex(MAGIC + stream)

    assert (dumps(value).hex(), loads(expected)) == (expected.hex(), value)


@given(portables)
def test_values_come_back_equal(value: Any) -> None:
    """What a task produced is what the client reads, with its types."""
    back = loads(dumps(value))

    assert (back, type(back)) == (value, type(value))


def test_a_long_text_has_a_long_length() -> None:
    """Texts beyond 65,535 bytes use the long form."""
    value = "ü" * 40_000

    assert (dumps(value)[4], loads(dumps(value))) == (0x7C, value)


def test_class_descriptions_are_written_once() -> None:
    """A list of numbers costs ten bytes a number, not eighty."""
    assert len(dumps(list(range(1000)))) < 1000 * 11 + 200


def test_tuples_in_sets_come_back_as_tuples() -> None:
    """A list cannot stand in a Python set; a Java list there is read as a tuple."""
    assert loads(dumps({(1, 2): {(3,)}})) == {(1, 2): {(3,)}}


def test_an_opaque_object_travels_as_its_text() -> None:
    """What Python cannot hold is passed on as text."""
    assert loads(dumps([Opaque("thing")])) == ["thing"]


@pytest.mark.parametrize("value", [2**63, object(), Decimal("Infinity"), [1j]])
def test_what_is_not_portable_is_a_value_error(value: Any) -> None:
    """Nothing is written for a value that has no Java form."""
    with pytest.raises(ValueError, match="cannot travel"):
        dumps(value)


def test_depth_is_limited_when_writing_and_reading() -> None:
    """The same depth that values may have is written and read; a deeper stream is refused."""
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert loads(dumps(value)) == value

    with pytest.raises(ValueError, match="levels deep"):
        dumps([value])
    with pytest.raises(ValueError, match="levels deep"):
        loads(bytes.fromhex(MAGIC) + b"\x75" * 1000)


@given(st.binary(max_size=200))
def test_garbage_is_a_value_error(garbage: bytes) -> None:
    """Random bytes after the magic number raise nothing but ValueError."""
    with contextlib.suppress(ValueError):
        loads(bytes.fromhex(MAGIC) + garbage)


@given(portables, st.data())
def test_damaged_streams_are_a_value_error(value: Any, data: st.DataObject) -> None:
    """A real stream with some bytes changed, or cut short, raises nothing but ValueError."""
    stream = bytearray(dumps(value))
    for _ in range(3):
        stream[data.draw(st.integers(4, len(stream) - 1)) if len(stream) > 4 else 0] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        loads(bytes(stream[: data.draw(st.integers(0, len(stream)))]))


def test_no_stream_at_all_is_said_so() -> None:
    """The message for other bytes names the mark that is missing."""
    with pytest.raises(ValueError, match="does not start with AC ED 00 05"):
        loads(b"hello")


def describe(name: str, flags: int, fields: str = "", parent: str = "70") -> str:
    """The hex of a class description; `fields` starts with their count."""
    encoded = name.encode()
    return "72" + f"{len(encoded):04x}" + encoded.hex() + "00" * 8 + f"{flags:02x}" + (fields or "0000") + "78" + parent


def test_an_unknown_class_keeps_its_fields() -> None:
    """A class without a Python form is an object with name, fields and a text."""
    fields = (
        "0002"
        + "49"
        + "0001"
        + "78".replace("78", "79")
        + "4c"
        + "0001"
        + "7a"
        + "740012"
        + b"Ljava/lang/String;".hex()
    )

    value = loads(bytes.fromhex(MAGIC + "73" + describe("a.B", 2, fields) + "00000007" + "74000163"))

    assert isinstance(value, JavaObject)
    assert (value.class_name, value.fields, str(value)) == ("a.B", {"y": 7, "z": "c"}, "a.B")


def test_a_throwable_that_is_its_own_cause_is_read() -> None:
    """Java's exceptions refer to themselves; their text is class and message."""
    fields = (
        "0002"
        + ("4c" + "0005" + b"cause".hex() + "740001" + b"x".hex())
        + ("4c" + "000d" + b"detailMessage".hex() + "740001" + b"y".hex())
    )
    # Handles: class, two field types, then the object itself.
    value = loads(bytes.fromhex(MAGIC + "73" + describe("a.Oops", 2, fields) + "71007e0003" + "740003" + b"bad".hex()))

    assert isinstance(value, JavaObject)
    assert (value.fields["cause"] is value, str(value)) == (True, "a.Oops: bad")


def test_back_references_give_the_same_value() -> None:
    """An element that stands twice in a Java list is written once."""
    header = ARRAY_LIST + "00000002" + "770400000002"

    assert loads(bytes.fromhex(MAGIC + header + "74000161" + "71007e0002" + "78")) == ["a", "a"]


def test_a_list_that_contains_itself_is_refused() -> None:
    """Such a list has no portable form."""
    header = ARRAY_LIST + "00000001" + "770400000001"

    with pytest.raises(ValueError, match="contains itself"):
        loads(bytes.fromhex(MAGIC + header + "71007e0001" + "78"))


@pytest.mark.parametrize(
    ("kind", "layout", "values"),
    [("I", ">3i", [1, -2, 3]), ("D", ">3d", [0.5, 1.0, -1.0]), ("Z", ">3?", [True, False, True])],
)
def test_arrays_of_primitives_are_lists(kind: str, layout: str, values: list[Any]) -> None:
    """int[], double[] and boolean[] read as lists."""
    head = bytes.fromhex(MAGIC + "75" + describe("[" + kind, 2) + "00000003")

    assert loads(head + struct.pack(layout, *values)) == values


def test_an_array_of_objects_and_a_linked_map_are_read() -> None:
    """What Groovy tasks give back: arrays of objects, and maps that keep their order."""
    linked = describe("java.util.LinkedHashMap", 2, "0001" + "5a" + "000b" + b"accessOrder".hex(), HASH_MAP[2:])
    stream = (
        "73" + linked + "3f400000" + "0000000c" + "770800000010" + "00000001" + "74000161" + "74000162" + "78" + "00"
    )
    array = "75" + describe("[Ljava.lang.Object;", 2) + "00000002" + "70" + stream

    assert loads(bytes.fromhex(MAGIC + array)) == [None, {"a": "b"}]


def test_a_count_larger_than_the_stream_is_refused() -> None:
    """Sizes are checked before memory is taken."""
    with pytest.raises(ValueError, match="too early"):
        loads(bytes.fromhex(MAGIC + "75" + describe("[J", 2) + "7fffffff"))


@pytest.mark.parametrize(
    "value",
    [
        list(range(3_000)),
        [1.5] * 2_001,
        [*range(1_500), 2**40, *range(3_000)],
        [1.0] * 1_200 + [*range(2_500), "a", *[True] * 1_500],
        [list(range(1_200)), [-1.5] * 1_300, "x", {"a": list(range(1_100))}],
        [2**40 + number for number in range(2_000)],
    ],
    ids=["integers", "floats", "one large", "mixed", "nested", "longs"],
)
def test_a_long_list_is_written_and_read_as_a_short_one_is(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many numbers at once are the bytes, and the values, of one after the other."""
    stream = dumps(value)
    read = loads(stream)
    monkeypatch.setattr(serialization, "_MANY", 10_000)
    monkeypatch.setattr(serialization_read, "_MANY", 10_000)
    assert (stream, read) == (dumps(value), loads(stream))
    assert ([*map(type, read)], read) == ([*map(type, value)], value)


def test_a_reference_after_a_long_list_finds_what_it_means() -> None:
    """Numbers that are read together are counted among the objects of the stream."""
    numbers = [*range(600), "text"]
    stream = dumps(numbers)
    end = stream[:-1] + b"\x71" + struct.pack(">I", 0x7E0000 + 3 + len(numbers) - 1 + 0) + b"\x78"
    assert loads(end)[-1] in numbers
