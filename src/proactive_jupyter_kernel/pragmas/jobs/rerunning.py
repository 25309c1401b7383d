"""`#%submit_job(from=T)` and `only=[T]`: a part of the draft runs, with stored results of an earlier job."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError, did_you_mean
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import TASK_NAMES
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter
from proactive_jupyter_kernel.pragmas.declarations.values import Integer
from proactive_jupyter_kernel.pragmas.draft.building import Built
from proactive_jupyter_kernel.pragmas.outputs import Notice
from proactive_jupyter_kernel.workflow.model import Script

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.jobs.rerun import Rerun
    from proactive_jupyter_kernel.client.jobs.stored_tasks import StoredFile
    from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
    from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["RERUN", "check_rerun", "with_earlier_results"]

#: What makes of a submission one of a part.
RERUN = (
    Parameter(
        name="from",
        kind=TASK_NAMES,
        default=(),
        doc="Run these tasks and the tasks after them; the results of the tasks before them come from an earlier job.",
    ),
    Parameter(
        name="only",
        kind=TASK_NAMES,
        default=(),
        doc="Run only these tasks; the results of the tasks before them come from an earlier job.",
    ),
    Parameter(
        name="job_id",
        kind=Integer(minimum=1, offers="job_ids"),
        doc="With from or only, the earlier job. Without it: the job submitted last from this notebook.",
    ),
)


def check_rerun(call: BoundCall) -> None:
    """Refuse what does not go together."""
    if call["from"] and call["only"]:
        raise call.fault("from and only cannot go together: from also runs what follows.", parameter="only")
    for word in ("from", "only"):
        if call.given(word) and not call[word]:
            raise call.fault(f"{word} names no task.", parameter=word)
    if call["job_id"] is not None and not (call["from"] or call["only"]):
        raise call.fault(
            "job_id says whose results are used, and needs from or only.",
            parameter="job_id",
            hint="from=TASK runs TASK and what follows it with the results of that job.",
        )


def with_earlier_results(context: Context, call: BoundCall, built: Built) -> Built:
    """The part of the workflow that runs, with small tasks for the results of the earlier job; says what is used."""
    from proactive_jupyter_kernel.client.jobs.rerun import RerunRefused, plan
    from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
    from proactive_jupyter_kernel.client.jobs.stored_tasks import with_stored_results

    word = "only" if call["only"] else "from"
    known = [task.name for task in built.workflow.tasks]
    for name in call[word]:
        if name not in known:
            raise call.fault(f"there is no task {name!r}.", parameter=word, item=name, hint=did_you_mean(name, known))
    job = _earlier_job(context, call)
    try:
        rerun = plan(RunGraph(built.workflow, job.state()), call[word], only=word == "only")
        results = {
            state.name: job.result(state.name, trust=False) for states in rerun.stored.values() for state in states
        }
        workflow, files = with_stored_results(rerun, results, job.state().info)
    except RerunRefused as refused:
        reason, hint = refused.args
        raise call.fault(reason, parameter=word, hint=f"{hint} {_earlier_still(job)}".strip()) from None
    _check(workflow)
    _send(context, files)
    for notice in _notices(rerun, job, built.workflow):
        context.frontend.show(notice)
    sources = {name: source for name, source in built.sources.items() if name not in rerun.stored}
    return replace(built, workflow=workflow, sources=sources)


def _earlier_job(context: Context, call: BoundCall) -> SubmittedJob:
    if call["job_id"] is not None:
        return context.scheduler.get_job(call["job_id"])
    here = context.jobs_here()
    if not here:
        raise call.fault(
            "no job with results that could be used was submitted from this notebook yet.",
            hint="Name one: job_id=NUMBER. #%list_submitted_jobs() shows your jobs.",
        )
    return context.scheduler.get_job(here[-1].id)


def _earlier_still(job: SubmittedJob) -> str:
    """Of a job that itself ran a part, whose results it used."""
    from proactive_jupyter_kernel.client.jobs.stored_tasks import SOURCE

    for task in job.workflow().tasks:
        if source := task.generic_information.get(SOURCE):
            number = source.partition(":")[0].removeprefix("job ")
            return f"Job {job.id} ran a part, with results of job {number}: job_id={number}."
    return ""


def _check(workflow: Workflow) -> None:
    """What is left of a workflow must be one: a part of a control may be none."""
    from proactive_jupyter_kernel.workflow.checks import errors

    problems = errors(workflow)
    if problems:
        raise InvalidWorkflow(workflow.name, problems)


def _send(context: Context, files: tuple[StoredFile, ...]) -> None:
    """Put results that are too large for a workflow into the user space."""
    for file in files:
        path = PurePosixPath(file.path)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, path.name)
            local.write_text(file.content, encoding="utf-8")
            context.scheduler.space().upload(str(path.parent), [(path.name, local)])


def _notices(rerun: Rerun, job: SubmittedJob, workflow: Workflow) -> Iterator[Notice]:
    stored = [f"{name} ({len(states)} copies)" if len(states) > 1 else name for name, states in rerun.stored.items()]
    left = f" Not needed: {', '.join(rerun.left_out)}." if rerun.left_out else ""
    of = f"of job {job.id} ({job.name!r})"
    used = f"Results {of} are used for {', '.join(stored)}." if stored else f"No result {of} is used."
    yield Notice(text=used + left)
    changed = [name for name, old in _changed(rerun, job, workflow).items() if old]
    if changed:
        them = ", ".join(changed)
        text = f"The code of {them} changed since job {job.id}; the results of the old code are used."
        yield Notice(text=f"{text} from={changed[0]} would run it again.", warning=True)


def _changed(rerun: Rerun, job: SubmittedJob, workflow: Workflow) -> Mapping[str, bool]:
    try:
        before = {task.name: task.executable for task in job.workflow().tasks}
    except ProActiveError:
        return {}
    return {
        name: isinstance(old := before.get(name), Script)
        and isinstance(new := workflow.task(name).executable, Script)
        # A task that itself returned a stored result says nothing about code.
        and not _is_stored(job, name)
        and old.code != new.code
        for name in rerun.stored
    }


def _is_stored(job: SubmittedJob, name: str) -> bool:
    from proactive_jupyter_kernel.client.jobs.stored_tasks import SOURCE

    return SOURCE in job.workflow().task(name).generic_information
