"""From the bytes that a process writes to the lines of its log: cut, decoded, bounded.

Pure: bytes and times come in, lines go out. Blank lines and blanks at the end of a line are left out, as on a ProActive
server. There a carriage return ends a line, too; here it stays in the line, so that a bar of progress is one line. A
stream that writes faster than anybody can read is thinned, as ProActive does by keeping the last lines of a log: what
is over the allowance is held back, the newest of it only, and handed out as time passes, with a line that says how much
is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.omitted_lines import notice

__all__ = ["LineStream", "OutputLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLimits:
    """How much output of one stream of one attempt goes to the log."""

    #: Bytes; a longer line is cut in pieces.
    line: int = 64 * 1024
    #: What may come at once.
    lines: int = 10_000
    size: int = 4 * 1024 * 1024
    #: What comes on top of it with each second.
    lines_per_second: float = 1_000
    size_per_second: float = 256 * 1024
    #: How many bytes are held back for later.
    held: int = 4 * 1024 * 1024
    #: And how many lines: at the end of a task all of them go to the log, each at a cost.
    held_lines: int = 50_000


#: For logs that must be complete: only a line's length is bounded.
UNLIMITED = OutputLimits(lines=2**62, size=2**62)


class LineStream:
    """One stream of one attempt. Times are seconds of any steady clock."""

    def __init__(self, limits: OutputLimits, now: float) -> None:
        self._limits = limits
        self._lines = float(limits.lines)
        self._size = float(limits.size)
        self._then = now
        #: Less than a line.
        self._rest = b""
        self._held = b""
        self._missing_lines = 0
        self._missing_size = 0
        #: Text -> what is shown in its place.
        self.masks: dict[str, str] = {}

    @property
    def holds(self) -> bool:
        """Whether output is held back, because there is too much of it."""
        return bool(self._held)

    def feed(self, data: bytes, now: float) -> list[str]:
        """The lines that are complete with `data`, and may go at once."""
        self._grow(now)
        complete = self._complete(data)
        if not complete:
            return []
        if self._held:  # `tick` lets it out, now and then, so that not every line comes with a notice
            self._hold(complete)
            return []
        allowed, rest = self._allowed(complete)
        lines = self._let_out(allowed)
        if rest:
            self._hold(rest)
        return lines

    def tick(self, now: float) -> list[str]:
        """What was held back and may go now."""
        self._grow(now)
        if not self._held or self._lines < 1 or self._size < 1:
            return []
        allowed, self._held = self._allowed(self._held)
        return self._notice() + self._let_out(allowed)

    def finish(self) -> list[str]:
        """All the rest: held lines, then a last line that may have no line feed."""
        lines = self._notice()
        held, self._held = self._held, b""
        lines += self._decoded(held)
        rest, self._rest = self._rest, b""
        if rest:
            last = self._masked(rest.decode("utf-8", "replace"))
            lines += [last] if last else []
        return lines

    def _grow(self, now: float) -> None:
        passed, self._then = max(now - self._then, 0.0), now
        self._lines = min(self._lines + passed * self._limits.lines_per_second, self._limits.lines)
        self._size = min(self._size + passed * self._limits.size_per_second, self._limits.size)

    def _complete(self, data: bytes) -> bytes:
        """Cut at the last line feed, or a line that grows without end where a character ends."""
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        complete, self._rest = data[:cut], data[cut:]
        while len(self._rest) > self._limits.line:
            end = self._limits.line
            while end > self._limits.line - 4 and self._rest[end] & 0xC0 == 0x80:
                end -= 1
            complete += self._rest[:end] + b"\n"
            self._rest = self._rest[end:]
        return complete

    def _hold(self, complete: bytes) -> None:
        held = self._held + complete
        over = len(held) - self._limits.held
        if over > 0:
            cut = held.find(b"\n", over - 1) + 1 or len(held)
            self._missing_lines += held.count(b"\n", 0, cut)
            self._missing_size += cut
            held = held[cut:]
        if held.count(b"\n") > self._limits.held_lines:
            before = held.rsplit(b"\n", self._limits.held_lines + 1)[0] + b"\n"
            self._missing_lines += before.count(b"\n")
            self._missing_size += len(before)
            held = held[len(before) :]
        self._held = held

    def _notice(self) -> list[str]:
        if not self._missing_lines:
            return []
        lines, size = self._missing_lines, self._missing_size
        self._missing_lines = self._missing_size = 0
        return [notice(lines, size) + "\n"]

    def _allowed(self, complete: bytes) -> tuple[bytes, bytes]:
        """The first lines, as far as both allowances go, and the others; at least one line while there is some of both,
        so that it goes on."""
        if self._lines < 1 or self._size < 1:
            return b"", complete
        part = complete[: max(int(self._size), self._limits.line + 1)]
        pieces = part.split(b"\n", int(min(self._lines, 2**31)))
        end = len(part) - len(pieces[-1])
        return complete[:end], complete[end:]

    def _let_out(self, complete: bytes) -> list[str]:
        self._lines -= complete.count(b"\n")
        self._size -= len(complete)
        return self._decoded(complete)

    def _decoded(self, complete: bytes) -> list[str]:
        if not complete:
            return []
        text = complete.decode("utf-8", "replace")
        return [self._masked(line) + "\n" for line in text.split("\n") if line and not line.isspace()]

    def _masked(self, line: str) -> str:
        line = line.rstrip()
        for text, shown in self.masks.items():
            if text in line:
                line = line.replace(text, shown)
        return line


def merged(masks: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both, the longest texts first, so that a path is replaced before the folder it lies in."""
    both = {**masks, **more}
    return {text: both[text] for text in sorted(both, key=len, reverse=True)}
