"""Closures of Groovy in Python tasks: single expressions are read, everything else is refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler import runtimes
from proactive_jupyter_kernel.workflow import values


@pytest.fixture(scope="module")
def services() -> Any:
    """The module as a task's process loads it."""
    before = sys.modules.get("_proactive_values")
    sys.modules["_proactive_values"] = values
    path = Path(str(runtimes.__file__)).parent / "harness" / "python" / "services.py"
    spec = importlib.util.spec_from_file_location("_services_in_test", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if before is None:
        del sys.modules["_proactive_values"]
    return module


@pytest.mark.parametrize(
    ("text", "arguments", "value"),
    [
        ("{k, x -> x > 0}", ("k", 1), True),
        ("{k, x -> x == false}", ("k", False), True),
        ("{ k, x -> x != null && !(x <= 2.5) || k == 'a' }", ("b", 3), True),
        ("{k, x -> x - 1}", ("k", 3), 2),
        ("{a, b -> a + b}", ("x", "y"), "xy"),
        ("{k -> 7}", ("k",), 7),
        ('{k, x -> "done"}', ("k", None), "done"),
    ],
)
def test_a_closure_of_one_expression(services: Any, text: str, arguments: tuple[Any, ...], value: Any) -> None:
    """It gives what Groovy would give."""
    assert services.closure(text)(*arguments) == value


@pytest.mark.parametrize(
    "text",
    [
        "x > 0",
        "{x > 0}",
        "{k, x -> }",
        "{k, x -> System.exit(1)}",
        "{k, x -> x.size() > 1}",
        "{k, x -> y}",
        "{k, x -> x = 1}",
        "{k, x -> x; k}",
        "{k, x -> __import__('os')}",
        "{k, x -> (x}",
        '{k, x -> "${x}"}',
        "{k, x -> k(x)}",
    ],
)
def test_a_closure_that_is_more(services: Any, text: str) -> None:
    """It is refused before anything happens, with what may be written."""
    with pytest.raises(ValueError, match="Write a task that needs more in Groovy"):
        services.closure(text)
