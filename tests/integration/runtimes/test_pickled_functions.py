"""Tasks whose code is a pickled function, as the Python SDK's setTaskExecutionFromLambdaFunction writes them."""

from __future__ import annotations

import codecs
from typing import Any

import cloudpickle
import pytest

#: As the SDK writes it, after a line of ours.
CODE = """{}
import pickle
import codecs
result = pickle.loads(codecs.decode({!r}, "base64"))()
print('result: ', result)
"""
FACTOR = 6


def code_of(before: str = "") -> str:
    factor = FACTOR
    return CODE.format(before, codecs.encode(cloudpickle.dumps(lambda: factor * 7), "base64"))


def test_a_pickled_function_runs(bench: Any) -> None:
    """The interpreter has cloudpickle."""
    run = bench.run("cpython", code_of())
    assert (run.outcome.failure, run.out) == (None, "result:  42\n")


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("import sys; sys.modules['cloudpickle'] = None", "has no cloudpickle. Install it:"),
        (
            "import sys, types; old = types.ModuleType('cloudpickle'); old.__version__ = '0.1'; old.__path__ = [];"
            " sys.modules['cloudpickle'] = old; sys.modules['cloudpickle.cloudpickle'] = "
            "types.ModuleType('cloudpickle.cloudpickle')",
            "which runs the task (0.1). Install the client's version:",
        ),
    ],
)
def test_an_interpreter_that_cannot_read_it_is_named(bench: Any, before: str, reason: str) -> None:
    """With the command that mends it."""
    message = str(bench.run("cpython", code_of(before)).outcome.failure)
    assert reason in message
    assert "-m pip install" in message
