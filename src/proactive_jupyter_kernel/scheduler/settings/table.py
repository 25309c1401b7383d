"""The settings of the embedded scheduler: one table, from which the values, their checks and the docs come.

A setting is read from the environment of the process that starts the scheduler, under ``PROACTIVE_KERNEL_`` and its
name. This file keeps out everything that is not a number, a word or a folder: tokens and sessions are not settings.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.settings import executor_address
from proactive_jupyter_kernel.scheduler.settings.executor_address import ExecutorAddress
from proactive_jupyter_kernel.scheduler.settings.kinds import (
    FILE,
    FOLDER,
    GIBIBYTE,
    MEBIBYTE,
    NODE_SOURCES,
    SECONDS,
    SOME_SECONDS,
    SWITCH,
    NodeSource,
    SettingKind,
    count,
    one_of,
    size,
)

__all__ = ["PREFIX", "SETTINGS", "NodeSource", "Setting", "Settings", "load", "misspelt", "reference", "shown"]

PREFIX = "PROACTIVE_KERNEL_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    #: The name in the environment, without `PREFIX`.
    name: str
    #: The field of `Settings`.
    field: str
    kind: SettingKind
    default: Callable[[], Any]
    #: What it does; for a limit also what happens beyond it, and where that is said.
    doc: str
    #: The default in words, where it depends on the machine or the data folder.
    default_text: str = ""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the scheduler runs with. Sizes are bytes, times are seconds; of limits 0 means none."""

    executor: ExecutorAddress
    slots: int
    node_sources: tuple[NodeSource, ...]
    idle_stop: float
    log_lines: int
    log_bytes: int
    result_bytes: int
    task_memory: int
    resident_memory: int
    body_limit: int
    upload_limit: int
    transfer_limit: int
    jobs_kept: int
    jobs_days: float
    store_bytes: int
    check_seconds: float
    check_memory: int
    link_seconds: float
    session_timeout: float
    walltime: float
    warm: bool
    catalog: str
    log_format: str
    trace: str


def _processors() -> int:
    """How many processors this process may use; containers and ``taskset`` often give fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quarter_of_memory() -> int:
    """A quarter of the machine's memory; half a gibibyte where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, OSError, ValueError):
        return GIBIBYTE // 2


def _days(text: str) -> float:
    value = float(text)
    # Dates before the year 1 are none.
    if not 0 <= value <= 700_000:
        raise ValueError(text)
    return value


EXECUTOR = SettingKind(text=executor_address.FORMS, read=executor_address.read)
_DAYS = SettingKind(text="days, from 0 to 700000", read=_days, unit="days")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="EXECUTOR",
        field="executor",
        kind=EXECUTOR,
        default=lambda: executor_address.LOCAL,
        doc="What runs the tasks: this machine, or the workers of a Dask cluster (docs/guides/dask.md).",
    ),
    Setting(
        name="SLOTS",
        field="slots",
        kind=count(1, "tasks", most=9999),
        default=_processors,
        default_text="one for each processor",
        doc="How many tasks run at the same time: the number of nodes of the node source Default. Others wait. On a "
        "Dask cluster: how many of its workers' threads are nodes at most; not set: all of them.",
    ),
    Setting(
        name="NODE_SOURCES",
        field="node_sources",
        kind=NODE_SOURCES,
        default=tuple,
        doc="Node sources beside Default, which has SLOTS nodes: names, how many nodes each has, and their access "
        "tokens. Their nodes come on top of SLOTS.",
    ),
    Setting(
        name="IDLE_STOP",
        field="idle_stop",
        kind=SECONDS,
        default=lambda: 1800.0,
        doc="After how many seconds without an alive job and without a request the scheduler stops itself; 0: never.",
    ),
    Setting(
        name="LOG_LINES",
        field="log_lines",
        kind=count(1, "lines"),
        default=lambda: 10_000,
        doc="How many lines of a task's output are kept, the last ones. The log begins with how many were dropped.",
    ),
    Setting(
        name="LOG_BYTES",
        field="log_bytes",
        kind=size(1024),
        default=lambda: 8 * MEBIBYTE,
        doc="How many bytes of a task's output are kept, the last ones. The log begins with how many lines were "
        "dropped.",
    ),
    Setting(
        name="RESULT_BYTES",
        field="result_bytes",
        kind=size(1024, unlimited=True),
        default=lambda: 64 * MEBIBYTE,
        doc="The largest result of a task together with the variables that it sets, as JSON; 0: no limit. A task with "
        "a larger one is faulty, and its log says how large it was. Large data belongs in files.",
    ),
    Setting(
        name="TASK_MEMORY",
        field="task_memory",
        kind=size(16 * MEBIBYTE, unlimited=True),
        default=lambda: 0,
        doc="How much memory a task may use together with the programs that it starts, on Linux; 0: no limit. A task "
        "that uses more is killed and faulty, and its log says how much it used. There is no limit by default, since "
        "no number fits one large task on a laptop and many on a server; set one where people share a machine.",
    ),
    Setting(
        name="RESIDENT_MEMORY",
        field="resident_memory",
        kind=size(16 * MEBIBYTE, unlimited=True),
        default=_quarter_of_memory,
        default_text="a quarter of the machine's memory",
        doc="How much memory the Java machines may take that nodes keep between scripts in Groovy, Jython and Scala, "
        "on Linux; 0: no limit. Each node has an equal share: beyond it, it ends those that were not used for the "
        "longest time, but one. After a script, while the machine has less than 1 GiB free, a node keeps none.",
    ),
    Setting(
        name="BODY_LIMIT",
        field="body_limit",
        kind=size(1024),
        default=lambda: 64 * MEBIBYTE,
        doc="The largest request body, workflow and variables together; larger ones are refused. Files in data spaces "
        "have a limit of their own.",
    ),
    Setting(
        name="UPLOAD_LIMIT",
        field="upload_limit",
        kind=size(1024, unlimited=True),
        default=lambda: 16 * GIBIBYTE,
        doc="The largest file that a client may upload to a data space; 0: no limit. Larger ones are refused.",
    ),
    Setting(
        name="TRANSFER_LIMIT",
        field="transfer_limit",
        kind=size(1024, unlimited=True),
        default=lambda: 16 * GIBIBYTE,
        doc="How many bytes of files the scheduler carries to a task on a Dask worker, and how many from it; 0: no "
        "limit. A task with more is faulty, and its log says so.",
    ),
    Setting(
        name="JOBS_KEPT",
        field="jobs_kept",
        kind=count(0, "jobs"),
        default=lambda: 20_000,
        doc="How many ended jobs are kept, with their results and logs; 0: all. Beyond that those that ended first are "
        "removed, and the scheduler's log says how many.",
    ),
    Setting(
        name="JOBS_DAYS",
        field="jobs_days",
        kind=_DAYS,
        default=lambda: 0.0,
        doc="After how many days ended jobs are removed, with their results and logs; 0: never. The scheduler's log "
        "says how many.",
    ),
    Setting(
        name="STORE_BYTES",
        field="store_bytes",
        kind=size(MEBIBYTE, unlimited=True),
        default=lambda: 0,
        doc="How large the store may become; 0: no limit. While it is larger, new jobs are refused, and the refusal "
        "says how large it is. There is no limit by default, since JOBS_KEPT bounds the store of usual jobs, and "
        "`scheduler status` and the log warn before the disk is full.",
    ),
    Setting(
        name="CHECK_SECONDS",
        field="check_seconds",
        kind=SOME_SECONDS,
        default=lambda: 120.0,
        doc="How many seconds the checks of a workflow may take; one that needs more is refused.",
    ),
    Setting(
        name="CHECK_MEMORY",
        field="check_memory",
        kind=size(256 * MEBIBYTE, unlimited=True),
        default=lambda: 2 * GIBIBYTE,
        doc="How much memory the checks of a workflow may take, on Linux; 0: no limit. One that needs more is refused.",
    ),
    Setting(
        name="LINK_SECONDS",
        field="link_seconds",
        kind=SOME_SECONDS,
        default=lambda: 15.0,
        doc="How many seconds the scheduler waits for a workflow or a script that is named by its address.",
    ),
    Setting(
        name="SESSION_TIMEOUT",
        field="session_timeout",
        kind=SECONDS,
        # The default of a ProActive server's session.timeout.
        default=lambda: 3600.0,
        doc="After how many seconds without a request a session ends.",
    ),
    Setting(
        name="WALLTIME",
        field="walltime",
        kind=SECONDS,
        default=lambda: 0.0,
        doc="How many seconds a task may run that sets no walltime itself; 0: no limit.",
    ),
    Setting(
        name="WARM",
        field="warm",
        kind=SWITCH,
        default=lambda: True,
        doc="Whether Python tasks are forked from a warm process, where the platform can; off: each starts a new one.",
    ),
    Setting(
        name="CATALOG",
        field="catalog",
        kind=FOLDER,
        default=str,
        default_text="catalog in the data folder",
        doc="The folder whose workflows and scripts are the catalog.",
    ),
    Setting(
        name="LOG_FORMAT",
        field="log_format",
        kind=one_of("text", "json"),
        default=lambda: "text",
        doc="How the scheduler writes its own log, scheduler.log in the data folder: text, or json, one object a line.",
    ),
    Setting(
        name="TRACE",
        field="trace",
        kind=FILE,
        default=str,
        doc="A file that gets a line for each step of each task, for benchmarks/trace_task.py.",
    ),
)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings as `environment` (by default the process's) gives them.

    Raises `EmbeddedSchedulerError` that names the variable and what it must be.
    """
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = source.get(setting.variable, "").strip()
        try:
            values[setting.field] = setting.kind.read(text) if text else setting.default()
        except (ValueError, OverflowError):
            raise EmbeddedSchedulerError(
                f"{setting.variable} is {text!r}, but it must be {setting.kind.text}.", hint=setting.doc
            ) from None
    return Settings(**values)


def misspelt(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables that are ignored, as no setting has that name, and the setting that each most likely means."""
    known = [setting.variable for setting in SETTINGS]
    source = os.environ if environment is None else environment
    others = (name for name in sorted(source) if name.startswith(PREFIX) and name not in known)
    found = ((name, difflib.get_close_matches(name, known, n=1, cutoff=0.85)) for name in others)
    return {name: near[0] for name, near in found if near}


def shown(value: Any) -> str:
    """A value as one would write it into the environment."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _default(setting: Setting) -> str:
    if setting.default_text:
        return setting.default_text
    value = setting.default()
    if setting.kind.unit == "bytes" and value:
        power, name = (GIBIBYTE, "GiB") if value >= GIBIBYTE else (MEBIBYTE, "MiB")
        return f"{value // power} {name}"
    text = shown(value) or "none"
    return f"{text} {setting.kind.unit}" if setting.kind.unit and text not in ("none", "0") else text


def reference() -> str:
    """docs/reference/settings.md."""
    rows = "\n".join(
        f"| `{setting.variable}` | {setting.doc} | {setting.kind.text} | {_default(setting)} |" for setting in SETTINGS
    )
    return (
        "# Settings of the embedded scheduler\n\n"
        "They are environment variables of the process that starts the scheduler. `proactive-kernel scheduler\n"
        "settings` shows their values. A wrong value is an error at the start. In sizes k, M, G and T are powers of\n"
        "1,024.\n\n"
        f"| variable | meaning | value | default |\n| --- | --- | --- | --- |\n{rows}\n"
    )
