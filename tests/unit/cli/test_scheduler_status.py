"""The overview of a scheduler in words."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from proactive_jupyter_kernel.cli.app import app
from proactive_jupyter_kernel.cli.scheduler_status import lines, overview


def test_the_overview_is_printed_in_words() -> None:
    """Numbers with their nouns; what there is none of is left out."""
    found = {
        "status": "STARTED",
        "uptime_seconds": 7523.0,
        "jobs_alive": {"RUNNING": 1, "IN_ERROR": 2},
        "tasks_pending": 96,
        "tasks_running": 4,
        "tasks_in_error": 2,
        "nodes": {"Default": {"total": 4, "free": 0, "locked": 0}, "gpu": {"total": 1, "free": 1, "locked": 0}},
        "jobs_submitted_per_minute": 1,
        "tasks_ended_per_minute": 840,
        "store_bytes": 3_412_000,
        "troubles": ["The Dask scheduler at tcp://10.0.0.1:8786 does not answer: no answer in time"],
    }
    assert list(lines(found)) == [
        "Status: STARTED, up for 2 h 5 min.",
        "Jobs: 3 alive (2 in error, 1 running).",
        "Tasks: 4 running, 96 waiting, 2 in error.",
        "Nodes: 1 of 5 free; 4 in Default, 1 in gpu.",
        "  The Dask scheduler at tcp://10.0.0.1:8786 does not answer: no answer in time",
        "Last minute: 1 job submitted, 840 tasks ended.",
        "Store: 3.3 MiB.",
    ]
    with_disk = found | {"disk_free_bytes": 700 * 1024 * 1024, "disk_low": True}
    assert list(lines(with_disk))[-2:] == [
        "Store: 3.3 MiB; 700 MiB free on its disk.",
        "The disk is nearly full: when it is full, tasks wait and nothing is stored. Make room, or remove jobs.",
    ]


def test_a_scheduler_that_does_not_answer_has_no_overview() -> None:
    """Its state is told all the same."""
    assert overview("http://127.0.0.1:1") is None


def test_a_log_without_entries_about_a_job_says_so(tmp_path: Path) -> None:
    """And where the output of its tasks is, which people look for."""
    entry = "2026-11-26 07:01:12,345 INFO x: job ended, FINISHED job=1\n"
    (tmp_path / "scheduler.log").write_text(entry, encoding="utf-8")
    asked = [["scheduler", "log", "--data-dir", str(tmp_path), "--job", job] for job in ("1", "7")]
    found = [CliRunner().invoke(app, arguments) for arguments in asked]
    assert [each.stdout + each.stderr for each in found] == [
        entry,
        "The log has no entry about job 7. `proactive-kernel logs 7` shows what its tasks print.\n",
    ]
