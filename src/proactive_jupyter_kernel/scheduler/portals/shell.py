"""What every page shows around its content: the state of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.workflow.display.marks import Mark

__all__ = ["Shell"]

_MARKS = {
    SchedulerStatus.STARTED: Mark.GOOD,
    SchedulerStatus.PAUSED: Mark.PAUSED,
    SchedulerStatus.FROZEN: Mark.PAUSED,
    SchedulerStatus.STOPPED: Mark.IN_ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The state of the scheduler in words."""

    mark: Mark
    #: ``Started``.
    word: str
    #: ``5 of 8 slots busy``.
    slots: str
    user: str

    @classmethod
    def of(cls, service: Service, user: str) -> Shell:
        """The state now. In the loop's thread."""
        states = service.resources.states
        busy = sum(state.holder is not None for state in states)
        status = service.status
        return cls(
            mark=_MARKS.get(status, Mark.NOT_RUN),
            word=status.value.replace("_", " ").capitalize(),
            slots=f"{busy:,} of {len(states):,} slot{'s' * (len(states) != 1)} busy",
            user=user,
        )
