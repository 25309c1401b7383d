"""Requests that make no sense: each gets a well-formed answer, and nothing that was not named is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx2
import psutil
import pytest

from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
from proactive_jupyter_kernel.scheduler.rest.routes import ROUTES

#: In each of the runs.
REQUESTS = 1250
#: These end the session or the scheduler, as they should.
ENDS = {
    *(f"/{root}/logout" for root in ("common", "studio")),
    *("/scheduler/disconnect", "/rm/disconnect", "/scheduler/kill", "/scheduler/shutdown", "/scheduler/freeze"),
}
VALUES = (
    *("", "0", "1", "2", "-1", "1.5", "abc", "null", "true", "NaN", "1e309", "9" * 400, "٣"),
    *("99999999999999999999", "-9223372036854775808", "9223372036854775807", "9223372036854775808"),
    *("%00", "\0", "日本", "żółw", "\udcff", "a" * 5000, "..", "../../etc/passwd", "a/b", "a;b=c", "<x>", "\r\nX: y"),
    *("*", "**", "[", "{a,b", "regex:(a+)+$", "[]", "{}", "A", "finished", "PENDING", "2024-13-45", "HIGH", "go"),
)
PARAMETERS = (
    *("index", "limit", "offset", "range", "jobsid", "jobid", "from", "to", "status", "statusFilter", "tag", "label"),
    *("sortParams", "sortparameters", "myjobs", "pending", "running", "finished", "childJobs", "jobName", "userName"),
    *("projectName", "parentId", "submittedTimeGreater", "startAt", "comp", "includes", "excludes", "encoding", "name"),
    *("olderThan", "signal", "allLogs", "destination", "interval", "noEmpty", "nodeurl", "nodesource", "zoom", "user"),
    *("startDate", "endDate", "function", "workflowName", "numberOfWorkflows", "sessionid", "token"),
)
HEADERS = ("link", "timeout", "range", "encoding", "accept-encoding", "accept", "task-key", "content-length")
HEADER_VALUES = (
    *("", "abc", "-1", "9" * 400, "1e9", "gzip", "identity", "zip", "*/*;q=x", "[::1", "http://127.0.0.1:1/x"),
    "file:///etc/passwd",
)
BODIES = (
    *(b"", b"5", b"null", b"[null]", b'{"a":"b"}', b"[1,2]", b'["x"]', b"[[[]]]", b"\xff\xfe", b"a=b&c=d", b"x" * 1000),
    *(b"{" * 5000, b'{"a":' * 3000, b"1" * 5000, b'{"variables":5}', b'[{"workflowUrl":5}]', b'"\\ud800"'),
    b'[{"workflowUrl":"http://127.0.0.1:1/","variables":[1],"genericInformation":{"a":[1]}}]',
    b'{"name":5,"names":"x","channel":[],"revision":{},"seconds":"long","put":[]}',
)
TYPES = (
    *("", "application/json", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"),
    *("multipart/form-data", "multipart/form-data; boundary=b", "application/xml", "text/plain;charset=nope", "/"),
)
SHAPE = {"httpErrorCode", "errorMessage", "stackTrace", "exception", "exceptionClass"}


def nonsense(chance: random.Random, route: Route, xml: bytes) -> tuple[str, dict[str, str], bytes]:
    """A path with its query, headers and a body for the route."""

    def segment(name: str) -> str:
        if not name.startswith("{"):
            return name
        value = chance.choice(VALUES) if chance.random() < 0.6 else ("1" if "job" in name else "A")
        return quote(value, safe="/" if chance.random() < 0.5 else "", errors="surrogateescape")

    path = "/".join(map(segment, route.path.split("/")))
    if chance.random() < 0.1:
        path += ";" + quote(chance.choice(VALUES), safe="=", errors="surrogateescape")
    query = "&".join(
        f"{chance.choice(PARAMETERS)}={quote(chance.choice(VALUES), errors='surrogateescape')}"
        for _ in range(chance.randrange(5))
    )
    headers = {chance.choice(HEADERS): chance.choice(HEADER_VALUES)} if chance.random() < 0.3 else {}
    body = chance.choice(BODIES)
    kind = chance.choice(route.takes) if route.takes and chance.random() < 0.7 else chance.choice(TYPES)
    if kind == "multipart/form-data" and chance.random() < 0.8:
        kind += "; boundary=b"
        name, media = chance.choice([b"file", b"variables", b"x\xff", b""]), chance.choice([b"application/xml", b"/"])
        head = b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\nContent-Type: ' + media
        body = head + b"\r\n\r\n" + chance.choice([*BODIES, xml]) + b"\r\n--b--\r\n"
    return f"{path}?{query}", headers | ({"content-type": kind} if kind else {}), body


def fault_of(answer: httpx2.Response) -> str:
    """What is wrong with an answer; empty: nothing."""
    if answer.status_code < 400 or not answer.headers.get("content-type", "").startswith("application/json"):
        # The data spaces answer some faults in words alone, as a server does.
        return "" if answer.status_code < 500 else f"status {answer.status_code} without a reason"
    found = answer.json()
    if set(found) != SHAPE or found["httpErrorCode"] != answer.status_code:
        return f"not the form of an error: {answer.text[:200]}"
    return answer.text[:300] if "The scheduler failed at this request" in (found["errorMessage"] or "") else ""


@pytest.mark.parametrize("seed", range(4))
def test_invalid_request_gets_an_answer(rest: Callable[..., None], workflow: Callable[..., str], seed: int) -> None:
    """No request fails inside; a job that none of them names is untouched; no file or socket stays open."""
    chance = random.Random(seed)
    routes = [route for route in ROUTES if route.path not in ENDS]
    faults: dict[str, str] = {}
    answered: Counter[int] = Counter()

    async def scenario(scene: Any) -> None:
        for name in ("one", "two", "three"):
            await scene.run(workflow("A", name=name))
        before = await scene.json("/scheduler/jobs/3/result")
        handles = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
        for _ in range(REQUESTS):
            route = chance.choice(routes)
            place, headers, body = nonsense(chance, route, workflow("A").encode())
            request = scene.client.build_request(route.method, "/", content=body, headers=headers)
            request.url = scene.client.base_url.copy_with(raw_path=b"/rest" + place.encode("ascii"))
            async with asyncio.timeout(30):
                answer = await scene.client.send(request)
            answered[answer.status_code] += 1
            if fault := fault_of(answer):
                faults.setdefault(f"{route.method} {route.path}: {fault}", f"{place[:300]} {headers} {body[:100]!r}")
        assert await scene.json("/scheduler/jobs/3/result") == before
        if handles:
            assert psutil.Process().num_fds() <= handles + 5

    rest(scenario)
    assert faults == {}
    # Else it would be true for nothing: of a login that is refused, or of paths that are not there.
    assert answered[200] > REQUESTS / 5, answered
    assert answered[401] < REQUESTS / 50, answered
