"""The executor of a Dask cluster: its workers' threads are the slots, and nodes below the workers run the attempts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.attempt import DEFAULT_SOURCE, Attempt, Outcome, Selection, Slot
from proactive_jupyter_kernel.scheduler.executors.base import OutputSink, ProgressSink
from proactive_jupyter_kernel.scheduler.executors.dask.cluster import Cluster
from proactive_jupyter_kernel.scheduler.executors.dask.local_cluster import LocalCluster
from proactive_jupyter_kernel.scheduler.executors.dask.site import WorkerFacts, WorkerSite
from proactive_jupyter_kernel.scheduler.executors.dask.transfer import Transfer
from proactive_jupyter_kernel.scheduler.executors.node_executor import NodeExecutor
from proactive_jupyter_kernel.scheduler.executors.work import Nodes, Work
from proactive_jupyter_kernel.scheduler.executors.working_node import NodeLost
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.settings.executor_address import DaskAddress

__all__ = ["DaskExecutor"]

_LOGGER = logging.getLogger(__name__)
#: Seconds that the start waits at most until it is known whether the Dask scheduler answers, and then its workers.
_FIRST_ANSWER, _FIRST_WORKERS = 15.0, 5.0


class DaskExecutor(NodeExecutor):
    """See `Executor`. Make, `start` and use it in one event loop."""

    def __init__(self, address: DaskAddress, settings: NodeSettings, *, url: str = "", transfer_limit: int = 0) -> None:
        """`url`: of the scheduler, at which tasks reach it from this machine; empty: they do not.

        `transfer_limit`: bytes that are carried to a task, or from it; 0: any number.

        Raises `EmbeddedSchedulerError` where Dask is not installed."""
        super().__init__()
        _need_dask()
        self._address = address
        is_carried = address.files == "carried"
        self._settings = replace(settings, lease=address.lease, data_spaces=not is_carried, carried=is_carried)
        self._url = url
        self._transfer_limit = transfer_limit
        self._transfers: dict[str, Transfer] = {}
        self._local: LocalCluster | None = None
        self._cluster: Cluster | None = None
        #: By address.
        self._sites: dict[str, WorkerSite] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._port = urlsplit(url).port or 0
        self._slots: tuple[Slot, ...] = ()
        #: By the name of a slot, also of workers that are leaving.
        self._site_of: dict[str, WorkerSite] = {}
        self._changed: Callable[[], None] = lambda: None
        self._is_cluster_known = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    @property
    def troubles(self) -> list[str]:
        """Why nodes are missing, in sentences."""
        found = [self._cluster.trouble] if self._cluster is not None and self._cluster.trouble else []
        return found + [site.reason for site in self._sites.values() if site.reason]

    def watch_slots(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    async def start(self) -> None:
        """Find the cluster. Tasks wait while there are no workers; the start does so for a moment only."""
        address = self._address.scheduler
        if not address:
            self._local = await LocalCluster.start(workers=self._address.workers, threads=self._address.threads)
            address = self._local.address
        self._cluster = Cluster(address, self._workers_are)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ANSWER):
                await self._cluster.decided.wait()
            if self._sites:
                async with asyncio.timeout(_FIRST_WORKERS):
                    await asyncio.gather(*(site.decided.wait() for site in self._sites.values()))
        for trouble in self.troubles:
            _LOGGER.warning("%s", trouble)

    async def close(self) -> None:
        await self._stop_all()
        if self._cluster is not None:
            await self._cluster.close()
        await asyncio.gather(*(site.close() for site in self._sites.values()), *self._leaving)
        if self._local is not None:
            await self._local.close()

    def _nodes_of(self, slot: Slot) -> Nodes:
        try:
            return self._site_of[slot.name]
        except KeyError:
            raise NodeLost from None

    # --- files ---------------------------------------------------------------------------------------------------

    def _sent(self, attempt: Attempt) -> Attempt:
        """Its cache is one of the worker's, and it reaches the scheduler through the worker."""
        site = self._site_of.get(attempt.slot.name)
        if site is None:
            return attempt
        own = {"cachespace": f"{site.folder}/cache"} if self._settings.carried and attempt.spaces else {}
        return replace(
            attempt,
            spaces={**attempt.spaces, **own},
            inherited={**self._seen_from(site, attempt.inherited), **own},
            services=self._seen_from(site, attempt.services),
        )

    def _asked(self, selection: Selection) -> Selection:
        site = self._site_of.get(selection.slot.name)
        if site is None:
            return selection
        return replace(
            selection,
            variables=self._seen_from(site, selection.variables),
            services=self._seen_from(site, selection.services),
        )

    def _seen_from(self, site: WorkerSite, texts: Mapping[str, Any]) -> dict[str, Any]:
        """With the address at which the scheduler is reached from the worker."""
        if not self._url or not site.tunnel_port:
            return dict(texts)
        there = f"http://127.0.0.1:{site.tunnel_port}"
        return {
            name: text.replace(self._url, there, 1) if isinstance(text, str) and text.startswith(self._url) else text
            for name, text in texts.items()
        }

    def _answer(self, work: Work, attempt: Attempt, frame: Frame) -> None:
        transfer = self._transfers.get(attempt.key)
        if transfer is None:
            assert work.node is not None
            transfer = self._transfers[attempt.key] = Transfer(attempt, work.node.send, self._transfer_limit)
        transfer.take(frame)

    async def _run(self, work: Work, attempt: Attempt, output: OutputSink, progress: ProgressSink | None) -> Outcome:
        try:
            return await super()._run(work, attempt, output, progress)
        finally:
            if (transfer := self._transfers.pop(attempt.key, None)) is not None:
                await transfer.close()

    # --- workers -------------------------------------------------------------------------------------------------

    def _workers_are(self, workers: list[WorkerFacts] | None) -> None:
        """Take over the current workers; None: they are not known, so nothing is started, and what runs continues."""
        if self._is_closed:
            return
        self._is_cluster_known = workers is not None
        if workers is None:
            self._slots_change()
            return
        present = {facts.address: facts for facts in workers}
        for address, site in list(self._sites.items()):
            if address not in present or present[address] != site.facts:
                del self._sites[address]
                leaving = asyncio.get_running_loop().create_task(self._leave(site))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
        for address, facts in present.items():
            if address not in self._sites:
                self._sites[address] = WorkerSite(facts, self._settings, self._port, self._slots_change)
        self._slots_change()

    async def _leave(self, site: WorkerSite) -> None:
        """Keep the nodes of a worker that has left the cluster until their tasks have ended, then forget it."""
        await site.leave()
        self._site_of = {name: known for name, known in self._site_of.items() if known is not site}

    def _slots_change(self) -> None:
        ready = [site for site in self._sites.values() if site.is_ready and self._is_cluster_known]
        names = [site.facts.name for site in ready]
        hosts: dict[str, set[str]] = {}
        for site in ready:
            hosts.setdefault(site.host, set()).add(site.facts.host)
        found: list[tuple[int, Slot, WorkerSite]] = []
        for site in ready:
            # Several machines of the same name are told apart by their addresses.
            host = site.host if len(hosts[site.host]) == 1 else site.facts.host
            name = site.facts.name
            if names.count(name) > 1:
                name = f"{name}-{site.facts.address.rpartition(':')[2]}"
            for number in range(site.facts.threads):
                slot = Slot(
                    name=f"{name}-{number}",
                    host=host,
                    source=self._source(host, name),
                    tokens=_tokens(site.facts, number),
                    site=site.facts.address if self._settings.carried else "",
                )
                found.append((number, slot, site))
        # The first ones of all workers come first, so that tasks spread over them; and those without tokens.
        found.sort(key=lambda entry: (bool(entry[1].tokens), entry[0]))
        if self._address.nodes:
            found = found[: self._address.nodes]
        self._site_of.update({slot.name: site for _, slot, site in found})
        slots = tuple(slot for _, slot, _ in found)
        if slots != self._slots:
            self._slots = slots
            self._changed()

    def _source(self, host: str, worker: str) -> str:
        return {"host": host, "worker": worker}.get(self._address.sources, DEFAULT_SOURCE)


def _tokens(facts: WorkerFacts, number: int) -> tuple[str, ...]:
    """A worker with two of a resource has two nodes with the token of that name."""
    return tuple(sorted(name for name, amount in facts.resources.items() if number < amount))


def _need_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise EmbeddedSchedulerError(
            f"Tasks cannot run on Dask: {error}.",
            hint='Install it with the extra: pip install "proactive-jupyter-kernel[dask]".',
        ) from None
