"""A script that hands on entries of `results` themselves hands on their values."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue

#: The result is the first entry, and all of them in a map.
SCRIPTS = {
    "groovy": (("groovy", "java"), "result = [results[0], [all: results]]"),
    "python": (("jython", "java"), "result = [results[0], {'all': list(results)}]"),
    "javascript": ((), "result = [results[0], {all: Array.from(results)}]"),
    "ruby": (("ruby",), "$result = [$results[0], {'all' => $results}]"),
    "cpython": ((), "result = [results[0], {'all': results}]"),
}


@pytest.mark.parametrize("language", SCRIPTS)
def test_an_entry_of_results_travels_as_its_value(bench: Any, require: Any, language: str) -> None:
    """A failed parent as the text of its failure."""
    programs, code = SCRIPTS[language]
    require(*programs)
    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="it broke")
    parents = (
        ParentResult(task_name="A", task_id=1, value=RawValue.of({"a": [1, "ü"]})),
        ParentResult(task_name="B", task_id=2, failure=failure),
    )
    outcome = bench.run(language, code, results=parents).outcome
    assert outcome.failure is None
    value, all_of_them = outcome.value
    assert (value, all_of_them["all"][0]) == ({"a": [1, "ü"]}, {"a": [1, "ü"]})
    assert "it broke" in all_of_them["all"][1]
