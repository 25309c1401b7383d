"""Where a submission's workflow and variables come from: the parts of a form, or a link and the body beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.http.forms import BadForm, Part
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, parsed_json
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.sources.links import LinkFailed

__all__ = ["body_variables", "form", "is_own", "linked", "linked_at", "part_variables", "texts"]

_SCHEMES = ("http", "https")


def texts(value: Any) -> dict[str, str]:
    """Variables from JSON: an object of texts; numbers and truth values are taken as JSON writes them."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SubmissionRefused(f"The variables must be a JSON object, not {type(value).__name__}.")
    variables = {name: text if isinstance(text, str) else _word(text) for name, text in value.items()}
    for name, text in variables.items():
        # JSON can write half of a surrogate pair; no XML, file or database can hold it.
        if not (name + text).isascii() and any("\ud800" <= char <= "\udfff" for char in name + text):
            raise SubmissionRefused(f"The variable {name!r} has a character that is not Unicode: {text!r}.")
    return variables


def _word(value: Any) -> str:
    import json

    return "" if value is None else json.dumps(value, ensure_ascii=False)


# --- a form ------------------------------------------------------------------------------------------------------


async def form(call: Call, *, any_type: bool = False) -> tuple[bytes, dict[str, str]]:
    """The XML of a form and the variables beside it; `any_type`: accept any media type of the part."""
    try:
        return _taken(await call.parts(), call.matrix, any_type=any_type)
    except BadForm as error:
        raise SubmissionRefused(str(error)) from error


def _taken(parts: list[Part], matrix: Mapping[str, str], *, any_type: bool) -> tuple[bytes, dict[str, str]]:
    others = [part for part in parts if part.name != "variables"]
    if not others:
        raise SubmissionRefused("The request has no workflow.", hint="Send the XML as a part of type application/xml.")
    descriptor = others[0]
    if not any_type and descriptor.media_type not in ("application/xml", "text/xml"):
        kind = descriptor.media_type or "none"
        raise SubmissionRefused(
            f"Unknown job descriptor type: {kind}", hint="The part with the workflow must be application/xml."
        )
    return descriptor.content, {**matrix, **part_variables(parts)}


def part_variables(parts: list[Part]) -> dict[str, str]:
    """What the parts ``variables`` of a form say."""
    found: dict[str, str] = {}
    for part in parts:
        if part.name == "variables":
            found.update(texts(parsed_json(part.content) if part.content.strip() else None))
    return found


# --- a link ------------------------------------------------------------------------------------------------------


async def body_variables(call: Call) -> dict[str, str]:
    """The body's, over the matrix parameters."""
    return {**call.matrix, **texts(await call.json())}


async def linked(call: Call) -> bytes:
    """What is behind the header ``link``."""
    link = call.header("link")
    if not link:
        raise SubmissionRefused("The header 'link' must name the URL of the workflow.")
    return await linked_at(call, link)


async def linked_at(call: Call, link: str) -> bytes:
    """What is behind a link. Raises `RestError` with the classes of a server: it cannot be reached, or is not there."""
    if _scheme(link) not in _SCHEMES:
        raise RestError(
            404,
            "java.net.MalformedURLException",
            f"The link {link[:200]!r} of the workflow must begin with http: or https:.",
        )
    limit = call.service.settings.body_limit
    session_id = _own_session(call, link)
    message = f"The workflow cannot be fetched from {link}"
    try:
        return await call.service.links.read(
            link, largest=limit, headers={"sessionid": session_id} if session_id else {}
        )
    except LinkFailed as error:
        if error.too_large:
            raise SubmissionRefused(f"The workflow at {link} is larger than {limit} bytes.") from None
        if error.status is not None:
            raise RestError(404, "java.io.IOException", f"{message}: {error}.") from None
        raise RestError(500, "javax.ws.rs.ProcessingException", f"{message}: {error}.") from error


def _own_session(call: Call, link: str) -> str:
    """The session id for a link to this scheduler; others have no use for it and must not get it."""
    return call.header("sessionid") if is_own(link, call.service.site.url) else ""


def is_own(link: str, url: str) -> bool:
    """Whether a link leads to the scheduler at `url`, by its address or as ``localhost``."""
    try:
        there, here = urlsplit(link), urlsplit(url)
        return (there.scheme, there.port) == (here.scheme, here.port) and there.hostname in (here.hostname, "localhost")
    except ValueError:
        return False


def _scheme(link: str) -> str:
    try:
        return urlsplit(link).scheme
    except ValueError:
        return ""
