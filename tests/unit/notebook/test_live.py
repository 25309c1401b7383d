"""Displays that follow jobs, and cells that wait for them."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.errors import SchedulerUnreachable, WaitTimeout
from proactive_jupyter_kernel.notebook.frontend import NotebookFrontend
from proactive_jupyter_kernel.notebook.live import NotebookLive
from proactive_jupyter_kernel.notebook.requests import Requests
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Mime, Table, Value
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, ScriptedOutcome
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

Submit = Callable[..., int]
DEADLINE = 60.0


@pytest.fixture
def live(shell: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotebookLive]:
    """Live of a notebook whose first cell runs; cards are not held back."""
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.GAP", 0.0)
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.SHARE", 1_000.0)
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.live.AGAIN", 0.01)
    monkeypatch.setattr("proactive_jupyter_kernel.client.jobs.job_poller.RETRY", 0.01)
    shell.display_pub.parent_header = {"msg_id": "cell"}
    requests = Requests(shell)
    requests.listen()
    frontend = NotebookFrontend(shell, requests)
    live = NotebookLive(frontend, lambda: context)
    context = Context(frontend, live=live, connection=connection)
    yield live
    live.close()


def until(what: Callable[[], object]) -> None:
    """Wait for another thread, with a deadline."""
    end = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def heads(shell: Any) -> list[str]:
    """The first line of each form of the card, without times."""
    return [text.split("\n")[0].partition(" (")[0] for text in shell.display_pub.texts]


def last(shell: Any) -> str:
    return str(shell.display_pub.texts[-1])


def threads(job_id: int) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"proactive-job-{job_id}"]


def next_cell(shell: Any) -> None:
    """The running cell ends and another one starts."""
    shell.events.trigger("post_execute")
    shell.execution_count += 1
    shell.display_pub.parent_header = {"msg_id": f"cell {shell.execution_count}"}
    shell.events.trigger("pre_execute")


FINISHED = "✓ Jobs  job 1  Finished"


def test_wait_shows_progress_and_gives_the_ended_job(shell: Any, live: NotebookLive, submit: Submit) -> None:
    """One display goes from the first state to the last, and the ended job comes back."""
    job = live.wait(submit("A", "B"), output=False)
    kinds = [kind for kind, _, _ in shell.display_pub.sent]
    assert job.status is JobStatus.FINISHED
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    assert heads(shell)[-1] == FINISHED


def test_wait_without_drawing_shows_nothing(shell: Any, live: NotebookLive, submit: Submit) -> None:
    """With draw off there is no display."""
    live.wait(submit("A"), draw=False)
    assert shell.display_pub.sent == []


@pytest.mark.memory_only("the live log of a server does not tell the streams apart")
def test_wait_writes_output_in_order_and_by_stream(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each task's complete output comes once, translated, standard error apart."""
    memory.outcomes = {
        "A": ScriptedOutcome(lines=(("out", "one"), ("err", "oops"), ("out", "two"))),
        "B": ScriptedOutcome(lines=(("out", "three"),), ticks=3),
    }
    live.wait(submit("A", "B"), translate=lambda task, text: text.replace("oops", f"oops in {task}"))
    assert capsys.readouterr() == ("[A]\none\ntwo\n[B]\nthree\n", "oops in A\n")


def test_wait_writes_output_of_a_job_that_had_ended(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output of a job that ended long ago is written as well."""
    memory.outcomes = {"A": ScriptedOutcome(lines=(("out", "one"),))}
    job_id = submit("A")
    memory.finish(job_id)
    live.wait(job_id, draw=False)
    assert capsys.readouterr().out == "one\n"


@pytest.mark.memory_only("the live log of a server does not tell the streams apart")
def test_output_comes_while_the_task_runs(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also without a display, and what was written is there when the wait is cut."""
    memory.outcomes = {"A": ScriptedOutcome(lines=(("out", "epoch 1"), ("err", "warning")), hold=True)}
    job_id = submit("A")
    memory.advance(job_id)
    for draw in (True, False):
        with pytest.raises(WaitTimeout):
            live.wait(job_id, draw=draw, timeout=0.05)
        assert capsys.readouterr() == ("epoch 1\n", "warning\n")


def test_an_interrupted_wait_leaves_the_output_so_far(
    live: NotebookLive,
    memory: MemoryScheduler,
    submit: Submit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the task wrote last is read once more before the cell ends."""
    memory.outcomes = {"A": ScriptedOutcome(lines=(("out", "epoch 1"),), hold=True)}
    job_id = submit("A")

    def interrupt(*_: object) -> None:
        memory.advance(job_id)
        raise KeyboardInterrupt

    monkeypatch.setattr("proactive_jupyter_kernel.notebook.output_stream.OutputStream.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.wait(job_id)
    assert capsys.readouterr().out == "epoch 1\n"


def test_a_task_in_error_ends_the_wait(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job is still there, with its output and what can be done about it."""
    memory.outcomes = {"A": ScriptedOutcome(failure="boom", status=TaskStatus.IN_ERROR, lines=(("out", "half way"),))}
    job = live.wait(submit("A"))
    assert (job.status, capsys.readouterr().out) == (JobStatus.IN_ERROR, "half way\n")
    assert "! A: In error after 1 of 1 attempt" in last(shell)
    assert "#%kill_job(job_id=1) ends the job." in last(shell)


def test_a_traceback_is_translated_in_one_piece(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines that come while it is being written are held until its end, or until the wait ends."""
    lines = (("err", "Traceback (most recent call last):"), ("err", '  File "x", line 1'))
    memory.outcomes = {"A": ScriptedOutcome(lines=lines, hold=True)}
    texts: list[str] = []
    job_id = submit("A")
    memory.advance(job_id)

    def translate(task: str, text: str) -> str:
        texts.append(text)
        return text

    with pytest.raises(WaitTimeout):
        live.wait(job_id, timeout=0.05, translate=translate)
    assert texts == ['Traceback (most recent call last):\n  File "x", line 1\n']


def test_wait_shows_the_tail_of_what_runs(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """While a task runs its last lines stand in the card; at the end all of them do."""
    memory.outcomes = {"A": ScriptedOutcome(lines=(("out", "epoch 1"),), ticks=5)}
    live.wait(submit("A"), output=False)
    assert any("Running" in text and "\n    epoch 1" in text for text in shell.display_pub.texts)
    assert last(shell).endswith("Output, 1 line:\n    epoch 1")


def test_wait_for_tasks_does_not_wait_for_the_job(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    """Waiting for one task is over when it has ended, and writes its output alone."""
    memory.outcomes = {
        "A": ScriptedOutcome(lines=(("out", "a"),)),
        "B": ScriptedOutcome(lines=(("out", "b"),), hold=True),
    }
    job = live.wait(submit("A", "B"), tasks={"A"})
    assert job.status is JobStatus.RUNNING
    assert capsys.readouterr().out == "a\n"


def test_wait_gives_up_in_time_and_says_what_continues(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """A timeout names what is alive and how to continue or end it; the card continues to follow the job."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    memory.advance(job_id)
    with pytest.raises(WaitTimeout) as caught:
        live.wait(job_id, timeout=0.05)
    assert str(caught.value) == (
        "Job 1 ('Jobs') did not end within 0.05 s; the job is Running and continues.\n"
        "#%wait_job(job_id=1) waits longer, #%kill_job(job_id=1) ends it."
    )
    assert threads(1)


def test_interrupt_passes_and_leaves_the_job_alone(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """An interrupt ends the waiting at once, also where an event loop has the signal; the card continues to follow."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    before = signal.signal(signal.SIGINT, lambda *_: None)
    main = threading.main_thread().ident

    def interrupt() -> None:
        """Not before the wait handles signals: an earlier signal would be lost."""
        until(lambda: shell.display_pub.texts and signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        signal.pthread_kill(main or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            live.wait(job_id)
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    finally:
        thread.join(DEADLINE)
        signal.signal(signal.SIGINT, before)
    assert not memory.jobs[job_id].ended
    assert threads(1)


def test_wait_survives_a_server_that_is_away_for_a_moment(
    shell: Any,
    live: NotebookLive,
    memory: MemoryScheduler,
    submit: Submit,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a server does not answer the cell says so, and it continues when the server answers again."""
    monkeypatch.setattr(Connection, "embedded", False)
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    found: list[Job] = []
    thread = threading.Thread(target=lambda: found.append(live.wait(job_id)))
    thread.start()
    until(lambda: any("Running" in head for head in heads(shell)))
    memory.reachable = False
    until(lambda: f"Cannot reach the scheduler at {memory.address}" in last(shell))
    memory.reachable = True
    memory.release(job_id, "A")
    thread.join(DEADLINE)
    assert found[0].status is JobStatus.FINISHED


def test_wait_raises_when_the_embedded_scheduler_is_gone(
    live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """The embedded scheduler starts again by itself where it may; where not, waiting is no use."""
    job_id = submit("A")
    memory.reachable = False
    with pytest.raises(SchedulerUnreachable):
        live.wait(job_id)


def test_watch_returns_at_once_and_follows_to_the_end(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """The display is shown before `watch` returns, continues in the background and ends with the job."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    assert heads(shell) == ["○ Jobs  job 1  Submitted"]
    until(lambda: "Running" in heads(shell)[-1])
    memory.release(job_id, "A")
    until(lambda: heads(shell)[-1] == FINISHED)
    until(lambda: not threads(job_id))


def test_unchanged_card_is_seldom_drawn(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that runs for hours sends its changes, and a sign of life every few seconds."""
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.GAP", 1_000.0)
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    asked = len(memory.requests)
    until(lambda: len(memory.requests) > asked + 3)
    assert len(shell.display_pub.sent) == 1


def test_watch_of_what_cannot_be_seen_says_so(live: NotebookLive, capsys: pytest.CaptureFixture[str]) -> None:
    """A job that cannot be shown is not an error of the cell that submitted it."""
    live.watch(99, "Gone")
    assert capsys.readouterr().out.startswith("Job 99 'Gone' cannot be shown: There is no job 99")


def test_card_says_when_the_scheduler_is_gone_and_follows_again_when_it_is_back(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the last time, the reason and how to look at the job; a card starts no scheduler that was stopped."""
    monkeypatch.setattr(Connection, "is_there", property(lambda self: memory.reachable))
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    until(lambda: "Running" in heads(shell)[-1])
    memory.reachable = False
    until(lambda: "Last seen at" in last(shell))
    assert f"then cannot reach the scheduler at {memory.address}" in last(shell)
    assert "#%job_status(job_id=1) shows the current state of the job." in last(shell)
    asked = len(memory.requests)
    time.sleep(0.2)
    assert len(memory.requests) == asked
    memory.reachable = True
    until(lambda: "Last seen at" not in last(shell))
    memory.release(job_id, "A")
    until(lambda: heads(shell)[-1] == FINISHED)


def test_wait_brings_the_cards_of_the_job_up_to_date(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a cell has waited for a job, the card of another cell shows the end, too, before the cell is over."""
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.GAP", 60.0)
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.live.WATCH_POLLING", Polling(first=60.0, longest=60.0))
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    next_cell(shell)
    memory.release(job_id, "A")
    live.wait(job_id, draw=False, output=False)
    assert heads(shell)[-1] == FINISHED


def test_cell_has_one_card_of_a_job(shell: Any, live: NotebookLive, submit: Submit) -> None:
    """A wait continues with the existing card of the job."""
    job_id = submit("A")
    live.watch(job_id, "Jobs", follow=False)
    live.wait(job_id, draw=True, output=False)
    kinds = [kind for kind, _, _ in shell.display_pub.sent]
    assert (kinds.count("display_data"), heads(shell)[-1]) == (1, FINISHED)


def test_results_come_into_the_card_under_their_names(shell: Any, live: NotebookLive, submit: Submit) -> None:
    """Values and tables, and the tasks that returned nothing; what is neither HTML nor an image is given back."""
    job_id = submit("A", "B", "C")
    assert live.add_results(job_id, [Value(value=1, label="A")], []) == [Value(value=1, label="A")]
    live.wait(job_id, output=False)
    table = Table(headings=("x",), rows=[(1,)], caption="2 results")
    maths = Mime(data={"text/plain": "x", "text/latex": "$x$"}, label="B")
    assert live.add_results(job_id, [Value(value=[1, "<b>"], label="A"), table, maths], ["A", "B"]) == [maths]
    html = shell.display_pub.sent[-1][1]["text/html"]
    assert last(shell).endswith("A: [1, '<b>']\n2 results:\nx\n-\n1\n  C returned nothing.")
    assert "&lt;b&gt;" in html
    assert "<b>]" not in html


def test_headless_run_ends_each_cell_with_what_is_known(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that gets no further update does not claim to be live; in the next cell it is followed again."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    shell.get_parent = lambda: {"content": {"allow_stdin": False}}
    next_cell(shell)
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    until(lambda: "Running" in heads(shell)[-1])
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.GAP", 60.0)
    shell.events.trigger("post_execute")
    assert "Last seen at" in last(shell)
    monkeypatch.setattr("proactive_jupyter_kernel.notebook.job_display.GAP", 0.0)
    memory.release(job_id, "A")
    next_cell(shell)
    until(lambda: heads(shell)[-1] == FINISHED)


def test_job_that_waits_for_a_person_says_how_to_continue(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """A paused job is shown with the pragma that resumes it."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    memory.jobs[job_id].pause()
    until(lambda: "Paused" in heads(shell)[-1])
    assert "‖ Paused. No more tasks start" in last(shell)
    assert "#%resume_job(job_id=1) continues." in last(shell)


@pytest.mark.memory_only("a server has the sentence in the log")
def test_failure_is_summed_up_in_a_line(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """What the error of the cell says where the card tells all; empty where there is no card."""
    memory.outcomes = {"A": ScriptedOutcome(failure="exit code 3", lines=(("err", "oh no"),))}
    job_id = submit("A")
    assert live.summary(job_id) == ""
    live.wait(job_id, output=False)
    assert live.summary(job_id) == "A: exit code 3"


def test_traceback_stands_once_in_a_card(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """The output below leaves out the traceback that stands above."""
    trace = ["Traceback (most recent call last):", '  File "x", line 1, in <module>', "ValueError: hole"]
    memory.outcomes = {
        "A": ScriptedOutcome(failure="exit code 1", lines=(("out", "before"), *(("err", line) for line in trace)))
    }
    live.wait(submit("A"), output=False)
    html = shell.display_pub.sent[-1][1]["text/html"]
    assert html.count("Traceback (most recent call last)") == 1
    assert last(shell).count("ValueError: hole") == 1
    assert re.search(r"Output, \d lines?:\n    before", last(shell))


def test_closing_ends_every_thread_and_marks_the_cards(
    shell: Any, live: NotebookLive, memory: MemoryScheduler, submit: Submit
) -> None:
    """At the end of the kernel all polling threads stop, and the saved card says that the job is not followed."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    until(lambda: "Running" in heads(shell)[-1])
    live.close("the kernel was shut down")
    until(lambda: not threads(job_id))
    assert "then the kernel was shut down. This display is no longer updated" in last(shell)


def test_threads_do_not_keep_a_kernel_from_ending(live: NotebookLive, memory: MemoryScheduler, submit: Submit) -> None:
    """Whoever follows a job in the background is a daemon."""
    memory.outcomes = {"A": ScriptedOutcome(hold=True)}
    job_id = submit("A")
    live.watch(job_id, "Jobs")
    assert [thread.daemon for thread in threads(job_id)] == [True]
