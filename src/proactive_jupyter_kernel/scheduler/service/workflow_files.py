"""Workflow files before they are submitted: what is in them, what is wrong with them, how they look.

The functions run in the process that checks workflows (`checking.Checker.call`): files and values come from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler.service.check_question import Question, arguments_of
from proactive_jupyter_kernel.scheduler.service.submission import prepare, without_hidden
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.formats import by_extension
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Reference, Variable, Workflow
from proactive_jupyter_kernel.workflow.node_conditions import NodeWish

__all__ = [
    "Amendment",
    "Drawing",
    "Examination",
    "Outline",
    "ReadWorkflow",
    "TaskWish",
    "Upload",
    "amended",
    "drawn",
    "examine",
    "read_upload",
]

#: How many problems and warnings are returned; more are not useful to a reader.
_MOST = 200
#: Different wishes for nodes that an outline has.
_MOST_WISHES = 20
#: Generic information that names a node source; the second is the deprecated key.
_SOURCE_KEYS = ("NODE_SOURCE", "NODESOURCENAME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWish:
    """What tasks ask of their nodes."""

    wish: NodeWish
    #: The first of them, and how many there are.
    task: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a form needs of a workflow, however many tasks it has."""

    name: str
    tasks: int
    description: str = ""
    #: As written, with their references.
    variables: tuple[Variable, ...] = ()
    priority: Priority | Reference = Priority.NORMAL
    project: str = ""
    on_error: ErrorPolicy | Reference | None = None
    #: Generic information ``START_AT``; empty: none.
    start_at: str = ""
    wishes: tuple[TaskWish, ...] = ()

    @classmethod
    def of(cls, workflow: Workflow) -> Outline:
        """That of a workflow."""
        return cls(
            name=workflow.name,
            tasks=len(workflow.tasks),
            description=workflow.description.strip(),
            variables=workflow.variables,
            priority=workflow.priority,
            project=workflow.project,
            on_error=workflow.on_error,
            start_at=workflow.generic_information.get("START_AT", ""),
            wishes=_wishes(workflow),
        )


def _wishes(workflow: Workflow) -> tuple[TaskWish, ...]:
    """What the tasks ask of nodes, as far as no variable decides it."""
    found: dict[NodeWish, TaskWish] = {}
    for task in workflow.tasks:
        information = {**workflow.generic_information, **task.generic_information}
        source = next((information[key] for key in _SOURCE_KEYS if information.get(key)), "")
        token = information.get("NODE_ACCESS_TOKEN", "")
        if "$" in source + token or not isinstance(task.nodes, int):
            continue
        wish = NodeWish(nodes=task.nodes, source=source, token=token, topology=task.topology)
        known = found.get(wish)
        if known is not None:
            found[wish] = replace(known, count=known.count + 1)
        elif len(found) < _MOST_WISHES:
            found[wish] = TaskWish(wish=wish, task=task.name)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWorkflow:
    """A workflow file that was read."""

    #: What is submitted: the file itself if it is XML.
    xml: bytes
    outline: Outline
    #: Sentences about parts that the workflow cannot represent, or that are misleading.
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What the checks say about a workflow with the values of a form."""

    #: Why it would be refused; empty: it would be accepted. A problem that no check has found is a sentence.
    problems: tuple[Problem | str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    #: How many problems and warnings there are beyond those.
    more_problems: int = 0
    more_warnings: int = 0
    #: A sentence for a workflow that cannot be read, and what to do.
    unreadable: str = ""
    #: The variables as they would be submitted, with references resolved, as others may see them.
    variables: tuple[Variable, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether it would be accepted."""
        return not self.problems and not self.unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Changes to the XML of a workflow. None: as it is."""

    xml: bytes
    variables: Mapping[str, str] = field(default_factory=dict)
    priority: Priority | None = None
    project: str | None = None
    on_error: ErrorPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The picture of a workflow."""

    #: SVG documents for a light and a dark page.
    light: str
    dark: str
    #: For those who do not see it.
    text: str
    width: float


def read_upload(upload: Upload) -> ReadWorkflow:
    """The workflow in a file; raises `WorkflowError`."""
    try:
        form = by_extension(upload.name)
    except UnreadableWorkflow as error:
        # Notebooks are read elsewhere, and can be opened as well.
        raise UnreadableWorkflow(error.message, hint=f"{error.hint.rstrip('.')}, .ipynb.") from None
    assert form.loads is not None
    loaded = form.loads(upload.content)
    if form.name == "xml":
        return ReadWorkflow(xml=upload.content, outline=Outline.of(loaded.workflow), notices=loaded.notices)
    from proactive_jupyter_kernel.workflow.formats.xml import dumps

    xml = dumps(loaded.workflow).encode()
    return ReadWorkflow(xml=xml, outline=Outline.of(loaded.workflow), notices=loaded.notices)


def examine(question: Question) -> Examination:
    """All problems and warnings."""
    arguments = arguments_of(question)
    try:
        workflow = prepare(question.xml, mode=question.mode, **arguments)
    except InvalidWorkflow as error:
        found = [each if isinstance(each, Problem) else str(each) for each in error.problems]
        return Examination(problems=tuple(found[:_MOST]), more_problems=max(0, len(found) - _MOST))
    except WorkflowError as error:
        return Examination(unreadable=f"{error.message} {error.hint}".strip())
    warnings = _warnings(question, workflow)
    return Examination(
        warnings=warnings[:_MOST],
        more_warnings=max(0, len(warnings) - _MOST),
        variables=question.hidden.shown_workflow(replace(workflow, tasks=())).variables,
    )


def _warnings(question: Question, workflow: Workflow) -> tuple[Problem, ...]:
    """The warnings about the workflow before substitution; the messages contain no hidden values."""
    from proactive_jupyter_kernel.workflow.checks.warnings import warnings
    from proactive_jupyter_kernel.workflow.formats.xml import loads

    found = warnings(loads(question.xml).workflow)
    told = (without_hidden(question.hidden, workflow, problem) for problem in found)
    return tuple(problem for problem in told if isinstance(problem, Problem))


def amended(amendment: Amendment) -> bytes:
    """The XML with the changes; the same bytes where there are none."""
    from proactive_jupyter_kernel.workflow.formats.xml import dumps, loads

    settings = {
        name: value for name in ("priority", "project", "on_error") if (value := getattr(amendment, name)) is not None
    }
    if not settings and not amendment.variables:
        return amendment.xml
    workflow = loads(amendment.xml).workflow
    variables = tuple(
        replace(each, value=amendment.variables.get(each.name, each.value)) for each in workflow.variables
    )
    return dumps(replace(workflow, variables=variables, **settings)).encode()


def drawn(xml: bytes) -> Drawing:
    """The picture of a workflow; of large graphs it may take long."""
    from proactive_jupyter_kernel.workflow.formats.xml import loads
    from proactive_jupyter_kernel.workflow.picture import DARK, LIGHT
    from proactive_jupyter_kernel.workflow.picture.describe import alternative
    from proactive_jupyter_kernel.workflow.picture.layout import lay_out
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of
    from proactive_jupyter_kernel.workflow.picture.svg import TRIMMED, svg_of

    scene = scene_of(loads(xml).workflow, None)
    layout = lay_out(scene)
    light, dark = (svg_of(scene, layout, theme, framed=False) for theme in (LIGHT, DARK))
    return Drawing(light=light, dark=dark, text=alternative(scene), width=layout.width - 2 * TRIMMED)
