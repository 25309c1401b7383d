"""A file that says how the scheduler died, for debugging: ``crashes`` in the data folder.

While the scheduler runs, ``running-PID.txt`` has its versions and settings, and Python's fault handler writes the
stacks of all threads there when a signal such as SIGSEGV or SIGABRT ends the process. A graceful end removes the file;
an exception adds its traceback and renames the file to ``crash-TIME-PID.txt``. What neither reached (a fatal signal,
``kill -9``, a machine out of memory) is found by the next start, which adds the last lines of the log.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.monitoring.own_log import LOG_FILE
from proactive_jupyter_kernel.scheduler.settings import Settings
from proactive_jupyter_kernel.version import __version__

__all__ = ["FOLDER", "crash_reports", "watched"]

FOLDER = "crashes"
#: How many reports are kept.
_KEPT = 5
#: Lines of the log in a report.
_LOG_LINES = 60
_BEGIN_OF_LOG = "--- The last lines of the scheduler's log ---"
#: Settings that may hold secrets: access tokens of nodes.
_PRIVATE = frozenset({"node_sources"})
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def crash_reports(data_dir: Path) -> list[Path]:
    """The reports of a data folder, the newest last."""
    return sorted((data_dir / FOLDER).glob("crash-*.txt"))


@contextlib.contextmanager
def watched(data_dir: Path, settings: Settings) -> Iterator[None]:
    """Leave a report if what is inside dies. The caller holds the lock of the data folder and has no log open yet."""
    folder = data_dir / FOLDER
    path = folder / f"running-{os.getpid()}.txt"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _finish_earlier(data_dir)
        path.write_text(_head(settings), encoding="utf-8")
        file = path.open("a", encoding="utf-8")
    except OSError:
        # A full disk must not keep the scheduler from starting: it says itself what it cannot write.
        yield
        return
    with file:
        try:
            with _fault_handler(file.fileno()):
                yield
        except ProActiveError:
            _remove(path)
            raise
        except Exception:
            file.write(f"It ended with an exception.\n\n{traceback.format_exc()}\n")
            file.flush()
            report = _finished(data_dir, path)
            print(f"The scheduler crashed. Attach this report when you report the fault: {report}", file=sys.stderr)
            raise
        except BaseException:
            _remove(path)
            raise
        else:
            _remove(path)


@contextlib.contextmanager
def _fault_handler(descriptor: int) -> Iterator[None]:
    """Have the fault handler write to the file, unless it is in use already, as in tests."""
    if faulthandler.is_enabled():
        yield
        return
    faulthandler.enable(descriptor, all_threads=True)
    try:
        yield
    finally:
        faulthandler.disable()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _head(settings: Settings) -> str:
    said = (
        ("scheduler", __version__),
        ("python", sys.version.replace("\n", " ")),
        ("platform", platform.platform()),
        ("process", os.getpid()),
        ("started", time.strftime("%Y-%m-%d %H:%M:%S")),
        ("boot", _boot_id()),
    )
    lines = [f"{name}: {value}" for name, value in said]
    lines += [
        f"setting {each.name}: {getattr(settings, each.name)!r}"
        for each in fields(settings)
        if each.name not in _PRIVATE
    ]
    return "\n".join(["The embedded scheduler of the ProActive Jupyter kernel", *lines, "", ""])


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _finish_earlier(data_dir: Path) -> None:
    """Reports of dead processes, since this one holds the lock. Switching the machine off is not a crash."""
    for path in sorted((data_dir / FOLDER).glob("running-*.txt")):
        content = path.read_text(encoding="utf-8", errors="replace")
        if f"boot: {_boot_id()}\n" not in content:
            path.unlink(missing_ok=True)
            continue
        if "Fatal Python error" not in content:
            with path.open("a", encoding="utf-8") as file:
                file.write(
                    "It ended without a traceback: it was killed (SIGKILL), as the system does when memory runs out.\n"
                )
        _finished(data_dir, path)


def _finished(data_dir: Path, path: Path) -> Path:
    """Add the last lines of the log and give the report its name."""
    with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
        with (data_dir / LOG_FILE).open(encoding="utf-8", errors="replace") as log:
            last = deque(log, maxlen=_LOG_LINES)
        file.write(f"\n{_BEGIN_OF_LOG}\n")
        file.writelines(last)
    died = time.strftime("%Y%m%d-%H%M%S", time.localtime(path.stat().st_mtime))
    report = path.replace(path.with_name(f"crash-{died}-{path.stem.removeprefix('running-')}.txt"))
    for old in crash_reports(data_dir)[:-_KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return report
