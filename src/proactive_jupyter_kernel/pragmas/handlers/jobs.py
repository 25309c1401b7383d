"""`#%job`, `#%submit_job` and what can be done with a submitted job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.checking import summary_of_warnings
from proactive_jupyter_kernel.pragmas.context import Context, NotebookJob
from proactive_jupyter_kernel.pragmas.declarations.parameters import (
    INFO_PAIRS,
    JOB_NAME,
    JOB_REFERENCE,
    SWITCH,
    TIMEOUT,
    VARIABLE_PAIRS,
    VARIABLES,
)
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Choice, FilePath, Plain, ResourceName
from proactive_jupyter_kernel.pragmas.draft.contributions import JobSettings
from proactive_jupyter_kernel.pragmas.draft.draft import Built
from proactive_jupyter_kernel.pragmas.handlers.resources import node_choice
from proactive_jupyter_kernel.pragmas.handlers.results import TASK, show_outputs, show_results, task_of
from proactive_jupyter_kernel.pragmas.handlers.tasks import ERROR_POLICIES
from proactive_jupyter_kernel.pragmas.jobs.file_transfer import follow_files, send_files
from proactive_jupyter_kernel.pragmas.jobs.held_interrupts import held_interrupts
from proactive_jupyter_kernel.pragmas.jobs.job_lookup import job_id_of
from proactive_jupyter_kernel.pragmas.jobs.rerunning import RERUN, check_rerun, with_earlier_results
from proactive_jupyter_kernel.pragmas.jobs.server_code import for_embedded, for_server
from proactive_jupyter_kernel.pragmas.jobs.waiting import settle, wait_for
from proactive_jupyter_kernel.pragmas.outputs import Notice, Table, Text
from proactive_jupyter_kernel.pragmas.ownership import submittable
from proactive_jupyter_kernel.workflow.model import Priority, Script, Workflow

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.jobs.file_transfer import SentFiles
    from proactive_jupyter_kernel.client.records import JobInfo

#: IDLE is not in the schema.
PRIORITIES = {priority.name.lower(): priority for priority in Priority if priority is not Priority.IDLE}
#: How many jobs a list shows unless all are asked for.
LISTED = 20
EVERY = 1_000
#: What a second interrupt says while a scheduler does not answer.
_IN_DOUBT = "Interrupted before the scheduler answered. #%list_submitted_jobs() shows whether it accepted the job."


@pragma(
    "job",
    Parameter(name="name", kind=JOB_NAME, required=True, doc="The job's name."),
    Parameter(name="generic_info", kind=INFO_PAIRS, doc="Hints to the scheduler, for every task."),
    Parameter(
        name="variables",
        kind=VARIABLES,
        doc="The job's variables. A bare value that starts with = is an expression of the notebook's Python; a third "
        "item is the variable's model: (n, 5, PA:INTEGER).",
    ),
    Parameter(name="description", kind=Plain(minimum=0), doc="What the job is for."),
    Parameter(name="project", kind=Plain(minimum=0), doc="The project that the job belongs to."),
    Parameter(name="priority", kind=Choice(tuple(PRIORITIES)), doc="Which job goes first when nodes are scarce."),
    Parameter(
        name="on_error",
        kind=Choice(tuple(ERROR_POLICIES)),
        doc="What happens after an error in a task that has no on_error; without it, the job continues.",
    ),
    family="jobs",
    summary="Sets the name and other properties of the current job; omitted properties do not change.",
    example="#%job(name=Greetings, variables=[(name, Ada), (count, =len(names))])",
    changes_draft=True,
)
def job(context: Context, call: BoundCall) -> None:
    """Name and describe the draft."""
    draft = context.draft
    variables = None if call["variables"] is None else context.texts(call, "variables")
    information = None if call["generic_info"] is None else context.texts(call, "generic_info")
    old = draft.job.name
    settings: Mapping[str, Any] = {
        "name": call["name"],
        "generic_information": information,
        "description": call["description"],
        "project": call["project"],
        "priority": PRIORITIES.get(call["priority"]),
        "on_error": ERROR_POLICIES.get(call["on_error"]),
    }
    given = {name: value for name, value in settings.items() if value is not None}
    known = {one.name: one.model for one in draft.job.variables}
    models = context.models(call, "variables", variables or {}, known)
    draft.contribute(JobSettings(settings=given, variables=variables, models=models))
    name = draft.job.name
    done = f"Created job {name!r}." if not old else f"Updated job {name!r}."
    if old and old != name:
        done = f"Renamed job {old!r} to {name!r}."
    context.frontend.show(Text(text=done))


@pragma(
    "submit_job",
    Parameter(
        name="name", kind=JOB_NAME, nameless=True, doc="The name of this submission. Without it: the job's name."
    ),
    Parameter(
        name="variables",
        kind=VARIABLE_PAIRS,
        doc="Values for this submission only; they replace those of the job or are added to them.",
    ),
    Parameter(
        name="draw",
        kind=SWITCH,
        default=True,
        doc="Whether the job's card is shown. Without it, wait=on writes what the tasks write.",
    ),
    Parameter(
        name="print_result", kind=SWITCH, default=False, doc="Whether to wait, and show the results when it has ended."
    ),
    Parameter(
        name="wait",
        kind=SWITCH,
        default=False,
        doc="Whether to wait until the job has ended; a job that fails is then an error.",
    ),
    Parameter(
        name="input_path",
        kind=FilePath(),
        doc="The folder with the input_files of the tasks. Default: the notebook's folder.",
    ),
    Parameter(
        name="output_path",
        kind=FilePath(),
        doc="The folder that the tasks' output_files come to when the job has ended. Without it the notebook's folder.",
    ),
    Parameter(
        name="nodesource",
        kind=ResourceName("a node source's name", resource="node_source"),
        aliases=("node_source",),
        doc="The node source whose nodes the tasks run on; #%list_nodesources() lists them. Without it: any.",
    ),
    Parameter(
        name="host",
        kind=ResourceName("a host's name", resource="host"),
        doc="The host that the tasks run on; #%list_hosts() lists them. Without it: any.",
    ),
    Parameter(
        name="token",
        kind=ResourceName("an access token", resource="token"),
        doc="The access token of the nodes that the tasks run on; #%list_tokens() lists them. Without it: nodes "
        "that have none.",
    ),
    *RERUN,
    family="jobs",
    summary="Submits the job, or a part of it with the results of an earlier job, and shows a card that follows it.",
    example="#%submit_job(wait=on)",
)
def submit_job(context: Context, call: BoundCall) -> None:
    """Submit the draft."""
    variables = context.texts(call, "variables")
    check_rerun(call)
    nodes = node_choice(context, call)
    with context.lock:
        if not context.draft.tasks:
            raise call.fault(
                "there is no task to submit yet.", hint="#%task(name=NAME) defines a task with the code below it."
            )
        for warning in submittable(context, call):
            context.frontend.show(warning)
        built = context.draft.build(call["name"] or context.job_name)
        if warnings := summary_of_warnings(context):
            context.frontend.show(Notice(text=warnings, warning=True))
    for notice in (*built.notices, *variable_notices(built.workflow, variables)):
        context.frontend.show(Notice(text=notice))
    for notice in nodes.exceptions(built.workflow):
        context.frontend.show(Notice(text=notice))
    built = replace(built, workflow=nodes.applied(built.workflow, embedded=not context.connection.is_server))
    built = for_server(built) if context.connection.is_server else for_embedded(built)
    if call["from"] or call["only"]:
        built = with_earlier_results(context, call, built)
    sent, folder = send_files(context, call, built, variables)
    with held_interrupts(_IN_DOUBT) as held:
        submitted = _submit(context, built, sent, variables)
    job, kill = f"Interrupted. Job {submitted.id} ({submitted.name!r})", f"#%kill_job(job_id={submitted.id}) kills it."
    if held:
        raise KeyboardInterrupt(f"{job} was submitted. {kill}")
    try:
        _follow_submitted(context, call, submitted, folder)
    except KeyboardInterrupt as interrupt:
        if interrupt.args:
            raise
        raise KeyboardInterrupt(f"{job} is still running. {kill}") from None


def _follow_submitted(context: Context, call: BoundCall, submitted: NotebookJob, folder: Path | None) -> None:
    """Show the job, and wait for it where that is asked for."""
    waits = call["wait"] or call["print_result"]
    if call["draw"]:
        context.live.watch(submitted.id, submitted.name, follow=not waits)
    else:
        where = context.connection.name
        context.frontend.show(Text(text=f"Submitted job {submitted.id} ({submitted.name!r}) to {where}."))
    if waits:
        # The card, where there is one, shows what the tasks write.
        ended = wait_for(context, submitted.id, draw=call["draw"], output=call["wait"] and not call["draw"])
        if call["print_result"]:
            show_results(context, ended, card=call["draw"])
        else:
            show_outputs(context, ended, card=call["draw"])
        settle(context, ended)
        return
    if folder is not None:
        follow_files(context, submitted, folder)


def variable_notices(workflow: Workflow, variables: Mapping[str, str]) -> list[str]:
    """What may surprise in the variables of a submission: unknown ones, and ones that a task's variable hides."""
    known = [variable.name for variable in workflow.variables]
    scripts = [executable.code for task in workflow.tasks if isinstance(executable := task.executable, Script)]
    notices = []
    for name in variables:
        owners = [task for task in workflow.tasks if any(v.name == name and not v.inherited for v in task.variables)]
        if owners:
            names = ", ".join(task.name for task in owners)
            notices.append(f"The value of {name} has no effect in {names}, which has its own variable of that name.")
        elif name not in known and not any(name in code for code in scripts):
            text = f"The job has no variable {name}, and no task mentions it; it is added for this submission."
            notices.append(f"{text} {did_you_mean(name, known)}".rstrip())
    return notices


def _submit(context: Context, built: Built, sent: SentFiles | None, variables: Mapping[str, str]) -> NotebookJob:
    connection = context.connection

    def left_out(text: str) -> None:
        context.frontend.show(Notice(text=text, warning=True))

    if sent is None:
        job = connection.scheduler.submit(built.workflow, variables=variables, notice=left_out)
    else:
        job = connection.scheduler.submit_sent(sent, variables=variables, notice=left_out)
    name = job.name or built.workflow.name
    submitted = NotebookJob(id=job.id, name=name, connection=connection, sources=built.sources)
    context.remember(submitted)
    return submitted


@pragma(
    "list_submitted_jobs",
    Parameter(name="all", kind=SWITCH, default=False, doc=f"All jobs of all users, not only your {LISTED} newest."),
    family="jobs",
    summary="Lists your jobs on the scheduler, including those of earlier sessions.",
    example="#%list_submitted_jobs(all=on)",
)
def list_submitted_jobs(context: Context, call: BoundCall) -> None:
    """Show jobs as a table."""
    scheduler = context.scheduler
    found = scheduler.jobs(limit=EVERY) if call["all"] else scheduler.jobs(limit=LISTED, mine=True)
    if not found:
        context.frontend.show(Text(text=f"There are no jobs on {context.connection.name} yet."))
        return
    context.frontend.show(
        Table(
            headings=("Id", "Name", "Status", "Tasks", "Submitted", "From here"),
            rows=[_row(context, info) for info in found],
        )
    )


def _row(context: Context, info: JobInfo) -> tuple[object, ...]:
    here = "yes" if context.submitted(info.id) else ""
    return info.id, info.name, info.status_label, _progress(info), _time(info.submitted_at), here


def _progress(info: JobInfo) -> str:
    faulty = info.faulty + info.failed + info.in_error
    return f"{info.finished} of {info.total}" + (f", {faulty} faulty" if faulty else "")


def _time(milliseconds: int) -> str:
    """The time of day where the notebook runs, with the date."""
    return "" if milliseconds < 0 else datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M:%S")


@pragma(
    "job_status",
    *JOB_REFERENCE,
    family="jobs",
    summary="Shows the card of a job: its tasks, what went wrong, what it waits for; follows it while it is alive.",
    example="#%job_status(job_id=7)",
)
def job_status(context: Context, call: BoundCall) -> None:
    """Show the job's card, which follows the job while it is alive."""
    found = context.scheduler.get_job(job_id_of(context, call))
    context.live.watch(found.id, found.name)


@pragma(
    "wait_job",
    *JOB_REFERENCE,
    TIMEOUT,
    family="jobs",
    summary="Waits until a job has ended; raises an error if it failed.",
    example="#%wait_job(timeout=10:00)",
)
def wait_job(context: Context, call: BoundCall) -> None:
    """Wait for a job's end."""
    found = context.scheduler.get_job(job_id_of(context, call))
    context.live.watch(found.id, found.name, follow=False)
    settle(context, wait_for(context, found.id, timeout=call["timeout"], output=False))


def _act(name: str, summary: str, done: str, nothing: str) -> None:
    """Declare one of the pragmas that ask the scheduler for an action on a job."""

    def handler(context: Context, call: BoundCall) -> None:
        job_id = job_id_of(context, call, acts=True)
        action: Callable[[int], bool] = getattr(context.scheduler, name.removesuffix("_job"))
        if action(job_id):
            context.frontend.show(Text(text=f"{done} job {job_id}."))
        else:
            status = context.scheduler.info(job_id).status_label
            context.frontend.show(Notice(text=f"Job {job_id} {nothing}: it is {status}.", warning=True))

    pragma(
        name,
        *JOB_REFERENCE,
        family="jobs",
        summary=summary,
        example=f"#%{name}(job_id=7)",
        destructive=name == "kill_job",
    )(handler)


_act("kill_job", "Kills a job and its running tasks.", "Killed", "cannot be killed")
_act("pause_job", "Starts no more tasks of a job; running tasks continue.", "Paused", "cannot be paused")
_act("resume_job", "Resumes a paused job.", "Resumed", "cannot be resumed")


def _act_on_task(name: str, summary: str, done: str, nothing: str, then: str = "") -> None:
    """Declare one of the pragmas that decide about a task; `then` is what to know about it, a template."""

    def handler(context: Context, call: BoundCall) -> None:
        job = context.scheduler.get_job(job_id_of(context, call, acts=True))
        task = task_of(call, job.state())
        action: Callable[[str], bool] = getattr(job, name)
        if action(task.name):
            text = f"{done} task {task.name} of job {job.id}. #%wait_job(job_id={job.id}) waits for the job."
            note = f"\n{then.format(task=task.base_name, job=job.id)}" if then else ""
            context.frontend.show(Text(text=text + note))
        else:
            text = f"Task {task.name} of job {job.id} cannot be {nothing}: it is {task.status_label}."
            context.frontend.show(Notice(text=text, warning=True))

    example = f"#%{name}(task_name=Train, job_id=7)"
    pragma(name, TASK, *JOB_REFERENCE, family="jobs", summary=summary, example=example)(handler)


_act_on_task(
    "restart_task",
    "Runs an In-Error task again, or restarts a running one, with the submitted code.",
    "Restarted",
    "restarted",
    "It runs the code that it was submitted with. To run the code of a cell that you edited:"
    " #%submit_job(from={task}, job_id={job}).",
)
_act_on_task("finish_task", "Finishes an In-Error task, so that the tasks after it run.", "Finished", "finished")
