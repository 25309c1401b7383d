"""A row of the tables of routes: method and path, the handler, and which media types it takes and gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from proactive_jupyter_kernel.scheduler.rest.requests.call import Call

__all__ = ["ANYTHING", "FORM", "JSON", "PARTS", "TEXT", "Handler", "Route"]

Handler = Callable[["Call"], Awaitable["Response"]]

#: Media types, for `Route.gives` and `Route.takes`.
ANYTHING: tuple[str, ...] = ()
JSON = ("application/json",)
#: Texts that are given to those who accept JSON alone, too: unquoted, as from ProActive.
TEXT = ("text/plain", "application/json")
PARTS = ("multipart/form-data",)
FORM = ("application/x-www-form-urlencoded", *PARTS)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table."""

    method: str
    #: Under ``/rest``; ``{name}`` stands for one segment, ``{name*}`` at the end for all that are left.
    path: str
    handler: Handler
    #: One sentence: what it does.
    doc: str
    #: False: works without a session.
    session: bool = True
    #: Media types of the answer, the preferred one first; `ANYTHING`: whatever the handler gives.
    gives: tuple[str, ...] = JSON
    #: Media types of the body; `ANYTHING`: the handler looks itself, or there is no body.
    takes: tuple[str, ...] = ANYTHING
    #: A query parameter that may hold the session's id instead of the header, for links in a browser.
    session_in: str = ""

    def accepts(self, content_type: str) -> bool:
        """Whether a body of this type can be read. Without a type only parts cannot: their boundary stands there."""
        kind = _media_type(content_type)
        return not self.takes or (self.takes != PARTS if not kind else kind in self.takes)

    def given_to(self, accept: str) -> str:
        """The media type of the answer to an Accept header, empty if there is none that it accepts."""
        accepted = {_media_type(each) for each in accept.split(",") if each.strip()} or {"*/*"}
        for kind in self.gives or ("*/*",):
            if accepted & {kind, f"{kind.partition('/')[0]}/*", "*/*"} or not self.gives:
                return kind
        return ""


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()
