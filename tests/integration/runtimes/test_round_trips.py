"""Values that go into a script and come out again are the same, whatever is in them."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow import values

_NASTY = [
    "", " ", "\n", "\r\n", "\t", '"', "'", "`", "\\", "\\n", "$X", "${X}", "%X%", "#{X}", "@x", "\x01\x1f\x7f",
    "\u0080\u0085\u00a0", "\u2028\u2029", "\ufeff", "\ufffd\uffff", "😀\U0010ffff", "e\u0301", "עברית", "日本語",
    "\u202e", "]]>", "<a/>", "null", "$type", "‘’“”", "*/", "//", "#", "éÃ",
]  # fmt: skip
_INTEGERS = [0, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 - 1, 2**53 + 1, 2**63 - 1, -(2**63)]
_FLOATS = [0.5, -0.1, 1e300, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e21, 1e22, 123456789.125, -1e-7, 1 / 3]


@dataclass(frozen=True, kw_only=True)
class Traveller:
    """A language, the script that sends ``variables.V`` back, and what it cannot carry as it is."""

    engine: str
    programs: tuple[str, ...] = ()
    script: str
    #: What becomes of a value, where it is not the same.
    changed: Callable[[Any], Any] = lambda value: value


def _in_r(value: Any) -> Any:
    """R has doubles for large integers, decimals are doubles, and sets are lists."""
    if isinstance(value, dict):
        return {key: _in_r(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, list):
        return [_in_r(item) for item in value]
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**31):
        return float(value)
    return value


TRAVELLERS = (
    Traveller(engine="javascript", script='variables.put("W", variables.get("V")); result = variables.V;'),
    Traveller(
        engine="groovy",
        programs=("groovy", "java"),
        script='variables.put("W", variables.get("V")); result = variables.V',
    ),
    Traveller(
        engine="python",
        programs=("jython", "java"),
        script='variables.put("W", variables.get("V")); result = variables["V"]',
    ),
    Traveller(
        engine="ruby",
        programs=("ruby",),
        script='$variables.put("W", $variables.get("V")); $result = $variables["V"]',
    ),
    Traveller(
        engine="R",
        programs=("Rscript",),
        script='variables[["W"]] <- variables[["V"]]; result <- variables$V',
        changed=_in_r,
    ),
    Traveller(engine="cpython", script='variables["W"] = variables["V"]; result = variables["V"]'),
)


def _sample() -> list[Any]:
    """Values of every kind, the same at each run."""
    dice = random.Random(8)
    alphabet = [*string.printable, *"".join(_NASTY)]

    def text() -> str:
        return "".join(dice.choices(alphabet, k=dice.randrange(12)))

    def value(depth: int) -> Any:
        kind = dice.randrange(9 if depth else 6)
        if kind < 6:
            return [
                None,
                dice.random() < 0.5,
                dice.randrange(-(2**62), 2**62) >> dice.randrange(62),
                dice.uniform(-1e6, 1e6),
                text(),
                dice.randbytes(dice.randrange(9)),
            ][kind]
        if kind == 6:
            return {text() + str(number): value(depth - 1) for number in range(dice.randrange(4))}
        return [value(depth - 1) for _ in range(dice.randrange(4))]

    nested: Any = "deep"
    for number in range(60):
        nested = [nested] if number % 2 else {"k": nested}
    plain = [*_NASTY, *_INTEGERS, *_FLOATS, nested, Decimal("1.50"), {1, 2}, b"\x00\xff", {}, [], [[]], [{}], {"": ""}]
    return plain + [value(3) for _ in range(150)]


@pytest.mark.parametrize("traveller", TRAVELLERS, ids=lambda traveller: traveller.engine)
def test_values_come_back(bench: Any, require: Any, traveller: Traveller) -> None:
    """Texts, numbers, bytes, lists and maps of any content and depth come back as they went in."""
    require(*traveller.programs)
    sample = _sample()
    run = bench.run(traveller.engine, traveller.script, inherited={"V": values.to_wire(values.portable(sample))})
    assert run.outcome.failure is None, run.err
    expected = traveller.changed(sample)
    for back in (RawValue.of(run.outcome.value).decoded(), run.outcome.variables_set["W"]):
        for before, after in zip(expected, values.from_wire(back), strict=True):
            assert (after, type(after) is bytes) == (before, type(before) is bytes)
