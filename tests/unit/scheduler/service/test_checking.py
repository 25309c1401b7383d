"""Workflows are checked in a process of its own, with the same verdicts as in this one, and within limits."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow, SubmissionRefused, UnreadableWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service import check_process
from proactive_jupyter_kernel.scheduler.service.check_question import Question, asks_addresses, is_harmless
from proactive_jupyter_kernel.scheduler.service.checking import Checker, InProcess, InThread
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog

SITE = Site(user="ana", home="/", url="http://127.0.0.1:1")
CATALOG = Catalog(Path("/nowhere"))
HIDDEN = HiddenValues(b"k" * 32)
TASK = '<task name="A"><scriptExecutable><script><code language="bash">ls</code></script></scriptExecutable></task>'


def question(
    xml: str | bytes = "",
    *,
    head: str = '<variables><variable name="V" value="1" model="PA:INTEGER"/></variables>',
    **more: Any,
) -> Question:
    text = f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="job">{head}<taskFlow>{TASK}</taskFlow></job>'
    return Question(xml=xml or text, site=SITE, owner="ana", catalog=CATALOG, hidden=HIDDEN, **more)


def with_checker(checker: Checker, use: Callable[[Checker], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        try:
            return await use(checker)
        finally:
            await checker.close()

    return asyncio.run(run())


def test_a_process_gives_the_same_workflow_and_verdict() -> None:
    """What comes back is what checks in this process give."""

    async def both(checker: Checker) -> Any:
        asked = question(variables={"V": "7"}, generic_information={"g": "h"})
        return await checker.prepare(asked), await checker.validate(asked)

    found = with_checker(InProcess(seconds=60, memory=0), both)
    assert found == with_checker(InThread(), both)
    assert found[0].variables[0].value == "7"


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (question("<job"), UnreadableWorkflow),
        (question(b"\xff"), UnreadableWorkflow),
        (question(variables={"V": "x"}), InvalidWorkflow),
        (
            question(head='<variables><variable name="V" value="$W"/><variable name="W" value="$V"/></variables>'),
            WorkflowError,
        ),
    ],
)
def test_a_process_gives_the_same_refusals(asked: Question, kind: type[WorkflowError]) -> None:
    """Of the same class, with the same message, hint and problems."""

    async def refusal(checker: Checker) -> Any:
        with pytest.raises(kind) as error:
            await checker.prepare(asked)
        return type(error.value), error.value.message, error.value.hint, getattr(error.value, "problems", ())

    assert with_checker(InProcess(seconds=60, memory=0), refusal) == with_checker(InThread(), refusal)


def test_a_check_that_takes_too_long_is_refused_and_the_next_one_is_not() -> None:
    """Its process is ended; a new one serves the next workflow."""

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        with pytest.raises(SubmissionRefused, match=r"took longer than 0\.001 seconds"):
            await checker.prepare(question())
        verdict = await checker.validate(question())
        checker._seconds = 60
        return verdict.valid, verdict.message, (await checker.validate(question())).valid

    valid, message, next_one = with_checker(InProcess(seconds=0.001, memory=0), use)
    assert (valid, next_one) == (False, True)
    assert "took longer" in message


def test_a_check_without_enough_memory_is_refused() -> None:
    """With what it would have needed."""

    async def use(checker: Checker) -> Any:
        with pytest.raises(SubmissionRefused) as error:
            await checker.prepare(question())
        return error.value.hint

    hint = with_checker(InProcess(seconds=60, memory=40 * 1024 * 1024), use)
    assert hint == "The limit is the setting PROACTIVE_KERNEL_CHECK_MEMORY."


def test_a_process_that_dies_refuses_its_workflow_alone() -> None:
    """The next workflow gets another process."""

    async def use(checker: Checker) -> Any:
        assert (await checker.validate(question())).valid
        assert isinstance(checker, InProcess)
        checker._free[0]._process.kill()
        await checker._free[0]._process.wait()
        with pytest.raises(SubmissionRefused, match="the process that checked it ended"):
            await checker.prepare(question())
        return (await checker.prepare(question())).name

    assert with_checker(InProcess(seconds=60, memory=0), use) == "job"


def test_the_first_workflow_begins_a_process_for_the_next() -> None:
    """A small workflow needs no process; the first one has it started, so that a large one need not wait for that."""

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        await checker.prepare(question(head=""))
        async with asyncio.timeout(30):
            while not checker._free:
                await asyncio.sleep(0.01)
        begun = checker._free[0]
        await checker.prepare(question())
        checker._free.clear()
        await checker.prepare(question(head=""))
        await asyncio.gather(*checker._begun)
        again = list(checker._free)
        checker._free.append(begun)
        return again

    assert with_checker(InProcess(seconds=60, memory=0), use) == []


def test_a_process_that_is_being_started_ends_with_the_checker() -> None:
    """Whoever closes it does not wait for what nobody needs any more."""

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        await checker.prepare(question(head=""))
        async with asyncio.timeout(30):
            while checker._warming is None:
                await asyncio.sleep(0)
        return checker._warming

    worker = with_checker(InProcess(seconds=60, memory=0), use)
    assert worker._process.returncode is not None


def test_several_are_checked_at_the_same_time_and_one_process_is_kept_no_longer_than_it_is_used() -> None:
    """No more processes than allowed; after a while without work none is left."""

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        names = await asyncio.gather(*(checker.prepare(question()) for _ in range(5)))
        most = len(checker._free)
        checker._idle = 0.05
        await checker.prepare(question())
        async with asyncio.timeout(30):
            while checker._free:
                await asyncio.sleep(0.01)
        return {workflow.name for workflow in names}, most

    assert with_checker(InProcess(seconds=60, memory=0, most=2), use) == ({"job"}, 2)


@pytest.mark.parametrize(
    ("asked", "harmless"),
    [
        (question(head=""), True),
        (question(head="", variables={"V": "7"}, generic_information={"g": "h"}), True),
        (question('<?xml version="1.0" encoding="UTF-8"?><a/>'), True),
        (question(), False),
        (question(head="", variables={"V": "${W}"}), False),
        (question(head="", generic_information={"g": "$W"}), False),
        (question("<a b='${V}'/>"), False),
        (question("<a b='&#36;{V}'/>"), False),
        (question("<inputFiles><files includes='regex:(a+)+'/></inputFiles>"), False),
        (question("<!DOCTYPE a><a/>"), False),
        (question(b"<?xml version='1.0' encoding='utf-7'?><a/>"), False),
        (question("<a/>".encode("utf-16-le")), False),
        (question(" " * 20_000), False),
    ],
)
def test_which_checks_are_short_whatever_they_check(asked: Question, harmless: bool) -> None:
    """Those of a small workflow without models, references, patterns of files and what could hide one."""
    assert is_harmless(asked) is harmless


def test_a_harmless_workflow_needs_no_process() -> None:
    """It is checked at once, with the same outcome."""

    async def both(checker: Checker) -> Any:
        asked = question(head="", variables={"V": "7"}, generic_information={"g": "h"})
        with pytest.raises(InvalidWorkflow) as error:
            await checker.prepare(question(head="<variables><variable name='' value=''/></variables>"))
        return await checker.prepare(asked), str(error.value), getattr(checker, "_free", [])

    found = with_checker(InProcess(seconds=60, memory=0), both)
    assert found == with_checker(InThread(), both)
    assert found[2] == []


def test_a_check_that_waits_for_an_address_holds_up_no_other() -> None:
    """Workflows with a model behind an address have room of their own, however many wait for it."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        model = f"PA:MODEL_FROM_URL(http://127.0.0.1:{silent.getsockname()[1]}/model)"
        slow = question(head=f'<variables><variable name="V" value="1" model="{model}"/></variables>')

        async def use(checker: Checker) -> Any:
            waiting = [asyncio.ensure_future(checker.prepare(slow)) for _ in range(3)]
            async with asyncio.timeout(60):
                connection, _ = await asyncio.to_thread(silent.accept)
                with connection:
                    names = [(await checker.prepare(question())).name for _ in range(2)]
                    still = [each.done() for each in waiting]
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return names, still

        assert with_checker(InProcess(seconds=120, memory=0, most=1), use) == (["job"] * 2, [False] * 3)


@pytest.mark.parametrize(
    ("xml", "asks"),
    [
        ("<a model='PA:INTEGER'/>", False),
        ("<a model='PA:MODEL_FROM_URL(http://host/x)'/>", True),
        (b"<a model='pa:model_from_url( https://host/x)'/>", True),
        ("<a model='PA:MODEL_FROM_URL(http://127.0.0.1:1/rest/rm/model/hosts)'/>", False),
        ("<a model='PA:MODEL_FROM_URL(${PA_SCHEDULER_REST_URL}/rm/model/hosts)'/>", False),
        ("<a/>".encode("utf-16"), True),
    ],
)
def test_which_checks_may_wait_for_an_address(xml: str | bytes, asks: bool) -> None:
    """Models of another server's; the scheduler's own are answered without a request."""
    assert asks_addresses(question(xml)) is asks


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no nice values")
@pytest.mark.parametrize(("patience", "gives_way"), [(0.01, True), (60.0, False)])
def test_a_long_check_lets_others_go_first(patience: float, gives_way: bool) -> None:
    """Its process gets a lower priority while it computes, and says so."""
    code = f"import os, sys; import {check_process.__name__} as c; c._PATIENCE = {patience}; before = os.nice(0)"
    code += "; c.serve(0, 60); sys.stderr.write(str(os.nice(0) - before))"
    asked = pickle.dumps(("validate", question()))
    done = subprocess.run(
        [sys.executable, "-c", code], input=len(asked).to_bytes(8, "big") + asked, capture_output=True, check=True
    )
    kind, verdict, gave_way = pickle.loads(done.stdout[8:])
    # The tests may run with a nice value themselves; 19 is the largest one.
    lowered = min(10, 19 - os.nice(0)) if gives_way else 0
    assert (kind, verdict.valid, gave_way, done.stderr) == ("value", True, gives_way, str(lowered).encode())


def test_a_process_that_gave_way_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give way in short checks, too."""

    class Worker:
        def __init__(self) -> None:
            self.gave_way = False
            self.ended = False

        async def ask(self, step: str, asked: Question) -> tuple[str, Any]:
            self.gave_way = step == "validate"
            return "value", step

        async def end(self) -> None:
            self.ended = True

    worker = Worker()

    async def start(memory: int, seconds: float) -> Worker:
        return worker

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        kept = []
        for ask in (checker.prepare, checker.validate):
            await ask(question())
            kept.append((len(checker._free), worker.ended))
        return kept

    monkeypatch.setattr(check_process.Worker, "start", start)
    assert with_checker(InProcess(seconds=60, memory=0), use) == [(1, False), (0, True)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timers that end a process")
def test_a_check_ends_without_the_scheduler() -> None:
    """A scheduler that was killed leaves no process that computes on."""
    code = (
        f"import time; import {check_process.__name__} as c; c._GRACE = 0; c._answer = lambda content: time.sleep(60)"
    )
    code += "; c.serve(0, 0.5)"
    asked = pickle.dumps((60, None))
    asked = len(asked).to_bytes(8, "big") + asked
    done = subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, b"")


def test_a_process_that_cannot_begin_is_not_taken_for_one_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code may be broken, or that of another version: the refusal says so."""

    async def use(checker: Checker) -> Any:
        with pytest.raises(SubmissionRefused) as error:
            await checker.prepare(question())
        return error.value

    monkeypatch.setattr(check_process, "__name__", "no.such.module")
    error = with_checker(InProcess(seconds=60, memory=0), use)
    assert "its process ended with an error, which is in scheduler.out" in error.message
    assert "If the package was updated" in error.hint


def test_a_process_with_other_code_is_not_reported_as_a_bad_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package may be updated while a scheduler runs: the refusal says to start it anew, and no process is kept."""

    async def use(checker: Checker) -> Any:
        assert isinstance(checker, InProcess)
        refusals = []
        for sent, read in ((b"no question", None), (None, b"no answer")):
            if sent is not None:
                monkeypatch.setattr(check_process.pickle, "dumps", lambda value, sent=sent: sent)
            if read is not None:
                monkeypatch.setattr(check_process.pickle, "loads", lambda content: ("too", "many", "values", "here"))
            with pytest.raises(SubmissionRefused) as error:
                await checker.prepare(question())
            refusals.append(error.value.hint)
            monkeypatch.undo()
        assert checker._free == []
        return refusals, (await checker.prepare(question())).name

    refusals, name = with_checker(InProcess(seconds=60, memory=0), use)
    assert [hint.partition(",")[0] for hint in refusals] == ["If the package was updated while this scheduler ran"] * 2
    assert name == "job"
