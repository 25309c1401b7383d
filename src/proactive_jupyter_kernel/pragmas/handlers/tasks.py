"""`#%import`, `#%task`, `#%delete_task`: the tasks of the draft."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.checking import doubts_of_task, found_in_code
from proactive_jupyter_kernel.pragmas.code import check_code, code_of
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.file_values import Files
from proactive_jupyter_kernel.pragmas.declarations.parameters import (
    INFO_PAIRS,
    LANGUAGE,
    PATH,
    SWITCH,
    TASK_NAME,
    TASK_NAMES,
    VARIABLE_NAMES,
    VARIABLES,
)
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Choice, Duration, Expression, Integer, Plain
from proactive_jupyter_kernel.pragmas.draft.applied_controls import names_in
from proactive_jupyter_kernel.pragmas.draft.contributions import ControlStep, DefinedTask, PrependedCode
from proactive_jupyter_kernel.pragmas.draft.draft import NO_TASKS_YET, DraftTask
from proactive_jupyter_kernel.pragmas.draft.foreach import LANGUAGES as FOREACH_LANGUAGES
from proactive_jupyter_kernel.pragmas.draft.foreach import ForeachKind
from proactive_jupyter_kernel.pragmas.name_hints import hint_for_missing
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.workflow.languages import Language, by_engine
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Script, Task, TaskVariable

__all__ = ["ERROR_POLICIES", "EXPORT", "IMPORT", "define", "drafted"]

#: As pragmas write them.
ERROR_POLICIES = {
    "cancel": ErrorPolicy.CANCEL_JOB,
    "suspend": ErrorPolicy.SUSPEND_TASK,
    "pause": ErrorPolicy.PAUSE_JOB,
    "continue": ErrorPolicy.CONTINUE,
}


@pragma(
    "import",
    LANGUAGE,
    PATH,
    family="tasks",
    summary="Prepends the code below, or in a file, to every task of a language, also to tasks defined before.",
    example="#%import(language=Python)\nimport math",
    takes_code=True,
    changes_draft=True,
    check=check_code,
)
def import_(context: Context, call: BoundCall) -> None:
    """Keep code for the front of tasks; without code, drop what is kept."""
    language: Language = call["language"]
    if not call.code and not call["path"]:
        count = len(context.draft.contents.imports.get(language.engine, {}))
        context.draft.contribute(PrependedCode(engine=language.engine, code=None))
        context.frontend.show(
            Text(text=f"No code is prepended to {language.name} tasks{' any more' if count else ''}.")
        )
        return
    context.draft.contribute(PrependedCode(engine=language.engine, code=code_of(context, call, language)))
    count = len(context.draft.contents.imports.get(language.engine, {}))
    more = f", after that of {count - 1} other import cell{'s' if count > 2 else ''}" if count > 1 else ""
    context.frontend.show(Text(text=f"This code is prepended to every {language.name} task{more}."))


EXPORT = Parameter(
    name="export", kind=VARIABLE_NAMES, default=(), doc="Variables of the code that later tasks may import."
)
IMPORT = Parameter(
    name="import",
    kind=VARIABLE_NAMES,
    default=(),
    doc="Variables of the job, of the task or exported by a task before it, bound before the code runs.",
)


@pragma(
    "task",
    Parameter(name="name", kind=TASK_NAME, required=True, doc="The task's name, unique in the job."),
    LANGUAGE,
    Parameter(
        name="dep", kind=TASK_NAMES, default=(), doc="The tasks that must end first; the task gets their results."
    ),
    Parameter(name="generic_info", kind=INFO_PAIRS, doc="Hints to the scheduler, such as PYTHON_COMMAND."),
    Parameter(
        name="variables",
        kind=VARIABLES,
        doc="The task's own variables. A bare value that starts with = is an expression of the notebook's Python; a "
        "third item is the variable's model: (n, 5, PA:INTEGER).",
    ),
    EXPORT,
    IMPORT,
    PATH,
    Parameter(
        name="runs",
        kind=Expression(),
        doc="How often the task runs side by side: a number, or an expression of numbers and variables such as nb+1. "
        "The one task that it depends on splits, the one that depends on it merges.",
    ),
    Parameter(
        name="foreach",
        kind=ForeachKind(),
        doc="Run the task once for each item of a list that a task before it sets, or that is a variable of the job: "
        "path in paths binds path to the item. The next task gets the results in the order of the items.",
    ),
    Parameter(
        name="precious_result", kind=SWITCH, default=False, doc="Whether the result is kept with the job's results."
    ),
    Parameter(
        name="retries", kind=Integer(minimum=0, maximum=10_000), doc="How often the task is tried again after an error."
    ),
    Parameter(
        name="on_error",
        kind=Choice(tuple(ERROR_POLICIES)),
        doc="After the last try: cancel the job, suspend the task, pause the job, or continue. Without it the job's.",
    ),
    Parameter(name="walltime", kind=Duration(), doc="The longest the task may run; then it is ended and is faulty."),
    Parameter(name="description", kind=Plain(minimum=0), default="", doc="What the task is for."),
    Parameter(
        name="input_files",
        kind=Files("input"),
        default=(),
        doc="Files that come into the task's folder: patterns such as data/*.csv of the input space, which "
        "#%submit_job fills from input_path, or of another: user:data/*.csv.",
    ),
    Parameter(
        name="output_files",
        kind=Files("output"),
        default=(),
        doc="Files that go out of the task's folder: to the output space, from where they come back to output_path, or "
        "to another: user:model.bin.",
    ),
    family="tasks",
    summary="Defines a task with the code below, or redefines the task of that name.",
    example='#%task(name=Greet, dep=[Ask], import=[name])\nresult = f"Hello {name}"',
    takes_code=True,
    defines_task=True,
    changes_draft=True,
    check=check_code,
)
def task(context: Context, call: BoundCall) -> None:
    """Define a task, or redefine it in place."""
    define(context, DefinedTask(entry=drafted(context, call, call["name"])))


def drafted(context: Context, call: BoundCall, name: str, implied: Sequence[str] = ()) -> DraftTask:
    """The task that a pragma describes, checked, not yet in the draft; `implied` are implicit parents."""
    code = code_of(context, call, call["language"])
    variables = _texts(context, call, "variables")
    models = context.models(call, "variables", variables, {}) if variables else {}
    entry = _entry(call, name, variables, _texts(context, call, "generic_info"), models)
    entry = replace(entry, code=(code,))
    _check_dependencies(context, call, entry, implied)
    _check_variables(context, call, entry, implied)
    _say_what_is_expected(context, call, entry, implied)
    return entry


def define(context: Context, contribution: DefinedTask | ControlStep) -> None:
    """Put a task into the draft and say so; a warning where another cell defines it, too."""
    draft, entry = context.draft, contribution.entry
    existed = entry.name in draft.tasks or any(one.key == contribution.key for one in draft.previous)
    owner = draft.owner("task", entry.name)
    draft.contribute(contribution)
    if owner is not None and owner.id and context.frontend.cell_id not in ("", owner.id):
        text = (
            f"Task {entry.name} was the task of {owner.label}, which no longer counts. Two cells should not define the "
            "same task: rename one of them, or delete it."
        )
        context.frontend.show(Notice(text=text, warning=True))
    say_defined(context, entry, redefined=existed)
    for finding in doubts_of_task(context, entry.name):
        context.frontend.show(Notice(text=str(finding), warning=True))


def say_defined(context: Context, entry: DraftTask, *, redefined: bool) -> None:
    """Confirm a task in one line."""
    parents = entry.task.depends
    after = f", after {', '.join(parents)}" if parents else ""
    language = by_engine(entry.engine)
    found = found_in_code(context, entry.name)
    shown = f"({language.name if language else entry.engine}{after}{found})"
    if redefined:
        context.frontend.show(Notice(text=f"Redefined task {entry.name} {shown}."))
    else:
        context.frontend.show(Text(text=f"Defined task {entry.name} {shown}."))


def _texts(context: Context, call: BoundCall, parameter: str) -> Mapping[str, str]:
    return context.texts(call, parameter) if parameter in call.values else {}


def _entry(
    call: BoundCall,
    name: str,
    variables: Mapping[str, str],
    information: Mapping[str, str],
    models: Mapping[str, str] | None = None,
) -> DraftTask:
    """The task as declared, without its code; steps of controls have fewer parameters than `#%task`."""
    said = call.values.get
    retries = said("retries")
    return DraftTask(
        task=Task(
            name=name,
            executable=Script(language=call["language"].engine),
            description=said("description") or "",
            variables=tuple(
                TaskVariable(name=name, value=value, model=(models or {}).get(name, ""))
                for name, value in variables.items()
            ),
            generic_information=dict(information),
            depends=said("dep") or (),
            on_error=ERROR_POLICIES.get(said("on_error") or ""),
            max_executions=None if retries is None else retries + 1,
            walltime=said("walltime"),
            precious_result=said("precious_result") or False,
            input_files=said("input_files") or (),
            output_files=said("output_files") or (),
        ),
        code=(),
        imports=call["import"],
        exports=call["export"],
        runs=said("runs") or "",
        foreach=said("foreach"),
    )


class _LaterTasks(Mapping[str, DraftTask]):
    """The tasks that the same cell defines further down; their values are not known yet, their names are.

    Each is made when it is asked for: a cell may define a thousand, and asks for few at a time.
    """

    def __init__(self, call: BoundCall) -> None:
        self._later = call.later
        self._made: dict[str, DraftTask] = {}

    def __getitem__(self, name: str) -> DraftTask:
        if name not in self._made:
            call = self._later.definition(name)
            if call is None:
                raise KeyError(name)
            self._made[name] = _entry(call, name, dict.fromkeys(call.values.get("variables") or {}, ""), {})
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._later.tasks, *self._made)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._made or (isinstance(name, str) and self._later.definition(name) is not None)

    def depend_on(self, name: str) -> bool:
        """Whether one of them names this task in its dependencies."""
        return self._later.depend_on(name)

    def replace(self, entry: DraftTask) -> None:
        """Read this task as it is about to be defined."""
        self._made[entry.name] = entry


def _check_dependencies(context: Context, call: BoundCall, entry: DraftTask, implied: Sequence[str]) -> None:
    contents, name, later = context.draft.contents, entry.name, _LaterTasks(call)
    depends = entry.task.depends
    if name in depends:
        raise call.fault(f"task {name} cannot depend on itself.", parameter="dep", item=name)
    if name not in contents.tasks and not later.depend_on(name) and not contents.is_parent(name):
        return  # Nothing depends on it yet.
    if name in _acyclic(context, call):
        return
    later.replace(entry)
    for parent in (*depends, *implied):
        if contents.leads_to(name, [parent], later):
            raise call.fault(
                f"task {name} cannot depend on {parent}, which depends on {name} already.",
                parameter="dep",
                item=parent,
            )


def _acyclic(context: Context, call: BoundCall) -> frozenset[str]:
    """The tasks of the cell that are surely in no cycle: found once for all of them, where the cell allows it."""
    cell = call.later.cell
    if not cell.only_tasks:
        return frozenset()
    run = context.frontend.cell_run
    if cell.acyclic[0] != run:
        depends = {one["name"]: one["dep"] for one in cell.reverse if one.pragma.defines_task}
        cell.acyclic = run, context.draft.contents.acyclic(depends)
    return cell.acyclic[1]


def _check_variables(context: Context, call: BoundCall, entry: DraftTask, implied: Sequence[str]) -> None:
    language: Language = call["language"]
    binding = language.binding
    assert binding is not None, "pragmas offer no language without a binding"
    if entry.exports and not binding.can_export:
        raise call.fault(
            f"a {language.name} task cannot export variables: its script gets a copy to read, and nothing comes back.",
            parameter="export",
            hint="Let it write a file or print, or let a Python task that depends on it set the variable.",
        )
    for parameter, names in (("import", entry.imports), ("export", entry.exports)):
        for name in names:
            reserved = language.engine in ("cpython", "python") and keyword.iskeyword(name)
            if reserved or not binding.names.fullmatch(name):
                raise call.fault(
                    f"{parameter} names {name!r}, which cannot be the name of a {language.name} variable.",
                    parameter=parameter,
                    item=name,
                    hint=f"{name} is a reserved word of the language." if reserved else "",
                )
    _check_foreach(call, entry)
    contents, later = context.draft.contents, _LaterTasks(call)
    wanted = replace(entry, imports=tuple(names_in(entry.runs)))
    unknown, unknown_runs = (contents.unknown_imports(one, later, implied) for one in (entry, wanted))
    if not (unknown or unknown_runs) or contents.undefined((*entry.task.depends, *implied), later):
        return  # A task that is defined later may export them.
    for name in unknown:
        near = did_you_mean(name, contents.visible(entry, later, implied))
        raise call.fault(
            f"import names the variable {name!r}, which is not exported by a task before {entry.name} and not "
            "defined by the job or the task.",
            parameter="import",
            item=name,
            hint=near
            or hint_for_missing(name, context.frontend.namespace)
            or "Export it in a task that this one depends on, or give it to #%job(variables=…).",
        )
    for name in unknown_runs:
        raise call.fault(
            f"runs names the variable {name!r}, which is not exported by a task before {entry.name} and not defined by "
            "the job.",
            parameter="runs",
            hint=did_you_mean(name, contents.visible(entry, later, implied)),
        )


def _check_foreach(call: BoundCall, entry: DraftTask) -> None:
    foreach = entry.foreach
    if foreach is None:
        return
    language: Language = call["language"]
    if entry.runs:
        raise call.fault("runs and foreach both say how often the task runs; give one.", parameter="foreach")
    if language.engine not in FOREACH_LANGUAGES:
        raise call.fault(
            f"foreach needs a Python or Jython task, and this is a {language.name} task.",
            parameter="foreach",
            hint="Use runs=N; the script finds its number in the variable PA_TASK_REPLICATION.",
        )
    if len(entry.task.depends) != 1:
        raise call.fault(
            f"foreach needs exactly one task in dep, and there {'are' if entry.task.depends else 'is'} "
            f"{len(entry.task.depends) or 'none'}: that task has the list or precedes the instances.",
            parameter="foreach",
            hint=""
            if entry.task.depends
            else "For a list among the job's variables, depend on any task, even an empty one.",
        )


def _say_what_is_expected(context: Context, call: BoundCall, entry: DraftTask, implied: Sequence[str]) -> None:
    """Name the tasks and variables that must be defined before the job is submitted."""
    contents, later = context.draft.contents, _LaterTasks(call)
    for parent in entry.task.depends:
        if parent not in contents.tasks and parent not in later:
            known = [task for task in (*contents.tasks, *later) if task != entry.name]
            hint = did_you_mean(parent, known) if known else ""
            text = f"dep names task {parent}, which is not defined yet. Define it before the job is submitted. {hint}"
            context.frontend.show(Notice(text=text.strip(), warning="Did you mean" in hint))
    wanted = replace(entry, imports=(*entry.imports, *names_in(entry.runs)))
    for name in contents.unknown_imports(wanted, later, implied):
        text = f"No task before {entry.name} exports variable {name} yet. Export it before the job is submitted."
        context.frontend.show(Notice(text=text))


@pragma(
    "delete_task",
    Parameter(name="name", kind=TASK_NAMES, required=True, doc="The task to remove, or several."),
    family="tasks",
    summary="Removes tasks, the dependencies on them and the controls that they belong to.",
    example="#%delete_task(name=Greet)",
    changes_draft=True,
    destructive=True,
)
def delete_task(context: Context, call: BoundCall) -> None:
    """Remove tasks from the draft, all or none."""
    names: tuple[str, ...] = call["name"]
    refused = {name for name in names if context.refusals.names_task(name)}
    for name in names:
        if name not in context.draft.tasks and name not in refused:
            hint = did_you_mean(name, context.draft.tasks) or NO_TASKS_YET
            raise call.fault(f"there is no task {name!r}.", parameter="name", item=name, hint=hint)
    for name in names:
        context.refusals.forget_task(name)
        if name in context.draft.tasks:
            _delete(context, name)
        else:
            context.frontend.show(Text(text=f"The job lacks task {name}, whose cell was refused."))


def _delete(context: Context, name: str) -> None:
    control = context.draft.contents.control_of(name)
    orphans = context.draft.delete(name)
    less = f" No longer depending on it: {', '.join(orphans)}." if orphans else ""
    given_up = f" Removed the {control.kind.name} that it was a step of; its other tasks stay." if control else ""
    context.frontend.show(Text(text=f"Deleted task {name}.{given_up}{less}"))
