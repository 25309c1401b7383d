"""The tasks of a job: a table with bars on one scale, or families with counts where a name stands for many tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from proactive_jupyter_kernel.workflow.display.marks import RANK, TONES, Mark, task_mark
from proactive_jupyter_kernel.workflow.display.records import Count, Family, Job, Row, Segment, Span, Task
from proactive_jupyter_kernel.workflow.display.relations import Relations, names_text
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.display.wording import run_time, time_text, waiting_words
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = [
    "FOLDED_FROM",
    "MAX_FAMILIES",
    "MAX_ROWS",
    "counts_of",
    "families_of",
    "has_families",
    "rows_of",
    "time_span",
]

#: Tasks of one base name from which they are shown as a family.
FOLDED_FROM = 12
#: Rows of tasks, and of families, that are shown; the others are counted.
MAX_ROWS = 40
MAX_FAMILIES = 20

#: How a number of tasks is said, in this order.
_COUNTED: tuple[tuple[str, str, frozenset[TaskStatus]], ...] = (
    ("finished", "", frozenset({TaskStatus.FINISHED})),
    ("failed", "bad", frozenset({TaskStatus.FAULTY, TaskStatus.FAILED, TaskStatus.NOT_RESTARTED})),
    ("in error", "bad", frozenset({TaskStatus.IN_ERROR})),
    ("running", "run", frozenset({TaskStatus.RUNNING})),
    (
        "waiting for another attempt",
        "attention",
        frozenset({TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE}),
    ),
    ("waiting for a node", "attention", frozenset({TaskStatus.PENDING})),
    ("waiting", "", frozenset({TaskStatus.SUBMITTED})),
    ("paused", "attention", frozenset({TaskStatus.PAUSED})),
    ("skipped", "", frozenset({TaskStatus.SKIPPED})),
    ("stopped", "", frozenset({TaskStatus.ABORTED})),
    ("not started", "", frozenset({TaskStatus.NOT_STARTED})),
)


def counts_of(
    statuses: Iterable[TaskStatus] | Mapping[TaskStatus, int], *, done: str = "finished"
) -> tuple[Count, ...]:
    """The numbers of tasks by status, without those that are 0. Given are the statuses, or how often each occurs."""
    found = Counter(statuses)
    if found[TaskStatus.RUNNING]:
        # While the job itself keeps nodes busy, it needs no attention that others wait for these.
        found[TaskStatus.SUBMITTED] += found.pop(TaskStatus.PENDING, 0)
    counts = []
    for word, tone, statuses in _COUNTED:
        number = sum(found[status] for status in statuses)
        if number:
            counts.append(Count(f"{number:,} {done if word == 'finished' else word}", tone))
    return tuple(counts)


def time_span(job: Job, seen_at: int, *, submitted_at: int, started_at: int, finished_at: int) -> Span:
    """The scale for the bars: from the first start to the end, or to the time of the report."""
    started = [task.started_at for task in job.tasks if task.started_at > 0]
    start = min([*started, *([started_at] if started_at > 0 else [])], default=submitted_at)
    ended = [task.finished_at for task in job.tasks if task.finished_at > 0]
    end = max([finished_at, *ended, start] if job.ended else [seen_at, *ended, start])
    return Span(start=start, end=end)


def has_families(tasks: Sequence[Task]) -> bool:
    """Whether a name stands for so many tasks that they are shown together."""
    return any(count >= FOLDED_FROM for count in Counter(task.base_name for task in tasks).values())


def rows_of(
    tasks: Sequence[Task], relations: Relations, span: Span, seen_at: int, *, most: int = MAX_ROWS
) -> tuple[tuple[Row, ...], str, str]:
    """The rows, a phrase on the tasks without one, and the words above the bars."""
    ordered = sorted(tasks, key=lambda task: RANK[task_mark(task.status)])
    rows = tuple(_row(relations, task, span, seen_at) for task in ordered[:most])
    rest = ordered[most:]
    more = ""
    if rest:
        words = ", ".join(count.text for count in counts_of(task.status for task in rest))
        more = f"and {len(rest):,} more task{'s' * (len(rest) > 1)}: {words}"
    scale = f"0 to {duration(span.end - span.start)}" if any(row.bar for row in rows) else ""
    return rows, more, scale


def _row(relations: Relations, task: Task, span: Span, seen_at: int) -> Row:
    mark = task_mark(task.status)
    bar = None
    time = time_text(task, seen_at)
    start, whole = span.start, max(span.end - span.start, 1)
    if time:
        ran = min(run_time(task, seen_at), whole)
        bar = _segment(TONES[mark], task.started_at - start, ran, whole)
    elif task.status is TaskStatus.PENDING and not relations.job.ended:
        since = _ready_at(task, relations, start)
        time = duration(seen_at - since)
        bar = _segment("attention", since - start, seen_at - since, whole)
    return Row(task=task.name, mark=mark, word=waiting_words(task, relations), time=time, bar=bar)


def _segment(tone: str, after: int, length: int, whole: int) -> Segment:
    left = min(max(100 * after / whole, 0), 99.5)
    return Segment(tone, round(left, 2), round(min(max(100 * length / whole, 0.5), 100 - left), 2))


def _ready_at(task: Task, relations: Relations, start: int) -> int:
    """When a task that waits for a node could have started."""
    parents = [one for base in relations.parents(task.base_name) for one in relations.by_base.get(base, ())]
    return max([start, *(one.finished_at for one in parents)])


def families_of(
    tasks: Iterable[Task], relations: Relations, seen_at: int, *, most: int = MAX_FAMILIES
) -> tuple[tuple[Family, ...], str]:
    """A row for each base name, and a phrase on those left out."""
    by_base: dict[str, list[Task]] = {}
    for task in tasks:
        by_base.setdefault(task.base_name, []).append(task)
    families = [_family(relations, base, found, seen_at) for base, found in by_base.items()]
    families.sort(key=lambda family: (RANK[family.mark], -family.size if family.mark is not Mark.GOOD else 0))
    rest = families[most:]
    more = ""
    if rest:
        count = sum(family.size for family in rest)
        more = f"and {len(rest):,} more names with {count:,} task{'s' * (count > 1)}"
    return tuple(families[:most]), more


def _family(relations: Relations, base: str, tasks: Sequence[Task], seen_at: int) -> Family:
    marks = [task_mark(task.status) for task in tasks]
    mark = min(marks, key=lambda one: RANK[one])
    if RANK[mark] == RANK[Mark.GOOD] and Mark.WAITING in marks:
        # Some finished, some still wait: the family is on its way.
        mark = Mark.WAITING
    counts: tuple[Count, ...]
    if len(tasks) == 1:
        time = time_text(tasks[0], seen_at)
        words = waiting_words(tasks[0], relations).lower() if mark is Mark.WAITING else ""
        words = words or waiting_words(tasks[0], relations)
        counts = (Count(f"{words} {'in ' if mark is Mark.GOOD else ''}{time}".strip(), _spoken(mark)),)
    elif all(one is Mark.WAITING for one in marks) and (parents := relations.waits_for(tasks[0])):
        counts = (Count(f"wait for {names_text(parents, 3)}"),)
    else:
        counts = counts_of((task.status for task in tasks), done="done")
    return Family(name=base, size=len(tasks), mark=mark, bar=bar_of(marks), counts=counts)


def _spoken(mark: Mark) -> str:
    """Texts about success and waiting have no colour."""
    return "" if TONES[mark] in ("ok", "off") else TONES[mark]


#: The order of the pieces of a bar.
_PIECES = (Mark.BAD, Mark.IN_ERROR, Mark.GOOD, Mark.SKIPPED, Mark.RUNNING, Mark.HELD, Mark.PAUSED)


def bar_of(marks: Iterable[Mark] | Mapping[Mark, int]) -> tuple[Segment, ...]:
    """The marks, or how often each occurs, as pieces of one bar; what has not begun stays empty."""
    found = Counter(marks)
    total = sum(found.values())
    left, pieces = 0.0, []
    for mark in _PIECES:
        if not found[mark] or mark in (Mark.HELD, Mark.PAUSED):
            continue
        width = 100 * found[mark] / total
        pieces.append(Segment(TONES[mark], round(left, 2), round(width, 2)))
        left += width
    return tuple(pieces)
