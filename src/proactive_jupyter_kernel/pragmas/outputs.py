"""What a handler shows: values that any front end can turn into messages. Every one has a plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model import Workflow
    from proactive_jupyter_kernel.workflow.picture import TaskSummary

__all__ = ["Frame", "HelpIndex", "HelpPage", "Html", "Notice", "Output", "Picture", "Table", "Text", "Value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text, shown as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence about something that the reader should know: done in another way than expected, or worth a warning."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Html:
    """Markup, and the same in plain text. Survives the sanitiser of an untrusted notebook: no svg, script or iframe."""

    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A task's value, shown as IPython shows a Python value of that type."""

    value: object
    #: Said before it, such as the task's name.
    label: str = ""
    #: ``content.type`` and others of the result's metadata; bytes of an image type are shown as that image.
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: Whether text that is markup is shown as such: of a stranger it could show what it likes in the notebook.
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpIndex:
    """All pragmas in short."""

    #: Title of a family -> pairs of a pragma's name and its summary.
    families: Mapping[str, Sequence[tuple[str, str]]]
    #: Cells that work.
    example: str

    @property
    def text(self) -> str:
        """One line for each pragma, below the title of its family."""
        names = [f"#%{name}" for rows in self.families.values() for name, _ in rows]
        width = max(map(len, names), default=0)
        lines = []
        for title, rows in self.families.items():
            lines += [title, *(f"  {f'#%{name}':<{width}}  {summary}" for name, summary in rows)]
        return "\n".join([*lines, "#%help(pragma=NAME) explains one of them."])


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """One pragma in full."""

    name: str
    summary: str
    usage: str
    #: Name, kind, default (or ``required``) and meaning of each parameter.
    parameters: Sequence[tuple[str, str, str, str]]
    example: str
    #: Other names of the pragma.
    aliases: Sequence[str] = ()

    @property
    def text(self) -> str:
        """Usage, summary, parameters and example."""
        lines = [self.usage, "", self.summary]
        if self.aliases:
            lines.append(f"Also called: {', '.join(f'#%{alias}' for alias in self.aliases)}")
        width = max((len(row[0]) for row in self.parameters), default=0)
        lines += [""] if self.parameters else []
        for name, kind, default, meaning in self.parameters:
            lines.append(f"  {name:<{width}}  {meaning} ({default + '; ' if default else ''}{kind})")
        return "\n".join([*lines, "", "Example:", *(f"  {line}" for line in self.example.split("\n"))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The drawing of a workflow, or of a job where the looks of its tasks are given."""

    workflow: Workflow
    summaries: Mapping[str, TaskSummary] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mime:
    """What a task showed, as it comes: MIME type to content; ``text/plain`` is there."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: Said before it, such as the task's name.
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A page of a scheduler in a frame. The text beside the frame is for readers who do not see it."""

    #: What the page is, such as ``Scheduling portal``.
    title: str
    #: Whose it is.
    scheduler: str
    #: Its plain address, for a link; it opens no session.
    page: str
    #: What the frame loads; it may work only one time.
    source: str
    #: In pixels, or a percentage.
    width: str
    height: str
    #: When it was shown.
    shown: str
    #: The pragma that shows it again.
    pragma: str
    #: The command that opens it in a browser; empty where there is none.
    command: str = ""

    @property
    def heading(self) -> str:
        """What the frame is, or was."""
        return f"{self.title} of {self.scheduler}"

    @property
    def text(self) -> str:
        """What it was, where it is, and how to see it again."""
        in_a_terminal = f", or `{self.command}` in a terminal" if self.command else ""
        return (
            f"{self.heading}, shown in a frame on {self.shown}: {self.page}\n"
            f"To see it again, run {self.pragma}{in_a_terminal}."
        )


Output = Picture | Text | Notice | Html | Table | Value | Mime | HelpIndex | HelpPage | Frame
