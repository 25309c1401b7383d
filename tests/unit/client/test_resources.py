"""Nodes and the names that a job can ask for, from what servers of all versions answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from proactive_jupyter_kernel.client.resources import Node, check_name, model_names, names_of, nodes_of
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable, UnknownResource

EVENTS = [
    {"nodeUrl": "pnp://mars/n10", "nodeSource": "Big", "hostName": "mars", "nodeState": "FREE", "locked": True},
    {"nodeUrl": "pnp://mars/n9", "nodeSource": "Big", "hostName": "mars", "nodeState": "TO_BE_REMOVED"},
    {
        "nodeUrl": "pnp://venus/n1",
        "nodeSource": "Arm",
        "hostName": "venus",
        "nodeState": "BUSY",
        "tokens": ["cuda"],
        "usageInfo": {"JOB_ID": "7", "TASK_NAME": "Train"},
    },
    {"nodeUrl": "pnp://mars/n1", "nodeSource": "Big", "hostName": "mars", "eventType": "NODE_REMOVED"},
]


class RestReader:
    """Answers from a table; what is not in it is a route that the server does not have."""

    def __init__(self, answers: Mapping[str, object], error: type[SchedulerError] = SchedulerError) -> None:
        self.answers = answers
        self.error = error

    def ask(self, *path: str | int, doing: str, query: Mapping[str, str] | None = None) -> Response:
        answer = self.answers.get("/".join(map(str, path)))
        if answer is None:
            raise self.error(f"The scheduler refused to {doing}: HTTP status 404")
        return Response(status=200, body=(answer if isinstance(answer, str) else json.dumps(answer)).encode())


def test_nodes_are_what_monitoring_lists() -> None:
    """In order of source, host and number; removed ones are not there."""
    nodes = nodes_of(RestReader({"rm/monitoring": {"nodesEvents": EVENTS}}))
    assert nodes == (
        Node(
            url="pnp://venus/n1",
            source="Arm",
            host="venus",
            state="BUSY",
            tokens=("cuda",),
            usage="job 7, task Train",
        ),
        Node(url="pnp://mars/n9", source="Big", host="mars", state="TO_BE_REMOVED"),
        Node(url="pnp://mars/n10", source="Big", host="mars", state="FREE", locked=True),
    )
    assert [(node.name, node.shown_state, node.is_usable, node.is_free) for node in nodes] == [
        ("n1", "Busy", True, False),
        ("n9", "To be removed", False, False),
        ("n10", "Free, locked", True, False),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("PA:LIST(,Default,LocalNodes)", ["Default", "LocalNodes"]),
        ("PA:LIST(Default)", ["Default"]),
        ("PA:LIST()", []),
        ("PA:REGEXP(^$)", []),
        ('"PA:LIST(,a)"', ["a"]),
        ("<html>", None),
    ],
)
def test_models_of_all_versions(text: str, names: list[str] | None) -> None:
    """The empty choice is no name; an empty list was a regular expression before 14."""
    assert model_names(text) == names


@pytest.mark.parametrize(
    ("kind", "names"), [("node_source", ("Arm", "Big")), ("host", ("mars", "venus")), ("token", ("cuda",))]
)
def test_a_server_without_models_is_asked_for_its_nodes(kind: str, names: tuple[str, ...]) -> None:
    """Before 11 there is no ``/rm/model``."""
    assert names_of(RestReader({"rm/monitoring": {"nodesEvents": EVENTS}}), kind) == names


MODELS = {
    "rm/model/nodesources": "PA:LIST(,Default,LocalNodes)",
    "rm/model/hosts": "PA:LIST(,mars)",
    "rm/model/tokens": "PA:REGEXP(^$)",
}


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (
            "node_source",
            "localnodes",
            "The scheduler has no node source 'localnodes'. Its node sources: Default, LocalNodes.\n"
            "Did you mean 'LocalNodes'?",
        ),
        ("host", "x", "The scheduler has no host 'x'. Its hosts: mars."),
        ("token", "cuda", "The scheduler has no node with an access token."),
    ],
)
def test_an_unknown_name_is_refused(kind: str, name: str, message: str) -> None:
    """With the names that there are, and the one that is meant."""
    with pytest.raises(UnknownResource) as caught:
        check_name(RestReader(MODELS), kind, name)
    assert str(caught.value) == message


@pytest.mark.parametrize(("kind", "name"), [("node_source", "Default"), ("host", "MARS"), ("token", "${T}")])
def test_known_names_pass(kind: str, name: str) -> None:
    """Hosts in any case; a reference is not known before the task starts."""
    check_name(RestReader(MODELS), kind, name)


def test_a_server_that_lists_nothing_refuses_nothing() -> None:
    """Its own answer to the submission counts; one that is not reached is an error."""
    check_name(RestReader({}), "host", "x")
    with pytest.raises(SchedulerUnreachable):
        check_name(RestReader({}, SchedulerUnreachable), "host", "x")
