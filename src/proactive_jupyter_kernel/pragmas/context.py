"""The context: all that a handler may touch. One per notebook."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.config import EMBEDDED, Settings, discover
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import BadValue, SetupError
from proactive_jupyter_kernel.pragmas.declarations.kinds import Formula, Modelled
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.draft.draft import Draft
from proactive_jupyter_kernel.pragmas.draft.notebook_parameters import NotebookParameters
from proactive_jupyter_kernel.pragmas.draft.refusals import Refusals
from proactive_jupyter_kernel.pragmas.draft.source_map import Sources
from proactive_jupyter_kernel.pragmas.frontend import Frontend, Live
from proactive_jupyter_kernel.pragmas.memory.job_listing import JobListing
from proactive_jupyter_kernel.pragmas.memory.journal import Journal
from proactive_jupyter_kernel.pragmas.memory.notebook_memory import JobRecord, NotebookMemory
from proactive_jupyter_kernel.pragmas.memory.resource_listing import ResourceListing
from proactive_jupyter_kernel.pragmas.outputs import Notice

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["CELL_MODES", "UNNAMED", "Context", "NotebookJob"]

#: What a job or a file is called where nothing gives it a name.
UNNAMED = "Unnamed_job"

#: The modes for cells without a pragma, and their meaning.
CELL_MODES = {
    "local": "it runs in the notebook's own Python",
    "block": "it becomes a task with a generated name",
    "multiblock": "it is appended to the task defined last",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookJob:
    """A job that was submitted from this notebook."""

    id: int
    name: str
    #: The scheduler that has it.
    connection: Connection
    #: By task name, where its script was written.
    sources: Mapping[str, Sources] = field(default_factory=dict)
    #: Whether it is known from before the kernel's start.
    recalled: bool = False


class Context:
    """The notebook's state as the pragmas see it.

    Handlers may run in several threads (subshells). A handler that changes the draft holds `lock`; those that show
    statuses and logs or kill jobs do not need it.
    """

    def __init__(
        self,
        frontend: Frontend,
        *,
        live: Live,
        connection: Connection | None = None,
        memory: NotebookMemory | None = None,
        parameter_cells: Mapping[str, str] | None = None,
    ) -> None:
        """Without `connection` the settings are looked up when a scheduler is first needed: the environment, the
        folder's configuration file, the embedded scheduler. Without `memory` nothing is kept over a restart.
        `parameter_cells` are the texts of the cells that set parameters; the caller keeps them up to date.
        """
        self.frontend = frontend
        self.lock = threading.RLock()
        cells = {} if parameter_cells is None else parameter_cells
        self.draft = Draft(NotebookParameters(cells, lambda: frontend.namespace))
        #: The cells that were refused.
        self.refusals = Refusals()
        #: Submitted from this notebook, the newest last.
        self.jobs: list[NotebookJob] = []
        #: A word of `CELL_MODES`.
        self.cell_mode = "local"
        self.memory = memory
        self.journal = Journal(memory)
        #: The connections whose earlier jobs are in `jobs`.
        self._recalled: list[Connection] = []
        self._connection = connection
        self._connecting = threading.RLock()
        self.live = live
        #: The jobs that completion offers.
        self.job_listing = JobListing(lambda: self._connection)
        #: The node sources, hosts and tokens that completion offers.
        self.resource_listing = ResourceListing(lambda: self._connection)

    @property
    def connection(self) -> Connection:
        """The connection that `#%connect` made, or else the usual one."""
        with self._connecting:
            if self._connection is None:
                self._connection = _connection(self._complete(self._discovered()))
            return self._connection

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler; the first use starts the embedded one, or logs in to another."""
        return self.connection.scheduler

    @property
    def used(self) -> str:
        """The name of the scheduler that gets the jobs; sends no request and starts no process."""
        if self._connection is not None:
            return self._connection.name
        try:
            return discover(self.frontend.folder).name
        except SetupError:
            return EMBEDDED.name

    def connect(self, settings: Settings) -> Connection:
        """Use another scheduler from now on, after it answered; the old connection stays until then.

        Jobs that were submitted elsewhere are still known. Raises what the login raises.
        """
        connection = _connection(self._complete(settings))
        connection.scheduler.log_in()
        with self._connecting:
            self._connection = connection
        return connection

    def close(self) -> None:
        """Log out of the servers; jobs run on. The embedded scheduler needs no farewell, and must not start for one."""
        with self._connecting:
            connections = {id(job.connection): job.connection for job in self.jobs}
            if self._connection is not None:
                connections[id(self._connection)] = self._connection
        for connection in connections.values():
            if not connection.embedded:
                connection.close()

    def _discovered(self) -> Settings:
        try:
            return discover(self.frontend.folder)
        except SetupError as error:
            self.frontend.show(Notice(text=f"{error}\nThe embedded scheduler is used instead.", warning=True))
            return EMBEDDED

    def _complete(self, settings: Settings) -> Settings:
        """Take a missing login or password from the keyring, or ask the user, once the server is known to be one."""
        if settings.complete:
            return settings
        from proactive_jupyter_kernel.client.keyring_passwords import with_password
        from proactive_jupyter_kernel.client.scheduler import reach

        settings = with_password(settings)
        if settings.complete:
            return settings
        # The user is asked for a password only if a server answers.
        reach(settings)
        login = settings.login or self.frontend.ask(f"Login on {settings.url}: ")
        password = settings.password or Secret(self.frontend.ask(f"Password of {login}: ", secret=True))
        return replace(settings, login=login, password=password)

    # -- names and values

    @property
    def job_name(self) -> str:
        """The name a job or a file gets where none is given."""
        if self.draft.job.name:
            return self.draft.job.name
        # The schema wants two characters.
        notebook = self.frontend.notebook_name
        return f"notebook_{notebook}" if len(notebook) == 1 else notebook or UNNAMED

    def texts(self, call: BoundCall, parameter: str) -> dict[str, str]:
        """The pairs of a parameter, every formula replaced by what the notebook's Python makes of it."""
        pairs: Mapping[str, str | Formula | Modelled] = call[parameter] or {}
        plain = {name: one.value if isinstance(one, Modelled) else one for name, one in pairs.items()}
        return {name: self._text(call, name, value) for name, value in plain.items()}

    def models(
        self, call: BoundCall, parameter: str, texts: Mapping[str, str], known: Mapping[str, str]
    ) -> dict[str, str]:
        """The models that a parameter gives its variables, those that are `known` for the others.

        `texts` are the values; `PragmaError` for one that does not fit.
        """
        from proactive_jupyter_kernel.pragmas.declarations.variable_pairs import model_fault

        pairs: Mapping[str, str | Formula | Modelled] = call[parameter] or {}
        given = {name: one.model for name, one in pairs.items() if isinstance(one, Modelled)}
        models = {name: given.get(name, known.get(name, "")) for name in texts}
        for name, model in models.items():
            if fault := model_fault(name, model, texts[name], texts):
                message = f"{parameter} gives {name} the value {texts[name]!r}, which does not match {model}: {fault}."
                raise call.fault(message, parameter=parameter, item=name)
        return models

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords and tokens of the connections of this notebook, for taking them out of errors."""
        with self._connecting:
            connections = [self._connection, *(job.connection for job in self.jobs)]
        found = (one.settings.password.reveal() for one in connections if one is not None)
        return tuple(dict.fromkeys(secret for secret in found if secret))

    def _text(self, call: BoundCall, name: str, value: str | Formula) -> str:
        if isinstance(value, str):
            return value
        hint = "A value that starts with '=' is an expression of the notebook's Python; quotes make it a text."
        try:
            # An expression of the user in the Python of the notebook, as if typed into a cell.
            found = eval(value.text, dict(self.frontend.namespace))
        except Exception as error:
            message = f"the expression for {name} cannot be evaluated: {type(error).__name__}: {error}"
            raise value.span.fault(BadValue, message, hint=hint, pragma=call.call.name) from error
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, (str, int, float)):
            return str(found)
        message = f"the expression for {name} gives a {type(found).__name__}, not a text, a number or a bool."
        hint = "Turn it into text: =str(…) or =json.dumps(…)."
        raise value.span.fault(BadValue, message, hint=hint, pragma=call.call.name)

    # -- jobs

    def remember(self, job: NotebookJob) -> None:
        """Record a job that was submitted from this notebook, over a restart of the kernel, too."""
        self.jobs_here()
        self.jobs.append(job)
        if self.memory is None:
            return
        scheduler = job.connection.scheduler.identity
        try:
            self.memory.add_job(JobRecord(id=job.id, name=job.name, scheduler=scheduler, sources=job.sources))
        except OSError as error:
            self.memory = None
            text = f"After a restart of the kernel, this notebook will not know its jobs: {error}."
            self.frontend.show(Notice(text=text, warning=True))

    def jobs_here(self) -> list[NotebookJob]:
        """The jobs that were submitted from this notebook to the present scheduler, the newest last.

        They include jobs from before the kernel's start, if the front end tells which notebook it is.
        """
        connection = self.connection
        if self.memory is not None and not any(connection is known for known in self._recalled):
            self._recalled.append(connection)
            scheduler = connection.scheduler.identity
            self.jobs[:0] = [
                NotebookJob(id=one.id, name=one.name, connection=connection, sources=one.sources, recalled=True)
                for one in self.memory.jobs()
                if one.scheduler == scheduler
            ]
        return [job for job in self.jobs if job.connection is connection]

    def submitted(self, job_id: int) -> NotebookJob | None:
        """What is known of a job on the present scheduler, if it was submitted from this notebook."""
        return next((job for job in reversed(self.jobs_here()) if job.id == job_id), None)

    def translate(self, job_id: int, task: str, text: str) -> str:
        """A task's output or error with places in cells for places in its script."""
        job = self.submitted(job_id)
        source = job.sources.get(base_name(task)) if job else None
        return source.rewrite(text) if source else text


def _connection(settings: Settings) -> Connection:
    # Speaking to a scheduler takes a while to load, and a notebook that only defines tasks does not need it.
    from proactive_jupyter_kernel.client.connection import Connection

    return Connection(settings)


def base_name(task: str) -> str:
    """A task's name in the workflow: without the ``#iteration`` and ``*replication`` of a copy."""
    return task.split("#")[0].split("*")[0]
