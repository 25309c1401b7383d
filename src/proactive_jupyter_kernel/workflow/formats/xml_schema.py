"""The schema of the workflow XML as a table, and the validation of a document.

All differences are reported together, with line, task and a proposal. The table is that of schema 3.14 and of `dev`;
older versions have the same tree with fewer attributes and a few removed parts (`_Spec.gone`). Unknown parts are
refused in every version. The exact schemas below `_STRICT_FROM` are not available: there the order is not strict.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import lexical as types
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.lexical import Lexical

__all__ = ["NAMESPACE", "Validator", "children_of", "line_of", "local_name", "version_number"]

NAMESPACE = "urn:proactive:jobdescriptor:"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_STRICT_FROM = 12
#: A proposal compares a name with those of all tasks: further problems have none.
_MOST_PROPOSALS = 50
#: Attribute -> the first schema version with it; a server refuses it in an older version.
_SINCE = {
    ("job", "tags"): 14,
    **{
        (kind, name): 13
        for kind in ("variable", "taskVariable")
        for name in ("description", "group", "advanced", "hidden")
    },
    ("job", "taskRetryDelay"): 12,
    ("task", "taskRetryDelay"): 12,
    ("task", "fork"): 12,
}


@dataclass(frozen=True, slots=True)
class _Slot:
    """A position among the children of an element, for one of several tags."""

    #: Tag -> key of its specification.
    tags: Mapping[str, str]
    least: int = 0
    most: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """The allowed content of an element."""

    required: Mapping[str, Lexical] = field(default_factory=dict)
    optional: Mapping[str, Lexical] = field(default_factory=dict)
    slots: tuple[_Slot, ...] = ()
    #: Whether it contains text.
    text: bool = False
    #: Whether it may contain any elements.
    open: bool = False
    #: Removed tag or attribute -> the last schema version with it.
    gone: Mapping[str, int] = field(default_factory=dict)


def _maybe(tag: str, spec: str = "") -> _Slot:
    return _Slot({tag: spec or tag})


def _one(*tags: str) -> _Slot:
    return _Slot({tag: tag for tag in tags}, 1)


def _some(tag: str, spec: str = "") -> _Slot:
    return _Slot({tag: spec or tag}, 1, None)


_TOPOLOGIES = (
    "arbitrary",
    "bestProximity",
    "singleHost",
    "singleHostExclusive",
    "multipleHostsExclusive",
    "differentHostsExclusive",
)
_DECORATION = {
    "model": types.TEXT,
    "description": types.TEXT,
    "group": types.TEXT,
    "advanced": types.BOOLEAN,
    "hidden": types.BOOLEAN,
}
_NAME_AND_VALUE = {"name": types.NAME, "value": types.TEXT}
_RETRIES = {
    "onTaskError": types.POLICY,
    "restartTaskOnError": types.RESTART,
    "taskRetryDelay": types.DURATION,
    "maxNumberOfExecution": types.COUNT,
    "cancelJobOnError": types.FLAG,
}
_SCRIPTED = _Spec(slots=(_one("script"),))

_SPECS: dict[str, _Spec] = {
    "job": _Spec(
        required={"name": types.JOB_NAME},
        optional={**_RETRIES, "priority": types.PRIORITY, "projectName": types.TEXT, "tags": types.TAGS},
        slots=(
            _maybe("variables"),
            _maybe("description"),
            _maybe("jobClasspath"),
            _maybe("genericInformation"),
            _maybe("inputSpace", "space"),
            _maybe("outputSpace", "space"),
            _maybe("globalSpace", "space"),
            _maybe("userSpace", "space"),
            _one("taskFlow"),
            _maybe("metadata"),
        ),
        gone={"jobClasspath": 2, "cancelJobOnError": 3},
    ),
    "variables": _Spec(slots=(_some("variable"),)),
    "variable": _Spec(required=_NAME_AND_VALUE, optional=_DECORATION),
    "description": _Spec(text=True),
    "jobClasspath": _Spec(slots=(_some("pathElement"),)),
    "genericInformation": _Spec(slots=(_some("info"),)),
    "info": _Spec(required=_NAME_AND_VALUE),
    "space": _Spec(required={"url": types.URI}),
    "taskFlow": _Spec(slots=(_some("task"),)),
    "metadata": _Spec(open=True),
    "task": _Spec(
        required={"name": types.NAME},
        optional={
            **_RETRIES,
            "numberOfNodes": types.COUNT,
            "fork": types.FLAG,
            "runAsMe": types.FLAG,
            "walltime": types.DURATION,
            "preciousResult": types.FLAG,
            "preciousLogs": types.FLAG,
            "resultPreviewClass": types.CLASS_NAME,
        },
        slots=(
            _maybe("description"),
            _maybe("variables", "taskVariables"),
            _maybe("genericInformation"),
            _maybe("depends"),
            _maybe("inputFiles"),
            _maybe("parallel"),
            _maybe("selection"),
            _maybe("forkEnvironment"),
            _maybe("pre", "scripted"),
            _Slot(
                {
                    "scriptExecutable": "scripted",
                    "javaExecutable": "javaExecutable",
                    "nativeExecutable": "nativeExecutable",
                },
                1,
            ),
            _maybe("controlFlow"),
            _maybe("post", "scripted"),
            _maybe("cleaning", "scripted"),
            _maybe("outputFiles"),
            _maybe("metadata"),
        ),
        gone={"cancelJobOnError": 3},
    ),
    "taskVariables": _Spec(slots=(_some("variable", "taskVariable"),)),
    "taskVariable": _Spec(required=_NAME_AND_VALUE, optional={**_DECORATION, "inherited": types.BOOLEAN}),
    "depends": _Spec(slots=(_some("task", "dependsTask"),)),
    "dependsTask": _Spec(required={"ref": types.NAME}),
    "inputFiles": _Spec(slots=(_some("files", "filesIn"),)),
    "filesIn": _Spec(
        required={"includes": types.FILES, "accessMode": types.ACCESS_IN}, optional={"excludes": types.FILES}
    ),
    "outputFiles": _Spec(slots=(_some("files", "filesOut"),)),
    "filesOut": _Spec(
        required={"includes": types.FILES, "accessMode": types.ACCESS_OUT}, optional={"excludes": types.FILES}
    ),
    "parallel": _Spec(required={"numberOfNodes": types.COUNT}, slots=(_maybe("topology"),)),
    "topology": _Spec(slots=(_one(*_TOPOLOGIES, "thresholdProximity"),)),
    **{name: _Spec() for name in _TOPOLOGIES},
    "thresholdProximity": _Spec(required={"threshold": types.MICROSECONDS}),
    "selection": _Spec(slots=(_some("script", "selectionScript"),)),
    "scripted": _SCRIPTED,
    "script": _Spec(slots=(_one("code", "file"), _maybe("arguments"))),
    "selectionScript": _Spec(
        optional={"type": types.SELECTION_TYPE}, slots=(_one("code", "file"), _maybe("arguments"))
    ),
    "code": _Spec(required={"language": types.NOT_EMPTY}, text=True),
    "file": _Spec(
        optional={"path": types.URI, "url": types.URI, "language": types.NOT_EMPTY}, slots=(_maybe("arguments"),)
    ),
    "arguments": _Spec(slots=(_some("argument"),)),
    "argument": _Spec(required={"value": types.TEXT}),
    "forkEnvironment": _Spec(
        optional={"workingDir": types.TEXT, "javaHome": types.URI},
        slots=(
            _maybe("SystemEnvironment"),
            _maybe("jvmArgs"),
            _maybe("additionalClasspath"),
            _maybe("envScript", "scripted"),
        ),
    ),
    "SystemEnvironment": _Spec(slots=(_some("variable", "pair"),)),
    "pair": _Spec(required={"name": types.TEXT, "value": types.TEXT}),
    "jvmArgs": _Spec(slots=(_some("jvmArg", "argument"),)),
    "additionalClasspath": _Spec(slots=(_some("pathElement"),)),
    "pathElement": _Spec(required={"path": types.TEXT}),
    "javaExecutable": _Spec(
        required={"class": types.CLASS_NAME},
        slots=(_maybe("forkEnvironment"), _maybe("parameters")),
        gone={"forkEnvironment": 2},
    ),
    "parameters": _Spec(slots=(_some("parameter", "pair"),)),
    "nativeExecutable": _Spec(slots=(_one("staticCommand"),)),
    "staticCommand": _Spec(required={"value": types.TEXT}, slots=(_maybe("arguments"),)),
    "controlFlow": _Spec(
        optional={"block": types.BLOCK}, slots=(_Slot({"if": "if", "loop": "loop", "replicate": "scripted"}),)
    ),
    "if": _Spec(
        required={"target": types.TEXT, "else": types.TEXT},
        optional={"continuation": types.TEXT},
        slots=(_one("script"),),
    ),
    "loop": _Spec(required={"target": types.TEXT}, slots=(_one("script"),)),
}


def version_number(version: str) -> int | None:
    """The number after ``3.``; `dev` is newer than all; None for a version that does not exist."""
    known = {f"3.{number}": number for number in range(15)} | {"dev": 99}
    return known.get(version)


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def line_of(element: etree._Element) -> int:
    """The line where the element starts; 0 if it is not known."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def children_of(element: etree._Element) -> Iterator[etree._Element]:
    """The child elements, without comments and processing instructions."""
    return element.iterchildren(etree.Element)


class Validator:
    """Validates a tree; `problems` and `notices` hold the findings."""

    def __init__(self, version: int, namespace: str) -> None:
        self.version = version
        self.namespace = namespace
        self._prefix = f"{{{namespace}}}"
        self.problems: list[Problem] = []
        self.notices: list[Problem] = []
        self.task = ""

    def validate(self, root: etree._Element) -> None:
        self.element(root, "job")
        self.names(root)

    # --- findings ---

    def problem(
        self, element: etree._Element, message: str, explanation: str = "", code: str = "PA115", place: str = ""
    ) -> None:
        self.problems.append(self._finding(element, message, explanation, code, place))

    def notice(self, element: etree._Element, message: str, explanation: str = "") -> None:
        self.notices.append(self._finding(element, message, explanation, "PA116", ""))

    def _finding(self, element: etree._Element, message: str, explanation: str, code: str, place: str) -> Problem:
        return Problem(
            code=code,
            message=message,
            task=self.task,
            place=place,
            explanation=explanation,
            line=line_of(element),
        )

    # --- the walk ---

    def element(self, element: etree._Element, key: str) -> None:
        spec = _SPECS[key]
        tag = local_name(element)
        if key == "task":
            self.task = (element.get("name") or "").strip()
        self.attributes(element, tag, key, spec)
        if not spec.open:
            self.own_text(element, spec)
            self.children(element, tag, key, spec)
        if key in ("script", "selectionScript", "file"):
            self.script_parts(element, tag)
        if key == "task":
            self.task = ""

    def attributes(self, element: etree._Element, tag: str, key: str, spec: _Spec) -> None:
        known = _attributes(key)
        # By name, for lxml's items() searches all attributes for the value of each.
        for name in map(str, element.attrib):
            if name.startswith(_INSTANCE):
                continue
            if name not in known or (spec.gone and self.is_gone(name, spec)):
                self.unknown_attribute(element, tag, name, known)
                continue
            try:
                known[name].read(str(element.get(name)))
            except ValueError as error:
                code = "PA103" if known[name] is types.NAME else "PA105"
                self.problem(element, f"attribute {name} of <{tag}> {error}", code=code)
            since = _SINCE.get((key, name), 0)
            if self.version < since:
                message = f"attribute {name} of <{tag}> requires schema 3.{since}"
                self.notice(element, message, f"A server refuses it under 3.{self.version}.")
        for name in spec.required:
            if name not in element.attrib:
                self.problem(element, f"<{tag}> lacks its attribute {name}")

    def is_gone(self, name: str, spec: _Spec) -> bool:
        return name in spec.gone and self.version > spec.gone[name]

    def unknown_attribute(self, element: etree._Element, tag: str, name: str, known: Mapping[str, Lexical]) -> None:
        if name == "cancelJobOnError":
            hint = 'Write onTaskError="cancelJob" instead of "true", and nothing instead of "false".'
            self.problem(element, f"attribute cancelJobOnError of <{tag}> was removed in schema 3.4", hint)
            return
        names = [known_name for known_name in known if known_name != "cancelJobOnError"]
        hint = did_you_mean(name, names) if len(self.problems) < _MOST_PROPOSALS else ""
        self.problem(element, f"<{tag}> has no attribute {name}", hint)

    def own_text(self, element: etree._Element, spec: _Spec) -> None:
        """Text where only elements are allowed, and text that the server's parser does not read."""
        tails = "".join(child.tail or "" for child in element) if len(element) else ""
        if not spec.text:
            stray = ((element.text or "") + tails).strip()
            if stray:
                self.problem(
                    element, f"text {stray[:40]!r} inside of <{local_name(element)}>, where no text is allowed"
                )
        elif tails.strip():
            self.notice(
                element,
                f"a comment inside of <{local_name(element)}> ends its text",
                "The text after it was left out, as in ProActive.",
            )

    def children(self, element: etree._Element, tag: str, key: str, spec: _Spec) -> None:
        counts = [0] * len(spec.slots)
        position = _positions(key)
        furthest = 0
        prefix = self._prefix
        for child in children_of(element):
            full = str(child.tag)
            inside = full.startswith(prefix)
            name = full[len(prefix) :] if inside else local_name(child)
            if not inside or name not in position or (spec.gone and self.is_gone(name, spec)):
                shown = name if inside else full
                known = [known_name for known_name in position if not self.is_gone(known_name, spec)]
                self.problem(child, f"<{tag}> holds no element <{shown}>", did_you_mean(name, known))
                continue
            index = position[name]
            slot = spec.slots[index]
            counts[index] += 1
            if index < furthest or (slot.most is not None and counts[index] > slot.most):
                self.place_of_child(child, tag, index, furthest, counts[index], spec)
            furthest = max(furthest, index)
            self.element(child, slot.tags[name])
        for index, slot in enumerate(spec.slots):
            if counts[index] < slot.least:
                self.problem(element, f"<{tag}> lacks its element {_alternatives(slot)}")

    def place_of_child(
        self, child: etree._Element, tag: str, index: int, furthest: int, count: int, spec: _Spec
    ) -> None:
        slot = spec.slots[index]
        name = local_name(child)
        if slot.most is not None and count > slot.most:
            self.problem(child, f"<{tag}> holds more than one element {_alternatives(slot)}")
        elif index < furthest:
            order = ", ".join(f"<{known}>" for each in spec.slots for known in each.tags)
            if self.version >= _STRICT_FROM:
                self.problem(child, f"<{name}> is in the wrong position inside of <{tag}>", f"The order is {order}.")
            else:
                self.notice(child, f"<{name}> is in the wrong position inside of <{tag}>", "A server may refuse it.")

    def script_parts(self, element: etree._Element, tag: str) -> None:
        """Where code and arguments may occur together."""
        names = [local_name(child) for child in children_of(element)]
        if tag == "file" and not {"path", "url"} & set(map(str, element.attrib)):
            self.problem(element, "<file> needs an attribute path or url")
        if tag == "script" and "file" in names and "arguments" in names:
            self.problem(element, "<arguments> of a <file> must be inside of it")

    # --- names ---

    def names(self, root: etree._Element) -> None:
        """Task names are unique, and dependencies name tasks."""
        tasks = [task for flow in self.all(root, "taskFlow") for task in self.all(flow, "task")]
        names: dict[str, None] = {}
        for task in tasks:
            self.task = (task.get("name") or "").strip()
            if self.task in names:
                self.problem(task, "Task names are not unique", "Two tasks have this name; rename one.", "PA101")
            names[self.task] = None
        for task in tasks:
            self.task = (task.get("name") or "").strip()
            for depends in self.all(task, "depends"):
                for parent in self.all(depends, "task"):
                    name = (parent.get("ref") or "").strip()
                    if name and name not in names:
                        hint = did_you_mean(name, names) if len(self.problems) < _MOST_PROPOSALS else ""
                        self.problem(parent, f"Unknown dependence: {name}", hint, "PA108")
        self.task = ""

    def all(self, element: etree._Element, tag: str) -> Iterator[etree._Element]:
        return element.iterchildren(f"{{{self.namespace}}}{tag}")


@functools.cache
def _attributes(key: str) -> Mapping[str, Lexical]:
    """The attributes that an element may have."""
    return {**_SPECS[key].required, **_SPECS[key].optional}


@functools.cache
def _positions(key: str) -> Mapping[str, int]:
    """Tag of a child -> the slot for it."""
    return {name: index for index, slot in enumerate(_SPECS[key].slots) for name in slot.tags}


def _alternatives(slot: _Slot) -> str:
    return " or ".join(f"<{name}>" for name in slot.tags)
