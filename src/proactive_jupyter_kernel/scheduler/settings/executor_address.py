"""What runs the tasks, as the setting EXECUTOR and the option ``--executor`` name it: this machine, or Dask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

__all__ = ["FORMS", "LOCAL", "DaskAddress", "ExecutorAddress", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskAddress:
    """A Dask cluster, and how it is used."""

    #: Of its scheduler, such as ``tcp://10.0.0.1:8786``; empty: a ``LocalCluster`` that is started on demand.
    scheduler: str = ""
    #: How many workers a `LocalCluster` gets, and how many threads each; 0 workers: as many as SLOTS says.
    workers: int = 0
    threads: int = 1
    #: How many nodes there are at most; 0: one for each thread of each worker.
    nodes: int = 0
    #: What the nodes are grouped by into node sources: ``host``, ``worker``, or ``none``, which puts all into Default.
    sources: str = ""
    #: ``carried``: input and output files travel through the scheduler; ``shared``: workers see its folders.
    files: str = ""
    #: How many seconds a task may run on while its worker cannot reach the scheduler.
    lease: float = 15.0
    #: The text that was read.
    text: str = "dask"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Local:
    def __str__(self) -> str:
        return "local"


#: This machine.
LOCAL = _Local()
ExecutorAddress: TypeAlias = _Local | DaskAddress

#: What `read` accepts, after "it must be".
FORMS = (
    "local, dask, dask://local?workers=4 or dask://HOST:PORT, with further options after the question mark: "
    "nodes, sources, files, lease, and for dask://local workers and threads"
)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+):(?P<port>\d{1,5})")
_SCHEMES = {"dask://": "tcp", "dask+tls://": "tls"}


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 9999:
        raise ValueError(text)
    return value


def _lease(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 3600:
        raise ValueError(text)
    return value


def _word(*words: str) -> Callable[[str], str]:
    def read_word(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return read_word


_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "workers": _count,
    "threads": _count,
    "nodes": _count,
    "sources": _word("host", "worker", "none"),
    "files": _word("carried", "shared"),
    "lease": _lease,
}
#: Options of a cluster that is started on demand.
_OWN = ("workers", "threads")


def read(text: str) -> ExecutorAddress:
    """Read it. Raises ValueError for anything else."""
    try:
        return _read(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an executor: it must be {FORMS}") from error


def _read(text: str) -> ExecutorAddress:
    place, _, query = text.strip().partition("?")
    if place.lower() == "local" and not query:
        return LOCAL
    options = {name: _OPTIONS[name](value) for name, value in _pairs(query)}
    if place.lower() in ("dask", "dask://local"):
        return replace(DaskAddress(sources="none", files="shared", text=text.strip()), **options)
    scheme = next((scheme for scheme in _SCHEMES if place.lower().startswith(scheme)), None)
    if scheme is None or set(options) & set(_OWN):
        raise ValueError(text)
    match = _HOST.fullmatch(place[len(scheme) :].rstrip("/"))
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise ValueError(text)
    address = f"{_SCHEMES[scheme]}://{match[0]}"
    return replace(DaskAddress(scheduler=address, sources="host", files="carried", text=text.strip()), **options)


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    if any(name not in _OPTIONS for name, _ in pairs):
        raise ValueError(query)
    return pairs
