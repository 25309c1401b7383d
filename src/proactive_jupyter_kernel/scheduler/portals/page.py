"""A row of the table of pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from starlette.responses import Response

    from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest

__all__ = ["Handler", "Page"]

Handler: TypeAlias = "Callable[[PageRequest], Awaitable[Response]]"


@dataclass(frozen=True, slots=True)
class Page:
    """One row of the table."""

    #: ``GET`` for what is shown, ``POST`` for what changes something.
    method: str
    #: ``{name}`` stands for one segment, ``{name*}`` at the end for all that are left.
    path: str
    handler: Handler
    #: One sentence: what it shows or does.
    doc: str
