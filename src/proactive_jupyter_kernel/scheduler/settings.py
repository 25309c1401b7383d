"""The settings of the embedded scheduler: one table, from which the values, their checks and the docs come.

A setting is read from the environment of the process that starts the scheduler, under ``PROACTIVE_KERNEL_`` and its
name. This file keeps out everything that is not a number, a word or a folder: tokens and sessions are no settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["PREFIX", "SETTINGS", "NodeSource", "Setting", "Settings", "load"]

PREFIX = "PROACTIVE_KERNEL_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    #: The name in the environment, without `PREFIX`.
    name: str
    #: The field of `Settings`.
    field: str
    doc: str
    default: Callable[[], Any]
    read: Callable[[str], Any]
    #: What `read` accepts, for messages and docs.
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSource:
    """A node source beside `DEFAULT_SOURCE`."""

    name: str
    #: How many nodes it has.
    nodes: int
    #: The access tokens of each of its nodes.
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the scheduler runs with. Sizes are bytes, times are seconds."""

    slots: int
    node_sources: tuple[NodeSource, ...]
    idle_stop: float
    log_lines: int
    log_bytes: int
    body_limit: int
    check_seconds: float
    check_memory: int
    link_seconds: float
    session_timeout: float
    walltime: float
    warm: bool
    catalog: str
    trace: str


def _number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError(text)
        return value

    return read


def _seconds(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError(text)
    return value


#: ``NAME=NODES``, and the access tokens of its nodes: ``gpu=2:cuda,team``. Names as ProActive's models list them.
_NODE_SOURCE = re.compile(r"(?P<name>[\w.-]+)=(?P<nodes>\d{1,4})(?::(?P<tokens>[\w.-]+(?:,[\w.-]+)*))?")
#: The slots of `DEFAULT_SOURCE` are called local-0 and so on.
_RESERVED = ("default", "local")


def _node_sources(text: str) -> tuple[NodeSource, ...]:
    found: dict[str, NodeSource] = {}
    for part in text.split():
        match = _NODE_SOURCE.fullmatch(part)
        name = match["name"] if match else ""
        if match is None or name.lower() in _RESERVED or name in found or not int(match["nodes"]):
            raise ValueError(text)
        tokens = tuple(dict.fromkeys((match["tokens"] or "").split(","))) if match["tokens"] else ()
        found[name] = NodeSource(name=name, nodes=int(match["nodes"]), tokens=tokens)
    return tuple(found.values())


def _some_seconds(text: str) -> float:
    value = _seconds(text)
    if not value:
        raise ValueError(text)
    return value


def _memory(text: str) -> int:
    value = int(text)
    if value and value < 256 * _MEGABYTE:
        raise ValueError(text)
    return value


_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


def _processors() -> int:
    """How many processors this process may use; containers and ``taskset`` often give fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_MEGABYTE = 1024 * 1024

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="SLOTS",
        field="slots",
        doc="How many tasks run at the same time; by default one for each processor.",
        default=_processors,
        read=_number(1),
        kind="an integer of at least 1",
    ),
    Setting(
        name="NODE_SOURCES",
        field="node_sources",
        doc="Node sources beside Default, which has SLOTS nodes: names, how many nodes each has, and their access "
        "tokens. Their nodes come on top of SLOTS.",
        default=tuple,
        read=_node_sources,
        kind="NAME=NODES or NAME=NODES:TOKEN,TOKEN, several with blanks between them, such as "
        "'big=1 gpu=2:cuda,team'; the names Default and local are taken",
    ),
    Setting(
        name="IDLE_STOP",
        field="idle_stop",
        doc="After how many seconds without an alive job and without a request the scheduler stops itself; 0: never.",
        default=lambda: 1800.0,
        read=_seconds,
        kind="seconds, 0 or more",
    ),
    Setting(
        name="LOG_LINES",
        field="log_lines",
        doc="How many lines of a task's output are kept, the last ones.",
        default=lambda: 10_000,
        read=_number(1),
        kind="an integer of at least 1",
    ),
    Setting(
        name="LOG_BYTES",
        field="log_bytes",
        doc="How many bytes of a task's output are kept, the last ones.",
        default=lambda: 8 * _MEGABYTE,
        read=_number(1024),
        kind="an integer of at least 1024",
    ),
    Setting(
        name="BODY_LIMIT",
        field="body_limit",
        doc="The largest request body in bytes, workflow and variables together; larger ones are refused.",
        default=lambda: 64 * _MEGABYTE,
        read=_number(1024),
        kind="an integer of at least 1024",
    ),
    Setting(
        name="CHECK_SECONDS",
        field="check_seconds",
        doc="How many seconds the checks of a workflow may take; one that needs more is refused.",
        default=lambda: 120.0,
        read=_some_seconds,
        kind="seconds, more than 0",
    ),
    Setting(
        name="CHECK_MEMORY",
        field="check_memory",
        doc="How many bytes of memory the checks of a workflow may take, on Linux; 0: without limit.",
        default=lambda: 2048 * _MEGABYTE,
        read=_memory,
        kind="0, or an integer of at least 268435456 (256 MiB)",
    ),
    Setting(
        name="LINK_SECONDS",
        field="link_seconds",
        doc="How many seconds the scheduler waits for a workflow or a script that is named by its address.",
        default=lambda: 15.0,
        read=_some_seconds,
        kind="seconds, more than 0",
    ),
    Setting(
        name="SESSION_TIMEOUT",
        field="session_timeout",
        # The default of a ProActive server's session.timeout.
        doc="After how many seconds without a request a session ends.",
        default=lambda: 3600.0,
        read=_seconds,
        kind="seconds, 0 or more",
    ),
    Setting(
        name="WALLTIME",
        field="walltime",
        doc="How many seconds a task may run that sets no walltime itself; 0: without limit.",
        default=lambda: 0.0,
        read=_seconds,
        kind="seconds, 0 or more",
    ),
    Setting(
        name="WARM",
        field="warm",
        doc="Whether Python tasks start from a process that is kept warm, where the platform can; off: each anew.",
        default=lambda: True,
        read=_switch,
        kind="on or off",
    ),
    Setting(
        name="CATALOG",
        field="catalog",
        doc="The folder whose workflows and scripts are the catalog; by default catalog in the data folder.",
        default=str,
        read=str,
        kind="a folder",
    ),
    Setting(
        name="TRACE",
        field="trace",
        doc="A file that gets a line for each step of each task, for benchmarks/trace_task.py; by default none.",
        default=str,
        read=str,
        kind="a file",
    ),
)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings as `environment` (by default the process's) gives them.

    Raises `EmbeddedSchedulerError` that names the variable and what it must be.
    """
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = source.get(PREFIX + setting.name, "").strip()
        try:
            values[setting.field] = setting.read(text) if text else setting.default()
        except ValueError:
            raise EmbeddedSchedulerError(
                f"{PREFIX}{setting.name} is {text!r}, but it must be {setting.kind}.", hint=setting.doc
            ) from None
    return Settings(**values)
