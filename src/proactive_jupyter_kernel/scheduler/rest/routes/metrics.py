"""``/metrics`` for Prometheus (text format 0.0.4) and ``/status`` as JSON: how the scheduler does, in numbers.

Both are answered without a session: the scheduler listens at 127.0.0.1 alone, and no name of a job, task or user is in
them. They stand beside ``/rest``, for a ProActive server has neither.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Route
from proactive_jupyter_kernel.scheduler.service.overview import Overview
from proactive_jupyter_kernel.version import __version__

__all__ = ["METRICS", "OUTSIDE", "Metric", "text"]

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: All names begin so, but for those that every exporter has.
_PREFIX = "proactive_"

#: A number, or numbers by the value of a label.
_Value: TypeAlias = "float | Mapping[str, float]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the table."""

    name: str
    kind: str
    doc: str
    value: Callable[[Measures, Overview], _Value]
    #: The label of a value that is a mapping.
    label: str = ""


def _counter(name: str, doc: str, value: Callable[[Measures, Overview], _Value], label: str = "") -> Metric:
    return Metric(name=f"{_PREFIX}{name}_total", kind="counter", doc=doc, value=value, label=label)


def _gauge(name: str, doc: str, value: Callable[[Measures, Overview], _Value], label: str = "") -> Metric:
    return Metric(name=_PREFIX + name, kind="gauge", doc=doc, value=value, label=label)


def _nodes(part: str) -> Callable[[Measures, Overview], _Value]:
    return lambda measures, now: {source: counts[part] for source, counts in now.nodes.items()}


METRICS: tuple[Metric, ...] = (
    _gauge("info", "1; the label has the version.", lambda measures, now: {__version__: 1}, "version"),
    _gauge("up_status", "1; the label has what the scheduler does.", lambda measures, now: {now.status: 1}, "status"),
    _gauge("uptime_seconds", "Seconds since the start.", lambda measures, now: now.uptime_seconds),
    _gauge("jobs_alive", "Jobs that have not ended, by status.", lambda measures, now: now.jobs_alive, "status"),
    _counter("jobs_submitted", "Jobs that were accepted.", lambda measures, now: measures.jobs_submitted),
    _counter("jobs_refused", "Workflows that were refused.", lambda measures, now: measures.jobs_refused),
    _counter("jobs_ended", "Jobs that ended, by status.", lambda measures, now: measures.jobs_ended, "status"),
    _gauge("tasks_pending", "Tasks of living jobs that have not started.", lambda measures, now: now.tasks_pending),
    _gauge("tasks_running", "Tasks that run.", lambda measures, now: now.tasks_running),
    _gauge("tasks_in_error", "Tasks that are in error.", lambda measures, now: now.tasks_in_error),
    _counter("attempts_started", "Executions of tasks.", lambda measures, now: measures.attempts_started),
    _counter(
        "attempts_ended",
        "Executions that ended, by their outcome: success, or the kind of failure.",
        lambda measures, now: measures.attempts_ended,
        "outcome",
    ),
    _counter("attempts_killed", "Executions that were killed.", lambda measures, now: measures.attempts_killed),
    _counter(
        "attempt_seconds", "How long the executions that ended took.", lambda measures, now: measures.attempt_seconds
    ),
    _gauge("nodes", "Nodes, by node source.", _nodes("total"), "source"),
    _gauge("nodes_free", "Free nodes, by node source.", _nodes("free"), "source"),
    _gauge("nodes_locked", "Locked nodes, by node source.", _nodes("locked"), "source"),
    _gauge("store_bytes", "Size of the database on disk.", lambda measures, now: now.store_bytes),
    _gauge(
        "disk_free_bytes", "Free space of the disk with the data folder.", lambda measures, now: now.disk_free_bytes
    ),
    _counter("store_batches", "Transactions of the store.", lambda measures, now: measures.batches),
    _counter("store_seconds", "How long these transactions took.", lambda measures, now: measures.batch_seconds),
    _counter("store_failures", "Transactions that failed.", lambda measures, now: measures.batches_failed),
    _counter(
        "requests",
        "Requests that were answered, by HTTP status.",
        lambda measures, now: {str(status): count for status, count in measures.requests.items()},
        "status",
    ),
    _counter("request_seconds", "How long these answers took.", lambda measures, now: measures.request_seconds),
    _gauge("subscribers", "Open sockets of the push channel.", lambda measures, now: now.subscribers),
    _counter(
        "subscribers_dropped",
        "Sockets that were closed because their client did not read.",
        lambda measures, now: measures.subscribers_dropped,
    ),
    _counter("frames_sent", "Frames of the push channel.", lambda measures, now: measures.frames_sent),
    _counter("frame_bytes", "Bytes of these frames.", lambda measures, now: measures.frame_bytes),
    Metric(
        name="process_cpu_seconds_total",
        kind="counter",
        doc="Processor time of the scheduler, without its tasks.",
        value=lambda measures, now: time.process_time(),
    ),
    Metric(
        name="process_start_time_seconds",
        kind="gauge",
        doc="When the scheduler started, in seconds since the epoch.",
        value=lambda measures, now: measures.started_at / 1000,
    ),
    *(
        [
            Metric(
                name="process_resident_memory_bytes",
                kind="gauge",
                doc="Memory of the scheduler, without its tasks.",
                value=lambda measures, now: _resident(),
            )
        ]
        if sys.platform == "linux"
        else []
    ),
)


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def text(measures: Measures, now: Overview) -> str:
    """All metrics in the text format."""
    return "".join(line + "\n" for metric in METRICS for line in _lines(metric, metric.value(measures, now)))


def _lines(metric: Metric, value: _Value) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.doc}"
    yield f"# TYPE {metric.name} {metric.kind}"
    if not isinstance(value, Mapping):
        yield f"{metric.name} {value:g}" if isinstance(value, float) and value < 1e5 else f"{metric.name} {value}"
        return
    for label, number in sorted(value.items()):
        yield f'{metric.name}{{{metric.label}="{_escaped(label)}"}} {number}'


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


async def metrics(call: Call) -> Response:
    """For Prometheus."""
    content = text(call.service.measures, call.service.overview())
    return Response(content, headers={"Content-Type": _CONTENT_TYPE})


async def status(call: Call) -> Response:
    """For ``proactive-kernel scheduler status``."""
    now = call.service.overview()
    process = {"version": __version__, "python": platform.python_version(), "pid": os.getpid()}
    return json_answer({**process, **asdict(now)})


OUTSIDE = (
    Route("GET", "/metrics", metrics, "Metrics for Prometheus.", session=False, gives=ANYTHING),
    Route("GET", "/status", status, "The scheduler at a glance.", session=False),
)
