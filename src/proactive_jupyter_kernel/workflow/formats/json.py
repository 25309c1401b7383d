"""Workflows as JSON: the whole model, without loss. `schema` describes the format.

Numbers, texts and names are checked as in the XML: what a server would refuse is not read. Times are in seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow
from proactive_jupyter_kernel.workflow.checks.structure import structure_problems
from proactive_jupyter_kernel.workflow.formats.loaded import MAX_TASKS, Loaded, ReadFile, decoded
from proactive_jupyter_kernel.workflow.formats.record_codec import InvalidRecord, ValuePath, record_shape, shown_path
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["FORMAT", "dumps", "loads"]

#: The value of the key ``format``: which format this is, and its version.
FORMAT = "proactive-workflow/1"

_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def dumps(workflow: Workflow) -> str:
    """`workflow` as JSON. Never raises: JSON can also represent an invalid workflow."""
    value = {"format": FORMAT, **record_shape(Workflow).encode(workflow)}
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def loads(text: str | bytes, *, read_file: ReadFile | None = None) -> Loaded:
    """The workflow in `text`.

    Raises UnreadableWorkflow, with the line, if the text is not JSON of this format, and InvalidWorkflow if names or
    values are wrong. `read_file` is not used: JSON contains all scripts.
    """
    text = decoded(text)
    value = _parse(text)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise UnreadableWorkflow(
            f'Line 1: this JSON is not a ProActive workflow: it has no key "format" with the value "{FORMAT}".',
            hint="#%export_json(name=example) writes one.",
        )
    tasks = value.get("tasks")
    if isinstance(tasks, list) and len(tasks) > MAX_TASKS:
        raise UnreadableWorkflow(f"The workflow has {len(tasks):,} tasks; at most {MAX_TASKS:,} are read.")
    record = {key: one for key, one in value.items() if key not in ("format", "$schema")}
    try:
        workflow: Workflow = record_shape(Workflow).decode(record, ())
    except InvalidRecord as error:
        place = shown_path(error.path) or "the workflow"
        raise UnreadableWorkflow(f"Line {_line(text, error.path)}: {place} {error}.") from None
    problems = structure_problems(workflow)
    if problems:
        raise InvalidWorkflow(workflow.name, problems)
    return Loaded(workflow=workflow)


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        shown = lines[error.lineno - 1].strip()[:120] if 0 < error.lineno <= len(lines) else ""
        message = f"Line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}."
        raise UnreadableWorkflow(f"{message}\n    {shown}" if shown else message) from None
    except RecursionError:
        raise UnreadableWorkflow("The JSON is nested too deeply to be a workflow.") from None
    except ValueError as error:
        raise UnreadableWorkflow(f"This JSON cannot be read: {error}") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object.")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a value of JSON.")


def _line(text: str, path: ValuePath) -> int:
    """The line of the value at `path`, or of its deepest part that exists."""
    position = 0
    for part in path:
        found = next((start for key, start in _items(text, position) if key == part), None)
        if found is None:
            break
        position = found
    return text.count("\n", 0, position) + 1


def _items(text: str, position: int) -> Iterator[tuple[str | int, int]]:
    """Key or index of each item of the object or list that starts at `position`, with the position of its value."""
    depth = index = 0
    key: str | int = 0
    in_list = text[position : position + 1] == "["
    fresh = in_list
    previous = ""
    for match in _TOKEN.finditer(text, position):
        token = match.group()
        if depth == 1 and token not in "]}," and (fresh or (not in_list and previous == ":")):
            yield (index if in_list else key), match.start()
            fresh = False
        if depth == 1 and not in_list and token.startswith('"') and previous in ("{", ","):
            key = json.loads(token)
        if token in "{[":
            depth += 1
        elif token in "]}":
            depth -= 1
            if not depth:
                return
        elif token == "," and depth == 1:
            index += 1
            fresh = in_list
        previous = token
