"""Answers with large results are the same, sent task by task."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.routes import large_results
from proactive_jupyter_kernel.scheduler.service.value_files import ValueTooLarge

FAILURE = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no")


@pytest.mark.parametrize("path", ["result", "result/value"])
def test_an_answer_in_parts_is_the_whole_answer(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Values, precious results, exceptions and result maps; each part is read on its own."""

    def large(performance: Any) -> Outcome:
        return Outcome(value="é" * 400_000, result_map={"k": [1]})

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B", "C", "D", task='preciousResult="true"'))
        parts = []
        render = large_results._json
        monkeypatch.setattr(large_results, "_json", lambda value: (parts.append(value), render(value))[1])
        sent = await scene.client.get(f"/scheduler/jobs/{job_id}/{path}")
        assert ("content-length" in sent.headers, len(parts) > 4) == (False, True)
        monkeypatch.setattr(large_results, "_PART", 100_000_000)
        whole = await scene.client.get(f"/scheduler/jobs/{job_id}/{path}")
        assert "content-length" in whole.headers
        assert sent.json() == whole.json()

    rest(scenario, scripted={"A": large, "B": lambda performance: Outcome(failure=FAILURE), "C": large})


@pytest.mark.parametrize("path", ["result", "result/value"])
def test_many_small_results_are_sent_in_parts(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The number of tasks counts like the size of values: a record of each result takes memory, however small it is."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B", "C"))
        whole = await scene.client.get(f"/scheduler/jobs/{job_id}/{path}")
        monkeypatch.setattr(large_results, "_MOST_OF_A_PART", 2)
        parts = await scene.client.get(f"/scheduler/jobs/{job_id}/{path}")
        assert ("content-length" in whole.headers, "content-length" in parts.headers) == (True, False)
        assert parts.json() == whole.json()

    rest(scenario)


def test_a_long_list_of_numbers_is_decoded_in_parts() -> None:
    """To the same values, whatever is at the border of a part; other values at once."""
    numbers = [*range(200_000), 1.5, None, True, -(10**18)]
    for value in (numbers, [*numbers, "a,b"], [numbers, numbers], {"a": numbers}, "x" * 2_000_000):
        raw = RawValue.of(value)
        assert raw.size > 1024 * 1024
        assert raw.decoded() == value


@pytest.mark.parametrize(
    "value",
    ["é" * 400_000, list(range(300_000)), [1.5, "a", *range(300_000)], base64.b64encode(b"x" * 2_000_000).decode()],
    ids=["text", "integers", "mixed", "long text"],
)
def test_a_large_value_is_answered_like_a_small_one(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    """In each of its forms, with the same headers; those of a large one are made elsewhere."""
    paths = ("result", "result/value", "result/serializedvalue", "result/download", "result/download?destination=file")

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A"))
        base = f"/scheduler/jobs/{job_id}/tasks/A"

        async def answers() -> list[Any]:
            found = [await scene.client.get(f"{base}/{path}") for path in paths]
            return [(each.status_code, dict(each.headers), _content(each)) for each in found]

        elsewhere: list[Any] = []
        make = scene.service.value_files.make
        monkeypatch.setattr(
            scene.service.value_files,
            "make",
            lambda given, write: (elsewhere.append(write.__name__), make(given, write))[1],
        )
        large = await answers()
        assert elsewhere == ["task_members", "text", "stream", "own_text", "own_text"]
        monkeypatch.setattr(large_results, "LARGE", 100_000_000)
        assert large == await answers()
        assert len(elsewhere) == len(paths)

    rest(scenario, scripted={"A": lambda performance: Outcome(value=value)})


def _content(answer: Any) -> Any:
    return answer.json() if answer.headers["content-type"] == "application/json" else answer.content


def test_a_value_that_is_too_large_says_so(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an error by itself, and in the place of the value among others."""

    async def refuse(value: RawValue, write: Any) -> Any:
        raise ValueTooLarge("It is too large.", hint="Use a file.")

    async def scenario(scene: Any) -> None:
        monkeypatch.setattr(scene.service.value_files, "make", refuse)
        base = f"/scheduler/jobs/{await scene.run(workflow('A', 'B'))}"
        alone = await scene.client.get(f"{base}/tasks/A/result")
        among = await scene.client.get(f"{base}/result/value")
        said = "It is too large.\nUse a file."
        assert (alone.status_code, alone.json()["errorMessage"]) == (500, said)
        assert among.json() == {"A": said, "B": "true"}
        whole = (await scene.client.get(f"{base}/result")).json()["allResults"]
        assert {name: (result["value"], result["raw"]) for name, result in whole.items()} == {
            "A": (said, False),
            "B": ("true", False),
        }

    rest(scenario, scripted={"A": lambda performance: Outcome(value="x" * 2_000_000)})
