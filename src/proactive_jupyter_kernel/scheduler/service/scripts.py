"""The scripts of tasks that stand at addresses: read before an attempt goes to its node.

A file is read each time, so that an attempt runs it as it is. A link is read once a job, so that all tasks of a job run
the same text. After a failure the next task that needs it tries again, but not within some seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Selection
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog, UnknownObject
from proactive_jupyter_kernel.scheduler.sources.links import LinkFailed, Links
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

__all__ = ["ScriptUnavailable", "Scripts"]

#: Bytes; a larger text is not a script.
_LARGEST = 8 * 1024 * 1024
#: Bytes of scripts that are kept; beyond them the oldest ones are read again when they are needed.
_MOST_KEPT = 64 * 1024 * 1024
#: Seconds for which a link that failed is not tried again: other tasks of the job fail at once, and hold no slot. Less
#: than the first delay of a retry (`rules.growing_delay`).
_FAILED_FOR = 1.5
#: Links of a job that are read as soon as it is submitted.
_MOST_AHEAD = 16
_LINKS = ("http", "https")


class ScriptUnavailable(Exception):
    """A script of a task cannot be read; the text is the whole message."""


@dataclass(slots=True)
class _Link:
    """A link that a job uses."""

    reading: asyncio.Task[str]
    #: When it failed, by the monotonic clock; 0.0: it did not.
    failed_at: float = 0.0
    size: int = 0


class Scripts:
    """Reads and remembers. Belongs to one event loop."""

    def __init__(self, links: Links, catalog: Catalog, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`catalog` is the scheduler's own: its files are read, for a task has no session."""
        self._links = links
        self._catalog = catalog
        self._clock = clock
        self._known: dict[tuple[int, str], _Link] = {}

    # --- what is run ---------------------------------------------------------------------------------------------

    @staticmethod
    def needed(work: Attempt | Selection) -> bool:
        """Whether a script of it stands at an address."""
        return any(map(_is_remote, _scripts_of(work)))

    async def completed(self, attempt: Attempt) -> tuple[Attempt, str]:
        """The attempt with the code of all its scripts; and why its clean script is left out, if it is.

        Raises `ScriptUnavailable` for the first of the others that cannot be read, in the order in which they run.
        """
        job = attempt.job_id
        fork = attempt.fork_environment
        if fork is not None and fork.script is not None:
            fork = replace(fork, script=await self._read(job, "fork environment script", fork.script))
        pre = await self._optional(job, "pre script", attempt.pre)
        main = attempt.main
        if isinstance(main, Script):
            main = await self._read(job, "task", main)
        post = await self._optional(job, "post script", attempt.post)
        flow = attempt.flow
        if flow is not None:
            flow = replace(flow, script=await self._read(job, "control flow script", flow.script))
        clean, why = attempt.clean, ""
        try:
            clean = await self._optional(job, "clean script", clean)
        except ScriptUnavailable as error:
            clean, why = None, str(error)
        return replace(attempt, fork_environment=fork, pre=pre, main=main, post=post, flow=flow, clean=clean), why

    async def completed_selection(self, selection: Selection) -> Selection:
        """The same for selection scripts. Raises `ScriptUnavailable`."""
        scripts = []
        for entry in selection.scripts:
            script = await self._read(selection.job_id, "selection script", entry.script)
            scripts.append(replace(entry, script=script))
        return replace(selection, scripts=tuple(scripts))

    # --- jobs ----------------------------------------------------------------------------------------------------

    def tasks_with_links(self, workflow: Workflow) -> dict[str, list[str]]:
        """The tasks whose scripts are read as soon as their job is submitted, and the links of each."""
        found: dict[str, list[str]] = {}
        links: dict[str, None] = {}
        for task in workflow.tasks:
            own = [script.url for script in _scripts_in(task) if _is_remote(script) and self._is_link(script.url)]
            if own and len(links.keys() | set(own)) <= _MOST_AHEAD:
                found[task.name] = own
                links.update(dict.fromkeys(own))
        return found

    async def read_ahead(self, job_id: int, tasks: Mapping[str, Sequence[str]]) -> None:
        """Read the links of a new job's tasks, so that they need not wait for them on their slots."""
        links = dict.fromkeys(url for urls in tasks.values() for url in urls)
        await asyncio.wait([self._link(job_id, url).reading for url in links])

    def forget(self, job_id: int) -> None:
        """The job has ended."""
        for key in [key for key in self._known if key[0] == job_id]:
            self._known.pop(key).reading.cancel()

    def close(self) -> None:
        """End what is being read."""
        for link in self._known.values():
            link.reading.cancel()
        self._known.clear()

    # --- one script ----------------------------------------------------------------------------------------------

    async def _optional(self, job_id: int, what: str, script: Script | None) -> Script | None:
        return None if script is None else await self._read(job_id, what, script)

    async def _read(self, job_id: int, what: str, script: Script) -> Script:
        """The script with its code, and its language where only the address tells it.

        `what` it is stands in the message, as in those of stages (`StageKind.prefix`).
        """
        if not _is_remote(script):
            return script
        url = script.url
        try:
            path = await asyncio.to_thread(self._catalog.at, url) if self._is_own(url) else None
        except (UnknownObject, OSError) as error:
            raise ScriptUnavailable(f"Failed to execute {what}: its script is at {url}: {error}") from error
        address = url if path is None else path.as_uri()
        scheme = _scheme(address)
        try:
            if scheme == "file":
                code = _text(await self._links.read(address, largest=_LARGEST))
            elif scheme in _LINKS:
                code = await asyncio.shield(self._link(job_id, address).reading)
            else:
                raise ScriptUnavailable(
                    f"Failed to execute {what}: its script is at {url}, and only http, https and file addresses are "
                    "read"
                )
        except LinkFailed as error:
            raise ScriptUnavailable(
                f"Failed to execute {what}: its script cannot be read from {url}: {error}"
            ) from error
        language = script.language or PurePosixPath(urlsplit(address).path).suffix.removeprefix(".")
        return replace(script, code=code, language=language)

    def _is_link(self, url: str) -> bool:
        return _scheme(url) in _LINKS and not self._is_own(url)

    def _is_own(self, url: str) -> bool:
        return self._catalog.has_address(url)

    def _link(self, job_id: int, url: str) -> _Link:
        known = self._known.get((job_id, url))
        if known is not None and not (known.failed_at and self._clock() - known.failed_at >= _FAILED_FOR):
            return known
        link = self._known[job_id, url] = _Link(reading=asyncio.ensure_future(self._fetch(job_id, url)))
        # Nobody may be waiting for one that was read ahead.
        link.reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return link

    async def _fetch(self, job_id: int, url: str) -> str:
        try:
            data = await self._links.read(url, largest=_LARGEST)
        except LinkFailed:
            if (link := self._known.get((job_id, url))) is not None:
                link.failed_at = self._clock()
            raise
        if (link := self._known.get((job_id, url))) is not None:
            link.size = len(data)
            self._shrink()
        return _text(data)

    def _shrink(self) -> None:
        size = sum(link.size for link in self._known.values())
        for key, link in list(self._known.items()):
            if size <= _MOST_KEPT or len(self._known) == 1:
                return
            if link.size:
                size -= self._known.pop(key).size


def _is_remote(script: Script) -> bool:
    return bool(script.url) and not script.code


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace")


def _scripts_of(work: Attempt | Selection) -> Iterator[Script]:
    if isinstance(work, Selection):
        yield from (entry.script for entry in work.scripts)
        return
    fork = work.fork_environment
    flow = work.flow
    for script in (
        work.main,
        work.pre,
        work.post,
        work.clean,
        None if fork is None else fork.script,
        None if flow is None else flow.script,
    ):
        if isinstance(script, Script):
            yield script


def _scripts_in(task: Task) -> Iterator[Script]:
    fork, flow = task.fork_environment, task.flow
    for script in (
        *(entry.script for entry in task.selection),
        None if fork is None else fork.script,
        task.pre,
        task.executable,
        task.post,
        None if flow is None else flow.script,
        task.clean,
    ):
        if isinstance(script, Script):
            yield script
