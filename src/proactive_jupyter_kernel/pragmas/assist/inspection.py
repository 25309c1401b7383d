"""Inspection of pragmas: what is known about the word under the cursor, as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.kinds import KnownNames
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, Parameter, Pragma
from proactive_jupyter_kernel.pragmas.draft.draft import Draft, DraftTask
from proactive_jupyter_kernel.pragmas.grammar.cursor import locate
from proactive_jupyter_kernel.pragmas.handlers.help import parameter_row
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Variable

__all__ = ["Inspection", "inspect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is to be said about the word under the cursor."""

    text: str
    html: str


def inspect(cell: str, cursor: int, context: Context | None) -> Inspection | None:
    """What is known about the pragma, parameter or name at the cursor; None where it is in no pragma."""
    word_end = cursor + len(re.match(r"[\w.\-]*", cell[cursor:]).group())  # type: ignore[union-attr]
    spot = locate(cell, word_end, PRAGMAS.dialect) or locate(cell, cursor, PRAGMAS.dialect)
    if spot is None or spot.pragma not in PRAGMAS.names():
        return None
    pragma = PRAGMAS[spot.pragma]
    named = pragma.parameter(spot.parameter or spot.typed.strip())
    if named is None and not spot.in_name and context and not spot.parameter:
        # A value without a name.
        told = [_about_name(context.draft, one, spot.typed.strip()) for one in pragma.positionals]
        named = next((one for one, text in zip(pragma.positionals, told, strict=True) if text), None)
        if named is not None:
            return _about_parameter(pragma, named, next(filter(None, told)))
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
    """What the draft knows about a task or a variable that a value names."""
    offered = parameter.kind.complete(KnownNames(tasks=("task",), variables=("variable",)), "")
    if "task" in offered and word in draft.tasks:
        return "\n".join(_about_task(draft, draft.tasks[word])).rstrip()
    if "variable" in offered and word in draft.variables:
        values = [
            f"{word} = {_value_and_model(variable)} (of the job)"
            for variable in draft.job.variables
            if variable.name == word
        ]
        values += [f"{word} is exported by task {one.name}" for one in draft.tasks.values() if word in one.exports]
        return "\n".join(values)
    return ""


def _about_task(draft: Draft, entry: DraftTask) -> Iterator[str]:
    """The current task: its cell, its dependencies, its properties and its code."""
    language = by_engine(entry.engine)
    owner = draft.owner("task", entry.name)
    where = f" of {owner.label}" if owner and owner.label else ""
    yield f"Task {entry.name} ({language.name if language else entry.engine or 'no script'}){where}"
    contents = draft.contents
    parents = (name if name in draft.tasks else f"{name} (not defined)" for name in entry.task.depends)
    control = contents.control_of(entry.name)
    rows = {
        "after": ", ".join(parents),
        "before": ", ".join(contents.children(entry.name)),
        "variables": ", ".join(f"{one.name} = {_value_and_model(one)}" for one in entry.task.variables),
        "imports": ", ".join(entry.imports),
        "exports": ", ".join(entry.exports),
        "runs": entry.runs,
        "step of": f"the {control.kind.name} that starts with {control.first_task}" if control else "",
    }
    for title, text in rows.items():
        if text:
            yield f"  {title}: {text}"
    yield from (block.text.rstrip() for block in entry.code or ())


def _value_and_model(variable: Variable) -> str:
    return f"{variable.value} ({variable.model})" if variable.model else variable.value
