"""Access to the embedded scheduler: find it, start it, stop it, send requests.

It is a separate process, one per user and data folder. While it listens, a file in Jupyter's runtime folder, which only
the user can read, has its address and token. It answers REST requests like a ProActive server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.client import launch
from proactive_jupyter_kernel.client.address_file import (
    PROBE_TIMEOUT,
    Address,
    address_file,
    data_dir,
    find,
    is_alive,
    read,
)
from proactive_jupyter_kernel.client.api import SchedulerApi
from proactive_jupyter_kernel.client.login import Credentials, Session
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport, Part, Response
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError, SchedulerError, SchedulerUnreachable

__all__ = [
    "Address",
    "EmbeddedTransport",
    "Status",
    "address_file",
    "data_dir",
    "ensure",
    "find",
    "is_alive",
    "scheduler_at",
    "status",
    "stop",
]

#: Grace period in seconds for a scheduler to stop its tasks and write its store.
STOP_TIMEOUT = 20.0
#: A scheduler that disappeared together with its address file within this number of seconds was stopped on purpose.
JUST_STOPPED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Whether an embedded scheduler runs on a data folder; `address` only if it does."""

    data_dir: Path
    address: Address | None = None

    @property
    def running(self) -> bool:
        return self.address is not None


def status(folder: Path | None = None) -> Status:
    """The status of the scheduler on a data folder; starts nothing."""
    chosen = folder or data_dir()
    return Status(data_dir=chosen, address=find(chosen))


def ensure(folder: Path | None = None, *, port: int = 0) -> Address:
    """The scheduler on a data folder, started if there is none.

    An idle scheduler of another version is replaced. Raises `EmbeddedSchedulerError`, with what to do, if it is busy or
    if none can be started.
    """
    from proactive_jupyter_kernel.version import __version__

    chosen = folder or data_dir()
    address = find(chosen)
    if address is not None and address.version != __version__:
        _retire(address, chosen)
        address = None
    return address or launch.start(chosen, port=port)


def stop(folder: Path | None = None) -> Address | None:
    """Stop the scheduler on a data folder: SIGTERM, after a grace period SIGKILL. Returns its address, or None.

    Its jobs stay in its store and continue when it is started again. `EmbeddedSchedulerError` if it does not stop.
    """
    import psutil

    chosen = folder or data_dir()
    address = find(chosen) or _unresponsive(chosen)
    if address is None:
        return None
    try:
        process = psutil.Process(address.pid)
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except psutil.TimeoutExpired:
            for child in (*process.children(recursive=True), process):
                child.kill()
            process.wait(PROBE_TIMEOUT)
    except psutil.NoSuchProcess:
        pass
    except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
        raise EmbeddedSchedulerError(
            f"The embedded scheduler (process {address.pid}, data folder {chosen}) did not stop: {error}.",
            hint=f"Kill the process {address.pid} manually.",
        ) from error
    find(chosen)
    return address


def scheduler_at(address: Address) -> SchedulerApi:
    """The scheduler at exactly this address; it is not started again when it dies."""
    return SchedulerApi(Session(HttpTransport(address.url, timeout=PROBE_TIMEOUT), lambda: address.credentials))


class EmbeddedTransport:
    """Sends requests to the embedded scheduler; starts it for the first request, and again if it died."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._there: tuple[Address, HttpTransport] | None = None
        self._answered = 0.0

    @property
    def address(self) -> str:
        there = self._there
        return there[0].url if there else "the embedded scheduler"

    def credentials(self) -> Credentials:
        """The credentials of the scheduler that runs now."""
        return self._reached()[0].credentials

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Secret] | None = None,
        parts: Sequence[Part] = (),
        content: bytes | None = None,
    ) -> Response:
        _, http = self._reached()

        def attempt(transport: HttpTransport) -> Response:
            response = transport.request(
                method, path, query=query, headers=headers, form=form, parts=parts, content=content
            )
            self._answered = time.monotonic()
            return response

        try:
            return attempt(http)
        except SchedulerUnreachable as error:
            # A request that may have been executed is repeated only if it is idempotent, and no scheduler is started
            # for a logout.
            if path == "/scheduler/disconnect":
                raise
            if error.in_doubt and method == "POST":
                raise _told(error) from None
            self._lost(http)
        # A login that was made for the old token is refused by the new scheduler: the session is renewed with its own.
        if form is not None and "password" in form:
            form = {"username": self.credentials().login, "password": self.credentials().password}
        return attempt(self._reached()[1])

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _reached(self) -> tuple[Address, HttpTransport]:
        """The running scheduler, started if necessary."""
        with self._lock:
            if self._there is None:
                address = ensure(self._folder)
                self._there = address, HttpTransport(address.url)
            return self._there

    def _lost(self, http: HttpTransport) -> None:
        """Drop a scheduler that does not answer, unless another thread did. A stopped one is not started again."""
        with self._lock:
            if self._there is None or http is not self._there[1]:
                return
            folder = self._folder or data_dir()
            stopped = time.monotonic() - self._answered < JUST_STOPPED and not address_file(folder).exists()
            self._drop()
        if stopped:
            raise SchedulerUnreachable(
                "The embedded scheduler was stopped a moment ago.",
                hint="Its jobs are kept. The next use starts it again, as does `proactive-kernel scheduler start`.",
            )

    def _drop(self) -> None:
        there, self._there = self._there, None
        if there is not None:
            there[1].close()


def _told(error: SchedulerUnreachable) -> SchedulerUnreachable:
    """The error for an embedded scheduler that stopped answering; a slow one gets the error of a server."""
    if "no answer within" in error.message:
        return error
    return SchedulerUnreachable(
        "The embedded scheduler ended before it answered. Whether it did what was asked of it is not known.",
        hint="`#%list_submitted_jobs()` and `proactive-kernel jobs` list its jobs; the next use starts it again.",
        in_doubt=True,
    )


def _unresponsive(folder: Path) -> Address | None:
    """A scheduler with an address and a process that does not answer; not an unrelated process with the same id."""
    import psutil

    address = read(address_file(folder))
    try:
        if address and "proactive_jupyter_kernel" in " ".join(psutil.Process(address.pid).cmdline()):
            return address
    except psutil.Error:
        return None
    return None


def _retire(address: Address, folder: Path) -> None:
    """Stop a scheduler of another version if it is idle."""
    from proactive_jupyter_kernel.version import __version__

    scheduler = scheduler_at(address)
    try:
        alive = scheduler.jobs(limit=1, alive_only=True)
    except SchedulerError as error:
        reason = f"and it is not known whether it is busy ({error.message})"
    else:
        if not alive:
            stop(folder)
            return
        reason = f"and has jobs to do, such as {alive[0].id} ({alive[0].name!r})"
    finally:
        scheduler.close()
    raise EmbeddedSchedulerError(
        f"The embedded scheduler on {folder} is of version {address.version}, this kernel of {__version__}, {reason}.",
        hint=(
            "Wait until its jobs have ended, or `proactive-kernel scheduler stop`: its jobs continue under the new"
            " version, tasks that were running start again."
        ),
    )
