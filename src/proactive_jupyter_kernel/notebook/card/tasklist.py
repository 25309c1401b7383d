"""The tasks of a job: a table with bars on one scale, or families with counts where a name stands for many tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.notebook.card.errors import attempts
from proactive_jupyter_kernel.notebook.card.facts import Facts
from proactive_jupyter_kernel.notebook.card.marks import RANK, TONES, Mark, task_mark, task_word
from proactive_jupyter_kernel.notebook.card.model import Count, Family, Row, Segment
from proactive_jupyter_kernel.notebook.card.relations import Relations, names_text
from proactive_jupyter_kernel.notebook.card.times import duration
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
    "time_text",
    "waiting_words",
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


def counts_of(tasks: Sequence[TaskState], *, done: str = "finished") -> tuple[Count, ...]:
    """The numbers of tasks by status, without those that are 0."""
    found = Counter(task.status for task in tasks)
    if found[TaskStatus.RUNNING]:
        # While the job itself keeps nodes busy, it needs no attention that others wait for these.
        found[TaskStatus.SUBMITTED] += found.pop(TaskStatus.PENDING, 0)
    counts = []
    for word, tone, statuses in _COUNTED:
        number = sum(found[status] for status in statuses)
        if number:
            counts.append(Count(f"{number:,} {done if word == 'finished' else word}", tone))
    return tuple(counts)


def time_span(facts: Facts) -> tuple[int, int]:
    """Start and end of the scale for the bars: from the first start to the end, or to the time of the report."""
    info = facts.job.info
    started = [task.started_at for task in facts.job.tasks if task.started_at > 0]
    start = min([*started, *([info.started_at] if info.started_at > 0 else [])], default=info.submitted_at)
    ended = [task.finished_at for task in facts.job.tasks if task.finished_at > 0]
    end = max([info.finished_at, *ended, start] if facts.job.ended else [facts.seen_at, *ended, start])
    return start, end


def time_text(task: TaskState, seen_at: int) -> str:
    """How long the task ran, or runs by now; empty where it has not started."""
    if task.status in (TaskStatus.SKIPPED, TaskStatus.NOT_STARTED) or task.started_at <= 0:
        return ""
    return duration(_ran(task, seen_at))


def _ran(task: TaskState, seen_at: int) -> int:
    if not task.ended and task.status is not TaskStatus.IN_ERROR:
        return max(seen_at - task.started_at, 0)
    if task.duration >= 0:
        return task.duration
    return max((task.finished_at if task.finished_at > 0 else seen_at) - task.started_at, 0)


def waiting_words(task: TaskState, relations: Relations) -> str:
    """The status of a task, with what it waits for."""
    if task.status is TaskStatus.SUBMITTED and (parents := relations.waits_for(task)):
        return f"Waits for {names_text(parents, 3)}"
    words = task_word(task)
    if task.status is TaskStatus.RUNNING:
        words += f" {task.progress} %" if 0 < task.progress <= 100 else ""
    tried = attempts(task)
    if task.max_executions > 1 and task.status not in _NEVER and (tried > 1 or task.status in _TRIED):
        words += f", attempt {tried} of {task.max_executions}"
    return words


_NEVER = frozenset({TaskStatus.NOT_STARTED, TaskStatus.SKIPPED, TaskStatus.SUBMITTED, TaskStatus.PENDING})
_TRIED = frozenset({TaskStatus.FAULTY, TaskStatus.IN_ERROR, TaskStatus.WAITING_ON_ERROR})


def has_families(facts: Facts) -> bool:
    """Whether a name stands for so many tasks that they are shown together."""
    return any(count >= FOLDED_FROM for count in Counter(task.base_name for task in _meant(facts)).values())


def _meant(facts: Facts) -> list[TaskState]:
    wanted = facts.tasks
    return [task for task in facts.job.tasks if not wanted or task.base_name in wanted or task.name in wanted]


def rows_of(facts: Facts, relations: Relations) -> tuple[tuple[Row, ...], str, str]:
    """The rows, a phrase on the tasks without one, and the words above the bars."""
    tasks = sorted(_meant(facts), key=lambda task: RANK[task_mark(task)])
    start, end = time_span(facts)
    rows = tuple(_row(facts, relations, task, start, end) for task in tasks[:MAX_ROWS])
    rest = tasks[MAX_ROWS:]
    more = ""
    if rest:
        words = ", ".join(count.text for count in counts_of(rest))
        more = f"and {len(rest):,} more task{'s' * (len(rest) > 1)}: {words}"
    scale = f"0 to {duration(end - start)}" if any(row.bar for row in rows) else ""
    return rows, more, scale


def _row(facts: Facts, relations: Relations, task: TaskState, start: int, end: int) -> Row:
    mark = task_mark(task)
    bar = None
    time = time_text(task, facts.seen_at)
    whole = max(end - start, 1)
    if time:
        ran = min(_ran(task, facts.seen_at), whole)
        bar = _segment(TONES[mark], task.started_at - start, ran, whole)
    elif task.status is TaskStatus.PENDING and not facts.job.ended:
        since = _ready_at(task, relations, start)
        time = duration(facts.seen_at - since)
        bar = _segment("attention", since - start, facts.seen_at - since, whole)
    return Row(task=task.name, mark=mark, word=waiting_words(task, relations), time=time, bar=bar)


def _segment(tone: str, after: int, length: int, whole: int) -> Segment:
    left = min(max(100 * after / whole, 0), 99.5)
    return Segment(tone, round(left, 2), round(min(max(100 * length / whole, 0.5), 100 - left), 2))


def _ready_at(task: TaskState, relations: Relations, start: int) -> int:
    """When a task that waits for a node could have started."""
    parents = [one for base in relations.parents(task.base_name) for one in relations.by_base.get(base, ())]
    return max([start, *(one.finished_at for one in parents)])


def families_of(facts: Facts, relations: Relations) -> tuple[tuple[Family, ...], str]:
    """A row for each base name, and a phrase on those left out."""
    wanted = {id(task) for task in _meant(facts)}
    families = [
        _family(facts, relations, base, found)
        for base, tasks in relations.by_base.items()
        if (found := [task for task in tasks if id(task) in wanted])
    ]
    families.sort(key=lambda family: (RANK[family.mark], -family.size if family.mark is not Mark.GOOD else 0))
    rest = families[MAX_FAMILIES:]
    more = ""
    if rest:
        count = sum(family.size for family in rest)
        more = f"and {len(rest):,} more names with {count:,} task{'s' * (count > 1)}"
    return tuple(families[:MAX_FAMILIES]), more


def _family(facts: Facts, relations: Relations, base: str, tasks: Sequence[TaskState]) -> Family:
    marks = [task_mark(task) for task in tasks]
    mark = min(marks, key=lambda one: RANK[one])
    if RANK[mark] == RANK[Mark.GOOD] and Mark.WAITING in marks:
        # Some finished, some still wait: the family is on its way.
        mark = Mark.WAITING
    counts: tuple[Count, ...]
    if len(tasks) == 1:
        time = time_text(tasks[0], facts.seen_at)
        words = waiting_words(tasks[0], relations).lower() if mark is Mark.WAITING else ""
        words = words or waiting_words(tasks[0], relations)
        counts = (Count(f"{words} {'in ' if mark is Mark.GOOD else ''}{time}".strip(), _spoken(mark)),)
    elif all(one is Mark.WAITING for one in marks) and (parents := relations.waits_for(tasks[0])):
        counts = (Count(f"wait for {names_text(parents, 3)}"),)
    else:
        counts = counts_of(tasks, done="done")
    return Family(name=base, size=len(tasks), mark=mark, bar=bar_of(marks), counts=counts)


def _spoken(mark: Mark) -> str:
    """Texts about success and waiting have no colour."""
    return "" if TONES[mark] in ("ok", "off") else TONES[mark]


#: The order of the pieces of a bar.
_PIECES = (Mark.BAD, Mark.IN_ERROR, Mark.GOOD, Mark.SKIPPED, Mark.RUNNING, Mark.HELD, Mark.PAUSED)


def bar_of(marks: Sequence[Mark]) -> tuple[Segment, ...]:
    """The marks as pieces of one bar; what has not begun stays empty."""
    found = Counter(marks)
    left, pieces = 0.0, []
    for mark in _PIECES:
        if not found[mark] or mark in (Mark.HELD, Mark.PAUSED):
            continue
        width = 100 * found[mark] / len(marks)
        pieces.append(Segment(TONES[mark], round(left, 2), round(width, 2)))
        left += width
    return tuple(pieces)
