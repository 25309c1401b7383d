"""Resolves references at submission: known values are inserted, other references stay until the task starts.

Follows ``StaxJobFactory`` and ``InternalJobFactory``: which attributes are resolved, and the precedence of values.
Task names, script texts and arguments, native commands, Java parameters, ``includes`` and flow targets are unchanged.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from proactive_jupyter_kernel.errors import InvalidWorkflow, did_you_mean
from proactive_jupyter_kernel.workflow import lexical as types
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.lexical import Lexical
from proactive_jupyter_kernel.workflow.model import (
    Executable,
    FileSelector,
    FlowAction,
    ForkEnvironment,
    Reference,
    Script,
    Task,
    TaskVariable,
    Variable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.substitution import InfiniteReference, Substitutor, substitute

__all__ = ["InfiniteReference", "Substitutor", "resolve", "substitute"]

_Variable = TypeVar("_Variable", bound=Variable)

#: More are not reported: each unresolved chain of references takes time.
_MOST_PROBLEMS = 100

#: Field -> its attribute and type: the value of a variable that replaces a `Reference` is parsed as that type.
_JOB_FIELDS: dict[str, tuple[str, Lexical]] = {
    "priority": ("priority", types.PRIORITY),
    "on_error": ("onTaskError", types.POLICY),
    "restart": ("restartTaskOnError", types.RESTART),
    "retry_delay": ("taskRetryDelay", types.DURATION),
    "max_executions": ("maxNumberOfExecution", types.COUNT),
}
_TASK_FIELDS: dict[str, tuple[str, Lexical]] = {
    **{field: known for field, known in _JOB_FIELDS.items() if field != "priority"},
    "nodes": ("numberOfNodes", types.COUNT),
    "threshold": ("threshold", types.MICROSECONDS),
    "block": ("block", types.BLOCK),
    "fork": ("fork", types.FLAG),
    "run_as_me": ("runAsMe", types.FLAG),
    "walltime": ("walltime", types.DURATION),
    "precious_result": ("preciousResult", types.FLAG),
    "precious_logs": ("preciousLogs", types.FLAG),
}
_typed_fields = operator.attrgetter(*_TASK_FIELDS)
_JOB_TEXTS = ("name", "description", "project", "input_space", "output_space", "global_space", "user_space")


def resolve(
    workflow: Workflow,
    *,
    variables: Mapping[str, str] | None = None,
    generic_information: Mapping[str, str] | None = None,
    site: Mapping[str, str] | None = None,
) -> Workflow:
    """`workflow` with resolved references.

    `variables` and `generic_information` are those of the submission; they override or extend those of the workflow.
    `site` holds what the scheduler defines (global variables, ``PA_SCHEDULER_REST_URL`` …): it resolves only references
    that are still unknown, and adds no variable. The result contains no `Reference`. Raises InvalidWorkflow, with all
    problems, if variables refer to each other in a cycle or a value does not have the type of its attribute.
    """
    return _Resolution(workflow, variables or {}, generic_information or {}, site or {}).run()


def _is_plain(task: Task) -> bool:
    """Whether a task, as most tasks of a large workflow, has nothing that could hold a reference."""
    executable = task.executable
    return not (
        task.variables
        or task.generic_information
        or task.input_files
        or task.output_files
        or task.fork_environment
        or task.pre
        or task.post
        or task.clean
        or task.selection
        or task.flow
        or "$" in task.description
        or "$" in task.result_preview_class
        or (isinstance(executable, Script) and executable.url)
        or any(isinstance(value, Reference) for value in _typed_fields(task))
    )


class _Resolution:
    def __init__(
        self,
        workflow: Workflow,
        variables: Mapping[str, str],
        generic_information: Mapping[str, str],
        site: Mapping[str, str],
    ) -> None:
        declared = {variable.name for variable in workflow.variables}
        self.workflow = workflow
        self.generic_information = {**workflow.generic_information, **generic_information}
        self.variables = (
            *(replace(known, value=variables.get(known.name, known.value)) for known in workflow.variables),
            *(Variable(name=name, value=value) for name, value in variables.items() if name not in declared),
        )
        self.known = {**site, **{variable.name: variable.value for variable in self.variables}}
        self.job_values = Substitutor(self.known)
        self.values = self.job_values
        self.task_name = ""
        self.problems: list[Problem] = []

    def run(self) -> Workflow:
        workflow = replace(
            self.workflow,
            variables=tuple(self.variable(variable) for variable in self.variables),
            generic_information=self.mapping(self.generic_information, "generic information"),
            tasks=tuple(self.task(task) for task in self.workflow.tasks),
            **self.job_fields(),
        )
        if self.problems:
            raise InvalidWorkflow(self.workflow.name, self.problems)
        return workflow

    def job_fields(self) -> dict[str, Any]:
        texts = {name: self.text(getattr(self.workflow, name), name) for name in _JOB_TEXTS}
        return {**texts, **self.fields(self.workflow, _JOB_FIELDS)}

    # --- pieces ---

    def problem(self, message: str, place: str, explanation: str = "") -> None:
        problem = Problem(code="PA202", message=message, task=self.task_name, place=place, explanation=explanation)
        self.problems.append(problem)
        if len(self.problems) >= _MOST_PROBLEMS:
            raise InvalidWorkflow(self.workflow.name, self.problems)

    def text(self, text: str, place: str, values: Substitutor | None = None) -> str:
        try:
            return (values or self.values)(text)
        except InfiniteReference as error:
            self.problem(str(error), place, "Remove one of these references.")
            return text

    def mapping(self, texts: Mapping[str, str], what: str) -> dict[str, str]:
        return {name: self.text(text, f"{what} {name!r}") for name, text in texts.items()}

    def fields(self, record: Any, table: Mapping[str, tuple[str, Lexical]]) -> dict[str, Any]:
        """The fields of the table that hold a reference, with the resolved value."""
        return {
            field: self.typed(reference, *known)
            for field, known in table.items()
            if isinstance(reference := getattr(record, field), Reference)
        }

    def typed(self, reference: Reference, attribute: str, kind: Lexical) -> Any:
        text = self.text(str(reference), attribute)
        if text == str(reference):
            hint = did_you_mean(reference.name, self.known) or "Declare it, or give its value at submission."
            self.problem(f"{reference} is not a known variable", attribute, hint)
            return None
        try:
            value = kind.read(text)
        except ValueError as error:
            self.problem(f"{reference} is {text!r}, but it {error}", attribute)
            return None
        if isinstance(value, Reference):
            self.problem(f"{reference} leads to {value}, which is not a known variable", attribute)
        return value

    def variable(self, variable: _Variable) -> _Variable:
        place = f"variable {variable.name!r}"
        return replace(
            variable,
            value=self.text(variable.value, place),
            model=self.text(variable.model, place),
            description=self.text(variable.description, place),
            group=self.text(variable.group, place),
        )

    # --- a task ---

    def task(self, task: Task) -> Task:
        if _is_plain(task):
            return task
        self.task_name = task.name
        self.values = self.scope(task.variables)
        resolved = replace(
            task,
            description=self.text(task.description, "description"),
            variables=tuple(self.variable(variable) for variable in task.variables),
            generic_information=self.mapping(task.generic_information, "generic information"),
            input_files=tuple(self.files(selector, types.ACCESS_IN) for selector in task.input_files),
            output_files=tuple(self.files(selector, types.ACCESS_OUT) for selector in task.output_files),
            fork_environment=self.fork_environment(task.fork_environment),
            executable=self.executable(task.executable),
            pre=self.script(task.pre),
            post=self.script(task.post),
            clean=self.clean(task.clean),
            selection=tuple(replace(one, script=self.url_of(one.script)) for one in task.selection),
            flow=self.flow(task.flow),
            result_preview_class=self.text(task.result_preview_class, "resultPreviewClass"),
            **self.fields(task, _TASK_FIELDS),
        )
        self.values = self.job_values
        self.task_name = ""
        return resolved

    def scope(self, variables: tuple[TaskVariable, ...]) -> Substitutor:
        """In a task, its own variables hide those of the job; inherited ones only add what the job does not have."""
        own = {each.name: each.value for each in variables if not each.inherited or each.name not in self.known}
        return Substitutor(own, self.job_values) if own else self.job_values

    def files(self, selector: FileSelector, access: Lexical) -> FileSelector:
        place = f"files {selector.includes!r}"
        mode = self.text(selector.access_mode, place)
        try:
            access.read(mode)
        except ValueError as error:
            self.problem(f"accessMode {selector.access_mode} is {mode!r}, but it {error}", place)
        return replace(selector, excludes=self.text(selector.excludes, place), access_mode=mode)

    def fork_environment(self, environment: ForkEnvironment | None) -> ForkEnvironment | None:
        if environment is None:
            return None
        place = "forkEnvironment"
        return replace(
            environment,
            working_dir=self.text(environment.working_dir, place),
            java_home=self.text(environment.java_home, place),
            environment=self.mapping(environment.environment, "environment variable"),
            jvm_arguments=tuple(self.text(argument, place) for argument in environment.jvm_arguments),
            classpath=tuple(self.text(path, place) for path in environment.classpath),
            script=self.script(environment.script),
        )

    def executable(self, executable: Executable) -> Executable:
        return self.url_of(executable) if isinstance(executable, Script) else executable

    def flow(self, flow: FlowAction | None) -> FlowAction | None:
        return flow if flow is None else replace(flow, script=self.url_of(flow.script))

    def script(self, script: Script | None) -> Script | None:
        return script if script is None else self.url_of(script)

    def url_of(self, script: Script) -> Script:
        """The text of a script is not resolved; its URL may depend on variables."""
        if not script.url:
            return script
        url, language = self.text(script.url, "script"), self.text(script.language, "script")
        return replace(script, url=url, language=language)

    def clean(self, script: Script | None) -> Script | None:
        """A cleaning script runs without variables: those of the job are inserted into its text now."""
        if script is None:
            return None
        return replace(self.url_of(script), code=self.text(script.code, "cleaning script", self.job_values))
