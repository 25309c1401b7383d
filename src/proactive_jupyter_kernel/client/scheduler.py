"""Any ProActive scheduler: the public Python API. Connect, submit workflows, get jobs as objects.

`SchedulerApi` has the single requests; this adds what needs several: the files of a job, the Python of its tasks, jobs
as `SubmittedJob`.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from proactive_jupyter_kernel.client.address_file import data_dir as default_data_dir
from proactive_jupyter_kernel.client.api import SchedulerApi
from proactive_jupyter_kernel.client.config import EMBEDDED, Settings
from proactive_jupyter_kernel.client.error_mapping import check_answered
from proactive_jupyter_kernel.client.jobs.file_transfer import FileTransfer, SentFiles
from proactive_jupyter_kernel.client.jobs.node_choice import NodeChoice
from proactive_jupyter_kernel.client.jobs.output import LiveLog
from proactive_jupyter_kernel.client.jobs.python_command import python_command
from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
from proactive_jupyter_kernel.client.jobs.transfer_records import TransferRecords
from proactive_jupyter_kernel.client.login import WRONG_ADDRESS, Credentials, Session
from proactive_jupyter_kernel.client.records import Validation
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import NotConnected, ProActiveError, SchedulerUnreachable, UnknownJob, did_you_mean
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["Scheduler"]

#: Where records of transferred files are, in the data folder.
TRANSFERS = "file-transfers"
#: The number of newest jobs that are searched for a name.
SEARCHED = 1000
#: The number of jobs whose live output is kept for other readers.
LIVE_LOGS = 32

#: Gets a sentence for the user.
Notify = Callable[[str], None]


class Scheduler(SchedulerApi):
    """One scheduler in one session; safe to use from several threads. As a context manager, it logs out at the end."""

    def __init__(
        self,
        session: Session,
        *,
        embedded: bool = False,
        data_dir: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`connect` and `embedded` are how programs get one. `data_dir` is the kernel's data folder, None: the default.

        `clock` and `sleep` are replaced by tests.
        """
        super().__init__(session)
        self.is_embedded = embedded
        self.clock = clock
        self.sleep = sleep
        self._data_dir = data_dir
        self._live_logs: dict[int, LiveLog] = {}
        #: Ids of jobs that were submitted in this session.
        self._mine: set[int] = set()
        self._transfer: FileTransfer | None = None
        self._lock = threading.Lock()

    @classmethod
    def connect(cls, url: str = "", *, login: str = "", password: str = "", verify: bool | str = True) -> Self:
        """The ProActive server at this address, logged in.

        Without `url` it is the one of the environment (``PROACTIVE_URL``) or of a ``proactive_config.ini`` in the
        current folder, else the embedded scheduler. Without `login` and `password` those of the environment
        (``PROACTIVE_LOGIN``, ``PROACTIVE_PASSWORD``) are used. `verify` is whether a TLS certificate is checked, or the
        path of a file of trusted certificates.
        Raises `LoginRefused`, `NotConnected`, `SchedulerUnreachable` or `SetupError`.
        """
        from proactive_jupyter_kernel.client import config

        if url:
            found = Settings(url=config.url_of(url=url), login=login, password=Secret(password), verify=verify)
        else:
            found = config.discover(Path.cwd())
        scheduler = cls.from_settings(config.completed(found))
        scheduler.log_in()
        return scheduler

    @classmethod
    def embedded(cls, data_dir: Path | str | None = None) -> Self:
        """The embedded scheduler of a data folder, started by the first request if it does not run."""
        return cls.from_settings(EMBEDDED, data_dir=Path(data_dir) if data_dir is not None else None)

    @classmethod
    def from_settings(cls, settings: Settings, *, data_dir: Path | None = None) -> Self:
        """The scheduler for these settings; makes no request. Raises `NotConnected` if login or password is missing."""
        if settings.embedded:
            from proactive_jupyter_kernel.client.embedded import EmbeddedTransport

            transport = EmbeddedTransport(data_dir)
            return cls(Session(transport, transport.credentials), embedded=True, data_dir=data_dir)
        if not settings.complete:
            raise NotConnected(
                f"There is no {'password' if settings.login else 'login'} for {settings.url}.",
                hint="Connect with login and password, or set PROACTIVE_LOGIN and PROACTIVE_PASSWORD.",
            )
        credentials = Credentials(login=settings.login, password=settings.password)
        return cls(Session(transport_of(settings), lambda: credentials, source=settings.source))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_server(self) -> bool:
        """Whether it is a ProActive server, and no embedded scheduler that was connected to by its address.

        Tasks of a server need code around them to carry values. May request the version.
        """
        return not self.is_embedded and not self.version.embedded

    @property
    def identity(self) -> str:
        """A stable identifier of the scheduler, also if the embedded one gets another port."""
        return f"embedded:{default_data_dir(self._data_dir)}" if self.is_embedded else self.address

    @property
    def file_transfer(self) -> FileTransfer:
        """Sends and fetches the files of jobs."""
        with self._lock:
            if self._transfer is None:
                records = TransferRecords(default_data_dir(self._data_dir) / TRANSFERS)
                self._transfer = FileTransfer(self.space(), scheduler=self.identity, records=records)
            return self._transfer

    # -- jobs

    def submit(
        self,
        workflow: Workflow | str | bytes | Path,
        *,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
        input_path: Path | str | None = None,
        output_path: Path | str | None = None,
        node_source: str = "",
        host: str = "",
        token: str = "",
        notice: Notify | None = None,
    ) -> SubmittedJob:
        """Submit a workflow: the model, XML text, or the path of an XML file.

        `variables` and `generic_information` replace or add to those of the workflow. `input_path` is the folder that
        the tasks' input files are taken from, `output_path` the one that `SubmittedJob.fetch_files` writes to.
        `node_source`, `host` and `token` say on which nodes the tasks run; see `node_sources`, `hosts` and `tokens`.
        `notice` gets a sentence for what an older server does not know, which is left out, and for tasks that keep
        other nodes; without it that is a Python warning. Raises `UnknownResource` where there are no such nodes, and
        `SubmissionRefused` with the scheduler's reason, and then leaves no files behind.
        """
        from proactive_jupyter_kernel.client.jobs import workflow_source

        source = workflow_source.read(workflow)
        given = dict(variables or {})
        left_out: list[str] = []
        say = notice or left_out.append
        source = self.on_nodes(source, NodeChoice(node_source=node_source, host=host, token=token), say)
        job = self._submit_with_files(source, given, generic_information, input_path, output_path, say)
        for text in left_out:
            warnings.warn(text, stacklevel=2)
        return job

    def on_nodes(self, source: Workflow | bytes, choice: NodeChoice, notice: Notify) -> Workflow | bytes:
        """The workflow with the nodes that were chosen for it; as it is where none were.

        `notice` gets a sentence for each task that keeps other nodes. Raises `UnknownResource`.
        """
        from proactive_jupyter_kernel.client.jobs import workflow_source

        if not choice:
            return source
        choice.check(self)
        workflow = workflow_source.parsed(source, notice)
        for text in choice.exceptions(workflow):
            notice(text)
        return choice.applied(workflow, embedded=not self.is_server)

    def _submit_with_files(
        self,
        source: Workflow | bytes,
        given: dict[str, str],
        generic_information: Mapping[str, str] | None,
        input_path: Path | str | None,
        output_path: Path | str | None,
        notice: Notify,
    ) -> SubmittedJob:
        from proactive_jupyter_kernel.client.jobs import workflow_source

        if input_path is None and output_path is None:
            return self._submit(source, given, generic_information, notice)
        sent = self.file_transfer.send(
            workflow_source.parsed(source),
            variables=given,
            input_path=_absolute(input_path),
            output_path=_absolute(output_path),
        )
        return self.submit_sent(sent, variables=given, generic_information=generic_information, notice=notice)

    def validate(self, xml: str | bytes, *, variables: Mapping[str, str] | None = None) -> Validation:
        """What the scheduler's checks say about a workflow, in the schema that it knows."""
        from proactive_jupyter_kernel.client.jobs import workflow_source

        text = workflow_source.for_server(xml, self.version) if self.is_server else xml
        return super().validate(text, variables=variables)

    def submit_sent(
        self,
        sent: SentFiles,
        *,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
        notice: Notify,
    ) -> SubmittedJob:
        """Submit a workflow whose files `file_transfer.send` has sent; a refusal removes them."""
        try:
            job = self._submit(sent.workflow, variables, generic_information, notice)
        except ProActiveError as error:
            # Without an answer the scheduler may have accepted the job, which then needs the files.
            if not isinstance(error, SchedulerUnreachable):
                self.file_transfer.discard(sent)
            raise
        self.file_transfer.accepted(sent, job.id)
        return job

    def _submit(
        self,
        source: Workflow | str | bytes,
        variables: Mapping[str, str] | None,
        generic_information: Mapping[str, str] | None,
        notice: Notify,
    ) -> SubmittedJob:
        from proactive_jupyter_kernel.client.jobs import workflow_source
        from proactive_jupyter_kernel.workflow.formats import xml

        information = {**python_command(source, embedded=self.is_embedded), **(generic_information or {})}
        if self.is_server:
            text = workflow_source.for_server(source, self.version, notice)
        else:
            text = xml.dumps(source) if isinstance(source, Workflow) else source
        reference = self.submit_xml(text, variables=variables, generic_information=information)
        self._mine.add(reference.id)
        return SubmittedJob(self, reference.id, reference.name)

    def get_job(self, job: int | str) -> SubmittedJob:
        """The job of that id, or the newest one of that name."""
        job_id = job if isinstance(job, int) else self.find(job)
        return SubmittedJob(self, job_id, self.info(job_id).name)

    def is_mine(self, job_id: int) -> bool:
        """Whether this user submitted the job. The embedded scheduler has one user."""
        return self.is_embedded or job_id in self._mine or self.info(job_id).owner == self.user()

    def find(self, name: str) -> int:
        """The id of the newest job of that name, this user's before others'; `UnknownJob` proposes names that exist."""
        for mine in (True, False):
            for info in self.jobs(limit=SEARCHED, name=name, mine=mine):
                if info.name == name:
                    return info.id
        known = [info.name for info in self.jobs(limit=SEARCHED)]
        raise UnknownJob(f"No job named {name!r} on {self.address}.", hint=did_you_mean(name, known))

    def live_log_of(self, job_id: int) -> LiveLog:
        """The live log of a job, the same object for all its readers."""
        with self._lock:
            found = self._live_logs.pop(job_id, None) or LiveLog(self, job_id)
            self._live_logs[job_id] = found
            while len(self._live_logs) > LIVE_LOGS:
                del self._live_logs[next(iter(self._live_logs))]
            return found


def transport_of(settings: Settings) -> HttpTransport:
    """What carries requests to the server of these settings."""
    return HttpTransport(settings.url, verify=settings.verify, source=settings.source)


def reach(settings: Settings) -> None:
    """Ask the server of these settings for its version, which needs no login; raises where no scheduler answers."""
    transport = transport_of(settings)
    try:
        response = transport.request("GET", "/scheduler/version")
        check_answered(response, transport.address)
    finally:
        transport.close()
    named = f"{transport.address} (address from {settings.source})" if settings.source else transport.address
    if response.status != 200 or b"scheduler" not in response.body:
        raise NotConnected(
            f"The server at {named} is not a ProActive scheduler: it has no {transport.address}/rest/scheduler.",
            hint=WRONG_ADDRESS,
        )


def _absolute(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path).expanduser().resolve()
