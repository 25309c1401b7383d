"""A node and the frames that it speaks, without a scheduler: what another kind of executor builds on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.integration.executors.giver import Giver

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, Selection, Slot
from proactive_jupyter_kernel.scheduler.nodes.codec import (
    answer_from,
    outcome_from,
    selection_to,
)
from proactive_jupyter_kernel.scheduler.nodes.scratch import Scratch
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses the templates")


def test_attempts_wait_their_turn(giver: Giver) -> None:
    """A node takes several attempts, runs one after the other, and forgets one that is stopped before its turn."""
    keys = [giver.give(giver.attempt(f"result = {number}", number)) for number in range(3)]
    giver.send({"do": "stop", "key": keys[2], "kind": "killed"})
    stopped = giver.outcome(keys[2]).failure
    assert stopped is not None
    assert (stopped.kind, [giver.outcome(key).value for key in keys[:2]]) == (FailureKind.KILLED, [0, 1])


def test_a_node_without_a_scheduler_ends(giver: Giver, tmp_path: Path) -> None:
    """The end of its channel ends what it runs, and itself."""
    code = f"import time\nopen({str(tmp_path / 'part')!r}, 'w').write(str(os.getpid()))\n"
    code += f"os.rename({str(tmp_path / 'part')!r}, {str(tmp_path / 'pid')!r})\ntime.sleep(300)"
    giver.give(giver.attempt(code))
    while not (tmp_path / "pid").exists():
        time.sleep(0.005)
    giver.close()
    pid = int((tmp_path / "pid").read_text())
    (tmp_path / "pid").unlink()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_output_comes_before_the_outcome(giver: Giver) -> None:
    """What a task wrote is told line by line, each with its stream and its time."""
    giver.give(giver.attempt("import sys\nprint('a')\nprint('b', file=sys.stderr)"))
    lines = giver.next("output")["lines"]
    assert [line[:2] for line in lines] == [["out", "a\n"], ["err", "b\n"]]
    assert giver.next("outcome")["outcome"]["exit_code"] == 0


def test_selection(giver: Giver) -> None:
    """A node answers for selection scripts, with what they wrote."""
    script = SelectionScript(script=Script(language="cpython", code="print('look')\nselected = False"))
    selection = Selection(job_id=1, task_id=0, task_name="T", slot=Slot(name="local-0"), scripts=(script,))
    giver.send({"do": "selection", "key": "s", "selection": selection_to(selection)})
    answer = answer_from(giver.next("answer", "s")["answer"])
    assert (answer.selected, answer.failure, answer.output) == (False, "", ("look",))


def test_folders_are_new_to_each_task(giver: Giver) -> None:
    """A task finds an empty folder for its user alone, whatever the one before it has left there."""
    look = "import os, stat\nfound = os.listdir('.'), oct(os.stat('.').st_mode)\nos.chmod('.', 0o755)\nopen('x', 'w')\n"
    values = [giver.run(f"{look}os.mkdir('../y')\nresult = found", number=number).value for number in range(2)]
    assert values == [[[], "0o40700"]] * 2


def test_full_disk_is_the_failure_of_the_node(giver: Giver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task whose folder cannot be made, because the disk is full, runs again, and its failure says so."""

    def full(self: Scratch) -> None:
        raise OSError(28, "No space left on device", str(self.folder))

    monkeypatch.setattr(Scratch, "create", full)
    frame = giver.next("outcome", giver.give(giver.attempt("")))
    failure = outcome_from(frame["outcome"]).failure
    assert failure is not None
    assert (failure.kind, failure.message.partition(",")[0], frame["pause"] > 0) == (
        FailureKind.LOST,
        "There is no space left on the node",
        True,
    )


def test_disk_that_fills_up_under_a_task(giver: Giver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that fails while the node's disk is full runs again; one that ends well in spite of it has ended well."""
    from proactive_jupyter_kernel.scheduler.nodes import stages

    monkeypatch.setattr(stages, "is_full", lambda folder: True)
    failure = giver.run("raise OSError(28, 'No space left on device')").failure
    assert failure is not None
    assert (failure.kind, "no space left on the node" in failure.message) == (FailureKind.LOST, True)
    assert giver.run("result = 3", number=2).value == 3


def test_fault_of_the_node(giver: Giver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the node cannot do is the failure of one task, with what happened; the next one runs."""
    with monkeypatch.context() as patched:
        patched.setattr(Scratch, "create", lambda self: 1 / 0)
        failure = giver.run("").failure
    assert failure is not None
    assert (failure.kind, failure.message) == (
        FailureKind.ERROR,
        "The node could not run the task (ZeroDivisionError: division by zero); see the scheduler's log",
    )
    assert giver.run("result = 3", number=2).value == 3
