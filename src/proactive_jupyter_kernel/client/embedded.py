"""Access to the embedded scheduler: find it, start it, stop it, send requests.

It is a separate process, one per user and data folder. While it listens, a file in Jupyter's runtime folder, which only
the user can read, has its address and token. It answers REST requests like a ProActive server.
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.client import crash_reports, launch, lock_file
from proactive_jupyter_kernel.client.address_file import (
    PROBE_TIMEOUT,
    Address,
    address_file,
    data_dir,
    find,
    is_alive,
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
#: Polling interval in seconds for its end.
LOOK_EVERY = 0.02
#: A scheduler that disappeared together with its address file within this number of seconds was stopped on purpose.
JUST_STOPPED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Whether an embedded scheduler runs on a data folder; `address` only if it answers."""

    data_dir: Path
    address: Address | None = None
    #: The process that holds the data folder, whether it answers or not; None: none, or not visible here.
    pid: int | None = None
    #: ``running``, ``starting``, ``stopping``, ``suspended``, ``unresponsive`` or ``stopped``.
    state: str = "stopped"
    #: What is wrong and what to do, for one that does not answer.
    message: str = ""
    hint: str = ""

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.address is not None


def status(folder: Path | None = None) -> Status:
    """The status of the scheduler on a data folder; starts nothing."""
    chosen = folder or data_dir()
    address = find(chosen)
    if address is not None:
        return Status(data_dir=chosen, address=address, pid=address.pid, state="running")
    held = lock_file.holder(chosen)
    if held is None:
        return Status(data_dir=chosen)
    state = held.state if held.state in ("starting", "stopping") else "unresponsive"
    if held.pid is not None and lock_file.is_suspended(held.pid):
        state = "suspended"
    message, hint = lock_file.unresponsive(chosen, held)
    return Status(data_dir=chosen, pid=held.pid, state=state, message=message, hint=hint)


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


def stop(folder: Path | None = None) -> int | None:
    """Stop the scheduler on a data folder, whether it answers or not. Returns the id of its process; None: none runs.

    SIGTERM, after a grace period SIGKILL. Its jobs stay in its store and continue when it is started again.
    `EmbeddedSchedulerError` if it does not stop, or if its process is not visible here.
    """
    chosen = folder or data_dir()
    held = lock_file.holder(chosen)
    if held is not None and held.pid is None:
        message, hint = lock_file.unresponsive(chosen, held)
        raise EmbeddedSchedulerError(message, hint=hint)
    # A scheduler of an earlier version may be known by its address alone.
    address = None if held else find(chosen)
    pid = held.pid if held else address.pid if address else None
    if pid is None:
        return None
    _end(pid, chosen)
    find(chosen)
    return pid


def _end(pid: int, folder: Path) -> None:
    import psutil

    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        process.terminate()
        if lock_file.is_suspended(pid):
            # Only then can it obey the signal.
            process.resume()
        if not _ends(pid, STOP_TIMEOUT):
            for child in (*children, *process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            if not _ends(pid, PROBE_TIMEOUT):
                raise psutil.TimeoutExpired(PROBE_TIMEOUT, pid)
    except psutil.NoSuchProcess:
        return
    except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
        raise EmbeddedSchedulerError(
            f"The embedded scheduler (process {pid}, data folder {folder}) did not stop: {error}.",
            hint=f"Kill the process {pid} manually.",
        ) from error


def _ends(pid: int, seconds: float) -> bool:
    """Wait for the end of a process; one that its parent does not reap has ended as well."""
    deadline = time.monotonic() + seconds
    while not lock_file.has_ended(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


_CONTINUE = "`#%list_submitted_jobs()` and `proactive-kernel jobs` list its jobs; the next use starts it again."
#: Seconds within which a crash explains that there is no answer.
_JUST_CRASHED = 60.0


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

        is_login = form is not None and "password" in form
        try:
            response = attempt(http)
            if not (is_login and response.status >= 400 and self._is_replaced(http)):
                return response
        except SchedulerUnreachable as error:
            # A request that may have been executed is repeated only if it is idempotent, and no scheduler is started
            # for a logout.
            if path == "/scheduler/disconnect":
                raise
            if error.in_doubt and method == "POST":
                raise _told(error, self._folder or data_dir()) from None
            self._lost(http)
        # A login that was made for the old token is refused by the new scheduler: the session is renewed with its own.
        if is_login:
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
                for notice in (*address.notices, *address.troubles):
                    warnings.warn(notice, stacklevel=2)
                self._there = address, HttpTransport(address.url)
            return self._there

    def _lost(self, http: HttpTransport) -> None:
        """Drop a scheduler that does not answer, unless another thread did. A stopped one is not started again."""
        with self._lock:
            if self._there is None or http is not self._there[1]:
                return
            folder = self._folder or data_dir()
            just_now = time.monotonic() - self._answered < JUST_STOPPED
            held = lock_file.holder(folder)
            # It still ends its tasks, or it has ended.
            gone = held.state == "stopping" if held else not address_file(folder).exists()
            stopped = just_now and gone
            self._drop()
        if stopped:
            raise SchedulerUnreachable(
                "The embedded scheduler was stopped a moment ago.",
                hint="Its jobs are kept. The next use starts it again, as does `proactive-kernel scheduler start`.",
            )

    def _is_replaced(self, http: HttpTransport) -> bool:
        """Whether another process with a token of its own has taken the port since; drops the one that is gone."""
        found = find(self._folder or data_dir())
        with self._lock:
            if self._there is None or http is not self._there[1]:
                return True
            if found is None or found.token == self._there[0].token:
                return False
            self._drop()
            return True

    def _drop(self) -> None:
        there, self._there = self._there, None
        if there is not None:
            there[1].close()


def _told(error: SchedulerUnreachable, folder: Path) -> SchedulerUnreachable:
    """The error for an embedded scheduler that stopped answering; a slow one gets the error of a server."""
    if "no answer within" in error.message:
        return error
    return SchedulerUnreachable(
        "The embedded scheduler ended before it answered. It is not known whether it processed the request.",
        hint=f"{_CONTINUE} {crash_reports.hint(folder, since=time.time() - _JUST_CRASHED)}".rstrip(),
        in_doubt=True,
    )


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
