"""Completion and inspection of pragmas, as plain values; the notebook side turns them into messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.cursor import Spot, locate
from proactive_jupyter_kernel.pragmas.draft import Draft
from proactive_jupyter_kernel.pragmas.handlers.help import parameter_row
from proactive_jupyter_kernel.pragmas.kinds import NOWHERE, Kind, Known
from proactive_jupyter_kernel.pragmas.parser import write_value
from proactive_jupyter_kernel.pragmas.registry import PRAGMAS, Parameter, Pragma
from proactive_jupyter_kernel.pragmas.syntax import Text
from proactive_jupyter_kernel.pragmas.tokens import quote
from proactive_jupyter_kernel.pragmas.values import Pairs
from proactive_jupyter_kernel.pragmas.variable_pairs import VariablePairs
from proactive_jupyter_kernel.workflow.languages import by_engine

__all__ = ["Completions", "Inspection", "Match", "complete", "inspect"]

#: How many files of a folder are offered.
FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One completion."""

    text: str
    #: ``pragma``, ``parameter`` or ``value``.
    kind: str
    #: One sentence, or empty.
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """What may stand in the cell from `start` to `end`."""

    matches: tuple[Match, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is to be said about the word under the cursor."""

    text: str
    html: str


def complete(cell: str, cursor: int, context: Context | None) -> Completions | None:
    """What may stand at the cursor, in the cell as typed so far; None where it is in no pragma."""
    spot = locate(cell, cursor, PRAGMAS.dialect)
    if spot is None:
        return None
    if spot.in_name:
        found = [Match(text=name, kind="pragma", doc=PRAGMAS[name].summary) for name in PRAGMAS.names()]
    elif spot.pragma not in PRAGMAS.names():
        found = []
    else:
        found = _arguments(PRAGMAS[spot.pragma], spot, known(context))
    matches = tuple(match for match in found if match.text.lower().startswith(spot.typed.lower()))
    return Completions(matches=matches, start=spot.start, end=cursor)


def known(context: Context | None) -> Known:
    """The names that the notebook knows now; asks no scheduler."""
    names = PRAGMAS.names()
    if context is None:
        return Known(pragmas=names)
    return Known(
        tasks=tuple(context.draft.tasks),
        variables=context.draft.variables,
        jobs=tuple(dict.fromkeys(job.name for job in reversed(context.jobs))),
        job_ids=tuple(str(job.id) for job in reversed(context.jobs)),
        pragmas=names,
        files=lambda typed: _files(context.frontend.folder, typed),
    )


def _arguments(pragma: Pragma, spot: Spot, names: Known) -> list[Match]:
    if spot.parameter:
        parameter = pragma.parameter(spot.parameter)
        return _values(parameter, spot, names) if parameter else []
    found = [
        Match(text=f"{parameter.name}=", kind="parameter", doc=parameter.doc)
        for parameter in pragma.parameters
        if not {parameter.name, *parameter.aliases} & set(spot.given)
    ]
    if not spot.given:
        for positional in pragma.positionals:
            found += _values(positional, spot, names)
    return found


def _values(parameter: Parameter, spot: Spot, names: Known) -> list[Match]:
    if isinstance(parameter.kind, VariablePairs) and spot.index == 2:
        return [
            Match(text=_written(text, parameter.kind, spot), kind="value") for text in parameter.kind.complete_model()
        ]
    if isinstance(parameter.kind, Pairs) and spot.index > 0:
        return []
    offered = [text for text in parameter.kind.complete(names, spot.typed) if text not in spot.listed]
    return [Match(text=_written(text, parameter.kind, spot), kind="value") for text in dict.fromkeys(offered)]


def _written(text: str, kind: Kind, spot: Spot) -> str:
    if spot.quoted:
        return quote(text)[1:-1]
    return write_value(Text(text=text, place=NOWHERE))


def _files(folder: Path, typed: str) -> Sequence[str]:
    """Files and folders that continue a path; hidden ones only where a dot is typed."""
    head, slash, tail = typed.rpartition("/")
    try:
        entries = sorted((folder / Path(head + slash).expanduser()).iterdir(), key=lambda entry: entry.name)
    except (OSError, RuntimeError):
        return ()
    shown = (entry for entry in entries if not entry.name.startswith(".") or tail.startswith("."))
    fitting = (entry for entry in shown if entry.name.lower().startswith(tail.lower()))
    return [head + slash + entry.name + ("/" if entry.is_dir() else "") for entry in fitting][:FILES]


def inspect(cell: str, cursor: int, context: Context | None) -> Inspection | None:
    """What is known about the pragma, parameter or name at the cursor; None where it is in no pragma."""
    word_end = cursor + len(re.match(r"[\w.\-]*", cell[cursor:]).group())  # type: ignore[union-attr]
    spot = locate(cell, word_end, PRAGMAS.dialect) or locate(cell, cursor, PRAGMAS.dialect)
    if spot is None:
        return None
    if spot.pragma not in PRAGMAS.names():
        return None
    pragma = PRAGMAS[spot.pragma]
    named = pragma.parameter(spot.parameter or spot.typed.strip())
    if spot.in_name or named is None:
        return _about_pragma(pragma)
    said = _about_name(context.draft, named, spot.typed.strip()) if context and spot.parameter else ""
    return _about_parameter(pragma, named, said)


def _about_pragma(pragma: Pragma) -> Inspection:
    rows = [parameter_row(parameter) for parameter in pragma.parameters]
    lines = [pragma.usage, "", pragma.summary]
    if rows:
        width = max(len(row[0]) for row in rows)
        lines += ["", *(f"  {row[0]:<{width}}  {row[3]} ({_kind_and_default(row)})" for row in rows)]
    lines += ["", "Example:", *(f"  {line}" for line in pragma.example.split("\n"))]
    table = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(meaning)}</td>"
        f"<td>{escape(_kind_and_default((name, kind, default, meaning)))}</td></tr>"
        for name, kind, default, meaning in rows
    )
    html = (
        f"<p><code>{escape(pragma.usage)}</code></p><p>{escape(pragma.summary)}</p>"
        + (f"<table>{table}</table>" if table else "")
        + f"<pre>{escape(pragma.example)}</pre>"
    )
    return Inspection(text="\n".join(lines), html=html)


def _kind_and_default(row: Iterable[str]) -> str:
    _, kind, default, _ = row
    if default == "required":
        return f"required; {kind}"
    return f"{kind}; {default} if not given" if default else kind


def _about_parameter(pragma: Pragma, parameter: Parameter, said: str) -> Inspection:
    row = parameter_row(parameter)
    head = f"{row[0]} of #%{pragma.name}"
    detail = _kind_and_default(row)
    text = "\n".join(part for part in (f"{head}: {parameter.doc}", f"Is {detail}.", said) if part)
    html = f"<p><code>{escape(row[0])}</code> of <code>#%{pragma.name}</code>: {escape(parameter.doc)}</p>"
    html += f"<p>Is {escape(detail)}.</p>" + (f"<pre>{escape(said)}</pre>" if said else "")
    return Inspection(text=text, html=html)


def _about_name(draft: Draft, parameter: Parameter, word: str) -> str:
    """What the draft knows of a task or a variable that stands in a value."""
    offered = parameter.kind.complete(Known(tasks=("task",), variables=("variable",)), "")
    if "task" in offered and word in draft.tasks:
        entry = draft.tasks[word]
        language = by_engine(entry.engine)
        after = f", after {', '.join(entry.task.depends)}" if entry.task.depends else ""
        code = "\n".join(block.text.rstrip() for block in entry.code or ())
        return f"Task {word} ({language.name if language else entry.engine}{after})\n{code}".rstrip()
    if "variable" in offered and word in draft.variables:
        values = [
            f"{word} = {variable.value} (of the job)" for variable in draft.job.variables if variable.name == word
        ]
        values += [f"{word} is exported by task {one.name}" for one in draft.tasks.values() if word in one.exports]
        return "\n".join(values)
    return ""
