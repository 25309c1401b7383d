"""What the grammar has to know of the pragmas that exist: their names and parameters, and whose code is what. Pure.

The registry makes the dialect, the reader is given it. Without one, every line `#%name` is a pragma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.pragmas.grammar.magics import MAGICS

__all__ = ["Dialect", "PragmaShape"]

#: The engine of the notebook's own code.
LOCAL = "cpython"


@dataclass(frozen=True, kw_only=True)
class PragmaShape:
    """What the grammar has to know of one pragma."""

    #: As it is written, lower case; an alias is a name.
    name: str
    #: Every name of a parameter, aliases included.
    parameters: frozenset[str] = frozenset()
    takes_code: bool = True
    #: The engine of its code where the call names no language; empty: the code is not looked into.
    engine: str = ""
    #: A parameter behind a blank, as it looks where the comma before it is missing.
    next_argument: re.Pattern[str] | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        if self.parameters:
            names = "|".join(sorted(map(re.escape, self.parameters)))
            object.__setattr__(self, "next_argument", re.compile(rf"(?<![^\s\u00a0])(?P<name>{names})[ \t]*=(?!=)"))


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The pragmas that exist."""

    #: By lower-case name, aliases too.
    shapes: Mapping[str, PragmaShape]
    #: Names that an unknown pragma may have without being a misspelt one.
    magics: frozenset[str] = MAGICS
