"""`#%check`: the errors and warnings of the current job."""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas.checking import findings
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, pragma
from proactive_jupyter_kernel.pragmas.outputs import Table, Text
from proactive_jupyter_kernel.workflow.checks import Severity
from proactive_jupyter_kernel.workflow.display.numbers import counted


@pragma(
    "check",
    family="jobs",
    summary="Lists the errors and warnings of the draft, with their cells and what to change.",
    example="#%check()",
)
def check(context: Context, call: BoundCall) -> None:
    """Show the findings as a table."""
    with context.lock:
        count, found = len(context.draft.tasks), findings(context)
    if not found:
        context.frontend.show(Text(text=f"No problem found in job {context.job_name!r} ({counted(count, 'task')})."))
        return
    errors = sum(one.severity is Severity.ERROR for one in found)
    caption = f"Job {context.job_name!r}: {counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
    rows = [(one.code, one.severity.value, one.task, one.place, one.message, one.fix) for one in found]
    context.frontend.show(
        Table(headings=("Code", "Severity", "Task", "Where", "What", "What to do"), rows=rows, caption=caption)
    )
