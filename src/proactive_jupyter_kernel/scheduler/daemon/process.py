"""The process of the embedded scheduler: one per user and data folder, at 127.0.0.1, until it is stopped or idle.

It joins store, executor, service, REST and portals, holds the lock and the address file, and shuts down gracefully on
SIGTERM: running tasks are ended and run again at the next start, as after a crash. While nothing happens nothing wakes
it up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import garbage_collector, java_libraries
from proactive_jupyter_kernel.scheduler import settings as settings_table
from proactive_jupyter_kernel.scheduler.access import lasting
from proactive_jupyter_kernel.scheduler.access.credentials import Credentials
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.daemon.address import DataFolderInUse, Holder, locked
from proactive_jupyter_kernel.scheduler.daemon.listening import HOST, Server, bound
from proactive_jupyter_kernel.scheduler.daemon.signals import Signals
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.monitoring import crash_report, own_log, tracing
from proactive_jupyter_kernel.scheduler.monitoring.disk import DiskWatch
from proactive_jupyter_kernel.scheduler.portals.app import Portals
from proactive_jupyter_kernel.scheduler.rest.app import App
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Sessions
from proactive_jupyter_kernel.scheduler.service import value_files
from proactive_jupyter_kernel.scheduler.service.checking import InProcess
from proactive_jupyter_kernel.scheduler.service.service import Service, now_ms
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.settings import Settings, executor_address
from proactive_jupyter_kernel.scheduler.settings.executor_address import DaskAddress
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.scheduler.spaces.staging import clean_cache
from proactive_jupyter_kernel.scheduler.store.opening import Opened, open_store
from proactive_jupyter_kernel.user import user_name
from proactive_jupyter_kernel.version import __version__

__all__ = ["DataFolderInUse", "serve"]

_log = logging.getLogger(__name__)

#: Seconds after which the files by which clients find the scheduler are looked at, with a request and without one.
_RESTORE_EVERY, _LOOK_AT_FILES_EVERY = 1.0, 30.0
#: Seconds that somebody has to move a data folder back before its scheduler stops.
_GONE_PATIENCE = 60.0


def serve(data_dir: Path, port: int = 0, *, settings: Settings | None = None) -> None:
    """Run the scheduler on `data_dir` until it is stopped. `port` 0: the lasting one if there is one, else any.

    Raises `DataFolderInUse` if another one runs there, and `EmbeddedSchedulerError` for a port in use, a folder that
    cannot be written, a database of a newer version or a wrong setting.
    """
    _make_private(data_dir)
    chosen = settings or _settings(data_dir)
    tracing.begin(chosen.trace)
    # The processes of tasks find the libraries by it.
    os.environ[java_libraries.VARIABLE] = str(java_libraries.folder_of(data_dir))
    with (
        Signals() as signals,
        locked(data_dir) as holder,
        crash_report.watched(data_dir, chosen),
        own_log.writing(data_dir, chosen.log_format),
        bound(data_dir, port) as listener,
    ):
        opened = open_store(data_dir / "scheduler.db", log_lines=chosen.log_lines, log_bytes=chosen.log_bytes)
        for notice in opened.notices:
            print(f"Warning: {notice}", file=sys.stderr, flush=True)
        try:
            asyncio.run(_Daemon(data_dir, holder, listener, chosen, opened).run(signals))
        finally:
            opened.store.close()


def _settings(data_dir: Path) -> Settings:
    """The settings; where they do not say what runs the tasks, the data folder does."""
    found, executor = settings_table.load(), lasting.load(data_dir).executor
    if not executor or os.environ.get(f"{settings_table.PREFIX}EXECUTOR", "").strip():
        return found
    try:
        return replace(found, executor=executor_address.read(executor))
    except ValueError:
        raise EmbeddedSchedulerError(
            f"The lasting executor of {data_dir} is {executor!r}, but it must be {executor_address.FORMS}.",
            hint="Choose it again with `proactive-kernel scheduler start --executor`.",
        ) from None


def _make_private(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(data_dir, 0o700)
    except OSError as error:
        raise EmbeddedSchedulerError(
            f"The data folder {data_dir} cannot be used: {error.strerror or error}.",
            hint="Choose another folder with --data-dir or PROACTIVE_KERNEL_DATA_DIR.",
        ) from error


class _Daemon:
    """One run of the scheduler."""

    def __init__(
        self, data_dir: Path, holder: Holder, listener: socket.socket, settings: Settings, opened: Opened
    ) -> None:
        self._data_dir = data_dir
        self._holder = holder
        self._listener = listener
        self._settings = settings
        self._store = opened.store
        self._notices = opened.notices
        self._user = user_name()
        self._token = secrets.token_urlsafe(32)
        self._port: int = listener.getsockname()[1]
        self._url = f"http://{HOST}:{self._port}"
        self._executor = self._made_executor()
        self._last_used = time.monotonic()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._files_timer: asyncio.TimerHandle | None = None
        self._disk = DiskWatch(data_dir)
        self._files_seen = self._last_used
        #: Since when the store is not in its place.
        self._gone_since: float | None = None
        #: Set by `run`.
        self._check_store: Callable[[], bool] = lambda: True
        self._stop: Callable[[], object] = lambda: None

    async def run(self, signals: Signals) -> None:
        """Serve until `stop`."""
        service = self._service()
        sessions = self._sessions(service)
        hosts = (f"{HOST}:{self._port}", f"localhost:{self._port}")
        app = App(service, sessions, hosts=hosts, touched=self._touched)
        portals = Portals(service, sessions.portals, hosts=hosts, otherwise=app, touched=self._touched)
        server = Server(portals)
        # In the background: a large cache must not hold up the first answer.
        cleaning = asyncio.create_task(asyncio.to_thread(_clean_cache, self._data_dir / "spaces" / "cache"))
        garbage_collector.relax()
        signals.ask(server.stopping.set)
        await service.start()
        try:
            serving = asyncio.create_task(server.serve(sockets=[self._listener]))
            # uvicorn has taken the socket over when it says so; connections before that wait in the backlog.
            with self._holder.published(self._address()):
                _log.info("version %s listens at %s, process %s", __version__, self._url, os.getpid())
                self._watch_idleness(service, app, portals, server.stopping.set)
                self._check_store, self._stop = service.check_store, server.stopping.set
                self._watch_files()
                # Verbs of the REST API end the whole scheduler, too.
                service.listeners.add(lambda announcement: server.stopping.set() if service.winding_down else None)
                stopped = asyncio.create_task(server.stopping.wait())
                await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
                stopped.cancel()
            app.close()
            portals.close()
            server.stopping.set()
            await serving
        finally:
            for timer in (self._idle_timer, self._files_timer):
                if timer is not None:
                    timer.cancel()
            await service.close()
            await cleaning
            _log.info("stopped")

    def _made_executor(self) -> Executor:
        settings = self._settings
        local = LocalSettings(
            slots=settings.slots,
            sources=settings.node_sources,
            warm=settings.warm,
            data_spaces=True,
            result_limit=settings.result_bytes or sys.maxsize,
            memory_limit=settings.task_memory,
            resident_memory=settings.resident_memory
            // (settings.slots + sum(source.nodes for source in settings.node_sources)),
        )
        address = settings.executor
        if not isinstance(address, DaskAddress):
            return LocalExecutor(self._data_dir / "scratch", local)
        # Loads Dask, which takes half a second.
        from proactive_jupyter_kernel.scheduler.executors.dask.executor import DaskExecutor

        # Set on purpose, it is what the user wants to have at most; its default counts processors of this machine.
        most = settings.slots if os.environ.get(f"{settings_table.PREFIX}SLOTS", "").strip() else 0
        address = replace(address, workers=address.workers or settings.slots, nodes=address.nodes or most)
        return DaskExecutor(address, local.of_nodes(Path()), url=self._url, transfer_limit=settings.transfer_limit)

    def _service(self) -> Service:
        settings = self._settings
        catalog = Catalog(Path(settings.catalog or self._data_dir / "catalog"), self._url)
        return Service(
            store=self._store,
            executor=self._executor,
            settings=settings,
            site=self._site(),
            hidden=HiddenValues.of(self._data_dir),
            credentials=Credentials(self._data_dir / "credentials.json"),
            catalog=catalog,
            checker=InProcess(seconds=settings.check_seconds, memory=settings.check_memory),
            value_files=value_files.InProcess(self._data_dir / "values"),
        )

    def _site(self) -> Site:
        spaces = self._data_dir / "spaces"
        kinds = {kind: str(spaces / kind) for kind in ("global", "user", "input", "output", "cache")}
        for kind, folder in kinds.items():
            own = Path(folder) if kind in ("global", "cache") else Path(folder, self._user)
            own.mkdir(parents=True, exist_ok=True)
        return Site(
            user=self._user,
            home=str(self._data_dir),
            url=self._url,
            spaces=kinds,
            walltime=self._settings.walltime or None,
            secret=secrets.token_bytes(32),
        )

    def _sessions(self, service: Service) -> Sessions:
        return Sessions(
            user=self._user,
            token=self._token,
            timeout=self._settings.session_timeout,
            clock=time.monotonic,
            now=now_ms,
            ended=service.logs.release_all,
            lasting=lasting.LastingLogins(self._data_dir),
        )

    def _address(self) -> dict[str, object]:
        return {
            "url": self._url,
            "token": self._token,
            "pid": os.getpid(),
            "version": __version__,
            "data_dir": str(self._data_dir),
            "user": self._user,
            "executor": str(self._settings.executor),
            "notices": list(self._notices),
            "troubles": list(self._executor.troubles),
        }

    # --- idleness ------------------------------------------------------------------------------------------------

    def _touched(self) -> None:
        self._last_used = time.monotonic()
        if self._last_used - self._files_seen > _RESTORE_EVERY:
            # A client that found the scheduler by its lock file finds it by its address file next time.
            self._restore_files()

    def _watch_files(self) -> None:
        self._restore_files()
        self._disk.look()
        self._files_timer = asyncio.get_running_loop().call_later(_LOOK_AT_FILES_EVERY, self._watch_files)

    def _restore_files(self) -> None:
        self._files_seen = time.monotonic()
        self._holder.restore()
        if self._check_store():
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = self._files_seen
            asyncio.get_running_loop().call_later(_GONE_PATIENCE, self._stop_if_gone)

    def _stop_if_gone(self) -> None:
        """End a scheduler whose data folder was removed: it could not keep what its tasks come to."""
        if not self._check_store():
            _log.error("stops: the data folder %s was removed, moved or replaced", self._data_dir)
            self._stop()
        self._gone_since = None

    def _watch_idleness(self, service: Service, app: App, portals: Portals, stop: Callable[[], Any]) -> None:
        """Stop when nothing was alive or asked for during the setting IDLE_STOP. One timer, that far ahead."""
        limit = self._settings.idle_stop
        if not limit:
            return

        def look() -> None:
            if service.busy or app.events.open or app.requests or portals.requests:
                self._touched()
            left = self._last_used + limit - time.monotonic()
            if left > 0:
                self._idle_timer = asyncio.get_running_loop().call_later(left, look)
                return
            _log.info("stops: nothing to do for %g seconds", limit)
            stop()

        look()


def _clean_cache(folder: Path) -> None:
    try:
        clean_cache(folder)
    except OSError as error:
        _log.warning("the cache space cannot be cleaned: %s", error)
