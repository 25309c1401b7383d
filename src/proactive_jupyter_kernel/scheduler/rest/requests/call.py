"""One request to a handler, with what the path, the query and the body say, and the answers a handler may give."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http import bodies, forms
from proactive_jupyter_kernel.scheduler.rest.requests.errors import NOT_FOUND, RestError, not_connected
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.workflow.display.numbers import size_text

if TYPE_CHECKING:
    from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
    from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
    from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Session, Sessions
    from proactive_jupyter_kernel.scheduler.service.questions import Questions

__all__ = ["Call", "download_headers", "json_answer", "no_content", "text_answer", "text_type"]

_Found = TypeVar("_Found")

#: The largest body in bytes before a login: a login with a credential file is smaller by far.
_BEFORE_LOGIN = 64 * 1024
#: Seconds that an answer is held back at most.
LONGEST_WAIT = 5.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(?P<seconds>[0-9]{1,6}(?:\.[0-9]{1,6})?)", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
#: Query parameters that hold a session's id.
_SESSION_IDS = frozenset({"sessionid", "sessionToken"})


@dataclass(slots=True, kw_only=True)
class Call:
    """A request whose route was found. `session` is set where the route asks for one."""

    request: Request
    route: Route
    service: Service
    sessions: Sessions
    #: From the path.
    params: Mapping[str, str]
    matrix: Mapping[str, str]
    session: Session | None = None
    #: Whether the route has checked the caller, though there is no session.
    trusted: bool = False
    #: Query parameters as they came; a name may come several times.
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        query = self.request.scope.get("query_string", b"").decode("latin-1")
        self.pairs = parse_qsl(query, keep_blank_values=True)

    async def read(self, question: Callable[[Questions], _Found]) -> _Found:
        """What `question` reads of the store, all at one moment, in a thread: rendering belongs there, too."""
        _, found = await self.service.reader.query(question)
        return found

    # --- path and query ------------------------------------------------------------------------------------------

    @property
    def user(self) -> str:
        """Whose session it is."""
        if self.session is None:
            raise not_connected()
        return self.session.user

    @property
    def session_id(self) -> str:
        """From the header, or from the query where the route takes it there; a ``token`` there is good once."""
        known = self.header("sessionid")
        if known or not self.route.session_in:
            return known
        in_query = self.text(self.route.session_in)
        return self.sessions.redeem(in_query) if self.route.session_in == "token" else in_query

    @property
    def job_id(self) -> int:
        """The job of the path."""
        return job_number(self.params["job"])

    @property
    def query(self) -> dict[str, str]:
        """The first value of each query parameter."""
        return dict(reversed(self.pairs))

    @property
    def generic_information(self) -> dict[str, str]:
        """The query of a submission, without session ids: all who see the job could use them."""
        return {name: value for name, value in self.query.items() if name not in _SESSION_IDS}

    @property
    def preferred_wait(self) -> float:
        """The seconds for which the client prefers to wait (``Prefer: wait=0.5``, RFC 7240), 0 without a preference.

        At most `LONGEST_WAIT`. A ProActive server ignores the header.
        """
        found = _WAIT.search(self.header("prefer"))
        return min(float(found["seconds"]), LONGEST_WAIT) if found else 0.0

    def text(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.query.get(name, default)

    def number(self, name: str, default: int) -> int:
        """A query parameter that is an integer of 64 bits; one that is empty counts as absent. Others are 404."""
        value = self.text(name)
        if not value:
            return default
        if _INTEGER.fullmatch(value) and -(2**63) <= int(value) < 2**63:
            return int(value)
        raise RestError(*NOT_FOUND, f"The query parameter {name!r} must be an integer, not {value[:40]!r}.")

    def flag(self, name: str, default: bool) -> bool:
        """A query parameter that is ``true`` or ``false``."""
        value = self.text(name).lower()
        return default if not value else value == "true"

    def numbers(self, name: str) -> list[int]:
        """All values of a query parameter that names jobs; one that is not a number refuses them all."""
        return [job_number(value) for key, value in self.pairs if key == name]

    def counted(self, job: JobRecord) -> JobRecord:
        """The job that this request submitted, counted for its session."""
        if self.session is not None:
            self.session.submissions += 1
            self.session.last_submit_at = job.submitted_at
        return job

    def header(self, name: str) -> str:
        """A header, or the empty text."""
        return str(self.request.headers.get(name, ""))

    # --- body ----------------------------------------------------------------------------------------------------

    def stream(self) -> AsyncIterator[bytes]:
        """The body piece by piece; refused with 408 when it stops coming, or trickles."""
        return bodies.stream(self.request)

    async def body(self) -> bytes:
        """The whole body; refused with 413 when it is larger than the setting BODY_LIMIT, or without login than 64 KiB.

        A route that checks the caller itself, without a session, sets `trusted` before.
        """
        limit = self.service.settings.body_limit
        if self.session is None and not self.trusted:
            limit = min(limit, _BEFORE_LOGIN)
        return await bodies.read(self.request, limit, too_large)

    async def parts(self) -> list[forms.Part]:
        """The parts of a form."""
        return forms.read(self.header("content-type"), await self.body())

    async def form(self) -> dict[str, str]:
        """The text fields of a form; an empty body has none."""
        body = await self.body()
        if not body:
            return {}
        parts = forms.read(self.header("content-type"), body)
        return {part.name: part.content.decode("utf-8", "replace") for part in parts}

    async def json(self) -> Any:
        """The body as JSON; None for an empty one."""
        body = await self.body()
        return parsed_json(body) if body.strip() else None

    async def json_numbers(self) -> list[int]:
        """The jobs that the body names, a JSON list of ids; an empty body names none."""
        body = await self.json()
        numbers = [] if body is None else body
        if not isinstance(numbers, list) or not all(type(number) in (int, str) for number in numbers):
            raise ValueError('The body must be a JSON list of job ids, such as [1, 2] or ["1", "2"].')
        return [job_number(str(number)) for number in numbers]


def parsed_json(body: bytes | str) -> Any:
    """JSON from outside; ValueError with a message for people."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is not JSON: {error}.") from None


def job_number(text: str) -> int:
    """A job's id from outside."""
    # 18 digits fit SQLite's integers; no scheduler has more jobs.
    if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > 18:
        raise RestError(400, "java.lang.NumberFormatException", f'For input string: "{text}"')
    return int(text)


def too_large(limit: int) -> RestError:
    """The body is over the limit."""
    return RestError(
        413,
        "javax.ws.rs.ClientErrorException",
        f"The request is larger than the {size_text(limit)} that this scheduler takes without a login. Log in first."
        if limit == _BEFORE_LOGIN
        else f"The request is larger than the {size_text(limit)} that this scheduler takes "
        "(PROACTIVE_KERNEL_BODY_LIMIT). Send large data through a data space instead of in the workflow.",
    )


def upload_too_large(limit: int) -> RestError:
    """A file for a data space is over the limit."""
    return RestError(
        413,
        "javax.ws.rs.ClientErrorException",
        f"The file is larger than the {size_text(limit)} that may be uploaded to a data space of this scheduler "
        "(PROACTIVE_KERNEL_UPLOAD_LIMIT). Copy it into the folder of the space instead.",
    )


# --- answers -----------------------------------------------------------------------------------------------------


def json_answer(value: Any, status: int = 200, *, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. ASCII, so that lone surrogates in names and output cannot break it."""
    content = json.dumps(value, separators=(",", ":")).encode("ascii")
    return Response(content, status, headers, media_type="application/json")


def text_answer(call: Call, text: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """A text, under the media type of the route that the client accepts: unquoted JSON for some, as from ProActive."""
    # `charset` is added by Starlette for text; a client that guesses would guess Latin-1.
    return Response(text.encode("utf-8", "replace"), media_type=text_type(call), headers=dict(headers or {}))


def text_type(call: Call) -> str:
    """The media type of the route that the client accepts for a text."""
    return call.route.given_to(call.header("accept")) or "text/plain"


def no_content() -> Response:
    """What Java's void methods and null give."""
    return Response(status_code=204)


def download_headers(media_type: str, file_name: str = "") -> tuple[str, dict[str, str]]:
    """Media type and headers of bytes to show, or to save under a name. Refuses a type that no header can hold."""
    from urllib.parse import quote

    media_type = media_type.strip(" ")  # a header does not begin or end with a blank
    if not (media_type.isascii() and media_type.isprintable()):
        raise ValueError(
            f"The content type {media_type!r} of this result holds characters that no header may have. Correct "
            "'content.type' in resultMetadata or in the generic information; the value is at result/serializedvalue."
        )
    name = quote(file_name, errors="replace")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"} if name else {}
    return media_type, headers
