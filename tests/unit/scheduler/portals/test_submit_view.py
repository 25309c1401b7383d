"""From a workflow, the answers of a form and the verdict of the checks to the words of the page."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.portals.submit.view import (
    Answers,
    BadSetting,
    CheckRow,
    answers_of,
    checks_of,
    run_settings,
    typed_secrets,
    unanswered,
)
from proactive_jupyter_kernel.scheduler.service.workflow_files import Examination, Outline, TaskWish
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Reference, Variable
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts, NodeWish
from proactive_jupyter_kernel.workflow.variable_fields import Choice

OUTLINE = Outline(
    name="weather",
    tasks=2,
    project="forecast",
    variables=(
        Variable(name="N", value="12", model="PA:INTEGER[1,10]"),
        Variable(name="PW", value="old", model="PA:HIDDEN"),
        Variable(name="INNER", value="kept", hidden=True),
        Variable(name="ON", value="true", model="PA:BOOLEAN"),
    ),
)
PLAIN = {"priority": "NORMAL", "project": "forecast", "on_error": "", "start_at": "", "v.ON": "true"}


def test_form_that_changes_nothing_changes_nothing() -> None:
    """No variable, no setting: the file is submitted as it is."""
    assert answers_of(OUTLINE, {**PLAIN, "v.N": "12", "v.PW": ""}, typed={}) == Answers(
        variables=OUTLINE.variables, changed={}
    )


def test_answers_replace_values_and_settings() -> None:
    """A hidden variable that the form does not show keeps its value, whatever is sent for it."""
    sent = {
        "v.N": "3",
        "v.PW": "new",
        "v.INNER": "evil",
        "priority": "HIGH",
        "project": " p ",
        "on_error": "CANCEL_JOB",
        "start_at": "2026-11-01T08:30",
        "offset": "60",
    }

    answers = answers_of(OUTLINE, sent, typed={})

    assert (answers.changed, answers.priority, answers.project, answers.on_error, answers.generic_information) == (
        {"N": "3", "PW": "new", "ON": "false"},
        Priority.HIGH,
        "p",
        ErrorPolicy.CANCEL_JOB,
        {"START_AT": "2026-11-01T08:30:00+01:00"},
    )


def test_start_without_a_browsers_zone_is_in_the_schedulers() -> None:
    """Without a script nothing says where the browser is."""
    answers = answers_of(OUTLINE, {"start_at": "2026-11-01T08:30"}, typed={}, zone=UTC)

    assert answers.start_at == "2026-11-01T08:30:00+00:00"


def test_typed_secrets_are_kept_for_a_page_that_is_made_anew() -> None:
    """The page never contains them; an empty field then means the value that was typed before."""
    typed = typed_secrets(OUTLINE, {"v.PW": "new", "v.N": "3"})

    assert (typed, answers_of(OUTLINE, {**PLAIN, "v.PW": ""}, typed=typed).changed) == ({"PW": "new"}, {"PW": "new"})


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"priority": "URGENT"}, "There is no priority 'URGENT'."),
        ({"on_error": "panic"}, "There is no error policy 'panic'."),
        ({"start_at": "soon"}, "The start time 'soon' is not a date and time such as 2026-11-01T08:30."),
        ({"start_at": "0001-01-01T00:00", "offset": "9999"}, "The start time '0001-01-01T00:00' is not a date"),
    ],
)
def test_settings_that_the_form_does_not_offer_are_refused(sent: dict[str, str], message: str) -> None:
    """By name."""
    with pytest.raises(BadSetting) as refused:
        answers_of(OUTLINE, sent, typed={})

    assert str(refused.value).startswith(message)


def test_settings_that_a_variable_decides_are_offered_as_they_are() -> None:
    """A reference stays one unless something else is chosen."""
    outline = Outline(
        name="x", tasks=1, priority=Reference("P"), on_error=Reference("E"), start_at="2100-01-01T00:00:00Z"
    )

    settings = run_settings(outline, {})

    assert (
        settings.priorities[0],
        settings.policies[0],
        settings.priority,
        settings.on_error,
        settings.start_hint,
    ) == (
        Choice(value="", label="as the workflow says (${P})"),
        Choice(value="", label="as the workflow says (${E})"),
        "",
        "",
        "empty: at 2100-01-01T00:00:00Z, as the workflow says",
    )


def checks(
    outline: Outline = OUTLINE, nodes: tuple[NodeFacts, ...] = (NodeFacts(source="Default", host="h"),), **more: Any
) -> Any:
    return checks_of(outline, unanswered(outline), Examination(**more), nodes)


def test_problem_of_a_variable_leads_to_its_field() -> None:
    """A problem of a task, or of a variable without a field, is a sentence."""
    found = checks(
        problems=(
            Problem(code="PA201", message="Variable 'N': Model ...: too large", variable="N", reason="too large"),
            Problem(code="PA201", message="Variable 'N': Model ...", task="T", variable="N", reason="x"),
            Problem(code="PA201", message="Variable 'INNER': wrong", variable="INNER", reason="wrong"),
            "something else",
        )
    )

    assert (found.valid, found.head, found.errors) == (False, "4 problems", {"N": "too large"})
    assert found.rows == (
        CheckRow(mark=Mark.BAD, text="too large", variable="N"),
        CheckRow(mark=Mark.BAD, text="Task 'T': Variable 'N': Model ..."),
        CheckRow(mark=Mark.BAD, text="Variable 'INNER': wrong"),
        CheckRow(mark=Mark.BAD, text="something else"),
    )


def test_valid_workflow_says_so_with_its_warnings() -> None:
    """Warnings and nodes that are missing prevent no submission."""
    outline = Outline(
        name="x",
        tasks=3,
        wishes=(
            TaskWish(wish=NodeWish(), task="A"),
            TaskWish(wish=NodeWish(token="gpu"), task="B", count=2),
        ),
    )

    found = checks(outline, warnings=(Problem(code="PA501", message="never read"),))

    assert (found.valid, found.head, found.tone) == (True, "no problems", "ok")
    assert [(row.mark, row.text.split(".")[0]) for row in found.rows] == [
        (Mark.HELD, "B and 1 more tasks would wait: No node of the scheduler has the token 'gpu' (NODE_ACCESS_TOKEN)"),
        (Mark.HELD, "Never read"),
        (Mark.GOOD, "graph, names, scripts: in order"),
    ]


def test_many_problems_are_counted() -> None:
    """The page stays readable, and says how many there are."""
    found = checks(problems=tuple(f"p{number}" for number in range(200)), more_problems=1_000)

    assert (found.head, len(found.rows), found.rows[-1].text) == ("1,200 problems", 51, "and 1,150 more problems")
