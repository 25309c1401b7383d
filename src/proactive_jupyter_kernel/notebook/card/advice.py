"""What to do about the errors of a job, as pragmas to copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proactive_jupyter_kernel.notebook.card.facts import Facts
from proactive_jupyter_kernel.workflow.display.errors import Advice
from proactive_jupyter_kernel.workflow.display.records import Failure, Task
from proactive_jupyter_kernel.workflow.display.relations import Relations

__all__ = ["PragmaAdvice"]

_CELL = re.compile(r"cell \[(\d+)\]")


class PragmaAdvice(Advice):
    """The pragmas that help."""

    def __init__(self, facts: Facts, relations: Relations) -> None:
        self._facts = facts
        self._relations = relations

    def decision(self, task: Task) -> tuple[str, ...]:
        job_id = self._facts.job.id
        ways = [
            f"`#%{name}({arguments})` {effect}"
            for name, arguments, effect in (
                ("restart_task", f"task_name={task.name}, job_id={job_id}", "runs it again"),
                ("finish_task", f"task_name={task.name}, job_id={job_id}", "marks it as finished"),
                ("kill_job", f"job_id={job_id}", "ends the job"),
            )
            if name in self._facts.pragmas
        ]
        return (f"{', '.join(ways)}.",) if ways else ()

    def again(self, task: Task, failure: Failure, policy: str) -> tuple[str, ...]:
        cell = _CELL.search(failure.place)
        first = f"correct {cell.group()}, run it" if cell else "correct the task, run its cell"
        parts = [f"To try again: {first}, and submit again."]
        if task.max_executions == 1:
            parts.append("`retries=2` in `#%task` retries a failed task automatically.")
        if policy == "cancel" and self._relations.children(task.base_name):
            parts.append("`on_error=continue` lets the tasks after it run.")
        return (" ".join(parts),)

    def unread(self, tasks: Sequence[Task]) -> tuple[str, ...]:
        wrote = "the first of them" if len(tasks) > 1 else "it"
        return (f"`#%print_task_output(task_name={tasks[0].name})` shows what {wrote} wrote.",)
