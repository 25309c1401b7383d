"""From what is known of a job to what its card shows."""

from __future__ import annotations

from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.notebook.card.advice import PragmaAdvice
from proactive_jupyter_kernel.notebook.card.facts import Facts, FollowState
from proactive_jupyter_kernel.notebook.card.model import Card
from proactive_jupyter_kernel.notebook.card.pictures import picture_of
from proactive_jupyter_kernel.notebook.card.waits import notices_of
from proactive_jupyter_kernel.workflow.display.errors import error_groups, failed_tasks
from proactive_jupyter_kernel.workflow.display.marks import JOB_WORDS, Mark, task_mark
from proactive_jupyter_kernel.workflow.display.records import Count
from proactive_jupyter_kernel.workflow.display.relations import Relations, names_text
from proactive_jupyter_kernel.workflow.display.tasklist import bar_of, counts_of, families_of, has_families, rows_of
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["card_of"]

#: Squares that are drawn; of more tasks none are.
MAX_SQUARES = 4_000
#: Minimum number of tasks for the number of tasks per second.
RATED_FROM = 100


def card_of(facts: Facts) -> Card:
    """The card."""
    job = facts.job
    relations = Relations(job, facts.workflow)
    families = has_families(facts.meant)
    errors, more_errors = error_groups(facts.failures, relations, advice=PragmaAdvice(facts, relations))
    picture = picture_of(facts)
    drawn_alone = picture is not None and facts.mark is Mark.WAITING and not facts.reasons
    rows, more_rows, scale = (
        ((), "", "") if families or drawn_alone else rows_of(facts.meant, relations, facts.span, facts.seen_at)
    )
    family_rows, more_families = families_of(facts.meant, relations, facts.seen_at) if families else ((), "")
    seen = clock_time(facts.seen_at, facts.zone)
    final = job.ended
    going = facts.following is not FollowState.STOPPED
    output_head = _output_head(facts)
    link_text = _link_text(facts, families)
    return Card(
        job_id=job.id,
        name=job.name,
        mark=facts.mark,
        state=_state(facts),
        aside=_aside(facts),
        as_of="" if final else f"as of {seen}",
        live=not final and going,
        stopped=not final and not going,
        bar=() if final and job.went_well else bar_of([task_mark(task.status) for task in job.tasks]),
        counts=() if final and job.went_well else _counts(facts),
        errors=errors,
        more_errors=more_errors,
        notices=notices_of(facts),
        picture=picture,
        rows=rows,
        scale=scale,
        more_rows=more_rows or more_families,
        families=family_rows,
        squares=_squares(job.tasks) if families else (),
        output_head=output_head,
        output=facts.output,
        named_output=len(job.tasks) > 1,
        results=facts.results,
        without_result=_without_result(facts),
        fold=_fold(facts) if final and job.went_well else "",
        stale_head="" if final else f"Last seen at {seen}",
        stale_text="" if final else _stale_text(facts),
        commands=_commands(facts),
        link=facts.portal,
        link_text=link_text if facts.portal else "",
    )


def _squares(tasks: tuple[TaskState, ...]) -> tuple[Mark, ...]:
    if len(tasks) > MAX_SQUARES:
        return ()
    marks = tuple(task_mark(task.status) for task in tasks)
    if Mark.RUNNING in marks:
        return tuple(Mark.WAITING if mark is Mark.HELD else mark for mark in marks)
    return marks


def _state(facts: Facts) -> str:
    job = facts.job
    words = JOB_WORDS[job.status]
    if facts.mark is Mark.WAITING:
        words = "Submitted"
    failed = len(failed_tasks(facts.job.tasks))
    if job.ended and failed:
        words += f", {failed:,} task{'s' * (failed > 1)} failed"
    return words


def _aside(facts: Facts) -> str:
    job = facts.job
    start, end = facts.span.start, facts.span.end
    took = duration(end - start)
    if not job.ended:
        begun = job.info.started_at > 0 or any(task.started_at > 0 for task in job.tasks)
        return took if begun or facts.mark is not Mark.WAITING else ""
    at = clock_time(job.info.finished_at if job.info.finished_at > 0 else end, facts.zone)
    number = len(job.tasks)
    if job.went_well:
        return f"{number:,} task{'s' * (number != 1)} in {took} · {at}"
    return f"{took} · ended {at}"


def _counts(facts: Facts) -> tuple[Count, ...]:
    job = facts.job
    ended = sum(task.ended for task in job.tasks)
    if job.ended:
        counts = counts_of(task.status for task in job.tasks)
        return tuple(sorted(counts, key=lambda count: count.tone != "bad"))
    counts = tuple(
        count
        for count in counts_of(task.status for task in job.tasks)
        if not count.text.endswith((" finished", " skipped"))
    )
    head = Count(f"{ended:,} of {len(job.tasks):,} done")
    if facts.mark is Mark.WAITING:
        where = (Count(facts.scheduler),) if facts.scheduler else ()
        return (head, Count("no task has started"), *where)
    return (head, *counts, *_rate(facts, ended))


def _rate(facts: Facts, ended: int) -> tuple[Count, ...]:
    start, end = facts.span.start, facts.span.end
    if len(facts.job.tasks) < RATED_FROM or end - start < 2_000 or ended < RATED_FROM // 10:
        return ()
    rate = 1000 * ended / (end - start)
    if rate >= 1:
        return (Count(f"{rate:,.0f} tasks a second"),)
    return (Count(f"{60 * rate:,.0f} tasks a minute"),) if rate >= 1 / 60 else ()


def _output_head(facts: Facts) -> str:
    number = len(facts.output)
    if not number:
        return ""
    if facts.dropped:
        return f"Output, last {number:,} of {number + facts.dropped:,} lines"
    if facts.job.ended:
        return f"Output, {number:,} line{'s' * (number > 1)}"
    return f"Output, last {number:,} line{'s' * (number > 1)}"


def _without_result(facts: Facts) -> str:
    if not facts.results or facts.returned is None:
        return ""
    bases = dict.fromkeys(
        task.name for task in facts.job.tasks if task.status is TaskStatus.FINISHED and task.name not in facts.returned
    )
    return f"{names_text(bases, 6)} returned nothing." if bases else ""


def _fold(facts: Facts) -> str:
    number, lines = len(facts.job.tasks), len(facts.output) + facts.dropped
    parts = [f"{number:,} task{'s' * (number != 1)}", *([f"{lines:,} line{'s' * (lines != 1)}"] if lines else [])]
    return f"Tasks, picture and output ({', '.join(parts)})" if lines else f"Tasks and picture ({parts[0]})"


def _stale_text(facts: Facts) -> str:
    job = facts.job
    ended = sum(task.ended for task in job.tasks)
    failed = len(failed_tasks(facts.job.tasks))
    state = f"{_state(facts).lower()}, {ended:,} of {len(job.tasks):,} done"
    state += f", {failed:,} failed" if failed else ""
    why = f"; then {facts.stopped_by}" if facts.stopped_by else ""
    return (
        f"{state}{why}. This display is no longer updated; "
        f"`#%job_status(job_id={job.id})` shows the current state of the job."
    )


def _commands(facts: Facts) -> tuple[str, ...]:
    job = facts.job
    if job.ended and job.went_well:
        # The other lines are not in the card.
        return (f"#%print_job_output(job_id={job.id})",) if facts.dropped else ()
    wrote = failed_tasks(facts.job.tasks) or [task for task in job.tasks if task.status is TaskStatus.RUNNING]
    commands = [] if job.ended else [("kill_job", f"job_id={job.id}")]
    if job.status is JobStatus.PAUSED:
        commands.insert(0, ("resume_job", f"job_id={job.id}"))
    if any(task.status is TaskStatus.PENDING for task in job.tasks) and facts.reasons:
        # The table has the states, the node sources and the tokens of all nodes.
        commands.append(("list_resources", ""))
    if wrote:
        commands.append(("print_task_output", f"task_name={wrote[0].name}, job_id={job.id}"))
    return tuple(f"#%{name}({arguments})" for name, arguments in commands if name in facts.pragmas)


def _link_text(facts: Facts, families: bool) -> str:
    if not facts.portal.endswith(f"/jobs/{facts.job.id}"):
        # Of a ProActive server no address of a job's page is known.
        return "Open the scheduling portal"
    if families:
        return f"All {len(facts.job.tasks):,} tasks in the portal"
    return f"Open job {facts.job.id} in the portal"
