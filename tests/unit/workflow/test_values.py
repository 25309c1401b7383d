"""The values that travel between tasks: what may, what may not and why, and their JSON and text forms."""

from __future__ import annotations

import ast
import collections
import datetime
import enum
import io
import json
import math
import pathlib
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.values import NotPortableValue, Opaque, from_wire, portable, text, to_wire


class Level(enum.IntEnum):
    LOW = 1


Point = collections.namedtuple("Point", "x y")
_GENERAL = (
    "pass the data that it is built of (numbers, texts, lists, dicts, arrays, tables), or write a file"
    " and pass its name"
)


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
hashables = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False).map(lambda value: value if value else abs(value)),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
portables = st.recursive(
    hashables.filter(lambda value: not isinstance(value, (tuple, frozenset))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.just("$type"), inner, max_size=4)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.sets(hashables, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2, [3])), [1, [2, [3]]]),
        (range(3), [0, 1, 2]),
        ((n * n for n in range(3)), [0, 1, 4]),
        (bytearray(b"ab"), b"ab"),
        (Point(1, 2), [1, 2]),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, a=(1,)), {"a": [1]}),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.keys(), {"a"}),
        ({(1, 2): (3,)}, {(1, 2): [3]}),
        ({frozenset({1}), (2, 3)}, {frozenset({1}), (2, 3)}),
        (frozenset({1}), {1}),
        (collections.deque([1, 2]), [1, 2]),
        (collections.UserList([(1,)]), [[1]]),
        (Level.LOW, 1),
        (Decimal("-0"), Decimal("0")),
    ],
)
def test_what_has_a_plain_form_is_converted(value: Any, expected: Any) -> None:
    """Containers and subclasses become the plain type that the other languages have."""
    converted = portable(value)

    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"a": [0, 1, 2, datetime.date(2024, 1, 2)]},
            "result['a'][3] (datetime.date) cannot travel between tasks: "
            "the other languages have no such type; " + _GENERAL,
        ),
        (2**63, "result (int) cannot travel between tasks: it needs more than 64 bits; use str(…) or float(…)"),
        (
            [1j],
            "result[0] (complex) cannot travel between tasks: the other languages have no such type; " + _GENERAL,
        ),
        (
            "\ud800",
            "result (str) cannot travel between tasks: it contains half of a surrogate pair; "
            "use .encode('utf-8', 'surrogateescape') and pass the bytes",
        ),
        (
            Decimal("NaN"),
            "result (Decimal) cannot travel between tasks: it is NaN; use float(…) or str(…)",
        ),
    ],
)
def test_a_refusal_names_place_type_reason_and_remedy(value: Any, message: str) -> None:
    """The message of a refused value is whole: where it lies, what it is, why not, what instead."""
    with pytest.raises(NotPortableValue) as caught:
        portable(value)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (len, "import it in the task that calls it"),
        (lambda: 1, "define or import it in the task that calls it, or install cloudpickle"),
        (json, "import it in the task that needs it"),
        (threading.Lock(), "create the lock in the task that needs it"),
        (io.StringIO(), "pass the file's name, or its contents"),
        (object(), _GENERAL),
    ],
)
def test_each_common_type_has_its_own_remedy(value: Any, remedy: str) -> None:
    """The message says what to use instead, for each type."""
    with pytest.raises(NotPortableValue) as caught:
        portable(value)

    assert caught.value.remedy == remedy


def test_a_cycle_is_refused() -> None:
    """A list that contains itself ends in a message, not in endless recursion."""
    loop: list[Any] = [1]
    loop.append({"again": loop})

    with pytest.raises(NotPortableValue, match=r"result\[1\]\['again'\] \(list\) .* it contains itself"):
        portable(loop)


def test_the_same_part_twice_is_not_a_cycle() -> None:
    """A value may hold one list in two places."""
    part = [1]

    assert portable([part, part]) == [[1], [1]]


def test_depth_is_limited() -> None:
    """What lies too deep for other programs is refused at a depth that is always the same."""
    value: Any = 1
    for _ in range(values.MAX_DEPTH):
        value = [value]
    assert from_wire(to_wire(portable(value))) == value

    with pytest.raises(NotPortableValue, match="levels deep"):
        portable([value])


def test_values_that_unfold_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small value that shares its parts over and over cannot fill the memory."""
    monkeypatch.setattr(values, "MAX_ITEMS", 1000)
    value: Any = [1]
    for _ in range(30):
        value = [value, value]

    with pytest.raises(NotPortableValue, match="more than 1,000 values"):
        portable(value)


@given(portables)
def test_wire_form_comes_back_equal_through_json(value: Any) -> None:
    """Whatever is portable survives JSON with its types."""
    wire = json.loads(json.dumps(to_wire(portable(value)), allow_nan=False))

    back = from_wire(wire)

    assert (back, _types(back)) == (value, _types(value))


@given(portables)
def test_portable_changes_nothing_that_is_portable(value: Any) -> None:
    """Converting twice gives what converting once gives."""
    assert (portable(value), _types(portable(value))) == (value, _types(value))


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return dict, sorted((repr(_types(k)), repr(_types(v))) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value), sorted(repr(_types(item)) for item in value)
    return type(value)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (b"\x00\xff", {"$type": "bytes", "value": "AP8="}),
        ({3, 1, 2}, {"$type": "set", "value": [1, 2, 3]}),
        (Decimal("1.50"), {"$type": "decimal", "value": "1.50"}),
        (math.inf, {"$type": "float", "value": "Infinity"}),
        ({1: "a"}, {"$type": "dict", "value": [[1, "a"]]}),
        ({"$type": 1}, {"$type": "dict", "value": [["$type", 1]]}),
        ({"a": [1, None]}, {"a": [1, None]}),
        (Opaque("x"), {"$type": "object", "value": "x"}),
    ],
)
def test_wire_form_is_plain_where_json_has_it(value: Any, wire: Any) -> None:
    """What JSON lacks is tagged, all else is JSON as anybody would write it."""
    assert (to_wire(value), from_wire(wire)) == (wire, value)


def test_not_a_number_comes_back() -> None:
    """NaN survives, though it equals nothing."""
    assert math.isnan(from_wire(to_wire(math.nan)))


@pytest.mark.parametrize(
    "wire",
    [
        {"$type": "nonsense", "value": 1},
        {"$type": "bytes", "value": "ä"},
        {"$type": "bytes", "value": 3},
        {"$type": "decimal", "value": "x"},
        {"$type": "set", "value": 4},
        {"$type": "dict", "value": [[1]]},
        {"$type": ["set"], "value": []},
        object(),
    ],
)
def test_a_broken_wire_form_is_a_value_error(wire: Any) -> None:
    """Nothing but ValueError comes of a damaged store or message."""
    with pytest.raises(ValueError, match=r"wire form|kind of value"):
        from_wire(wire)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (None, "null"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1e7, "1.0E7"),
        (1234567.5, "1234567.5"),
        (12345678.9, "1.23456789E7"),
        (-1.5e-10, "-1.5E-10"),
        (1e22, "1.0E22"),
        (5e-324, "5E-324".replace("5E", "5.0E")),
        (-0.0, "-0.0"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        ([1, "a", None], "[1, a, null]"),
        ({"a": 1, "b": [True]}, "{a=1, b=[true]}"),
        (Decimal("1.50"), "1.50"),
        ("ü", "ü"),
        (Opaque("thing"), "thing"),
    ],
)
def test_text_is_that_of_java(value: Any, expected: str) -> None:
    """Logs and bash tasks show values as a ProActive server would."""
    assert text(value) == expected


def test_the_file_stands_alone() -> None:
    """Task processes load this file by path under Python 3.8: old grammar, no import beyond the standard library."""
    tree = ast.parse(pathlib.Path(values.__file__).read_text("utf-8"), feature_version=(3, 8))

    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }

    assert imported == {
        "__future__",
        "base64",
        "collections",
        "collections.abc",
        "decimal",
        "math",
        "proactive_jupyter_kernel.workflow.python_tasks",  # a task's process loads it by its path, too
        "sys",
        "types",
        "typing",
        "zlib",
    }
