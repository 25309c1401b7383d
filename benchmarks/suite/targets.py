"""The targets of the embedded scheduler: one row for each case, with its bar. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BARE", "FIXED", "TARGETS", "WORKLOADS", "Target", "Workload"]

#: The unit of a case that is reported as a ratio to bare fork and wait.
BARE = "× bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One case, and how good its figure must be. Smaller is better in all of them."""

    case: str
    title: str
    unit: str
    #: The most that the figure may be.
    bar: float
    #: What would be better still; None: there is no such aim.
    moonshot: float | None = None
    #: The figure before the work on speed began, on the same kind of machine; None: not measured then.
    before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A job that is timed as a whole, from its submission to its last result."""

    case: str
    #: How many tasks it has in all.
    tasks: int


TARGETS = (
    Target(case="python", title="1,000 Python tasks", unit=BARE, bar=6, moonshot=4, before=24),
    Target(case="bash", title="1,000 bash tasks", unit=BARE, bar=12, moonshot=8, before=18),
    Target(case="chain", title="chain of 100", unit=BARE, bar=10, moonshot=7, before=29),
    Target(case="fan", title="fan 1 → 500 → 1", unit=BARE, bar=7, moonshot=5, before=24),
    Target(case="replicas", title="1,000 replicas", unit=BARE, bar=7, moonshot=5, before=23),
    Target(case="growth", title="10,000 tasks against 1,000, a task", unit="×", bar=1.3, moonshot=1.1, before=1.0),
    Target(case="many", title="100,000 tasks in one job, peak memory of the scheduler", unit="MB", bar=1_000),
    Target(case="finished", title="10,000 finished jobs in the store against none", unit="×", bar=1.1),
    Target(case="submission", title="submission of 10,000 tasks", unit="s", bar=1, before=1.4),
    Target(case="latency", title="one task, submission to result", unit="ms", bar=10, before=18),
    Target(case="step", title="a step of the chain", unit="ms", bar=3),
)

#: The jobs of the first five cases, which are timed in turns.
WORKLOADS = (
    Workload(case="python", tasks=1_000),
    Workload(case="bash", tasks=1_000),
    Workload(case="chain", tasks=100),
    Workload(case="fan", tasks=502),
    Workload(case="replicas", tasks=1_002),
)

#: The cases that are measured on their own, in this order. The figure of `step` comes from the runs of `chain`.
FIXED = ("latency", "submission", "growth", "finished", "many")
