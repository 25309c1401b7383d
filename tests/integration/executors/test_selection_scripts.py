"""Selection scripts: what they see, what counts as yes, and what their faults do."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Selection, SelectionAnswer, Slot
from proactive_jupyter_kernel.scheduler.nodes.selection import accepts
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript


def select(lab: Any, code: str, language: str = "cpython", *, static: bool = False, slot: str = "local-0") -> bool:
    script = SelectionScript(script=Script(language=language, code=code), static=static)
    selection = Selection(
        job_id=1,
        task_id=0,
        task_name="T",
        slot=Slot(name=slot, host="here", tokens=("cuda",)),
        scripts=(script,),
        variables={"A": "1"},
        generic_information={"G": "g"},
        node_url="url",
    )
    return answer_of(lab, selection).selected


def answer_of(lab: Any, selection: Selection) -> SelectionAnswer:
    answer = lab.do(lab.executor.select(selection))
    assert isinstance(answer, SelectionAnswer)
    return answer


@pytest.mark.parametrize(
    ("value", "selected"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (2.5, True),
        ("yes", True),
        ("False", False),
        ("false", False),
        ("", True),
        (None, False),
        ([], False),
    ],
)
def test_what_counts_as_yes(value: Any, selected: bool) -> None:
    """True, numbers but 0, and texts but ``false`` select."""
    assert accepts(value) is selected


def test_bindings(lab: Any) -> None:
    """The script sees variables, generic information and the node, and nothing of a task."""
    code = (
        "selected = (variables['A'], genericInformation['G'], nodeurl, nodename, nodehost, nodeTokens) == "
        "('1', 'g', 'url', 'local-0', 'here', ['cuda']) and 'results' not in globals()"
    )
    assert select(lab, code) is True


@pytest.mark.parametrize("code", ["x = 1", "1 / 0", "selected = 1 / 0", "import os; os._exit(0)", "selected = ("])
def test_faults_refuse(lab: Any, code: str, caplog: pytest.LogCaptureFixture) -> None:
    """A script that fails or sets nothing refuses the slot, and the scheduler's log says why."""
    with caplog.at_level(logging.WARNING):
        assert select(lab, code) is False
    assert "selection script" in caplog.text


def test_constant_in_absent_language(lab: Any) -> None:
    """What the official tools write on every task needs no interpreter."""
    assert select(lab, "\nselected = true", "groovy") is True


def test_output_goes_to_the_log(lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What the script prints is in the scheduler's log."""
    with caplog.at_level(logging.INFO):
        select(lab, "print('asked')\nselected = True")
    assert "selection script of T: asked" in caplog.text


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (
            "print('looking')\nselected = 1 / 0",
            SelectionAnswer(
                selected=False,
                failure="Failed to execute selection script: Python process execution has failed with exit code 1: "
                "ZeroDivisionError: division by zero",
                output=(
                    "looking",
                    "Traceback (most recent call last):",
                    '  File "<selection script of T>", line 2, in <module>',
                    "    selected = 1 / 0",
                    "               ~~^~~",
                    "ZeroDivisionError: division by zero",
                ),
            ),
        ),
        (
            "x = 1",
            SelectionAnswer(selected=False, failure="The selection script does not set the variable 'selected'"),
        ),
        ("print('no')\nselected = False", SelectionAnswer(selected=False, output=("no",))),
    ],
)
def test_an_answer_says_why(lab: Any, code: str, answer: SelectionAnswer) -> None:
    """A refusal carries the error of the script, if it failed, and what the script wrote."""
    script = SelectionScript(script=Script(language="cpython", code=code))
    selection = Selection(job_id=1, task_id=0, task_name="T", slot=Slot(name="local-0"), scripts=(script,))
    found = answer_of(lab, selection)
    assert replace(found, output=tuple(sorted(found.output))) == replace(answer, output=tuple(sorted(answer.output)))


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("javascript", "selected = nodeTokens[0] == 'cuda'"),
        ("groovy", "selected = nodeTokens.contains('cuda')"),
        ("ruby", "$selected = $nodeTokens.include?('cuda')"),
        ("R", "selected <- 'cuda' %in% nodeTokens"),
    ],
)
def test_the_tokens_of_the_node(lab: Any, language: str, code: str) -> None:
    """A list, in every language that has some."""
    assert select(lab, code, language) is True


def test_static_answers_are_remembered(lab: Any, tmp_path: Path) -> None:
    """A static script is asked once for each slot, a dynamic one each time."""
    counter = tmp_path / "asked"
    code = f"open({str(counter)!r}, 'a').write('x')\nselected = True"
    for static, slot in [(True, "a"), (True, "a"), (True, "b"), (False, "a"), (False, "a")]:
        assert select(lab, code, static=static, slot=slot) is True
    assert counter.read_text() == "x" * 4


def test_shell_cannot_select(lab: Any) -> None:
    """A language that sets no variables selects nothing."""
    assert select(lab, "selected=true", "bash") is False
