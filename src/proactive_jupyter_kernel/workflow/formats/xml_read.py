"""Converts a tree that `xml_schema` has validated to a workflow: from elements to records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from lxml import etree

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import lexical as types
from proactive_jupyter_kernel.workflow.elements import DEFAULTS, explicit_attributes
from proactive_jupyter_kernel.workflow.formats.loaded import ReadFile
from proactive_jupyter_kernel.workflow.formats.xml_schema import Validator, children_of, local_name
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, by_file
from proactive_jupyter_kernel.workflow.lexical import Lexical
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ErrorPolicy,
    Executable,
    FileSelector,
    FlowAction,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Priority,
    Reference,
    Replicate,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.references import InfiniteReference, substitute

__all__ = ["Reader"]

_Variable = TypeVar("_Variable", bound=Variable)
_TASK_ATTRIBUTES: dict[str, tuple[str, Lexical]] = {
    "restart": ("restartTaskOnError", types.RESTART),
    "retry_delay": ("taskRetryDelay", types.DURATION),
    "max_executions": ("maxNumberOfExecution", types.COUNT),
    "fork": ("fork", types.FLAG),
    "walltime": ("walltime", types.DURATION),
}
#: Elements whose text counts to the last blank.
_TEXTS = ("description", "visualization")
#: What a task of the simplest kind consists of.
_PLAIN_ATTRIBUTES = frozenset({"name"})
_PLAIN_PARTS = frozenset({"depends", "scriptExecutable"})
_TASK_FLAGS = {"run_as_me": "runAsMe", "precious_result": "preciousResult", "precious_logs": "preciousLogs"}


class Reader:
    """Converts the tree to records; it reports what cannot be represented to the validator, which adds the position."""

    def __init__(self, validator: Validator, read_file: ReadFile | None) -> None:
        self.validator = validator
        self.read_file = read_file
        self.variables: Mapping[str, str] = {}
        self._asked: etree._Element | None = None
        self._first: dict[str, etree._Element] = {}

    # --- pieces ---

    def child(self, element: etree._Element | None, *path: str) -> etree._Element | None:
        for tag in path:
            if element is not None:
                element = self.first_children(element).get(tag)
        return element

    def first_children(self, element: etree._Element) -> Mapping[str, etree._Element]:
        """Of each tag the first child. Kept for the element that was asked last: one is asked for each of its parts."""
        if element is not self._asked:
            self._asked, self._first = element, {}
            prefix = f"{{{self.validator.namespace}}}"
            for child in children_of(element):
                tag = str(child.tag)
                if tag.startswith(prefix):
                    self._first.setdefault(tag[len(prefix) :], child)
        return self._first

    def all(self, element: etree._Element | None, tag: str) -> Iterator[etree._Element]:
        if element is not None:
            yield from self.validator.all(element, tag)

    def value(self, element: etree._Element | None, name: str, kind: Lexical, default: Any = None) -> Any:
        text = element.get(name) if element is not None else None
        return default if text is None else kind.read(text)

    def text(self, element: etree._Element | None, name: str) -> str:
        return str(self.value(element, name, types.TEXT, ""))

    def content(self, element: etree._Element | None) -> str:
        """As the server's parser does: the text up to the first child or comment."""
        return (element.text or "") if element is not None else ""

    def pairs(self, element: etree._Element | None, tag: str, what: str) -> dict[str, str]:
        result: dict[str, str] = {}
        for child in self.all(element, tag):
            name = self.text(child, "name")
            self.note_duplicate(child, what, name, result)
            result[name] = self.text(child, "value")
        return result

    def note_duplicate(self, element: etree._Element, what: str, name: str, seen: Mapping[str, object]) -> None:
        if name in seen:
            self.validator.notice(element, f"{what} {name!r} occurs twice", "The last one is used.")

    def values(self, element: etree._Element | None, tag: str, attribute: str) -> tuple[str, ...]:
        return tuple(self.text(child, attribute) for child in self.all(element, tag))

    def explicit(self, element: etree._Element, *tags: str) -> tuple[str, ...]:
        """What has its default value: attributes of `element`, and its children of these tags that are empty."""
        empty = (tag for tag in tags if self.is_empty(self.child(element, tag)))
        present = {name: str(element.get(name)) for name in map(str, element.attrib) if name in DEFAULTS}
        return (*(explicit_attributes(present) if present else ()), *empty)

    def is_empty(self, element: etree._Element | None) -> bool:
        return (
            element is not None
            and not (self.content(element) if local_name(element) in _TEXTS else self.content(element).strip())
            and not element.get("url")
            and not element.get("block")
            and next(children_of(element), None) is None
        )

    # --- the job ---

    def workflow(self, root: etree._Element) -> Workflow:
        variables = self.job_variables(self.child(root, "variables"))
        self.variables = {variable.name: variable.value for variable in variables}
        if (classpath := self.child(root, "jobClasspath")) is not None:
            self.validator.notice(classpath, "<jobClasspath> was left out", "ProActive ignores it since schema 3.3.")
        return Workflow(
            name=self.text(root, "name"),
            tasks=tuple(self.task(task) for task in self.all(self.child(root, "taskFlow"), "task")),
            variables=variables,
            description=self.content(self.child(root, "description")),
            generic_information=self.information(root),
            priority=self.value(root, "priority", types.PRIORITY, Priority.NORMAL),
            on_error=self.policy(root),
            restart=self.value(root, "restartTaskOnError", types.RESTART),
            retry_delay=self.value(root, "taskRetryDelay", types.DURATION),
            max_executions=self.value(root, "maxNumberOfExecution", types.COUNT),
            project=self.text(root, "projectName"),
            tags=self.value(root, "tags", types.TAGS, ()),
            input_space=self.value(self.child(root, "inputSpace"), "url", types.URI, ""),
            output_space=self.value(self.child(root, "outputSpace"), "url", types.URI, ""),
            global_space=self.value(self.child(root, "globalSpace"), "url", types.URI, ""),
            user_space=self.value(self.child(root, "userSpace"), "url", types.URI, ""),
            visualization=self.visualization(self.child(root, "metadata")),
            explicit=self.job_explicit(root),
        )

    def job_explicit(self, root: etree._Element) -> tuple[str, ...]:
        picture = self.child(root, "metadata", "visualization")
        return (
            *self.explicit(root, "description", "inputSpace", "outputSpace", "globalSpace", "userSpace", "metadata"),
            *(("visualization",) if self.is_empty(picture) else ()),
        )

    def information(self, element: etree._Element) -> dict[str, str]:
        return self.pairs(self.child(element, "genericInformation"), "info", "generic information")

    def variable_fields(self, element: etree._Element) -> dict[str, Any]:
        for name in ("advanced", "hidden", "inherited"):
            self.note_digit(element, name)
        return {
            "name": self.value(element, "name", types.NAME),
            "value": self.text(element, "value"),
            "model": self.text(element, "model"),
            "description": self.text(element, "description"),
            "group": self.text(element, "group"),
            "advanced": self.value(element, "advanced", types.BOOLEAN, False),
            "hidden": self.value(element, "hidden", types.BOOLEAN, False),
            "explicit": self.explicit(element),
        }

    def note_digit(self, element: etree._Element, name: str) -> None:
        if (element.get(name) or "").strip() == "1":
            self.validator.notice(element, f'{name}="1" means false to ProActive', 'Write "true" to set it.')

    def unique(self, pairs: list[tuple[etree._Element, _Variable]]) -> tuple[_Variable, ...]:
        """The last of several variables with one name, at the position of the first."""
        result: dict[str, _Variable] = {}
        for element, variable in pairs:
            self.note_duplicate(element, "variable", variable.name, result)
            result[variable.name] = variable
        return tuple(result.values())

    def job_variables(self, element: etree._Element | None) -> tuple[Variable, ...]:
        return self.unique(
            [(child, Variable(**self.variable_fields(child))) for child in self.all(element, "variable")]
        )

    def task_variables(self, element: etree._Element | None) -> tuple[TaskVariable, ...]:
        found = []
        for child in self.all(element, "variable"):
            inherited = self.value(child, "inherited", types.BOOLEAN, False)
            found.append((child, TaskVariable(**self.variable_fields(child), inherited=inherited)))
        return self.unique(found)

    def policy(self, element: etree._Element) -> ErrorPolicy | Reference | None:
        """``onTaskError``, or its predecessor in older schemas."""
        policy: ErrorPolicy | Reference | None = self.value(element, "onTaskError", types.POLICY)
        cancel = self.value(element, "cancelJobOnError", types.FLAG)
        if isinstance(cancel, Reference):
            self.validator.notice(element, f'cancelJobOnError="{cancel}" was left out', "Set onTaskError instead.")
        return ErrorPolicy.CANCEL_JOB if policy is None and cancel is True else policy

    def visualization(self, metadata: etree._Element | None) -> str:
        if metadata is None:
            return ""
        picture = ""
        for child in children_of(metadata):
            if child.tag == f"{{{self.validator.namespace}}}visualization" and not picture:
                picture = self.content(child)
            else:
                self.validator.notice(child, f"metadata <{local_name(child)}> of the job was left out")
        return picture

    # --- a task ---

    def task(self, element: etree._Element) -> Task:
        self.validator.task = name = self.value(element, "name", types.NAME)
        given = frozenset(map(str, element.attrib))
        parts = self.first_children(element).keys()
        if given <= _PLAIN_ATTRIBUTES and parts <= _PLAIN_PARTS:
            # Most tasks of a large workflow have nothing else, and need not be searched for it.
            depends = tuple(
                self.value(parent, "ref", types.NAME) for parent in self.all(self.child(element, "depends"), "task")
            )
            plain = Task(name=name, executable=self.executable(element), depends=depends)
            self.validator.task = ""
            return plain
        for flag in (*_TASK_FLAGS.values(), "fork"):
            self.note_digit(element, flag)
        topology = self.child(element, "parallel", "topology")
        chosen = next(children_of(topology), None) if topology is not None else None
        task = Task(
            name=name,
            executable=self.executable(element),
            description=self.content(self.child(element, "description")),
            variables=self.task_variables(self.child(element, "variables")),
            generic_information=self.information(element),
            depends=tuple(
                self.value(parent, "ref", types.NAME) for parent in self.all(self.child(element, "depends"), "task")
            ),
            input_files=self.files(self.child(element, "inputFiles"), types.ACCESS_IN),
            output_files=self.files(self.child(element, "outputFiles"), types.ACCESS_OUT),
            nodes=self.nodes(element),
            topology=None if chosen is None else Topology(local_name(chosen)),
            threshold=self.value(chosen, "threshold", types.MICROSECONDS, 0),
            selection=tuple(self.selection(script) for script in self.all(self.child(element, "selection"), "script")),
            fork_environment=self.fork_environment(element),
            pre=self.script(self.child(element, "pre")),
            post=self.script(self.child(element, "post")),
            clean=self.script(self.child(element, "cleaning")),
            flow=self.flow(self.child(element, "controlFlow")),
            block=self.value(self.child(element, "controlFlow"), "block", types.BLOCK, Block.NONE),
            on_error=self.policy(element),
            result_preview_class=self.text(element, "resultPreviewClass"),
            metadata=self.metadata(self.child(element, "metadata")),
            explicit=self.task_explicit(element),
            **{field: self.value(element, *attribute) for field, attribute in _TASK_ATTRIBUTES.items()},
            **{field: self.value(element, name, types.FLAG, False) for field, name in _TASK_FLAGS.items()},
        )
        self.validator.task = ""
        return task

    def task_explicit(self, element: etree._Element) -> tuple[str, ...]:
        """In a task also the attribute of the element ``controlFlow``, and a single node that is requested."""
        flow, parallel = self.child(element, "controlFlow"), self.child(element, "parallel")
        number = element if parallel is None else parallel
        return (
            *self.explicit(element, "description", "controlFlow", "metadata"),
            *(() if flow is None else self.explicit(flow)),
            *(("parallel",) if self.value(number, "numberOfNodes", types.COUNT) == 1 and not len(number) else ()),
        )

    def nodes(self, element: etree._Element) -> int | Reference:
        alone = self.value(element, "numberOfNodes", types.COUNT)
        parallel = self.value(self.child(element, "parallel"), "numberOfNodes", types.COUNT)
        if alone is not None and parallel is not None and alone != parallel:
            message = f"numberOfNodes is {alone} on the task and {parallel} in <parallel>"
            self.validator.notice(element, message, "The one in <parallel> is used.")
        number: int | Reference = next((value for value in (parallel, alone) if value is not None), 1)
        return number

    def files(self, element: etree._Element | None, access: Lexical) -> tuple[FileSelector, ...]:
        return tuple(
            FileSelector(
                includes=self.text(child, "includes"),
                excludes=self.text(child, "excludes"),
                access_mode=self.value(child, "accessMode", access),
            )
            for child in self.all(element, "files")
        )

    def selection(self, element: etree._Element) -> SelectionScript:
        kind = self.value(element, "type", types.SELECTION_TYPE, "dynamic")
        if kind not in ("dynamic", "static"):
            self.validator.notice(element, f'type="{kind}" of a selection script was changed to "dynamic"')
        return SelectionScript(script=self.plain_script(element), static=kind == "static")

    def fork_environment(self, element: etree._Element) -> ForkEnvironment | None:
        found = self.child(element, "forkEnvironment")
        if found is None:
            found = self.child(element, "javaExecutable", "forkEnvironment")
        if found is None:
            return None
        return ForkEnvironment(
            working_dir=self.text(found, "workingDir"),
            java_home=self.value(found, "javaHome", types.URI, ""),
            environment=self.pairs(self.child(found, "SystemEnvironment"), "variable", "environment variable"),
            jvm_arguments=self.values(self.child(found, "jvmArgs"), "jvmArg", "value"),
            classpath=self.values(self.child(found, "additionalClasspath"), "pathElement", "path"),
            script=self.script(self.child(found, "envScript")),
            explicit=self.explicit(found),
        )

    def executable(self, element: etree._Element) -> Executable:
        if (scripted := self.child(element, "scriptExecutable", "script")) is not None:
            return self.plain_script(scripted)
        if (java := self.child(element, "javaExecutable")) is not None:
            return JavaClass(
                name=self.text(java, "class"),
                parameters=self.pairs(self.child(java, "parameters"), "parameter", "parameter"),
            )
        command = self.child(element, "nativeExecutable", "staticCommand")
        return NativeCommand(
            command=self.text(command, "value"),
            arguments=self.values(self.child(command, "arguments"), "argument", "value"),
        )

    def flow(self, element: etree._Element | None) -> FlowAction | None:
        action = next(children_of(element), None) if element is not None else None
        script = self.script(action)
        if action is None or script is None:
            return None
        match local_name(action):
            case "if":
                return Branch(
                    script=script,
                    target=self.text(action, "target"),
                    otherwise=self.text(action, "else"),
                    continuation=self.text(action, "continuation"),
                    explicit=self.explicit(action),
                )
            case "loop":
                return Loop(script=script, target=self.text(action, "target"))
            case _:
                return Replicate(script=script)

    def metadata(self, element: etree._Element | None) -> tuple[tuple[str, str], ...]:
        """The leaves; a foreign namespace stays before the tag, in braces."""
        leaves = []
        for child in element.iterdescendants(etree.Element) if element is not None else ():
            name = etree.QName(child)
            tag = (
                name.localname
                if name.namespace == self.validator.namespace
                else f"{{{name.namespace or ''}}}{name.localname}"
            )
            if child.attrib:
                self.validator.notice(child, f"the attributes of metadata <{name.localname}> were left out")
            if next(children_of(child), None) is not None:
                self.validator.notice(child, f"metadata <{name.localname}> was left out", "Its inner parts are kept.")
            else:
                leaves.append((tag, "".join(map(str, child.itertext(etree.Element)))))
        return tuple(leaves)

    # --- scripts ---

    def script(self, element: etree._Element | None) -> Script | None:
        script = self.child(element, "script")
        return None if script is None else self.plain_script(script)

    def plain_script(self, element: etree._Element) -> Script:
        file = self.child(element, "file")
        if file is not None:
            arguments = self.values(self.child(file, "arguments"), "argument", "value")
            if "path" in file.attrib:
                return self.script_from_path(file, arguments)
            return Script(
                language=self.text(file, "language"), url=self.value(file, "url", types.URI), arguments=arguments
            )
        code = self.child(element, "code")
        return Script(
            language=self.text(code, "language"),
            code=self.content(code),
            arguments=self.values(self.child(element, "arguments"), "argument", "value"),
        )

    def script_from_path(self, file: etree._Element, arguments: tuple[str, ...]) -> Script:
        """The text of the file becomes part of the workflow, as on a server; its extension determines the language."""
        path = self.text(file, "path").strip()
        try:
            path = substitute(path, self.variables)
        except InfiniteReference as error:
            self.validator.problem(file, str(error))
        language = by_file(path)
        if language is None:
            known = [extension for each in LANGUAGES for extension in each.extensions]
            hint = did_you_mean(path.rpartition(".")[2], known) or "Give it one, such as .cpy for Python or .bash."
            self.validator.problem(file, f"the extension of script file {path!r} does not imply a language", hint)
        code = self.file_text(file, path)
        if "url" in file.attrib:
            self.validator.notice(file, "the URL of a script with a path was left out")
        return Script(language=language.engine if language else "", code=code, arguments=arguments)

    def file_text(self, file: etree._Element, path: str) -> str:
        if self.read_file is None:
            hint = "Read the workflow from its own folder, or move the script's text into it."
            self.validator.problem(file, f"script file {path!r} cannot be read from here", hint)
            return ""
        try:
            code = self.read_file(path)
        except (OSError, ValueError) as error:
            hint = "The path is relative to the folder of the workflow file."
            self.validator.problem(file, f"script file {path!r} cannot be read: {error}", hint)
            return ""
        self.validator.notice(file, f"the text of script file {path!r} is now part of the workflow")
        return code
