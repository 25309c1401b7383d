"""One executor for all languages, and the rule about languages that are not here."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.required import need

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Outcome, Selection
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.workflow.model import Script

_NUMBERS = itertools.count(1)


@dataclass
class Run:
    """What came of an attempt."""

    outcome: Outcome
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def out(self) -> str:
        return "".join(text for stream, text in self.lines if stream == "out")

    @property
    def err(self) -> str:
        return "".join(text for stream, text in self.lines if stream == "err")

    @property
    def message(self) -> str:
        assert self.outcome.failure is not None, self.outcome
        return self.outcome.failure.message


class Bench:
    """Runs scripts of any language, one after the other."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        self.runner = asyncio.Runner()
        self.executor = make()
        self.runner.run(self.executor.start())

    def run(self, language: str, code: str, *arguments: str, **fields: Any) -> Run:
        """Run a task whose main script this is; `fields` are those of `Attempt`."""
        number = next(_NUMBERS)
        attempt = Attempt(
            **{
                "job_id": 7,
                "job_name": "Job",
                "task_id": number,
                "task_name": "T1",
                "number": 1,
                "owner": "ada",
                "slot": self.executor.slots[0],
                "main": Script(language=language, code=code, arguments=arguments),
                **fields,
                "inherited": {"PA_JOB_ID": "7", "PA_TASK_NAME": "T1", **fields.get("inherited", {})},
            }
        )
        lines: list[tuple[str, str]] = []
        outcome = self.runner.run(self.executor.run(attempt, lambda stream, text, at: lines.append((stream, text))))
        return Run(outcome, lines)

    def select(self, selection: Selection) -> bool:
        """Ask whether the task may run on the slot."""
        return self.runner.run(self.executor.select(selection)).selected

    def close(self) -> None:
        self.runner.run(self.executor.close())
        self.runner.close()


@pytest.fixture(scope="session")
def bench(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    dask_executor: Callable[[NodeSettings], Executor],
) -> Iterator[Bench]:
    """An executor for scripts of all languages: of this machine, or with ``--executor dask`` of a Dask cluster."""
    if request.config.getoption("--executor") == "dask":
        bench = Bench(lambda: dask_executor(NodeSettings(grace=0.5)))
    else:
        scratch = tmp_path_factory.mktemp("bench") / "scratch"
        bench = Bench(lambda: LocalExecutor(scratch, LocalSettings(grace=0.5)))
    yield bench
    bench.close()


@pytest.fixture
def require() -> Any:
    """The function `need`."""
    return need
