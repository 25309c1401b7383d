"""Answers with large results are the same, sent task by task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.routes import large_results

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
