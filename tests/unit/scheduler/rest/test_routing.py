"""Finding a route: ProActive's paths with all their oddities."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http.routing import MethodNotAllowed, Router, split_path
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call
from proactive_jupyter_kernel.scheduler.rest.requests.route import Route


async def nothing(call: Call) -> Response:
    return Response()


def route(method: str, path: str) -> Route:
    return Route(method, path, nothing, "A route.")


ROUTER = Router(
    [
        route("GET", "/jobs/{job}"),
        route("DELETE", "/jobs/{job}"),
        route("GET", "/jobs/resultmap"),
        route("GET", "/jobs/{job}/taskstates/{tag}"),
        route("GET", "/jobs/{job}/taskstates/{tag}/paginated"),
        route("GET", "/jobs/{job}/taskstates/paginated"),
        route("GET", "/jobs/{job}/tasks/{task}/result"),
        route("GET", "/jobs/{job}/tasks/tag/{tag}"),
        route("POST", "/submit"),
        route("GET", "/data/{space}/{path*}"),
    ]
)

FOUND = [
    ("GET", "/jobs/7", "/jobs/{job}", {"job": "7"}, {}),
    ("HEAD", "/jobs/7", "/jobs/{job}", {"job": "7"}, {}),
    ("GET", "//jobs//7/", "/jobs/{job}", {"job": "7"}, {}),
    ("GET", "/jobs/resultmap", "/jobs/resultmap", {}, {}),
    ("GET", "/jobs/7/taskstates/paginated", "/jobs/{job}/taskstates/paginated", {"job": "7"}, {}),
    ("GET", "/jobs/7/taskstates/LOOP-T-1", "/jobs/{job}/taskstates/{tag}", {"job": "7", "tag": "LOOP-T-1"}, {}),
    (
        "GET",
        "/jobs/7/taskstates/a/paginated",
        "/jobs/{job}/taskstates/{tag}/paginated",
        {"job": "7", "tag": "a"},
        {},
    ),
    (
        "GET",
        "/jobs/7/tasks/T%231%2A2/result",
        "/jobs/{job}/tasks/{task}/result",
        {"job": "7", "task": "T#1*2"},
        {},
    ),
    ("GET", "/jobs/7/tasks/a%2Fb/result", "/jobs/{job}/tasks/{task}/result", {"job": "7", "task": "a/b"}, {}),
    ("GET", "/jobs/7/tasks/tag/result", "/jobs/{job}/tasks/tag/{tag}", {"job": "7", "tag": "result"}, {}),
    ("POST", "/submit;A=1;B=x%20y;=z;C", "/submit", {}, {"A": "1", "B": "x y", "C": ""}),
    ("GET", "/jobs;A=1/7;B=2/", "/jobs/{job}", {"job": "7"}, {"B": "2"}),
    ("POST", "/submit;%C3%A9=%3B", "/submit", {}, {"é": ";"}),
    ("GET", "/data/user/a%2Fb/c.txt", "/data/{space}/{path*}", {"space": "user", "path": "a/b/c.txt"}, {}),
]


@pytest.mark.parametrize(("method", "path", "expected", "params", "matrix"), FOUND)
def test_a_path_finds_its_route(
    method: str, path: str, expected: str, params: dict[str, str], matrix: dict[str, str]
) -> None:
    """Literal segments win, segments are decoded one by one, matrix parameters of the last one are set apart."""
    match = ROUTER.find(method, path)
    assert match is not None
    assert (match.route.path, match.params, match.matrix) == (expected, params, matrix)


def test_an_unknown_path_has_no_route() -> None:
    """Neither has one that is too short or too long."""
    assert [ROUTER.find("GET", path) for path in ("/", "/jobs", "/jobs/7/tasks", "/nothing")] == [None] * 4


def test_another_method_is_reported() -> None:
    """The error knows the methods that the path has."""
    with pytest.raises(MethodNotAllowed) as caught:
        ROUTER.find("PUT", "/jobs/7")
    assert caught.value.allowed == ["DELETE", "GET"]


def test_two_routes_for_the_same_are_refused() -> None:
    """A table with a doubled row is a mistake that shows at once."""
    with pytest.raises(ValueError, match="two routes for GET /a"):
        Router([route("GET", "/a"), route("GET", "/a")])


def test_a_path_is_split_before_it_is_decoded() -> None:
    """An encoded slash or semicolon belongs to its segment."""
    assert split_path("/a%2Fb;k=v%2F/c%3Bd") == (["a/b", "c;d"], {})
    assert split_path("/a/c%3Bd;k=v%2F") == (["a", "c;d"], {"k": "v/"})
