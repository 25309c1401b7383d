"""The judge of the rounds: it must see each kind of broken promise, or all rounds prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.soak.invariants import Evidence, Mark, Seen, TaskEnd, violations

END = TaskEnd(status="FINISHED", value=7, lines=("1 begin", "1 end"))


def mark(kind: str, at: int, execution: str = "1") -> Mark:
    return Mark(job_id=1, task="A", execution=execution, kind=kind, at=at)


GOOD = Evidence(
    acknowledged=frozenset({1}),
    marks=(mark("begin", 1), mark("alive", 2), mark("end", 3)),
    seen=(Seen(job_id=1, task="A", end=END, at=4),),
    jobs={1: "FINISHED"},
    tasks={(1, "A"): END},
    expected={"A": 7},
    integrity="ok",
)

BROKEN = [
    (replace(GOOD, integrity="row 3 missing"), "the store is damaged: row 3 missing"),
    (replace(GOOD, jobs={}, tasks={}), "job 1 was acknowledged and is lost"),
    (replace(GOOD, jobs={1: "RUNNING"}), "job 1 is RUNNING"),
    (replace(GOOD, expected={"A": 7, "B": 8}), "job 1 has the tasks ['A'], not ['A', 'B']"),
    (
        replace(GOOD, tasks={(1, "A"): replace(END, value=8)}, seen=()),
        "task A of job 1 has the result 8, not 7",
    ),
    (
        replace(GOOD, tasks={(1, "A"): replace(END, lines=("1 begin",))}, seen=()),
        "the log of task A of job 1 ends with ['begin']: output is lost",
    ),
    (
        replace(GOOD, tasks={(1, "A"): replace(END, lines=("2 begin", "2 end"))}),
        "task A of job 1, which was known as finished, had the log ('1 begin', '1 end') and has ('2 begin', '2 end')",
    ),
    (
        replace(GOOD, tasks={(1, "A"): TaskEnd(status="FAULTY")}),
        "task A of job 1, which was known as finished, was FINISHED with 7 and is FAULTY with None",
    ),
    (
        replace(GOOD, marks=(*GOOD.marks, mark("begin", 5, "2"), mark("end", 6, "2"))),
        "task A of job 1, which was known as finished, ran again",
    ),
    (
        replace(GOOD, marks=(*GOOD.marks, mark("begin", 2, "2"), mark("end", 6, "2")), seen=()),
        "task A of job 1 ran twice at once",
    ),
    (replace(GOOD, marks=GOOD.marks[:-1]), "task A of job 1 is FINISHED and left no marks"),
    (replace(GOOD, seen=()), "no client was told of a finished task"),
    (replace(GOOD, left=("a process",)), "left behind: a process"),
]


def test_a_good_round_breaks_no_promise() -> None:
    """An execution before the one that counted is no fault either, where it ended before the other began."""
    repeated = replace(GOOD, marks=(mark("begin", -9, "0"), mark("alive", -8, "0"), *GOOD.marks))
    assert (violations(GOOD), violations(repeated)) == ([], [])


@pytest.mark.parametrize(("evidence", "expected"), BROKEN)
def test_each_broken_promise_is_said(evidence: Evidence, expected: str) -> None:
    """In a sentence of its own."""
    assert expected in violations(evidence)
