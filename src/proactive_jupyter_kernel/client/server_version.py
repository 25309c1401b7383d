"""The version of a scheduler and what follows from it for requests: the one place for differences of versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ServerVersion", "parsed"]

#: First version of a server -> the newest schema of workflows that it knows, newest first. A server refuses newer ones.
_SCHEMAS = (((14,), "3.14"), ((13,), "3.13"), ((11,), "3.12"), ((8, 4), "3.11"))
#: What any older server gets.
_OLDEST = "3.10"
_NUMBERS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """A version as the scheduler writes it, such as ``14.2.0-SNAPSHOT``."""

    text: str = ""
    #: Its numbers; empty: unknown, which counts as newer than all others.
    numbers: tuple[int, ...] = ()
    #: The version of an embedded scheduler, which names it beside that of the server whose API it has; empty: a server.
    embedded: str = ""

    def __str__(self) -> str:
        return self.embedded or self.text or "unknown"

    @property
    def name(self) -> str:
        """The server in messages: ``ProActive 13.0.3``."""
        return f"ProActive {self.text}" if self.text else "The server"

    def is_at_least(self, *numbers: int) -> bool:
        """Whether it is that version or a newer one."""
        return not self.numbers or self.numbers >= numbers

    @property
    def schema(self) -> str:
        """The newest version of the workflow schema that it knows."""
        return next((schema for since, schema in _SCHEMAS if self.is_at_least(*since)), _OLDEST)

    @property
    def takes_variables_part(self) -> bool:
        """Whether variables of a submission are a part of the body; before 12.0 they are matrix parameters."""
        return self.is_at_least(12)

    @property
    def has_common(self) -> bool:
        """Whether it has the endpoints ``/common`` and ``/rm/model``, since 11.0."""
        return self.is_at_least(11)


def parsed(text: str, *, embedded: str = "") -> ServerVersion:
    """The version in a text; unknown if it begins with no number."""
    found = _NUMBERS.match(text)
    numbers = tuple(map(int, found[1].split("."))) if found else ()
    return ServerVersion(text=text.strip(), numbers=numbers, embedded=embedded)
