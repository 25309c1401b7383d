"""The reference page of the Python API, written from the docstrings and comments of the public classes.

python tools/python_api.py > docs/reference/python.md
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from proactive_jupyter_kernel import errors
from proactive_jupyter_kernel.client import records, rich_outputs
from proactive_jupyter_kernel.client.jobs import Snapshot, SubmittedJob, TaskLine
from proactive_jupyter_kernel.client.jobs.file_transfer import FetchedFiles
from proactive_jupyter_kernel.client.resources import Node
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow import checks, model, references, status
from proactive_jupyter_kernel.workflow.formats import xml

_HEAD = """# Python API

<!-- Written by `python tools/python_api.py`; edit the docstrings, not this page. -->

`from proactive_jupyter_kernel import Scheduler` is where programs begin; [Python programs](../guides/python-api.md) is
the guide, with an example. All of it is typed.
"""
_PACKAGE = "proactive_jupyter_kernel"
#: The sections: a title, a sentence, and what is in it.
_SECTIONS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("Scheduler", "`from proactive_jupyter_kernel import Scheduler`", (Scheduler,)),
    ("A submitted job", "What `Scheduler.submit` and `Scheduler.get_job` return.", (SubmittedJob,)),
    (
        "What they return",
        "Frozen records of `proactive_jupyter_kernel.client`.",
        (
            *(getattr(records, name) for name in records.__all__ if isinstance(getattr(records, name), type)),
            Snapshot,
            TaskLine,
            FetchedFiles,
            Node,
        ),
    ),
    ("Outputs of tasks", "`proactive_jupyter_kernel.client.rich_outputs`", (rich_outputs.outputs_of,)),
    ("States", "`proactive_jupyter_kernel.workflow.status`", (status.JobStatus, status.TaskStatus)),
    (
        "Workflows",
        "Functions of `proactive_jupyter_kernel.workflow` and records of `proactive_jupyter_kernel.workflow.model`.",
        (
            xml.loads,
            xml.dumps,
            checks.check,
            references.resolve,
            *(getattr(model, name) for name in sorted(model.__all__) if isinstance(getattr(model, name), type)),
        ),
    ),
)
#: Methods that the kernel calls and programs need not.
_INTERNAL = {"submit_sent", "on_nodes", "live_log_of", "output_reader", "from_settings"}


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for title, sentence, members in _SECTIONS:
        yield f"## {title}\n\n{sentence}\n"
        for member in members:
            if not inspect.isclass(member):
                yield from _function(member, member.__name__, "###")
                continue
            yield f"### {member.__name__}\n"
            yield from _doc(member)
            yield from _members(member)
    yield "## Errors\n\n`proactive_jupyter_kernel.errors`\n"
    tree = textwrap.dedent((errors.__doc__ or "").split("\n\n")[1])
    yield f"```text\n{tree}\n```\n"
    yield "`str(error)` is the message with, on its last line, what to do; `error.hint` is that line alone.\n"


def _members(kind: type) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        yield "| member | value |\n| --- | --- |"
        for each in kind:
            yield f"| `{each.name}` | `{each.value!r}` |"
        yield ""
        return
    if dataclasses.is_dataclass(kind):
        comments = _comments(kind)
        yield "| field | type | meaning |\n| --- | --- | --- |"
        for field in dataclasses.fields(kind):
            if not field.name.startswith("_"):
                yield f"| `{field.name}` | `{_cell(str(field.type))}` | {_cell(_words(comments.get(field.name, '')))} |"
        yield ""
    for name, value in _public(kind):
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if isinstance(value, property):
            yield f"`{name}` (`{_cell(str(inspect.signature(function).return_annotation))}`): {_summary(function)}\n"
        elif inspect.isfunction(function):
            yield from _function(function, f"{kind.__name__}.{name}", "####")


def _public(kind: type) -> Iterator[tuple[str, Any]]:
    """What the class and its bases of this package define, in their order, each name once."""
    seen: set[str] = set(_INTERNAL)
    for base in kind.__mro__:
        if not base.__module__.startswith(_PACKAGE):
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") and name not in seen and getattr(value, "__doc__", None):
                seen.add(name)
                if isinstance(value, (property, classmethod, staticmethod)) or inspect.isfunction(value):
                    yield name, value


def _function(function: Callable[..., Any], name: str, level: str) -> Iterator[str]:
    yield f"{level} {name}\n\n```python\n{_signature(function, name.rpartition('.')[2])}\n```\n"
    yield from _doc(function)


def _signature(function: Callable[..., Any], name: str) -> str:
    """As one writes it, on several lines where one would be too long."""
    signature = inspect.signature(function)
    parts = []
    for each in signature.parameters.values():
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        annotation = f": {each.annotation}" if each.annotation is not each.empty else ""
        default = f" = {each.default!r}" if each.default is not each.empty else ""
        parts.append(f"{each.name}{annotation}{default}")
    end = f") -> {signature.return_annotation}"
    line = f"{name}({', '.join(parts)}{end}"
    return line if len(line) <= 100 else "\n".join([f"{name}(", *(f"    {part}," for part in parts), end])


def _doc(thing: Any) -> Iterator[str]:
    yield _words(inspect.getdoc(thing) or "") + "\n"


def _summary(thing: Any) -> str:
    return _words((inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " "))


def _words(text: str) -> str:
    return text.replace("``", "`").replace("<", "&lt;") if "```" not in text else text


def _comments(kind: type) -> dict[str, str]:
    """The `#:` comments of the fields, by field, those of the bases too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        comment: list[str] = []
        for line in inspect.getsource(base).splitlines():
            if note := re.match(r"    #: ?(.*)", line):
                comment.append(note[1])
            elif field := re.match(r"    (\w+):", line):
                if comment:
                    found[field[1]] = " ".join(comment)
                comment = []
            else:
                comment = []
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
