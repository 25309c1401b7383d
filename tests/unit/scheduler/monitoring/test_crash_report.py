"""What a scheduler leaves that dies: a report with how, versions, settings and the last lines of its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client import crash_reports as client_side
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.monitoring import crash_report
from proactive_jupyter_kernel.scheduler.monitoring.crash_report import crash_reports, watched
from proactive_jupyter_kernel.scheduler.settings import NodeSource
from proactive_jupyter_kernel.version import __version__

SETTINGS = replace(settings.load({}), node_sources=(NodeSource(name="gpu", nodes=1, tokens=("secret",)),))


def test_an_exception_leaves_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what happened, without secrets, and where it is."""
    (tmp_path / "scheduler.log").write_text("".join(f"line {number}\n" for number in range(1000)))
    with pytest.raises(ZeroDivisionError), watched(tmp_path, SETTINGS):
        raise ZeroDivisionError("of a test")
    (report,) = crash_reports(tmp_path)
    content = report.read_text()
    for part in (f"scheduler: {__version__}", "python: 3.", "setting slots: ", "ZeroDivisionError: of a test"):
        assert part in content
    assert content.endswith("line 998\nline 999\n")
    assert "line 900\n" not in content
    assert "secret" not in content
    assert str(report) in capsys.readouterr().err
    assert client_side.newest(tmp_path) == report
    assert client_side.hint(tmp_path) == (
        f"It crashed: attach {report} and {tmp_path / 'scheduler.log'} when you report the fault."
    )


@pytest.mark.parametrize("end", [None, EmbeddedSchedulerError("the port is in use"), KeyboardInterrupt()])
def test_an_end_that_is_not_a_crash_leaves_nothing(tmp_path: Path, end: BaseException | None) -> None:
    """Neither a stop, nor an error that says itself what is wrong."""
    try:
        with watched(tmp_path, SETTINGS):
            if end is not None:
                raise end
    except (EmbeddedSchedulerError, KeyboardInterrupt):
        pass
    assert list((tmp_path / "crashes").iterdir()) == []
    assert client_side.hint(tmp_path) == ""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("SIGSEGV", "Fatal Python error: Segmentation fault"),
        ("SIGABRT", "Fatal Python error: Aborted"),
        ("SIGKILL", "It ended without a traceback: it was killed (SIGKILL)"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_the_next_start_completes_the_report_of_a_signal(tmp_path: Path, number: str, said: str) -> None:
    """Before it, the client finds the report as it is."""
    code = (
        "import os, signal\nfrom pathlib import Path\n"
        "from proactive_jupyter_kernel.scheduler import settings\n"
        "from proactive_jupyter_kernel.scheduler.monitoring.crash_report import watched\n"
        f"with watched(Path({str(tmp_path)!r}), settings.load({{}})):\n"
        f"    os.kill(os.getpid(), signal.{number})\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == -getattr(signal, number)
    found = client_side.newest(tmp_path)
    assert found is not None
    assert found.name.startswith("running-")
    (tmp_path / "scheduler.log").write_text("the last line\n")
    with watched(tmp_path, SETTINGS):
        (report,) = crash_reports(tmp_path)
        assert client_side.newest(tmp_path) == report
    content = report.read_text()
    assert said in content
    assert content.endswith("the last line\n")


def test_a_machine_that_was_switched_off_is_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of another boot is removed."""
    (tmp_path / "crashes").mkdir()
    (tmp_path / "crashes" / f"running-{os.getpid() + 1}.txt").write_text("boot: another\n")
    with watched(tmp_path, SETTINGS):
        assert crash_reports(tmp_path) == []


def test_only_the_last_reports_are_kept(tmp_path: Path) -> None:
    """They do not fill the disk."""
    folder = tmp_path / "crashes"
    folder.mkdir()
    for number in range(9):
        (folder / f"crash-20200101-00000{number}-1.txt").write_text("old")
    with pytest.raises(ValueError, match="of a test"), watched(tmp_path, SETTINGS):
        raise ValueError("of a test")
    names = [path.name for path in crash_reports(tmp_path)]
    assert len(names) == crash_report._KEPT
    assert names[0] == "crash-20200101-000005-1.txt"


def test_a_folder_that_cannot_be_written_does_not_prevent_a_start(tmp_path: Path) -> None:
    """The scheduler then goes without."""
    (tmp_path / "crashes").write_text("in the way")
    with watched(tmp_path, SETTINGS):
        pass
