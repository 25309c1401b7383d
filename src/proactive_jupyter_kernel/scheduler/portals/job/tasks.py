"""The list of tasks on the page of a job: chips of states, a search, families, pages. Pure.

Many tasks of one name that finished, or that have not begun, are one row of the unfiltered list; the row leads to the
list of them. Each task that failed or runs has a separate row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, TaskSnapshot
from proactive_jupyter_kernel.workflow.display.marks import RANK, TONES, Mark, task_mark, task_word
from proactive_jupyter_kernel.workflow.display.records import Segment
from proactive_jupyter_kernel.workflow.display.tasklist import FOLDED_FROM, bar_of, has_families
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.display.traces import failure_of
from proactive_jupyter_kernel.workflow.display.wording import run_time, time_text, waiting_words
from proactive_jupyter_kernel.workflow.status import TASK_ALIVE, TaskStatus

__all__ = [
    "STATES",
    "Chip",
    "Listing",
    "TaskFilter",
    "TaskPage",
    "TaskRow",
    "listing_of",
    "rows_of",
    "squares_of",
    "task_page",
]

#: Rows of a page.
PER_PAGE = 50
#: Tasks above which no square is drawn for each.
MAX_SQUARES = 4_000

#: The word of a state in addresses -> its mark, in the order of the chips, and the words for it.
STATES: Mapping[str, tuple[Mark, str]] = {
    "failed": (Mark.BAD, "failed"),
    "in-error": (Mark.IN_ERROR, "in error"),
    "running": (Mark.RUNNING, "running"),
    "held": (Mark.HELD, "waiting for a node or another attempt"),
    "paused": (Mark.PAUSED, "paused"),
    "finished": (Mark.GOOD, "finished"),
    "waiting": (Mark.WAITING, "waiting"),
    "skipped": (Mark.SKIPPED, "skipped"),
    "not-run": (Mark.NOT_RUN, "stopped or not started"),
}
_WORDS = {mark: state for state, (mark, _) in STATES.items()}
#: Many tasks of one name with the same status are one row, but for those with one of these marks.
_APART = frozenset({Mark.BAD, Mark.IN_ERROR, Mark.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are listed, and which page of them."""

    #: A key of `STATES`; empty: all.
    state: str = ""
    #: A base name; empty: all.
    family: str = ""
    #: A part of the name, in any case.
    search: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> TaskFilter:
        """From the query of an address; what makes no sense there is left out."""
        number = query.get("page", "")
        return cls(
            state=query.get("state", "") if query.get("state", "") in STATES else "",
            family=query.get("family", ""),
            search=query.get("q", "").strip()[:200],
            page=max(int(number), 1) if number.isascii() and number.isdecimal() and len(number) < 8 else 1,
        )

    @property
    def narrow(self) -> bool:
        """Whether it leaves tasks out."""
        return bool(self.state or self.family or self.search)

    @property
    def query(self) -> dict[str, str]:
        """What `of` reads, without the page."""
        values = {"state": self.state, "family": self.family, "q": self.search}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The tasks of the rows of one page: one of each row, or several that share it."""

    groups: tuple[tuple[TaskSnapshot, ...], ...]
    #: Rows of all pages, and the tasks in them.
    total: int
    tasks: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A state with the number of its tasks."""

    #: A key of `STATES`; empty: all.
    state: str
    words: str
    number: int
    mark: Mark | None
    tone: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A row of the list."""

    name: str
    #: ``and 139 more replicas``; empty: one task.
    more: str
    mark: Mark
    tone: str
    word: str
    error: str
    node: str
    took: str
    #: Percent that the task reports; None: it does not run, or reports none.
    progress: int | None
    chosen: bool
    #: What can be done to it, keys of `questions.ACTIONS`.
    actions: tuple[str, ...]
    #: The filter that lists the tasks of the row; None: it is one task.
    query: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """The panel of tasks."""

    filter: TaskFilter
    chips: tuple[Chip, ...]
    rows: tuple[TaskRow, ...]
    total: int
    page: int
    pages: int
    #: ``12 of 10,000 tasks``; empty: all are listed.
    found: str
    #: Bars of the families of a job that has too many tasks for squares: name, number of tasks, bar.
    families: tuple[tuple[str, int, tuple[Segment, ...]], ...] = ()
    #: Whether a square is drawn for each task.
    squares: bool = False


def listing_of(snapshot: JobSnapshot, wanted: TaskFilter) -> Listing:
    """The page of the list that the filter asks for; of a page that does not exist, the last one."""
    tasks = list(_matching(snapshot, wanted))
    tasks.sort(key=lambda task: RANK[task_mark(task.status)])
    groups = [(task,) for task in tasks] if wanted.narrow else list(_folded(tasks))
    pages = max(-(-len(groups) // PER_PAGE), 1)
    page = min(wanted.page, pages)
    start = (page - 1) * PER_PAGE
    return Listing(
        groups=tuple(groups[start : start + PER_PAGE]), total=len(groups), tasks=len(tasks), page=page, pages=pages
    )


def _matching(snapshot: JobSnapshot, wanted: TaskFilter) -> Iterable[TaskSnapshot]:
    mark = STATES[wanted.state][0] if wanted.state else None
    search = wanted.search.casefold()
    for task, found in zip(snapshot.tasks, snapshot.marks, strict=True):
        if mark is not None and found is not mark:
            continue
        if wanted.family and task.base_name != wanted.family:
            continue
        if search and search not in task.name.casefold():
            continue
        yield task


def _folded(tasks: Sequence[TaskSnapshot]) -> Iterable[tuple[TaskSnapshot, ...]]:
    groups: dict[tuple[str, TaskStatus], list[TaskSnapshot]] = {}
    for task in tasks:
        groups.setdefault((task.base_name, task.status), []).append(task)
    for (_, status), found in groups.items():
        if task_mark(status) not in _APART and len(found) >= FOLDED_FROM:
            yield tuple(found)
        else:
            yield from ((task,) for task in found)


def task_page(
    snapshot: JobSnapshot, wanted: TaskFilter, *, chosen: str = "", listing: Listing | None = None
) -> TaskPage:
    """The panel; `chosen` is the full name of the task whose output or result is shown beside it.

    `listing` may have been made of the outlines of the same tasks.
    """
    if listing is None:
        listing = listing_of(snapshot, wanted)
    else:
        listing = replace(
            listing, groups=tuple(tuple(snapshot.by_id[task.id] for task in group) for group in listing.groups)
        )
    many = has_families(snapshot.tasks)
    found = ""
    if wanted.narrow:
        found = f"{listing.tasks:,} of {len(snapshot.tasks):,} tasks"
    return TaskPage(
        filter=wanted,
        chips=tuple(_chips(snapshot, wanted)),
        rows=rows_of(snapshot, listing, chosen=chosen),
        total=listing.total,
        page=listing.page,
        pages=listing.pages,
        found=found,
        families=_families(snapshot) if many and len(snapshot.tasks) > MAX_SQUARES else (),
        squares=many and len(snapshot.tasks) <= MAX_SQUARES,
    )


def _chips(snapshot: JobSnapshot, wanted: TaskFilter) -> Iterable[Chip]:
    counts = Counter(snapshot.marks)
    yield Chip(state="", words="All", number=len(snapshot.tasks), mark=None, tone="", chosen=not wanted.state)
    for state, (mark, words) in STATES.items():
        if counts[mark] or wanted.state == state:
            yield Chip(
                state=state,
                words=words,
                number=counts[mark],
                mark=mark,
                tone=TONES[mark],
                chosen=wanted.state == state,
            )


def squares_of(snapshot: JobSnapshot) -> tuple[Mark, ...]:
    """The mark of each task, for its square; while tasks run, that others wait for a node needs no attention."""
    if Mark.RUNNING in snapshot.marks:
        return tuple(Mark.WAITING if mark is Mark.HELD else mark for mark in snapshot.marks)
    return snapshot.marks


def _families(snapshot: JobSnapshot) -> tuple[tuple[str, int, tuple[Segment, ...]], ...]:
    found = [(base, len(tasks), tasks) for base, tasks in snapshot.by_base.items() if len(tasks) >= FOLDED_FROM]
    found.sort(key=lambda family: -family[1])
    return tuple(
        (base, number, bar_of([task_mark(task.status) for task in tasks])) for base, number, tasks in found[:8]
    )


# --- rows ------------------------------------------------------------------------------------------------------------


def rows_of(snapshot: JobSnapshot, listing: Listing, *, chosen: str = "") -> tuple[TaskRow, ...]:
    """The rows of one page."""
    return tuple(
        _single(snapshot, group[0], chosen=chosen) if len(group) == 1 else _several(snapshot, group)
        for group in listing.groups
    )


def _single(snapshot: JobSnapshot, task: TaskSnapshot, *, chosen: str) -> TaskRow:
    mark = task_mark(task.status)
    error = ""
    if task.failure is not None and mark in (Mark.BAD, Mark.IN_ERROR, Mark.HELD):
        error = failure_of(task.name, error_text(task)).line
    running = task.status is TaskStatus.RUNNING
    word = waiting_words(task, snapshot.relations)
    if running:
        word = word.replace("Running ", "Running, ", 1)
    return TaskRow(
        name=task.name,
        more="",
        mark=mark,
        tone=TONES[mark],
        word=word,
        error=error if len(error) <= 200 else f"{error[:200]}…",
        node=task.node,
        took=time_text(task, snapshot.seen_at) if task.read else "",
        progress=task.progress if running and 0 < task.progress <= 100 else None,
        chosen=task.name == chosen,
        actions=_actions(snapshot, task),
    )


def error_text(task: TaskSnapshot) -> str:
    """The traceback of a failure, or its message."""
    if task.failure is None:
        return ""
    return task.failure.stack_trace or task.failure.message


def _actions(snapshot: JobSnapshot, task: TaskSnapshot) -> tuple[str, ...]:
    if snapshot.ended or task.status not in TASK_ALIVE:
        return ()
    if task.status is TaskStatus.IN_ERROR:
        return ("restart-in-error", "finish-in-error", "kill-task")
    return ("restart-task", "kill-task") if task.status is TaskStatus.RUNNING else ("kill-task",)


def _several(snapshot: JobSnapshot, tasks: Sequence[TaskSnapshot]) -> TaskRow:
    base, mark = tasks[0].base_name, task_mark(tasks[0].status)
    copies = "replicas" if any("*" in task.name.removeprefix(base) for task in tasks) else "iterations"
    waits = tasks[0].status is TaskStatus.SUBMITTED
    return TaskRow(
        name=base,
        more=f"and {len(tasks) - 1:,} more {copies}",
        mark=mark,
        tone=TONES[mark],
        word=waiting_words(tasks[0], snapshot.relations) if waits else task_word(tasks[0].status),
        error="",
        node=_nodes(tasks),
        took=_range(tasks, snapshot.seen_at),
        progress=None,
        chosen=False,
        actions=(),
        query={"family": base, "state": _WORDS[mark]},
    )


def _nodes(tasks: Sequence[TaskSnapshot]) -> str:
    """``5 nodes``, where all records were read."""
    if not all(task.read for task in tasks):
        return ""
    nodes = {task.node for task in tasks if task.node}
    return next(iter(nodes)) if len(nodes) == 1 else f"{len(nodes)} nodes" if nodes else ""


def _range(tasks: Sequence[TaskSnapshot], seen_at: int) -> str:
    """``100 to 210 ms``, where all records were read."""
    if not all(task.read for task in tasks):
        return ""
    times = [run_time(task, seen_at) for task in tasks if task.started_at > 0 and task.status is TaskStatus.FINISHED]
    if not times:
        return ""
    low, high = duration(min(times)), duration(max(times))
    if low == high:
        return low
    (low_number, _, low_unit), (_, _, high_unit) = low.rpartition(" "), high.rpartition(" ")
    return f"{low_number if low_unit == high_unit and ' ' not in low_number else low} to {high}"
