"""Workflow files before they are submitted: read, examined, changed, drawn, within the limits of a check."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import SubmissionRefused, UnreadableWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service import notebooks
from proactive_jupyter_kernel.scheduler.service.check_question import Question
from proactive_jupyter_kernel.scheduler.service.checking import InProcess
from proactive_jupyter_kernel.scheduler.service.previews import Previews
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.service.workflow_files import (
    Amendment,
    Outline,
    TaskWish,
    Upload,
    amended,
    examine,
    read_upload,
)
from proactive_jupyter_kernel.scheduler.settings import Settings, load
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.workflow.formats import by_name
from proactive_jupyter_kernel.workflow.formats.xml import loads
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Script, Task, Variable, Workflow
from proactive_jupyter_kernel.workflow.node_conditions import NodeWish

HIDDEN = HiddenValues(b"k" * 32)
TASK = '<task name="A"><scriptExecutable><script><code language="bash">ls</code></script></scriptExecutable></task>'
XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- kept -->
<job xmlns="urn:proactive:jobdescriptor:3.14" name="job">
  <variables>
    <variable name="N" value="12" model="PA:INTEGER[1,10]"/>
    <variable name="PW" value="swordfish" model="PA:HIDDEN"/>
    <variable name="C" value="a" model="PA:LIST(${{PW}},b)"/>
  </variables>
  <taskFlow>{TASK}</taskFlow>
</job>""".encode()


def question(xml: bytes, **variables: str) -> Question:
    site = Site(user="ana", home="/", url="http://127.0.0.1:1")
    return Question(
        xml=xml, site=site, owner="ana", catalog=Catalog(Path("/nowhere")), hidden=HIDDEN, variables=variables
    )


def settings(**more: Any) -> Settings:
    return replace(load({}), **more)


def with_previews(use: Callable[[Previews], Awaitable[Any]], *, seconds: float = 60, memory: int = 0) -> Any:
    async def run() -> Any:
        checker = InProcess(seconds=seconds, memory=memory)
        given = settings(check_seconds=seconds, check_memory=memory)
        try:
            return await use(
                Previews(
                    checker=checker, settings=given, question=lambda xml, values, info, owner: question(xml, **values)
                )
            )
        finally:
            await checker.close()

    return asyncio.run(run())


# --- reading ---------------------------------------------------------------------------------------------------------


def test_xml_is_submitted_as_it_is() -> None:
    """The bytes of the file, comments included, and the workflow with its references."""
    found = read_upload(Upload(name="a.XML", content=XML))

    assert (found.xml, found.outline.name, found.outline.variables[2].model) == (XML, "job", "PA:LIST(${PW},b)")


@pytest.mark.parametrize("name", ["json", "dot"])
def test_other_formats_become_xml(name: str) -> None:
    """Whatever `workflow/formats` reads can be submitted."""
    workflow = Workflow(name="xyz", tasks=(Task(name="A", executable=Script(language="cpython", code="print(1)")),))
    form = by_name(name)
    written = form.dumps(workflow)

    found = read_upload(
        Upload(name=f"x{form.extensions[0]}", content=written if isinstance(written, bytes) else written.encode())
    )

    assert [task.name for task in loads(found.xml).workflow.tasks] == ["A"]
    assert found.outline == Outline(name="xyz", tasks=1, wishes=(TaskWish(wish=NodeWish(), task="A"),))


def test_outline_tells_what_tasks_ask_of_nodes() -> None:
    """Each wish once, with its first task and how many have it; a wish that a variable decides is not known yet."""
    script = Script(language="bash", code="ls")
    wishes = ({"NODE_SOURCE": "a"}, {}, {"NODE_ACCESS_TOKEN": "${T}"}, {"NODE_SOURCE": "a"})
    tasks = (Task(name=f"T{number}", executable=script, generic_information=wish) for number, wish in enumerate(wishes))
    workflow = Workflow(name="xyz", tasks=tuple(tasks), generic_information={"START_AT": "2100-01-01T00:00:00Z"})

    outline = Outline.of(workflow)

    assert (outline.start_at, outline.wishes) == (
        "2100-01-01T00:00:00Z",
        (
            TaskWish(wish=NodeWish(source="a"), task="T0", count=2),
            TaskWish(wish=NodeWish(), task="T1"),
        ),
    )


_BOMB = b'<!DOCTYPE job [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><job name="&b;"/>'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", b"", "Line 1, column 1: this is not well-formed XML"),
        ("a.xml", b"<job", "Line 1, column 5: this is not well-formed XML"),
        ("a.xml", b"\x00\xff\xfe", "The workflow is not in utf-8"),
        ("a.xml", b"<html/>", "Line 1: this XML is not a ProActive workflow: its root is <html>."),
        ("a.xml", _BOMB, "Line 1: the workflow has a document type (<!DOCTYPE …>), which is refused."),
        ("a.xml", b"<a>" * 100_000, "this is not well-formed XML"),
        ("a.json", b"{", "Line 1"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b"[]", "Line 1: this JSON is not a ProActive workflow"),
        ("a.dot", b"digraph {", "Line 1"),
        ("a.txt", b"", "a.txt does not have the extension of a workflow format."),
        ("a.png", b"", "a.png cannot be read: PNG can be exported, but not imported."),
        ("", b"", "does not have the extension"),
    ],
)
def test_a_file_that_is_not_a_workflow_is_refused_with_the_place(name: str, content: bytes, message: str) -> None:
    """Malformed, empty, deep, with entities, of another kind: what is wrong, and where."""
    with pytest.raises(WorkflowError) as refused:
        read_upload(Upload(name=name, content=content))

    assert message in str(refused.value)


def test_a_file_beyond_the_limit_of_a_workflow_is_refused() -> None:
    """Before it is parsed."""
    with pytest.raises(UnreadableWorkflow) as refused:
        read_upload(Upload(name="a.xml", content=b" " * (64 * 1024 * 1024 + 1)))

    assert str(refused.value).startswith("The workflow has 67,108,865 bytes; at most 67,108,864 are read.")


# --- examining -------------------------------------------------------------------------------------------------------


def test_problems_name_their_variables() -> None:
    """So that a form can show each beside its field; no message tells a hidden value."""
    found = examine(question(XML))

    assert [(each.variable, each.reason) for each in found.problems if not isinstance(each, str)] == [
        ("N", "'12' is not in the range [1,10]"),
        ("C", f"'a' is not one of the items. Known: {HIDDEN.shown('swordfish')}, b."),
    ]
    assert "swordfish" not in str(found)


def test_warnings_come_with_a_valid_workflow() -> None:
    """They do not prevent a submission."""
    xml = XML.replace(b'language="bash">ls', b'language="cpython">print(results[0])')

    found = examine(question(xml, N="1", C="b"))

    assert (found.valid, [each.task for each in found.warnings], found.variables[0].value) == (
        True,
        ["", "", "A"],
        "1",
    )


def test_what_cannot_be_read_says_why() -> None:
    """With what to do."""
    found = examine(question(_BOMB))

    assert (found.valid, "replace each entity by its value" in found.unreadable) == (False, True)


# --- changing --------------------------------------------------------------------------------------------------------


def test_nothing_to_change_keeps_the_bytes() -> None:
    """A file is submitted as it was given."""
    assert amended(Amendment(xml=XML)) is XML


def test_settings_of_the_form_replace_those_of_the_file() -> None:
    """Priority, project, error policy, and values of variables."""
    changed = amended(
        Amendment(xml=XML, variables={"N": "3"}, priority=Priority.HIGH, project="p", on_error=ErrorPolicy.CANCEL_JOB)
    )
    workflow = loads(changed).workflow

    assert (workflow.priority, workflow.project, workflow.on_error, workflow.variables[0]) == (
        Priority.HIGH,
        "p",
        ErrorPolicy.CANCEL_JOB,
        Variable(name="N", value="3", model="PA:INTEGER[1,10]"),
    )


# --- in a process of its own -----------------------------------------------------------------------------------------


def test_reading_and_drawing_happen_in_the_checking_process() -> None:
    """With the same results and refusals as in this one."""

    async def use(previews: Previews) -> Any:
        found = await previews.read("a.xml", XML)
        drawing = await previews.draw(found.xml)
        with pytest.raises(UnreadableWorkflow) as refused:
            await previews.read("b.xml", b"<job")
        examined = await previews.examine(XML, owner="ana", variables={"N": "5", "C": "b"}, generic_information={})
        return found, drawing, str(refused.value), examined.valid

    found, drawing, refusal, valid = with_previews(use)

    assert (found, "<svg" in drawing.light, drawing.text, refusal[:6], valid) == (
        read_upload(Upload(name="a.xml", content=XML)),
        True,
        "Workflow job: 1 task. A.",
        "Line 1",
        True,
    )


def test_what_takes_too_long_is_ended() -> None:
    """The page says so, and the next question gets a new process."""

    async def use(previews: Previews) -> Any:
        with pytest.raises(SubmissionRefused) as refused:
            await previews._checker.call(time.sleep, 60.0, seconds=0.2)
        return str(refused.value), (await previews.read("a.xml", XML)).outline.name

    refusal, name = with_previews(use)

    assert ("took longer than 0.2 seconds" in refusal, name) == (True, "job")


# --- notebooks -------------------------------------------------------------------------------------------------------

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": "raise SystemExit('a notebook is read, not run')", "id": "a"},
        {"cell_type": "code", "source": "#%job(name=fromcells)", "id": "b"},
        {"cell_type": "code", "source": "#%task(name=T)\nprint(1)", "id": "c"},
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
for _cell in NOTEBOOK["cells"]:  # type: ignore[attr-defined]
    _cell |= {"metadata": {}, "outputs": [], "execution_count": None}


def test_notebooks_are_read_and_written() -> None:
    """The pragmas of a notebook make a workflow, none of its cells is run; a workflow makes a notebook."""

    async def use(previews: Previews) -> Any:
        found, made = await asyncio.gather(
            previews.read("../odd name.ipynb", json.dumps(NOTEBOOK).encode()), previews.notebook(XML, "job")
        )
        return found, made

    found, files = with_previews(use)
    made = json.loads(files["job.ipynb"])

    assert (found.outline.name, found.outline.tasks) == ("fromcells", 1)
    assert (made["metadata"]["kernelspec"]["name"], list(files)) == ("proactive", ["job.ipynb", "job.xml"])


def test_refusal_of_a_notebook_is_what_the_command_says() -> None:
    """Without the notes before it; of a fault, the last line of its traceback."""
    said = [
        notebooks._error(["Note: a", "Error: Cell 2: no.", "Write it.", ""]),
        notebooks._error(["Traceback (most recent call last):", "MemoryError"]),
    ]

    assert said == ["Cell 2: no.\nWrite it.", "MemoryError"]
