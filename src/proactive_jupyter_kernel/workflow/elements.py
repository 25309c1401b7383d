"""A workflow as the elements and attributes of ProActive's job schema, in the schema's order, each value with its type.

The check of values (`checks.structure`) and the XML format both walk this tree, so that the schema is written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.workflow import lexical
from proactive_jupyter_kernel.workflow.lexical import Lexical
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
    Replicate,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)

__all__ = ["DEFAULTS", "Attribute", "Element", "explicit_attributes", "job_element"]

#: (attribute, value, type, default value, which is written only if it is explicit)
Attribute = tuple[str, Any, Lexical, Any]
#: Attributes whose default value a file may give explicitly, with their type.
DEFAULTS: Mapping[str, tuple[Any, Lexical]] = {
    "projectName": ("", lexical.TEXT),
    "tags": ((), lexical.TAGS),
    "runAsMe": (False, lexical.FLAG),
    "preciousResult": (False, lexical.FLAG),
    "preciousLogs": (False, lexical.FLAG),
    "inherited": (False, lexical.BOOLEAN),
    "model": ("", lexical.TEXT),
    "description": ("", lexical.TEXT),
    "group": ("", lexical.TEXT),
    "advanced": (False, lexical.BOOLEAN),
    "hidden": (False, lexical.BOOLEAN),
    "workingDir": ("", lexical.TEXT),
    "javaHome": ("", lexical.URI),
    "continuation": ("", lexical.TEXT),
    "block": (Block.NONE, lexical.BLOCK),
}


@dataclass(slots=True)
class Element:
    """One element."""

    tag: str
    attributes: Iterable[Attribute] = ()
    children: list[Element] = field(default_factory=list)
    #: The text of an element without children; None: no text.
    text: str | None = None
    #: Whether people read the text in the file, so that it is escaped as little as possible.
    cdata: bool = False
    #: How a problem names it; empty: the task or the workflow as a whole.
    place: str = ""
    #: The record that it represents, for rules that need more than attributes.
    record: Any = None
    #: Attributes that are written although they have the default value.
    explicit: tuple[str, ...] = ()

    def present(self) -> Iterator[tuple[str, Any, Lexical]]:
        """The attributes whose value is not the default, or explicit."""
        for name, value, kind, default in self.attributes:
            if value is not None and (value != default or name in self.explicit):
                yield name, value, kind


def explicit_attributes(attributes: Mapping[str, str]) -> tuple[str, ...]:
    """The names of those attributes of an XML element that have their default value, in the order of `DEFAULTS`."""
    given = DEFAULTS.keys() & attributes.keys()
    if not given:
        return ()
    found = {name for name in given if DEFAULTS[name][1].read(attributes[name]) == DEFAULTS[name][0]}
    return tuple(name for name in DEFAULTS if name in found) if found else ()


def job_element(workflow: Workflow) -> Element:
    """The element ``job``, with everything in it."""
    attributes: list[Attribute] = [
        ("name", workflow.name, lexical.JOB_NAME, None),
        ("priority", workflow.priority, lexical.PRIORITY, None),
        ("onTaskError", workflow.on_error, lexical.POLICY, None),
        ("restartTaskOnError", workflow.restart, lexical.RESTART, None),
        ("taskRetryDelay", workflow.retry_delay, lexical.DURATION, None),
        ("maxNumberOfExecution", workflow.max_executions, lexical.COUNT, None),
        ("projectName", workflow.project, lexical.TEXT, ""),
        ("tags", workflow.tags, lexical.TAGS, ()),
    ]
    children = [
        *_variables(workflow.variables),
        *_cdata("description", workflow.description, workflow.explicit),
        *_generic_information(workflow.generic_information),
        *_spaces(workflow),
        *_container("taskFlow", (_task(task) for task in workflow.tasks)),
    ]
    visualization = _cdata("visualization", workflow.visualization, workflow.explicit)
    if visualization or "metadata" in workflow.explicit:
        children.append(Element("metadata", children=visualization))
    return Element("job", attributes, children, record=workflow, explicit=workflow.explicit)


def _container(tag: str, children: Iterable[Element]) -> list[Element]:
    """An element that is written only if it is not empty."""
    found = list(children)
    return [Element(tag, children=found)] if found else []


def _cdata(tag: str, text: str, explicit: tuple[str, ...] = ()) -> list[Element]:
    return [Element(tag, text=text, cdata=True)] if text or tag in explicit else []


def _values(container: str, item: str, attribute: str, values: Iterable[str], place: str = "") -> list[Element]:
    place = place or container
    return _container(
        container, (Element(item, [(attribute, value, lexical.TEXT, None)], place=place) for value in values)
    )


def _pairs(container: str, item: str, pairs: Mapping[str, str]) -> list[Element]:
    return _container(
        container,
        (
            Element(
                item,
                [("name", name, lexical.TEXT, None), ("value", value, lexical.TEXT, None)],
                place=f"{item} {name!r}",
            )
            for name, value in pairs.items()
        ),
    )


def _spaces(workflow: Workflow) -> Iterator[Element]:
    for tag, url in (
        ("inputSpace", workflow.input_space),
        ("outputSpace", workflow.output_space),
        ("globalSpace", workflow.global_space),
        ("userSpace", workflow.user_space),
    ):
        if url or tag in workflow.explicit:
            yield Element(tag, [("url", url, lexical.URI, None)], place=tag)


def _variables(variables: Iterable[Variable]) -> list[Element]:
    return _container("variables", map(_variable, variables))


def _variable(variable: Variable) -> Element:
    inherited = isinstance(variable, TaskVariable) and variable.inherited
    attributes: list[Attribute] = [
        ("name", variable.name, lexical.NAME, None),
        ("value", variable.value, lexical.TEXT, None),
        ("inherited", inherited, lexical.BOOLEAN, False),
        ("model", variable.model, lexical.TEXT, ""),
        ("description", variable.description, lexical.TEXT, ""),
        ("group", variable.group, lexical.TEXT, ""),
        ("advanced", variable.advanced, lexical.BOOLEAN, False),
        ("hidden", variable.hidden, lexical.BOOLEAN, False),
    ]
    return Element("variable", attributes, place=f"variable {variable.name!r}", explicit=variable.explicit)


def _generic_information(information: Mapping[str, str]) -> list[Element]:
    return _container(
        "genericInformation",
        (
            Element(
                "info",
                [("name", name, lexical.NAME, None), ("value", value, lexical.TEXT, None)],
                place=f"generic information {name!r}",
                record=name,
            )
            for name, value in information.items()
        ),
    )


# --- a task ---


def _task(task: Task) -> Element:
    attributes: list[Attribute] = [
        ("name", task.name, lexical.NAME, None),
        ("onTaskError", task.on_error, lexical.POLICY, None),
        ("restartTaskOnError", task.restart, lexical.RESTART, None),
        ("taskRetryDelay", task.retry_delay, lexical.DURATION, None),
        ("maxNumberOfExecution", task.max_executions, lexical.COUNT, None),
        ("fork", task.fork, lexical.FLAG, None),
        ("runAsMe", task.run_as_me, lexical.FLAG, False),
        ("walltime", task.walltime, lexical.DURATION, None),
        ("preciousResult", task.precious_result, lexical.FLAG, False),
        ("preciousLogs", task.precious_logs, lexical.FLAG, False),
        ("resultPreviewClass", task.result_preview_class, lexical.CLASS_NAME, ""),
    ]
    children = [
        *_cdata("description", task.description, task.explicit),
        *_variables(task.variables),
        *_generic_information(task.generic_information),
        *_depends(task),
        *_files("inputFiles", task.input_files, lexical.ACCESS_IN),
        *_parallel(task),
        *_container("selection", map(_selection, task.selection)),
        *_fork_environment(task.fork_environment),
        *_script_in("pre", task.pre),
        _executable(task.executable),
        *_control_flow(task),
        *_script_in("post", task.post),
        *_script_in("cleaning", task.clean),
        *_files("outputFiles", task.output_files, lexical.ACCESS_OUT),
        *_metadata(task),
    ]
    return Element("task", attributes, children, record=task, explicit=task.explicit)


def _metadata(task: Task) -> Iterator[Element]:
    if task.metadata or "metadata" in task.explicit:
        yield Element("metadata", children=[Element(tag, text=text, place="metadata") for tag, text in task.metadata])


def _depends(task: Task) -> list[Element]:
    depends = _values("depends", "task", "ref", task.depends)
    for element in depends:
        element.record = task.depends
    return depends


def _files(container: str, selectors: Iterable[FileSelector], access: Lexical) -> list[Element]:
    return _container(
        container,
        (
            Element(
                "files",
                [
                    ("includes", selector.includes, lexical.FILES, None),
                    ("excludes", selector.excludes, lexical.FILES, ""),
                    ("accessMode", selector.access_mode, access, None),
                ],
                place=f"{container} {selector.includes!r}",
            )
            for selector in selectors
        ),
    )


def _parallel(task: Task) -> Iterator[Element]:
    if task.nodes == 1 and task.topology is None and "parallel" not in task.explicit:
        return
    parallel = Element("parallel", [("numberOfNodes", task.nodes, lexical.COUNT, None)])
    if task.topology is not None:
        threshold: list[Attribute] = []
        if task.topology is Topology.THRESHOLD_PROXIMITY:
            threshold = [("threshold", task.threshold, lexical.MICROSECONDS, None)]
        topology = Element(task.topology.value, threshold, place="topology")
        parallel.children = [Element("topology", children=[topology])]
    yield parallel


def _selection(selection: SelectionScript) -> Element:
    kind: Attribute = ("type", "static" if selection.static else "dynamic", lexical.TEXT, None)
    return _script(selection.script, "selection", [kind])


def _fork_environment(environment: ForkEnvironment | None) -> Iterator[Element]:
    if environment is None:
        return
    attributes: list[Attribute] = [
        ("workingDir", environment.working_dir, lexical.TEXT, ""),
        ("javaHome", environment.java_home, lexical.URI, ""),
    ]
    children = [
        *_pairs("SystemEnvironment", "variable", environment.environment),
        *_values("jvmArgs", "jvmArg", "value", environment.jvm_arguments),
        *_values("additionalClasspath", "pathElement", "path", environment.classpath),
        *_script_in("envScript", environment.script),
    ]
    yield Element("forkEnvironment", attributes, children, place="forkEnvironment", explicit=environment.explicit)


def _executable(executable: Executable) -> Element:
    match executable:
        case Script():
            return Element("scriptExecutable", children=[_script(executable, "")])
        case JavaClass():
            return Element(
                "javaExecutable",
                [("class", executable.name, lexical.CLASS_NAME, None)],
                _pairs("parameters", "parameter", executable.parameters),
                place="javaExecutable",
            )
        case NativeCommand():
            command = Element(
                "staticCommand",
                [("value", executable.command, lexical.TEXT, None)],
                _values("arguments", "argument", "value", executable.arguments),
                place="staticCommand",
            )
            return Element("nativeExecutable", children=[command])


def _script_in(tag: str, script: Script | None) -> Iterator[Element]:
    if script is not None:
        yield Element(tag, children=[_script(script, tag)])


def _script(script: Script, place: str, attributes: Iterable[Attribute] = ()) -> Element:
    place = f"{place} script".lstrip()
    arguments = _values("arguments", "argument", "value", script.arguments, place)
    if script.url:
        rows: list[Attribute] = [
            ("url", script.url, lexical.URI, None),
            ("language", script.language, lexical.NOT_EMPTY, ""),
        ]
        children = [Element("file", rows, arguments, place=place)]
    else:
        language: list[Attribute] = [("language", script.language, lexical.NOT_EMPTY, "")]
        children = [Element("code", language, text=script.code, cdata=True, place=place), *arguments]
    return Element("script", attributes, children, place=place, record=script)


def _control_flow(task: Task) -> Iterator[Element]:
    if task.flow is None and task.block is Block.NONE and not {"controlFlow", "block"} & set(task.explicit):
        return
    flow = [] if task.flow is None else [_flow(task.flow)]
    block: list[Attribute] = [("block", task.block, lexical.BLOCK, Block.NONE)]
    yield Element("controlFlow", block, flow, explicit=task.explicit)


def _flow(flow: FlowAction) -> Element:
    attributes: list[Attribute]
    match flow:
        case Replicate():
            tag, attributes = "replicate", []
        case Loop():
            tag, attributes = "loop", [("target", flow.target, lexical.TEXT, None)]
        case _:
            tag = "if"
            attributes = [
                ("target", flow.target, lexical.TEXT, None),
                ("else", flow.otherwise, lexical.TEXT, None),
                ("continuation", flow.continuation, lexical.TEXT, ""),
            ]
    explicit = flow.explicit if isinstance(flow, Branch) else ()
    return Element(tag, attributes, [_script(flow.script, tag)], place=tag, explicit=explicit)
