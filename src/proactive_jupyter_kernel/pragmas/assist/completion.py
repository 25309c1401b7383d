"""Completion of pragmas, and of what only the code of a task has, as plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.pragmas.assist.task_names import PYTHON_ENGINES, wanted
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.kinds import NOWHERE, Kind, KnownNames
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, Parameter, Pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Pairs
from proactive_jupyter_kernel.pragmas.declarations.variable_pairs import VariablePairs
from proactive_jupyter_kernel.pragmas.grammar.cursor import CursorContext, code_before, locate
from proactive_jupyter_kernel.pragmas.grammar.parser import write_value
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, MapNode, ParsedPragma, TextNode
from proactive_jupyter_kernel.pragmas.grammar.tokens import quote

__all__ = ["Completions", "Match", "complete", "known"]

#: A last line that is a comment like a pragma.
_COMMENT = re.compile(r"(?:\A|\n)[ \t]*#[ \t]*%[^\n]*\Z")
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


def complete(cell: str, cursor: int, context: Context | None) -> Completions | None:
    """What may stand at the cursor, in the cell as typed so far; None where only Python can tell.

    Inside a pragma it is never None: where nothing fits, nothing may stand.
    """
    spot = locate(cell, cursor, PRAGMAS.dialect)
    if spot is None:
        if _COMMENT.search(cell[:cursor]):
            # Behind a pragma, or in what only looks like one.
            return Completions(matches=(), start=cursor, end=cursor)
        return _in_task_code(cell, cursor, context)
    if spot.in_name:
        found = [Match(text=name, kind="pragma", doc=PRAGMAS[name].summary) for name in PRAGMAS.names()]
    elif spot.pragma not in PRAGMAS.names():
        found = []
    else:
        found = _arguments(PRAGMAS[spot.pragma], spot, known(context))
    matches = tuple(match for match in found if match.text.lower().startswith(spot.typed.lower()))
    return Completions(matches=matches, start=spot.start, end=cursor)


def _in_task_code(cell: str, cursor: int, context: Context | None) -> Completions | None:
    """Names that only a task has: its variables, and the results of its parents."""
    found = code_before(cell, cursor, PRAGMAS.dialect)
    if found is None or found[0].engine not in PYTHON_ENGINES:
        return None
    reading, code = found
    offered = wanted(code, (*_own_variables(reading), *known(context).variables))
    if offered is None:
        return None
    matches = tuple(
        Match(text=name, kind="value", doc=doc)
        for name, doc in offered.names.items()
        if name.lower().startswith(offered.typed.lower())
    )
    return Completions(matches=matches, start=cursor - len(offered.typed), end=cursor)


def _own_variables(reading: ParsedPragma) -> list[str]:
    """The variables that the pragma above the code names itself."""
    values = [one.value for one in reading.call.arguments if one.name in ("variables", "import", "export")]
    names: list[str] = []
    for value in values:
        if isinstance(value, MapNode):
            names += [key.text for key, _ in value.rows]
        elif isinstance(value, ListNode):
            firsts = (one.items[0] if isinstance(one, ListNode) and one.items else one for one in value.items)
            names += [one.text for one in firsts if isinstance(one, TextNode)]
    return names


def known(context: Context | None) -> KnownNames:
    """The names that the notebook knows now; waits for no scheduler."""
    names = PRAGMAS.names()
    if context is None:
        return KnownNames(pragmas=names)
    jobs = [*((job.id, job.name) for job in reversed(context.jobs)), *context.job_listing.jobs()]
    return KnownNames(
        tasks=tuple(context.draft.tasks),
        variables=context.draft.variables,
        jobs=tuple(dict.fromkeys(name for _, name in jobs)),
        job_ids=tuple(dict.fromkeys(str(number) for number, _ in jobs)),
        pragmas=names,
        resources=lambda kind: getattr(context.resource_listing.listed(), f"{kind}s"),
        files=lambda typed: _files(context.frontend.folder, typed),
    )


def _arguments(pragma: Pragma, spot: CursorContext, names: KnownNames) -> list[Match]:
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


def _values(parameter: Parameter, spot: CursorContext, names: KnownNames) -> list[Match]:
    if isinstance(parameter.kind, VariablePairs) and spot.index == 2:
        return [
            Match(text=_written(text, parameter.kind, spot), kind="value") for text in parameter.kind.complete_model()
        ]
    if isinstance(parameter.kind, Pairs) and spot.index > 0:
        return []
    offered = [text for text in parameter.kind.complete(names, spot.typed) if text not in spot.listed]
    return [Match(text=_written(text, parameter.kind, spot), kind="value") for text in dict.fromkeys(offered)]


def _written(text: str, kind: Kind, spot: CursorContext) -> str:
    if spot.quoted:
        return quote(text)[1:-1]
    return write_value(TextNode(text=text, span=NOWHERE))


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
