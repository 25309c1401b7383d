"""The log of a task: lines without the prefixes of the scheduler, in order, each with its stream.

A scheduler returns the log of a task as one text in order of arrival (``…/result/log/all``) and as one text for each
stream (``…/out``, ``…/err``), but no text with both. The two streams are therefore aligned with the whole: each of its
lines is the next one of either stream. Unless the server is configured otherwise, every line has the form
``[<job>t<task>@<host>;<task name>;HH:mm:ss] text`` since version 14.0, and before
``[<job>t<task>@<host>;HH:mm:ss] text `` with a trailing blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from proactive_jupyter_kernel.client.records import LogLine

__all__ = ["merge", "parse"]

#: ``pa.scheduler.job.task.output.logs.pattern`` as it is by default, and as it was before 14.0. A task's name may hold
#: brackets and semicolons.
PREFIX = re.compile(r"\[(?P<task>\d+t\d+)@(?P<host>[^;\]]*);(?:(?P<name>.*?);)??(?P<time>\d\d:\d\d:\d\d)\] ?")

#: Maximum number of alignments in progress. Only lines that are equal in both streams need more than one, and there any
#: alignment is equally good.
WAYS = 64


def parse(text: str) -> list[LogLine]:
    """The lines of a log text, without the trailing blank that servers before 14.0 write.

    A line without prefix belongs to the same record as the one before it, and has its time. A server from 14.0 on
    writes no blank lines; those in its live log end records.
    """
    lines: list[LogLine] = []
    known = LogLine(text="")
    is_new = False
    for raw in _split(text):
        found = PREFIX.match(raw)
        if found:
            known = LogLine(text="", task=found["task"], host=found["host"], time=found["time"])
            is_new = found["name"] is not None
            raw = raw[found.end() :]
            if not is_new:
                raw = raw.removesuffix(" ")
        elif is_new and not raw.strip():
            continue
        lines.append(replace(known, text=raw))
    return lines


def merge(whole: str, out: str, err: str) -> list[LogLine]:
    """The lines of `whole`, each with the stream it came from.

    The three texts are those of ``all``, ``out`` and ``err``, requested in this order: while a task runs, the later
    ones may have more lines than the first.
    """
    lines = _split(whole)
    errors = set(_error_places(lines, _split(out), _split(err)))
    return [replace(line, error=place in errors) for place, line in enumerate(parse(whole))]


def _split(text: str) -> list[str]:
    """Lines split at line feeds only: other separators are part of the output of the task."""
    if text == "\n":  # how a server writes an empty log
        return []
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _error_places(whole: Sequence[str], out: Sequence[str], err: Sequence[str]) -> Iterable[int]:
    """Indices in `whole` of the lines of `err`."""
    if not err:
        return ()
    if not out:
        return range(len(whole))
    steps: list[dict[int, int]] = [{0: -1}]
    for place, line in enumerate(whole):
        # An alignment is the number of lines from `out` so far; the rest came from `err`. The value is its predecessor.
        ways: dict[int, int] = {}
        for taken in steps[-1]:
            if taken < len(out) and out[taken] == line:
                ways.setdefault(taken + 1, taken)
            if place - taken < len(err) and err[place - taken] == line:
                ways.setdefault(taken, taken)
        if not ways:
            return _by_content(whole, out, err)
        steps.append(dict(list(ways.items())[:WAYS]))
    return _walk_back(steps)


def _walk_back(steps: Sequence[dict[int, int]]) -> Iterable[int]:
    """The indices where the first surviving alignment did not use a line of `out`."""
    taken = next(iter(steps[-1]))
    for place in range(len(steps) - 2, -1, -1):
        before = steps[place + 1][taken]
        if before == taken:
            yield place
        taken = before


def _by_content(whole: Sequence[str], out: Sequence[str], err: Sequence[str]) -> Iterable[int]:
    """If the texts do not match (a truncated log): a line that only `err` has came from there."""
    only_err = set(err) - set(out)
    return [place for place, line in enumerate(whole) if line in only_err]
