"""What the answer of a flow script means, and what is said about nonsense."""

from __future__ import annotations

from decimal import Decimal

import pytest

from proactive_jupyter_kernel.scheduler.engine.flow import Choose, InvalidFlowResult, Repeat, Runs, Stop, default, judge
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Replicate, Script
from proactive_jupyter_kernel.workflow.values import to_wire

SCRIPT = Script(language="groovy", code="?")
BRANCH = Branch(script=SCRIPT, target="T", otherwise="O")
LOOP = Loop(script=SCRIPT, target="S")
REPLICATE = Replicate(script=SCRIPT)


def decide(action, value):
    return judge(action, "A", to_wire(value), True, now=0, most_runs=1_000)


@pytest.mark.parametrize(
    ("action", "value", "decision"),
    [
        (BRANCH, "if", Choose(target=True)),
        (BRANCH, "ELSE", Choose(target=False)),
        (LOOP, True, Repeat()),
        (LOOP, "True", Repeat()),
        (LOOP, False, Stop()),
        (LOOP, "FALSE", Stop()),
        (REPLICATE, 3, Runs(3)),
        (REPLICATE, 0, Runs(0)),
        (REPLICATE, "4", Runs(4)),
        (REPLICATE, 2.9, Runs(2)),
        (REPLICATE, "2.9", Runs(2)),
        (REPLICATE, Decimal("7.5"), Runs(7)),
    ],
)
def test_answers(action, value, decision):
    """Branches take words, loops truth values, replicates numbers; all of them also as text, in any case."""
    assert decide(action, value) == decision


@pytest.mark.parametrize("value", ["rubbish", 1, "* * *", [True], "0 0 30 2 *"])
def test_a_loop_with_rubbish_ends_and_says_so(value):
    """A loop that sets what is neither a truth value nor a cron expression does not loop; that is not an error."""
    decision = decide(LOOP, value)
    assert isinstance(decision, Stop)
    assert "no loop" in decision.remark


def test_a_loop_may_wait_for_a_date():
    """A cron expression loops at its next date."""
    decision = decide(LOOP, "* * * * *")
    assert decision == Repeat(start_at=60_000)


IF_OR_ELSE = "it must set it to the text 'if' or 'else'"
NUMBER = "it must set it to an integer, 0 or more"


@pytest.mark.parametrize(
    ("action", "value", "message"),
    [
        (BRANCH, True, f"the branch script of task 'A' (groovy) set branch = true; {IF_OR_ELSE}"),
        (BRANCH, "then", f"the branch script of task 'A' (groovy) set branch = 'then'; {IF_OR_ELSE}"),
        (REPLICATE, -1, f"the replicate script of task 'A' (groovy) set runs = -1; {NUMBER}"),
        (REPLICATE, True, f"the replicate script of task 'A' (groovy) set runs = true; {NUMBER}"),
        (REPLICATE, None, f"the replicate script of task 'A' (groovy) did not set 'runs'; {NUMBER}"),
        (
            REPLICATE,
            5_000,
            "the replicate script of task 'A' (groovy) set runs = 5000 (more than the 1,000 runs that this scheduler "
            f"allows); {NUMBER}",
        ),
        (
            LOOP,
            None,
            "the loop script of task 'A' (groovy) did not set 'loop'; "
            "it must set it to true, false or a cron expression",
        ),
    ],
)
def test_invalid_answers(action, value, message):
    """An invalid answer is named with the script, the value and what was expected."""
    with pytest.raises(InvalidFlowResult) as raised:
        decide(action, value)
    assert str(raised.value) == message


@pytest.mark.parametrize("value", ["", "many", "nan", float("inf"), float("nan"), -0.5, b"3", [3], {"runs": 3}])
def test_what_is_not_a_number_of_runs(value):
    """Only finite numbers from 0 on, or their text, are numbers of runs."""
    with pytest.raises(InvalidFlowResult):
        decide(REPLICATE, value)


def test_an_answer_that_is_not_a_wire_value_is_invalid():
    """What no value was made of cannot break the machine."""
    with pytest.raises(InvalidFlowResult, match="the branch script of task 'A'"):
        judge(BRANCH, "A", {"$type": "moon", "value": 1}, True, now=0, most_runs=1)


def test_long_invalid_values_are_shortened():
    """A message does not grow with the value it complains about."""
    with pytest.raises(InvalidFlowResult) as raised:
        decide(BRANCH, "x" * 10_000)
    assert len(str(raised.value)) < 300


def test_defaults():
    """Without an answer: the if branch, no loop, one run."""
    assert [default(action) for action in (BRANCH, LOOP, REPLICATE)] == [Choose(target=True), Stop(), Runs(1)]


def test_invalid_result_fails_the_execution(stage):
    """A task with a nonsense answer fails even if its main script succeeded; retries count, then the default is due."""
    play = stage()
    play.draw("S runs; W(S); M(W)", max_executions=2, retry_delay=1)
    play.end("S", "many")
    assert (play.status("S"), play.row("S").failure.exception) == ("WAITING_ON_ERROR", "TaskException")
    message = "Failed to execute control flow script: the replicate script of task 'S' (cpython) set runs = 'many'"
    assert play.row("S").failure.message.startswith(message)
    reason, retry = play.logs
    assert (reason.task_id, reason.error, reason.text.startswith(message)) == (0, True, True)
    assert retry.text == "Attempt 1 of 2 failed, retrying"
    play.pass_time(1_000)
    play.end("S")
    assert play.row("S").failure.message.endswith("did not set 'runs'; it must set it to an integer, 0 or more")
    play.run()
    assert play.picture() == "S FAULTY; W(S); M(W)"


def test_invalid_result_after_a_failure_keeps_the_failure(stage, failed):
    """What failed first is the failure; the log tells of the flow script, too."""
    play = stage()
    play.draw("I if=T,O; T; O")
    play.end("I", 1, failure=failed())
    assert (play.row("I").failure, len(play.logs)) == (failed(), 1)
    play.run()
    assert play.picture() == "I FAULTY; T(I); O(I) SKIPPED"


def test_remark_about_a_loop_goes_to_the_log(stage):
    """A loop that ends because its answer was not understood says so in the task's log."""
    play = stage()
    play.draw("L loop=L")
    play.end("L", "maybe")
    assert (play.status("L"), [line.text for line in play.logs]) == (
        "FINISHED",
        ["loop = 'maybe' is neither true, false nor a cron expression with a next date: no loop"],
    )


def test_cron_loop_waits_for_its_date(stage):
    """The copies of a cron loop start at the next date and carry it in their tag; so do replicas made among them."""
    play = stage()
    play.draw("A start runs; B(A); C(B) end loop=A; D(C)")
    play.end("A", 1)
    play.end("B")
    play.end("C", "* * * * *")
    assert (play.machine.next_wakeup, play.row("A#1").start_at, play.row("C#1").start_at) == (60_000, 60_000, 60_000)
    assert (play.status("A#1"), play.status()) == ("SUBMITTED", "STALLED")
    assert play.row("A#1").tag == play.row("C#1").tag
    assert play.row("A#1").tag.startswith("LOOP-C-0")
    play.restart()
    play.pass_time(59_000)
    assert play.status("A#1") == "RUNNING"
    play.end("A#1", 2)
    assert play.row("B#1*1").start_at == 60_000
    play.end("B#1")
    play.end("B#1*1")
    play.end("C#1", True)
    assert (play.row("A#2").start_at, play.row("A#2").tag) == (None, "LOOP-C-2")
