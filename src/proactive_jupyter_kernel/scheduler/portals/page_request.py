"""One request to a page, with what the path, the query and the form say, and the answers that a page may give."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from proactive_jupyter_kernel.scheduler.access.portal_sessions import Message, PortalSession, Sent
from proactive_jupyter_kernel.scheduler.http import bodies, forms
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.assets import asset_path
from proactive_jupyter_kernel.scheduler.portals.shell import Shell
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.workflow.display.numbers import size_text

__all__ = ["PageRequest"]

_Found = TypeVar("_Found")
#: Digits of a job id at most; they fit SQLite's integers.
_DIGITS = 18
#: Milliseconds within which the same form counts as sent once.
_TWICE = 1_500


@dataclass(kw_only=True)
class PageRequest:
    """A request whose page was found, of somebody who has a session."""

    http: Request
    service: Service
    session: PortalSession
    #: From the path.
    params: Mapping[str, str]
    #: What stands before the paths of pages: that of a proxy, and the key of a session in a frame.
    prefix: str
    #: What stands before the paths of assets: that of a proxy.
    proxy: str
    #: The path of the page, without both.
    path: str

    # --- the request ---------------------------------------------------------------------------------------------

    @property
    def user(self) -> str:
        """Whose session it is."""
        return self.session.user

    @cached_property
    def now(self) -> int:
        """Milliseconds since the epoch, the same for the whole page."""
        return self.service.clock()

    @property
    def query(self) -> QueryParams:
        """The last value of each query parameter."""
        return self.http.query_params

    @property
    def here(self) -> str:
        """The path of this page with its query, to go back to; without the parts that the script asks for."""
        query = urlencode([(name, value) for name, value in self.query.multi_items() if name != "part"])
        return self.path + (f"?{query}" if query else "")

    @property
    def parts(self) -> list[str]:
        """The parts of the page that the script asks for (``?part=a,b``); empty: the whole page."""
        return [part for part in self.query.get("part", "").split(",") if part]

    @property
    def job_id(self) -> int:
        """The job of the path."""
        text = self.params["job"]
        if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
            raise HttpError(404, f"There is no job {text[:40]!r}.")
        return int(text)

    async def read(self, question: Callable[[Questions], _Found]) -> _Found:
        """What `question` reads of the store, all at one moment, in a thread."""
        _, found = await self.service.reader.query(question)
        return found

    async def fields(self) -> list[forms.Part]:
        """The parts of a form, files included."""
        body = await bodies.read(self.http, self.service.settings.body_limit, _too_large)
        return forms.read(self.http.headers.get("content-type", ""), body)

    async def form(self) -> dict[str, str]:
        """The text fields of a form."""
        return {part.name: part.content.decode("utf-8", "replace") for part in await self.fields()}

    async def once(self, form: Mapping[str, str], act: Callable[[], Awaitable[_Found]]) -> _Found:
        """What `act` gives; the same form sent again at once, as by a double click, gets what the first one got."""
        given = (self.path, tuple(form.items()))
        known = self.session.sent
        if known is None or known.given != given or known.until < self.now:
            doing = asyncio.ensure_future(act())
            known = self.session.sent = Sent(given=given, until=self.now + _TWICE, doing=doing)
        found: _Found = await asyncio.shield(known.doing)
        return found

    # --- the answer ----------------------------------------------------------------------------------------------

    def url(self, path: str, **query: object) -> str:
        """The address of a page, below the prefix of this session. Query parameters that are empty are left out."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return self.prefix + quote(path, safe="/%:@!$&'()*+,;=~?") + (f"?{urlencode(given)}" if given else "")

    def static(self, name: str) -> str:
        """The address of an asset."""
        return self.proxy + asset_path(name)

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page made of a template, or the parts that are asked for.

        Call it in the loop's thread; a page that takes long to render is divided by its handler.
        """
        from proactive_jupyter_kernel.scheduler.portals import templating

        # The title of a page without messages keeps them for the next one.
        messages = [] if self.parts and "messages" not in self.parts else self._taken_messages()
        everything = {
            "url": self.url,
            "static": self.static,
            "shell": Shell.of(self.service, self.user),
            "framed": self.session.framed,
            "messages": messages,
            "path": self.path,
            "here": self.here,
            "now": self.now,
            "revision": self.service.revision,
            **values,
        }
        try:
            text = (
                templating.parts(template, self.parts, everything)
                if self.parts
                else templating.page(template, everything)
            )
        except KeyError as error:
            raise HttpError(404, f"This page has no part {error.args[0]!r}.") from None
        return Response(text.encode("utf-8", "replace"), status, media_type="text/html")

    def ask(
        self,
        *,
        title: str,
        text: str,
        action: str,
        yes: str,
        no: str = "Cancel",
        back: str = "/scheduler/",
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """A question before something that cannot be undone: `yes` posts to the path `action`, `no` goes back.

        `query` is given to the action.

        Back is where the query parameter ``back`` says, else the path `back`; `PageRequest.back` goes there after the
        action.

        The script shows its part ``ask`` above the page that the link stands in. The safe answer has the focus.
        """
        back = self._back or back
        return self.render(
            "ask.html",
            title=title,
            text=text,
            action=self.url(action, back=back, **(query or {})),
            yes=yes,
            no=no,
            back=self.url(back),
        )

    def see(self, path: str, said: str = "", *, tone: str = "ok") -> Response:
        """Go to another page after an action; `said` is what it shows there."""
        # Of a form that was sent twice, the browser shows the second answer alone.
        if said and Message(text=said, tone=tone) not in self.session.messages:
            self.session.messages.append(Message(text=said, tone=tone))
        if self.http.headers.get("x-portal-script"):
            # The script follows itself: a redirect that it follows unseen would take the sentence away.
            return JSONResponse({"to": self.url(path)})
        return Response(status_code=303, headers={"Location": self.url(path)})

    def back(self, default: str, said: str = "", *, tone: str = "ok") -> Response:
        """As `see`, but go to the page whose path the form's or the link's query parameter ``back`` names."""
        return self.see(self._back or default, said, tone=tone)

    @property
    def _back(self) -> str:
        """The page that the query names to go back to; empty if it names none of these pages."""
        path = self.query.get("back", "")
        inside = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
        return path if inside else ""

    def _taken_messages(self) -> list[Message]:
        taken = list(self.session.messages)
        self.session.messages.clear()
        return taken


def _too_large(limit: int) -> HttpError:
    return HttpError(
        413,
        f"The form is larger than the {size_text(limit)} that this scheduler takes (PROACTIVE_KERNEL_BODY_LIMIT).",
    )
