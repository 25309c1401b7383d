"""Workflow files before they are submitted: what is in them, what is wrong with them, how they look.

The functions run in the process that checks workflows (`checking.Checker.call`): files and values come from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.errors import InvalidWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler.service.check_question import Question, arguments_of
from proactive_jupyter_kernel.scheduler.service.submission import as_submitted, prepare, without_hidden
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.formats import by_extension
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Workflow

__all__ = [
    "Amendment",
    "Drawing",
    "Examination",
    "ReadWorkflow",
    "Upload",
    "amended",
    "drawn",
    "examine",
    "read_upload",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWorkflow:
    """A workflow file that was read."""

    #: What is submitted: the file itself if it is XML.
    xml: bytes
    #: As written, with its references.
    workflow: Workflow
    #: Sentences about parts that the workflow cannot represent, or that are misleading.
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What the checks say about a workflow with the values of a form."""

    #: Why it would be refused; empty: it would be accepted. A problem that no check has found is a sentence.
    problems: tuple[Problem | str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    #: A sentence for a workflow that cannot be read, and what to do.
    unreadable: str = ""
    #: With references resolved, as others may see it; None where it could not be read.
    workflow: Workflow | None = None

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
    form = by_extension(upload.name)
    assert form.loads is not None
    loaded = form.loads(upload.content)
    if form.name == "xml":
        return ReadWorkflow(xml=upload.content, workflow=loaded.workflow, notices=loaded.notices)
    from proactive_jupyter_kernel.workflow.formats.xml import dumps

    return ReadWorkflow(xml=dumps(loaded.workflow).encode(), workflow=loaded.workflow, notices=loaded.notices)


def examine(question: Question) -> Examination:
    """All problems and warnings."""
    arguments = arguments_of(question)
    try:
        workflow = prepare(question.xml, mode=question.mode, **arguments)
    except InvalidWorkflow as error:
        return Examination(
            problems=tuple(each if isinstance(each, Problem) else str(each) for each in error.problems),
            workflow=as_submitted(question.xml, question.variables, question.hidden),
        )
    except WorkflowError as error:
        return Examination(unreadable=f"{error.message} {error.hint}".strip())
    return Examination(warnings=_warnings(question, workflow), workflow=question.hidden.shown_workflow(workflow))


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


def drawn(workflow: Workflow) -> Drawing:
    """The picture; of large graphs it may take long."""
    from proactive_jupyter_kernel.workflow.picture import DARK, LIGHT
    from proactive_jupyter_kernel.workflow.picture.describe import alternative
    from proactive_jupyter_kernel.workflow.picture.layout import lay_out
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of
    from proactive_jupyter_kernel.workflow.picture.svg import TRIMMED, svg_of

    scene = scene_of(workflow, None)
    layout = lay_out(scene)
    light, dark = (svg_of(scene, layout, theme, framed=False) for theme in (LIGHT, DARK))
    return Drawing(light=light, dark=dark, text=alternative(scene), width=layout.width - 2 * TRIMMED)
