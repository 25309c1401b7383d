"""Branch, loop and replicate, step by step: what each step takes and does.

The steps, their order, and which control one belongs to stand in `pragmas/draft/controls.py`.
"""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas.code import check_code, check_decides, code_of
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import (
    FLOW_LANGUAGE,
    INFO_PAIRS,
    LANGUAGE,
    PATH,
    TASK_NAME,
    TASK_NAMES,
)
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.draft.contributions import ControlScript, ControlStep
from proactive_jupyter_kernel.pragmas.draft.controls import Control, OutOfOrder
from proactive_jupyter_kernel.pragmas.draft.source_map import join
from proactive_jupyter_kernel.pragmas.handlers.tasks import EXPORT, IMPORT, define, drafted
from proactive_jupyter_kernel.pragmas.outputs import Text
from proactive_jupyter_kernel.workflow.model import Script

_NAME = Parameter(
    name="name", kind=TASK_NAME, nameless=True, doc="The task's name; without it one such as split1 is made up."
)
_DEP = Parameter(name="dep", kind=TASK_NAMES, default=(), doc="The tasks that must end first.")
_DEP_OR_ALL = Parameter(
    name="dep",
    kind=TASK_NAMES,
    default=(),
    doc="The tasks that must end first; without it, all tasks that the earlier steps lead to.",
)
_INFO = Parameter(name="generic_info", kind=INFO_PAIRS, doc="Hints to the scheduler, such as PYTHON_COMMAND.")
_SHARED = (_INFO, LANGUAGE, PATH, EXPORT, IMPORT)


def _task_step(name: str, *parameters: Parameter, summary: str, example: str) -> None:
    """Declare a step that defines a task."""
    pragma(
        name,
        _NAME,
        *parameters,
        *_SHARED,
        family="controls",
        summary=summary,
        example=example,
        takes_code=True,
        defines_task=True,
        changes_draft=True,
        check=check_code,
    )(define_step)


def define_step(context: Context, call: BoundCall) -> None:
    """Define the task of a step and put it into its control."""
    draft, step = context.draft, call.pragma.name
    control = _control(context, call, call["name"] or "")
    before = control.tasks.get(step) or control.former.get(step, "")
    name = call["name"] or before or draft.name_again(step) or draft.free_name(step)
    holder = draft.contents.control_of(name)
    if holder is not None and name != before:
        message = f"task {name} is a step of the {holder.kind.name} that starts with {holder.first_task}."
        raise call.fault(message, parameter="name", hint="Give this step another name.")
    entry = drafted(context, call, name, control.with_task(step, name).before(name))
    define(context, ControlStep(step=step, entry=entry, written=call["name"] or ""))


def decide(context: Context, call: BoundCall) -> None:
    """Give a control its deciding script."""
    step = call.pragma.name
    control = _control(context, call, "")
    code = code_of(context, call, call["language"])
    if not code.text.strip():
        raise call.fault(f"a script is expected below, which sets {control.kind.variable}.")
    source = join(call["language"].engine, [code])
    context.draft.contribute(ControlScript(step=step, source=source, control=control.first_task))
    following = control.with_script(step, Script(language=source.engine, code=source.script), source).next
    next_step = f" #%{following.name} comes next." if following else ""
    what = f"the script that decides the {control.kind.name} of {control.first_task}"
    context.frontend.show(Text(text=f"Defined {what} ({call['language'].name}).{next_step}"))


def _control(context: Context, call: BoundCall, name: str) -> Control:
    """The control that a step belongs to, in its state before the step."""
    try:
        return context.draft.position_of(call.pragma.name, name).control
    except OutOfOrder as fault:
        hint = f"#%delete_task(name={fault.begun}) discards that control." if fault.begun else ""
        raise call.fault(fault.sentence, hint=hint) from None


def _script_step(name: str, *variables: str, summary: str, example: str) -> None:
    """Declare a step that holds the deciding script."""
    pragma(
        name,
        FLOW_LANGUAGE,
        PATH,
        family="controls",
        summary=summary,
        example=example,
        takes_code=True,
        changes_draft=True,
        check=check_decides(*variables),
    )(decide)


_task_step(
    "branch",
    _DEP,
    summary="Starts a branch: a task after which a script chooses one of two branches.",
    example="#%branch(name=Measure)\nresult = 7",
)
_script_step(
    "condition",
    "branch",
    "loop",
    summary='Decides a branch, by setting branch to "if" or "else", or a loop, by setting loop to true or false.',
    example="#%condition()\nloop = variables.get('PA_TASK_ITERATION') < 3;",
)
_task_step("if", summary="The first task of the if branch.", example="#%if(name=High)\nprint('high')")
_task_step("else", summary="The first task of the else branch.", example="#%else(name=Low)\nprint('low')")
_task_step(
    "continuation",
    summary="The task after both branches; optional.",
    example="#%continuation(name=Report)\nprint('done')",
)
_task_step(
    "start",
    _DEP,
    summary="Starts a loop: its first task.",
    example="#%start(name=Guess)\nprint(variables['PA_TASK_ITERATION'])",
)
_task_step(
    "loop",
    _DEP_OR_ALL,
    summary="Ends a loop: after this task the script decides.",
    example="#%loop(name=Check)\nresult = 1",
)
_task_step(
    "split",
    _DEP,
    summary="Starts a replication: the task after which others run several times in parallel.",
    example="#%split(name=Share)\nprint('sharing')",
)
_script_step(
    "runs",
    "runs",
    summary="Sets the number of runs: the script sets runs.",
    example="#%runs()\nruns = 3",
)
_task_step(
    "process",
    _DEP_OR_ALL,
    summary="The task that runs several times; variables['PA_TASK_REPLICATION'] counts from 0.",
    example="#%process(name=Work)\nresult = variables['PA_TASK_REPLICATION']",
)
_task_step(
    "merge",
    _DEP_OR_ALL,
    summary="Ends a replication: the task that gets the results of all replicas.",
    example="#%merge(name=Sum)\nresult = sum(one.value() for one in results)",
)
