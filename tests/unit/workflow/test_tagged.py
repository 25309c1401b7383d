"""Tagged bytes: the header, values nested in each other, what is refused, and what is opened without trust."""

from __future__ import annotations

import ast
import collections
import datetime
import fractions
import pathlib
import pickle
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow import python_tasks, values
from proactive_jupyter_kernel.workflow.python_tasks import tagged

#: Values of every harmless kind, which need no trust.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.binary(max_size=5).map(lambda data: tagged.MAGIC + data)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.times()
    | st.timedeltas()
    | st.complex_numbers(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.just(pathlib.PurePosixPath("/a/b"))
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.dates(), inner, max_size=3),
    max_leaves=8,
)


@given(nested)
def test_any_nesting_comes_back(value: Any) -> None:
    """Through the scheduler's wire form, without trust: the value is equal and of the same types."""
    travelled = values.from_wire(values.to_wire(values.portable(value, tags=True)))
    assert repr(tagged.opened(travelled, "x", trust=False)) == repr(value)


@given(
    st.fixed_dictionaries({name: st.text(max_size=300) for name in ("kind", "type", "python", "library", "about")}),
    st.none() | st.text(),
    st.none() | st.integers(0, 2**40),
    st.binary(max_size=50),
)
def test_header_comes_back(texts: dict[str, str], text: str | None, by_value: int | None, payload: bytes) -> None:
    """Whatever its texts hold."""
    header, found = tagged.split(tagged.join({**texts, "text": text, "by_value": by_value}, payload))
    assert (header, found) == ({**texts, "text": text, "by_value": by_value, "size": len(payload)}, payload)


@given(st.binary(max_size=60))
def test_damaged_bytes_are_an_error_in_words(data: bytes) -> None:
    """Bytes that only begin like tagged ones end in one known error, never in another."""
    with pytest.raises(tagged.Unreadable, match="These bytes begin like a tagged Python value, but are not one"):
        tagged.decode(tagged.MAGIC + b"\x00\x00\x00\x20" + data[:31])


@pytest.mark.parametrize(
    "value",
    [
        datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        collections.OrderedDict([("a", 1)]),
        collections.Counter("aab"),
        fractions.Fraction(1, 3),
        Decimal("NaN"),
        uuid.UUID(int=5),
        pathlib.Path("x"),
    ],
)
def test_plain_data_needs_no_trust(value: object) -> None:
    """Classes of the standard library that only hold data are opened whoever wrote them."""
    assert repr(tagged.decode(tagged.encode(value), trust=False)) == repr(value)


class Bomb:
    """Runs code when its pickle is opened."""

    def __reduce__(self) -> Any:
        return eval, ("1/0",)


@pytest.mark.parametrize("value", [Bomb(), ValueError("x"), test_plain_data_needs_no_trust])
def test_what_could_run_code_needs_trust(value: object) -> None:
    """Nothing of it runs; the message says what it is."""
    data = tagged.join(
        {"kind": "pickle", "type": "Thing", "python": "3.11", "library": "", "about": ""}, pickle.dumps(value, 4)
    )
    with pytest.raises(tagged.Untrusted) as caught:
        tagged.decode(data, "The result of T", trust=False)
    assert str(caught.value) == (
        "The result of T is a value of type Thing that Python 3.11 wrote; opening it can run code of its author."
    )


def test_code_of_another_python_is_not_opened() -> None:
    """A pickle that holds code is for the same Python alone: another one could crash on it."""
    data = tagged.join(
        {"kind": "pickle", "type": "Model", "python": "3.6", "library": "", "about": "", "by_value": 0}, b"garbage"
    )
    with pytest.raises(tagged.Unreadable, match=r"holds code, which only Python 3\.6 can read; this is Python 3\.\d+"):
        tagged.decode(data, "x")


def test_error_of_a_library_names_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that this version of its library cannot open says which versions are involved."""
    import hypothesis

    data = tagged.join(
        {"kind": "pickle", "type": "hypothesis.Old", "python": "3.6", "library": "hypothesis 0.1", "about": ""},
        b"chypothesis\nOld\n.",
    )
    with pytest.raises(tagged.Unreadable) as caught:
        tagged.decode(data, "The variable m")
    assert str(caught.value).startswith(
        "The variable m is a value of type hypothesis.Old that Python 3.6 with hypothesis 0.1 wrote; it cannot"
    )
    assert f"with hypothesis {hypothesis.__version__}: use the same versions on both sides" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(minutes=1), "60.0"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (2**70, "1180591620717411303424"),
        (1 + 2j, "(1+2j)"),
        (ValueError("x"), "<ValueError, 65 bytes>"),
    ],
)
def test_text_for_other_languages(value: object, text: str) -> None:
    """What a bash task reads: the value where it is a text or a number, else what it is."""
    found = values.text(values.portable(value, tags=True))
    assert found == text or (text.startswith("<") and found.startswith("<ValueError, "))


@pytest.mark.parametrize("path", sorted(pathlib.Path(python_tasks.__file__).parent.glob("*.py")), ids=lambda p: p.name)
def test_files_are_for_old_pythons(path: pathlib.Path) -> None:
    """They run inside tasks under Python 3.6: its grammar, and nothing imported at first but the standard library."""
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 6))
    annotations = [node.annotation for node in tree.body if isinstance(node, ast.AnnAssign)]
    assert all(isinstance(one, ast.Constant) for one in annotations), "Python 3.6 would evaluate them"
    first = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names} | {
        node.module for node in tree.body if isinstance(node, ast.ImportFrom)
    }
    assert first <= {"contextlib", "json", "os", "sys", "tagged", None}  # None: from the package itself


def test_an_entry_of_results_is_handed_on_as_it_came() -> None:
    """Whatever is in it, and whatever it is in: its tagged bytes are values, not bytes of a script."""
    value = {"\ud800": [10**30, {"a": 10**40}], "b": b"plain", "c": tagged.MAGIC}
    entry = type("TaskResult", (), {"__module__": "_proactive"})()
    entry.portable = lambda: values.portable(value, tags=True)
    travelled = values.from_wire(values.to_wire(values.portable([entry, {"x": entry}, 10**30], tags=True)))
    assert tagged.opened(travelled, "x") == [value, {"x": value}, 10**30]
