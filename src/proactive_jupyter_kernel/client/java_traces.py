"""Java's stack traces of a server, folded to what they say.

A ProActive server appends to the log of each failed task ``Failed to execute task: …`` and then the traces of its own
exceptions, about thirty lines that say the same sentence several times; the message of a failure is such a text, too.
The sentence stays, and the first frame of a Groovy script, which tells its line.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.client.records import LogLine

__all__ = ["TraceFilter", "is_failure", "message_of"]

_HEAD = re.compile(r"Failed to execute [a-z ]+: ")
#: A frame, or what stands for frames that are left out. JavaScript's frames have a blank before the bracket.
_FRAME = re.compile(r"\s+(?:at [^\s()<]*\.[^\s()]+\([^()<]*\)|\.\.\. \d+ (?:more|common frames omitted))\s*$")
_SCRIPT_FRAME = re.compile(r"\s+at [^\n]*\(Script\d+\.groovy:\d+\)")
_CLASS = re.compile(r"(?:[a-z_]\w*\.)+[A-Z][\w$]*(?:: |\s*$)")
_CAUSE = "Caused by: "
#: A traceback of Python, in which every line counts.
_PYTHON = "Traceback (most recent call last):"
#: In front of a message: exceptions that only pass on what another one says, and the server's own.
_WRAPPERS = re.compile(
    r"^(?:(?:javax\.script|org\.ow2\.proactive\.scripting)\.ScriptException: "
    r"|org\.ow2\.proactive\.(?:[a-z_]\w*\.)*[A-Z]\w*Exception: )+"
)
#: A message or a cause with more lines is not a trace: a task wrote the words that a trace begins with.
_LONGEST = 50


class _Phase(enum.Enum):
    """Where in a trace a line stands."""

    OUTSIDE = enum.auto()
    MESSAGE = enum.auto()
    CAUSE = enum.auto()
    FRAMES = enum.auto()


@dataclass(slots=True, kw_only=True)
class _Trace:
    """Reads one text line by line, and knows which lines are a trace's."""

    phase: _Phase = _Phase.OUTSIDE
    #: The message's first line, without what stands before it.
    first: str = ""
    #: Lines of the message, or of the cause, so far.
    count: int = 0
    placed: bool = False

    def start(self, first: str) -> None:
        """The next line is the second of a message."""
        self.phase, self.first, self.count, self.placed = _Phase.MESSAGE, first, 1, False

    def keeps(self, line: str) -> bool:
        """Whether the line says something that was not said yet."""
        if head := _HEAD.match(line):
            self.start(line[head.end() :].strip())
            return True
        if line.startswith(_PYTHON):
            # It ends with the name of its exception, which is one of Java where a Jython script called Java.
            self.phase = _Phase.OUTSIDE
        if self.phase is _Phase.OUTSIDE:
            return True
        if _FRAME.match(line):
            self.phase = _Phase.FRAMES
            is_place = not self.placed and _SCRIPT_FRAME.match(line) is not None
            self.placed |= is_place
            return is_place
        if self._names_exception(line):
            self.phase, self.count = _Phase.CAUSE, 0
            return False
        self.count += 1
        if self.phase is _Phase.FRAMES and not line.strip():
            return False
        if self.phase is _Phase.FRAMES or self.count > _LONGEST:
            self.phase = _Phase.OUTSIDE
        return self.phase is not _Phase.CAUSE

    def _names_exception(self, line: str) -> bool:
        if self.phase is not _Phase.MESSAGE:
            return line.startswith(_CAUSE) or _CLASS.match(line) is not None
        return bool(self.first) and line.rstrip().endswith(self.first) and _CLASS.match(line) is not None


@dataclass(slots=True)
class TraceFilter:
    """Leaves the traces out of logs that come piece by piece, whichever tasks' lines are in them."""

    _traces: dict[str, _Trace] = field(default_factory=dict)

    def kept(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """The lines without those of Java's traces."""
        return [
            replace(line, text=_without_wrappers(line.text))
            for line in lines
            if self._traces.setdefault(line.task, _Trace()).keeps(line.text)
        ]


def _without_wrappers(line: str) -> str:
    """The first line of a failure without uninformative class names; other lines stay."""
    if head := _HEAD.match(line):
        return head.group() + _WRAPPERS.sub("", line[head.end() :], count=1)
    return line


def is_failure(line: str) -> bool:
    """Whether a line of a log is the sentence that a scheduler adds to the output of a task that failed."""
    return _HEAD.match(line) is not None


def message_of(text: str) -> str:
    """What a failure says: its message without classes of the server, traces and repetitions. Other texts stay."""
    lines = text.rstrip("\n").split("\n")
    head = _HEAD.match(lines[0])
    trace = _Trace()
    trace.start(lines[0][head.end() if head else 0 :].strip())
    rest = [line for line in lines[1:] if trace.keeps(line)]
    first = _without_wrappers(lines[0]) if head else _WRAPPERS.sub("", lines[0], count=1)
    found = "\n".join([first, *rest])
    return text if found == text.rstrip("\n") else found.rstrip("\n")
