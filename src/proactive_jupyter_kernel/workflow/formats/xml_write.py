"""Writes a workflow as XML, and names all that keeps it from being written.

Every value goes through its lexical type on its way out; a value that is not of its type becomes a problem instead of
text. So the walk that writes is also the walk that checks: `structure_problems` runs it for its problems alone.
Attributes and elements stand in the order of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.formats import xml_types as types
from proactive_jupyter_kernel.workflow.formats.xml_text import XmlText
from proactive_jupyter_kernel.workflow.formats.xml_types import Lexical, characters_problem
from proactive_jupyter_kernel.workflow.limits import account_problems, key_problems, task_name_problems
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    Executable,
    FileSelector,
    FlowAction,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.names import is_ncname
from proactive_jupyter_kernel.workflow.problems import Problem

__all__ = ["VERSIONS", "structure_problems", "write"]

#: The schema versions that can be written, oldest first.
VERSIONS = ("3.12", "3.13", "3.14", "dev")
#: Attribute -> the first of those versions that has it.
_SINCE = {"tags": "3.14", "description": "3.13", "group": "3.13", "advanced": "3.13", "hidden": "3.13"}
_SCHEMA = "http://www.activeeon.com/public_content/schemas/proactive/jobdescriptor/{version}/schedulerjob.xsd"
_CLARK = re.compile(r"\{([^{}]*)\}(.*)", re.DOTALL)

#: (attribute, value, type, value that need not be written)
Row = tuple[str, Any, Lexical, Any]


def write(workflow: Workflow, version: str) -> tuple[str, list[Problem]]:
    """The text and what is wrong with it; the text is worth something only where there is no problem."""
    writer = _Writer(version)
    writer.workflow(workflow)
    return str(writer.out), writer.problems


def structure_problems(workflow: Workflow) -> list[Problem]:
    """All that the schema and the server's parser would refuse: names, values, missing and contradicting parts."""
    return write(workflow, VERSIONS[-2])[1]


class _Writer:
    def __init__(self, version: str) -> None:
        self.version = version
        self.out = XmlText()
        self.problems: list[Problem] = []
        self.task_name = ""
        self.names: dict[str, None] = {}

    # --- pieces ---

    def problem(self, message: str, place: str = "", explanation: str = "", kind: str = "STRUCTURE") -> None:
        self.problems.append(
            Problem(kind=kind, message=message, task=self.task_name, place=place, explanation=explanation)
        )

    def attributes(self, rows: Iterable[Row], place: str = "") -> list[tuple[str, str]]:
        """The texts of the attributes whose value must be written; what cannot be written becomes a problem."""
        written = []
        for name, value, kind, default in rows:
            if value is None or value == default:
                continue
            try:
                text = kind.write(value)
            except ValueError as error:
                self.problem(f"{name} {error}", place, kind="NAME" if kind is types.NAME else "STRUCTURE")
                continue
            self.check_characters(text, name, place)
            if name in _SINCE and VERSIONS.index(self.version) < VERSIONS.index(_SINCE[name]):
                self.problem(f"schema {self.version} has no {name}", place, f"Write {_SINCE[name]}, or take it out.")
            written.append((name, text))
        return written

    def check_characters(self, text: str, name: str, place: str = "") -> None:
        fault = characters_problem(text)
        if fault:
            self.problem(f"{name} {fault}", place)

    def cdata(self, tag: str, text: str, attributes: Iterable[tuple[str, str]] = (), place: str = "") -> None:
        self.check_characters(text, tag, place)
        self.out.cdata(tag, text, attributes)

    def pairs(self, container: str, item: str, pairs: Mapping[str, str]) -> None:
        if not pairs:
            return
        with self.out.element(container):
            for name, value in pairs.items():
                rows: list[Row] = [("name", name, types.TEXT, None), ("value", value, types.TEXT, None)]
                self.out.empty(item, self.attributes(rows, f"{item} {name!r}"))

    def values(self, container: str, item: str, attribute: str, values: Iterable[str], place: str = "") -> None:
        values = tuple(values)
        if not values:
            return
        with self.out.element(container):
            for value in values:
                self.out.empty(item, self.attributes([(attribute, value, types.TEXT, None)], place or container))

    # --- the job ---

    def workflow(self, workflow: Workflow) -> None:
        namespace = f"urn:proactive:jobdescriptor:{self.version}"
        head = [
            ("xmlns", namespace),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:schemaLocation", f"{namespace} {_SCHEMA.format(version=self.version)}"),
        ]
        rows: list[Row] = [
            ("name", workflow.name, types.JOB_NAME, None),
            ("priority", workflow.priority, types.PRIORITY, None),
            ("onTaskError", workflow.on_error, types.POLICY, None),
            ("restartTaskOnError", workflow.restart, types.RESTART, None),
            ("taskRetryDelay", workflow.retry_delay, types.DURATION, None),
            ("maxNumberOfExecution", workflow.max_executions, types.COUNT, None),
            ("projectName", workflow.project, types.TEXT, ""),
            ("tags", workflow.tags, types.TAGS, ()),
        ]
        with self.out.element("job", head + self.attributes(rows)):
            self.variables(workflow.variables)
            if workflow.description:
                self.cdata("description", workflow.description)
            self.generic_information(workflow.generic_information)
            self.spaces(workflow)
            self.task_flow(workflow.tasks)
            if workflow.visualization:
                with self.out.element("metadata"):
                    self.cdata("visualization", workflow.visualization)

    def spaces(self, workflow: Workflow) -> None:
        for tag, url in (
            ("inputSpace", workflow.input_space),
            ("outputSpace", workflow.output_space),
            ("globalSpace", workflow.global_space),
            ("userSpace", workflow.user_space),
        ):
            if url:
                self.out.empty(tag, self.attributes([("url", url, types.URI, "")], tag))

    def variables(self, variables: Iterable[Variable]) -> None:
        variables = tuple(variables)
        if not variables:
            return
        with self.out.element("variables"):
            for variable in variables:
                inherited = isinstance(variable, TaskVariable) and variable.inherited
                rows: list[Row] = [
                    ("name", variable.name, types.NAME, None),
                    ("value", variable.value, types.TEXT, None),
                    ("inherited", inherited, types.BOOLEAN, False),
                    ("model", variable.model, types.TEXT, ""),
                    ("description", variable.description, types.TEXT, ""),
                    ("group", variable.group, types.TEXT, ""),
                    ("advanced", variable.advanced, types.BOOLEAN, False),
                    ("hidden", variable.hidden, types.BOOLEAN, False),
                ]
                self.out.empty("variable", self.attributes(rows, f"variable {variable.name!r}"))

    def generic_information(self, information: Mapping[str, str]) -> None:
        if not information:
            return
        with self.out.element("genericInformation"):
            for name, value in information.items():
                place = f"generic information {name!r}"
                self.problems += key_problems(name, self.task_name)
                rows: list[Row] = [("name", name, types.NAME, None), ("value", value, types.TEXT, None)]
                self.out.empty("info", self.attributes(rows, place))

    def task_flow(self, tasks: tuple[Task, ...]) -> None:
        if not tasks:
            self.problem("there is no task", explanation="A workflow needs at least one.")
            return
        self.names = dict.fromkeys(task.name for task in tasks)
        seen: set[str] = set()
        with self.out.element("taskFlow"):
            for task in tasks:
                self.task_name = task.name
                self.task_name_problems(task.name, seen)
                seen.add(task.name)
                self.task(task)
        self.task_name = ""

    # --- a task ---

    def task_name_problems(self, name: str, seen: set[str]) -> None:
        if name in seen:
            self.problem("Task names are not unique", "", "Two tasks have this name; rename one.", kind="NAME")
        for character in "#*":
            if character in name:
                message = f"Task name cannot contain special character '{character}'"
                self.problem(message, "", "It marks the copies of a task that loops and replication make.", "NAME")

    def task(self, task: Task) -> None:
        rows: list[Row] = [
            ("onTaskError", task.on_error, types.POLICY, None),
            ("restartTaskOnError", task.restart, types.RESTART, None),
            ("taskRetryDelay", task.retry_delay, types.DURATION, None),
            ("maxNumberOfExecution", task.max_executions, types.COUNT, None),
            ("fork", task.fork, types.FLAG, None),
            ("runAsMe", task.run_as_me, types.FLAG, False),
            ("walltime", task.walltime, types.DURATION, None),
            ("preciousResult", task.precious_result, types.FLAG, False),
            ("preciousLogs", task.precious_logs, types.FLAG, False),
            ("resultPreviewClass", task.result_preview_class, types.CLASS_NAME, ""),
        ]
        if not set("#*") & set(task.name):
            rows.insert(0, ("name", task.name, types.NAME, None))
        self.problems += [*task_name_problems(task), *account_problems(task)]
        with self.out.element("task", self.attributes(rows)):
            if task.description:
                self.cdata("description", task.description)
            self.variables(task.variables)
            self.generic_information(task.generic_information)
            self.depends(task.depends)
            self.files("inputFiles", task.input_files, types.ACCESS_IN)
            self.parallel(task)
            self.selection(task.selection)
            self.fork_environment(task.fork_environment)
            self.script("pre", task.pre)
            self.executable(task.executable)
            self.control_flow(task)
            self.script("post", task.post)
            self.script("cleaning", task.clean)
            self.files("outputFiles", task.output_files, types.ACCESS_OUT)
            self.metadata(task.metadata)

    def depends(self, parents: tuple[str, ...]) -> None:
        for parent in parents:
            if parent not in self.names:
                explanation = did_you_mean(parent, self.names) or "No task has this name."
                self.problem(f"Unknown dependence: {parent}", "", explanation)
        self.values("depends", "task", "ref", parents)

    def files(self, container: str, selectors: tuple[FileSelector, ...], access: Lexical) -> None:
        if not selectors:
            return
        with self.out.element(container):
            for selector in selectors:
                rows: list[Row] = [
                    ("includes", selector.includes, types.FILES, None),
                    ("excludes", selector.excludes, types.FILES, ""),
                    ("accessMode", selector.access_mode, access, None),
                ]
                self.out.empty("files", self.attributes(rows, f"{container} {selector.includes!r}"))

    def parallel(self, task: Task) -> None:
        if task.threshold != 0 and task.topology is not Topology.THRESHOLD_PROXIMITY:
            self.problem("a threshold has a meaning with thresholdProximity only", "topology", "Set one or the other.")
        if task.nodes == 1 and task.topology is None:
            return
        attributes = self.attributes([("numberOfNodes", task.nodes, types.COUNT, None)])
        if task.topology is None:
            self.out.empty("parallel", attributes)
            return
        with self.out.element("parallel", attributes), self.out.element("topology"):
            threshold: list[Row] = []
            if task.topology is Topology.THRESHOLD_PROXIMITY:
                threshold = [("threshold", task.threshold, types.MICROSECONDS, None)]
            self.out.empty(task.topology.value, self.attributes(threshold, "topology"))

    def selection(self, scripts: tuple[SelectionScript, ...]) -> None:
        if not scripts:
            return
        with self.out.element("selection"):
            for selection in scripts:
                kind = "static" if selection.static else "dynamic"
                self.plain_script(selection.script, "selection", [("type", kind)])

    def fork_environment(self, environment: ForkEnvironment | None) -> None:
        if environment is None:
            return
        rows: list[Row] = [
            ("workingDir", environment.working_dir, types.TEXT, ""),
            ("javaHome", environment.java_home, types.URI, ""),
        ]
        with self.out.element("forkEnvironment", self.attributes(rows, "forkEnvironment")):
            self.pairs("SystemEnvironment", "variable", environment.environment)
            self.values("jvmArgs", "jvmArg", "value", environment.jvm_arguments)
            self.values("additionalClasspath", "pathElement", "path", environment.classpath)
            self.script("envScript", environment.script)

    def executable(self, executable: Executable) -> None:
        match executable:
            case Script():
                self.script("scriptExecutable", executable)
            case JavaClass():
                rows: list[Row] = [("class", executable.name, types.CLASS_NAME, None)]
                with self.out.element("javaExecutable", self.attributes(rows, "javaExecutable")):
                    self.pairs("parameters", "parameter", executable.parameters)
            case NativeCommand():
                rows = [("value", executable.command, types.TEXT, None)]
                attributes = self.attributes(rows, "staticCommand")
                with self.out.element("nativeExecutable"), self.out.element("staticCommand", attributes):
                    self.values("arguments", "argument", "value", executable.arguments)

    def script(self, tag: str, script: Script | None) -> None:
        if script is not None:
            with self.out.element(tag):
                self.plain_script(script, tag)

    def plain_script(self, script: Script, place: str, attributes: Iterable[tuple[str, str]] = ()) -> None:
        place = f"{place} script" if place != "scriptExecutable" else "script"
        with self.out.element("script", attributes):
            if script.url:
                self.script_from_url(script, place)
                return
            if not script.language:
                self.problem("the language is missing", place, "Name one, such as cpython or bash.")
            rows: list[Row] = [("language", script.language, types.NOT_EMPTY, "")]
            self.cdata("code", script.code, self.attributes(rows, place), place)
            self.values("arguments", "argument", "value", script.arguments, place)

    def script_from_url(self, script: Script, place: str) -> None:
        if script.code:
            self.problem("it has both code and a URL", place, "Keep one of them.")
        rows: list[Row] = [("url", script.url, types.URI, None), ("language", script.language, types.NOT_EMPTY, "")]
        attributes = self.attributes(rows, place)
        if not script.arguments:
            self.out.empty("file", attributes)
            return
        with self.out.element("file", attributes):
            self.values("arguments", "argument", "value", script.arguments, place)

    def control_flow(self, task: Task) -> None:
        if task.flow is None and task.block is Block.NONE:
            return
        block = self.attributes([("block", task.block, types.BLOCK, Block.NONE)])
        if task.flow is None:
            self.out.empty("controlFlow", block)
            return
        with self.out.element("controlFlow", block):
            tag, rows = _flow_rows(task.flow)
            with self.out.element(tag, self.attributes(rows, tag)):
                self.plain_script(task.flow.script, tag)

    def metadata(self, leaves: tuple[tuple[str, str], ...]) -> None:
        if not leaves:
            return
        with self.out.element("metadata"):
            for tag, text in leaves:
                foreign = _CLARK.fullmatch(tag)
                name = foreign.group(2) if foreign else tag
                if not is_ncname(name):
                    self.problem(f"{tag!r} cannot be the name of an element", "metadata")
                    continue
                self.check_characters(text, tag, "metadata")
                attributes = [("xmlns", foreign.group(1))] if foreign else []
                self.check_characters(tag, tag, "metadata")
                self.out.text(name, text, attributes)


def _flow_rows(flow: FlowAction) -> tuple[str, list[Row]]:
    match flow:
        case Branch():
            return "if", [
                ("target", flow.target, types.TEXT, None),
                ("else", flow.otherwise, types.TEXT, None),
                ("continuation", flow.continuation, types.TEXT, ""),
            ]
        case Loop():
            return "loop", [("target", flow.target, types.TEXT, None)]
        case _:
            return "replicate", []
