"""Interrupts that come while a job is submitted."""

from __future__ import annotations

import signal
import threading

import pytest

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.pragmas.jobs.held_interrupts import held_interrupts


def test_first_interrupt_waits_for_the_end_and_a_second_one_passes() -> None:
    """Afterwards interrupts are as before."""
    before = signal.getsignal(signal.SIGINT)
    with held_interrupts("again") as held:
        assert held == []
        signal.raise_signal(signal.SIGINT)
        assert held == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt, match=r"^again$"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_error_of_the_body_passes() -> None:
    """And interrupts are as before."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SetupError), held_interrupts("again"):
        raise SetupError("no")
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_hold_nothing() -> None:
    """Python interrupts the main thread alone, and lets no other one change that."""
    found: list[list[int]] = []

    def hold() -> None:
        with held_interrupts("again") as held:
            found.append(held)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert found == [[]]


def test_interrupted_submission_names_the_job(notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook knows the job; the sentence says how to end it."""
    scheduler = notebook.context.connection.scheduler
    submit = scheduler.submit

    def interrupted(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return submit(*arguments, **options)

    monkeypatch.setattr(scheduler, "submit", interrupted)
    notebook.run("#%task(name=A)\n1")
    with pytest.raises(KeyboardInterrupt) as caught:
        notebook.run("#%submit_job()")
    (job,) = notebook.context.jobs
    assert str(caught.value) == (
        f"Interrupted. Job {job.id} ({job.name!r}) was submitted. #%kill_job(job_id={job.id}) kills it."
    )
