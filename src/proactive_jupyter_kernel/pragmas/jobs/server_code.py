"""The tasks of a notebook as they are sent to a ProActive server: with the code around scripts that carries values.

The embedded scheduler needs a mark in the generic information alone. Tasks that were read from a workflow file are sent
as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from proactive_jupyter_kernel.client import python_code
from proactive_jupyter_kernel.client.jobs.python_command import python_command
from proactive_jupyter_kernel.pragmas.draft.building import Built
from proactive_jupyter_kernel.pragmas.draft.source_map import FLOW, MAIN, LineRange, SourceMap, Sources
from proactive_jupyter_kernel.pragmas.jobs import server_files, server_javascript
from proactive_jupyter_kernel.workflow.fork_commands import with_commands_added
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import WANTED
from proactive_jupyter_kernel.workflow.variable_bindings import PYTHON

__all__ = ["for_embedded", "for_export", "for_server"]

_ENGINE = "cpython"
#: Replaces the long line in the source map.
_PLACEHOLDER = "# proactive-kernel values"


def for_server(built: Built) -> Built:
    """The workflow for a ProActive server, and the sources that its errors are translated with."""
    sources = dict(built.sources)
    tasks = []
    for task in built.workflow.tasks:
        found = sources.get(task.name)
        if found is not None and MAIN in found.scripts:
            changed, scripts = _task(task, found)
            sources[task.name] = replace(found, scripts=scripts)
            task = server_files.for_server(changed)
        tasks.append(task)
    return replace(built, workflow=replace(built.workflow, tasks=tuple(tasks)), sources=sources)


def for_export(built: Built) -> Workflow:
    """The workflow as a file that a server runs like a submission of the notebook, whichever client submits it."""
    workflow = with_commands_added(for_server(built).workflow)
    information = {**workflow.generic_information, **python_command(workflow, embedded=False)}
    return replace(workflow, generic_information=information)


def for_embedded(built: Built) -> Built:
    """The workflow for the embedded scheduler, which is asked for the values of last expressions."""
    tasks = []
    for task in built.workflow.tasks:
        found, script = built.sources.get(task.name), task.executable
        if found is not None and MAIN in found.scripts and isinstance(script, Script) and script.language == _ENGINE:
            task = replace(task, generic_information={**task.generic_information, WANTED: "result"})
        tasks.append(task)
    return replace(built, workflow=replace(built.workflow, tasks=tuple(tasks)))


def _task(task: Task, sources: Sources) -> tuple[Task, dict[str, SourceMap]]:
    scripts = dict(sources.scripts)
    executable = task.executable
    if isinstance(executable, Script) and (around := _WRAPPERS.get(executable.language)) is not None:
        code, scripts[MAIN] = around(scripts[MAIN], keep_last=True)
        task = replace(task, executable=replace(executable, code=code))
    for label, script in _other_scripts(task):
        source, wrap = scripts.get(label), _WRAPPERS.get(script.language)
        if source is None or wrap is None or script.code != source.script:
            continue
        if label == FLOW and script.language == server_javascript.ENGINE and not server_javascript.sets(script.code):
            continue  # most controls set one name, and are sent as they are written
        code, scripts[label] = wrap(source, keep_last=False)
        task = _with_script(task, label, replace(script, code=code))
    return task, scripts


_PRE, _POST = "pre script of", "post script of"


def _other_scripts(task: Task) -> Iterator[tuple[str, Script]]:
    """The scripts beside the task's own that may set variables, by their labels."""
    for label, script in ((_PRE, task.pre), (_POST, task.post), (FLOW, task.flow.script if task.flow else None)):
        if script is not None:
            yield label, script


def _with_script(task: Task, label: str, script: Script) -> Task:
    if label == _PRE:
        return replace(task, pre=script)
    if label == _POST:
        return replace(task, post=script)
    assert task.flow is not None
    return replace(task, flow=replace(task.flow, script=script))


def _around(source: SourceMap, *, keep_last: bool) -> tuple[str, SourceMap]:
    """The script with the code around it, and its source map, which has a placeholder for the code's long line."""
    lines = source.script.split("\n")
    # What people wrote; lines that export variables may follow.
    end = max((piece.first_line + piece.count - 1 for piece in source.pieces if piece.label), default=len(lines))
    written = "\n".join(lines[:end])
    if keep_last:
        written = python_code.with_last_kept(written)
    head = PYTHON.head_lines(written)
    before = python_code.prologue().split("\n")
    body = written.split("\n")
    after = [*body[head:], *lines[end:], python_code.epilogue(is_main=keep_last)]
    code = "\n".join([*body[:head], *before, *after])
    shown = "\n".join([*body[:head], *before[:-1], _PLACEHOLDER, *after])
    pieces = [part for piece in source.pieces for part in _moved(piece, head, len(before))]
    pieces.append(LineRange(first_line=head + 1, count=len(before), label="", source_line=1))
    pieces.append(LineRange(first_line=shown.count("\n") + 1, count=1, label="", source_line=1))
    return code, replace(source, script=shown, pieces=tuple(pieces))


def _moved(piece: LineRange, head: int, count: int) -> Iterator[LineRange]:
    """The piece after `count` lines came in below line `head`, which may cut it in two."""
    above = min(max(head - piece.first_line + 1, 0), piece.count)
    if above:
        yield replace(piece, count=above)
    if above < piece.count:
        first, source = piece.first_line + above + count, piece.source_line + above
        yield replace(piece, first_line=first, count=piece.count - above, source_line=source)


#: Language -> what adds the code around a script.
_WRAPPERS: Mapping[str, Callable[..., tuple[str, SourceMap]]] = {
    _ENGINE: _around,
    server_javascript.ENGINE: server_javascript.around,
}
