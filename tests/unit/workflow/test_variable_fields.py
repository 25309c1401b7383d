"""Variables as fields of a form, and the answers of a form as values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.model import Variable
from proactive_jupyter_kernel.workflow.model_types import MODELS
from proactive_jupyter_kernel.workflow.variable_fields import (
    Choice,
    Control,
    FormField,
    field_of,
    groups_of,
    posted_value,
    visible_values,
)


def variable(value: str, model: str = "", **more: Any) -> Variable:
    return Variable(name="X", value=value, model=model, **more)


def differing(field: FormField) -> dict[str, Any]:
    """What of a field is not as in a plain text field."""
    plain = asdict(FormField(name=field.name))
    return {name: value for name, value in asdict(field).items() if plain[name] != value}


@pytest.mark.parametrize(
    ("value", "model", "expected"),
    [
        ("a", "", {"value": "a"}),
        ("a", "free text", {"value": "a", "model": "free text"}),
        ("a\nb", "", {"value": "a\nb", "control": Control.AREA}),
        (
            "5",
            "PA:INTEGER[1,100]",
            {
                "value": "5",
                "model": "PA:INTEGER[1,100]",
                "control": Control.NUMBER,
                "lowest": "1",
                "highest": "100",
                "required": True,
                "hint": "an integer from 1 to 100",
                "keyboard": "numeric",
            },
        ),
        (
            "",
            "PA:DOUBLE[0]?",
            {
                "model": "PA:DOUBLE[0]?",
                "control": Control.NUMBER,
                "lowest": "0",
                "hint": "a number of 0 or more",
                "keyboard": "decimal",
            },
        ),
        ("True", "PA:BOOLEAN", {"value": "true", "model": "PA:BOOLEAN", "control": Control.SWITCH}),
        ("0", "PA:BOOLEAN", {"model": "PA:BOOLEAN", "control": Control.SWITCH}),
        (
            "secret",
            "PA:HIDDEN",
            {
                "model": "PA:HIDDEN",
                "control": Control.SECRET,
                "hint": "stored encrypted and shown nowhere; empty keeps the value of the workflow",
            },
        ),
        ("{}", "PA:JSON", {"value": "{}", "model": "PA:JSON", "control": Control.AREA, "hint": "JSON"}),
        (
            "2026-11-01 08:30",
            "PA:DATETIME(yyyy-MM-dd HH:mm)[2026-01-01 00:00,2026-12-31 23:59]",
            {
                "value": "2026-11-01T08:30",
                "model": "PA:DATETIME(yyyy-MM-dd HH:mm)[2026-01-01 00:00,2026-12-31 23:59]",
                "control": Control.MOMENT,
                "lowest": "2026-01-01T00:00",
                "highest": "2026-12-31T23:59",
                "required": True,
                "hint": "from 2026-01-01 00:00 to 2026-12-31 23:59",
            },
        ),
        (
            "01.11.2026",
            "PA:DATETIME(dd.MM.yyyy)",
            {
                "value": "2026-11-01",
                "model": "PA:DATETIME(dd.MM.yyyy)",
                "control": Control.DATE,
                "required": True,
            },
        ),
        (
            "1 Nov 2026",
            "PA:DATETIME(d MMM yyyy z)",
            {
                "value": "1 Nov 2026",
                "model": "PA:DATETIME(d MMM yyyy z)",
                "required": True,
                "hint": "in the format d MMM yyyy z",
            },
        ),
        (
            "${START}",
            "PA:INTEGER",
            {
                "value": "${START}",
                "model": "PA:INTEGER",
                "required": True,
                "hint": "an integer",
            },
        ),
    ],
)
def test_model_chooses_the_control(value: str, model: str, expected: dict[str, Any]) -> None:
    """A field shows what the model allows, and a value that its control could not show gets a text field."""
    assert differing(field_of(variable(value, model))) == expected


def test_list_shows_a_value_that_is_not_among_its_items_first() -> None:
    """Nothing is chosen silently in the place of an invalid value."""
    field = field_of(variable("x", "PA:LIST(a, b)?"))

    assert field.choices == (
        Choice(value="x", label="x (not one of the items)"),
        Choice(value="", label="(none)"),
        Choice(value="a", label="a"),
        Choice(value="b", label="b"),
    )


def test_model_may_refer_to_other_variables() -> None:
    """References in a model are resolved, but never to a secret, which a hint would show."""
    variables = (
        Variable(name="MOST", value="7"),
        Variable(name="TOKEN", value="swordfish", model="PA:HIDDEN"),
    )
    values = visible_values(variables)

    found = [field_of(variable("1", model), values).hint for model in ("PA:INTEGER[0,${MOST}]", "PA:REGEXP(${TOKEN})")]

    assert found == ["an integer from 0 to 7", "matches ${TOKEN}"]


def test_long_pattern_is_cut_in_its_hint() -> None:
    """The label has the model; the hint is for reading."""
    hint = field_of(variable("1", f"PA:REGEXP({'z' * 3000})")).hint

    assert hint == f"matches {'z' * 199}…"


def test_every_model_makes_a_field() -> None:
    """No type of model, whatever stands in its parentheses, makes the form fail."""
    texts = [
        f"PA:{name}{rest}" for name in [*MODELS, "NONSENSE"] for rest in ("", "(", "(x)[", "()", "(a,b)[1,2]?", "[,]")
    ]

    assert {field_of(variable("v", text)).name for text in texts} == {"X"}


def test_groups_keep_the_order_of_the_workflow() -> None:
    """Groups stand in the order of their first variable; hidden variables are left out, advanced ones set apart."""
    variables = (
        Variable(name="A", value="", group="Input"),
        Variable(name="B", value=""),
        Variable(name="C", value="", group="Input", advanced=True),
        Variable(name="D", value="", group="Input", hidden=True),
        Variable(name="E", value="", group="Input"),
    )

    found = [
        (group.title, [field.name for field in group.fields], [field.name for field in group.advanced])
        for group in groups_of(variables)
    ]

    assert found == [("Input", ["A", "E"], ["C"]), ("", ["B"], [])]


@pytest.mark.parametrize(
    ("value", "model", "posted", "expected"),
    [
        ("a", "", "b", "b"),
        ("a", "", None, "a"),
        ("a\nb", "", "a\r\nb", "a\nb"),
        ("a\r\nb", "", "a\r\nb", "a\r\nb"),
        ("a\nb", "", "a\r\nc", "a\nc"),
        ("True", "PA:BOOLEAN", "true", "True"),
        ("true", "PA:BOOLEAN", None, "false"),
        ("0", "PA:BOOLEAN", "true", "1"),
        ("old", "PA:HIDDEN", "", "old"),
        ("old", "PA:HIDDEN", "new", "new"),
        ("2026-11-01 08:30", "PA:DATETIME(yyyy-MM-dd HH:mm)", "2026-11-01T08:30", "2026-11-01 08:30"),
        ("2026-11-01 08:30", "PA:DATETIME(yyyy-MM-dd HH:mm)", "2026-12-24T18:05", "2026-12-24 18:05"),
        ("01.11.2026", "PA:DATETIME(dd.MM.yyyy)", "2027-02-03", "03.02.2027"),
        ("01.11.2026", "PA:DATETIME(dd.MM.yyyy)", "tomorrow", "tomorrow"),
        ("01.11.2026", "PA:DATETIME(dd.MM.yyyy)", "", ""),
    ],
)
def test_answer_of_a_form_becomes_a_value(value: str, model: str, posted: str | None, expected: str) -> None:
    """A value that nobody edited stays exactly what it was; others get the format of the model."""
    assert posted_value(variable(value, model), posted) == expected
