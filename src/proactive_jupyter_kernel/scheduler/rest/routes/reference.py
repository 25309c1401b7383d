"""The page of the REST paths, for people: the same table of routes as the OpenAPI description.

``python -m proactive_jupyter_kernel.scheduler.rest.routes.reference`` prints it; docs/reference/rest.md is that print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
from proactive_jupyter_kernel.scheduler.rest.routes.openapi import parameters

__all__ = ["page"]

_HEAD = """# REST paths

<!-- Written by `python -m proactive_jupyter_kernel.scheduler.rest.routes.reference`; edit the routes instead. -->

The embedded scheduler answers these paths of a ProActive Scheduler's REST API, with the same methods, forms and JSON.
[Other clients](../guides/other-clients.md) shows how to log in. The same list for programs is the OpenAPI document
[openapi.json](openapi.json), which a running scheduler gives at `/rest/openapi.json`. Where an answer differs from
that of a server, [the list of differences](fidelity.md) says so.

All paths are under `/rest`, except those of the last section. A request needs the header `sessionid`, which a login
returns; a path with *no session* works without it. An error is JSON with `httpErrorCode`, `errorMessage` and
`exceptionClass`.
"""

#: The sections: the first segments of the paths in it, and its title; the longest match counts.
_SECTIONS = (
    ("/scheduler", "Scheduler"),
    ("/scheduler/jobs", "Jobs and tasks"),
    ("/scheduler/tasks", "Tasks of all jobs"),
    ("/scheduler/credentials", "Third-party credentials"),
    ("/data", "Files in data spaces"),
    ("/rm", "Nodes"),
    ("/studio", "Studio"),
    ("/common", "Sessions and permissions"),
    ("/task", "What running tasks use"),
)
_REFUSED = "Refused; only a ProActive server has "


def page(routes: Iterable[Route], outside: Iterable[Route]) -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines(tuple(routes), tuple(outside)))


def _lines(routes: tuple[Route, ...], outside: tuple[Route, ...]) -> Iterator[str]:
    yield _HEAD
    found: dict[str, list[Route]] = {}
    refused = [route for route in (*routes, *outside) if route.doc.startswith(_REFUSED)]
    for route in routes:
        if route not in refused:
            found.setdefault(_section(route.path), []).append(route)
    titles = [title for _, title in _SECTIONS]
    for title in sorted(found, key=lambda title: titles.index(title) if title in titles else len(titles)):
        yield f"## {title}\n"
        yield from _table(found[title])
    yield "## Beside `/rest`\n"
    yield from _table([route for route in outside if route not in refused])
    yield "## What only a server offers\n"
    yield "The embedded scheduler answers these with status 501 and a message that says so.\n"
    subjects: dict[str, dict[str, list[str]]] = {}
    for route in refused:
        subject = route.doc.removeprefix(_REFUSED).removesuffix(".")
        subjects.setdefault(subject, {}).setdefault(route.path, []).append(route.method)
    yield "| subject | requests |\n| --- | --- |"
    for subject, paths in subjects.items():
        requests = (f"`{', '.join(methods)} {path}`" for path, methods in paths.items())
        yield f"| {_cell(subject)} | {'; '.join(requests)} |"
    yield ""


def _section(path: str) -> str:
    fits = [(prefix, title) for prefix, title in _SECTIONS if path == prefix or path.startswith(f"{prefix}/")]
    return max(fits)[1] if fits else "The API itself"


def _table(routes: Iterable[Route]) -> Iterator[str]:
    yield "| request | what it does | query |\n| --- | --- | --- |"
    for route in routes:
        query = ", ".join(f"`{name}`" for name, _ in parameters(route.handler))
        note = "" if route.session else " *No session.*"
        yield f"| `{route.method} {route.path}` | {_cell(route.doc)}{note} | {query} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("``", "`")


if __name__ == "__main__":
    from proactive_jupyter_kernel.scheduler.rest.routes import OUTSIDE, ROUTES

    print(page(ROUTES, OUTSIDE), end="")
