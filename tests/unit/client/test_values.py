"""Values and outputs of tasks in the notebook's Python: opened lazily, by trust, and bounded to what is harmless."""

from __future__ import annotations

import base64
import datetime
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest

from proactive_jupyter_kernel.client import results, rich_outputs, values
from proactive_jupyter_kernel.client.records import TaskResult
from proactive_jupyter_kernel.errors import UnreadableValue, UntrustedValue
from proactive_jupyter_kernel.workflow.display.value_text import summary
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT, PREFIX, RESULT


class Model:
    """A value that only a pickle carries."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model)

    __hash__ = None  # type: ignore[assignment]


def answer(value: Any = None, metadata: dict[str, str] | None = None) -> TaskResult:
    """What the REST API says of a task, read."""
    return results.task_result_of(
        {
            "id": {"id": 0, "readableName": "Fit"},
            "serializedValue": base64.b64encode(serialization.dumps(value)).decode(),
            "value": "text",
            "metadata": metadata or {},
        }
    )


def output(**data: Any) -> str:
    return json.dumps({"data": data, "metadata": {}})


def test_model_of_a_trusted_job_is_opened() -> None:
    """Also inside of a dict."""
    result = replace(answer({"m": tagged.encode(Model())}), trusted=True)
    assert result.value == {"m": Model()}


def test_model_of_another_job_asks_for_trust() -> None:
    """`value` is an error that says how, `readable_value` stands for it; what is harmless is opened."""
    result = answer({"m": tagged.encode(Model()), "day": tagged.encode(datetime.date(2026, 1, 2))})
    with pytest.raises(
        UntrustedValue, match=r"The result of Fit\['m'\] is a value of type .*Model that Python"
    ) as caught:
        _ = result.value
    assert caught.value.hint == "If you trust the author of the job, use trust=on in a pragma or trust=True in Python."
    found = result.readable_value
    assert isinstance(found, dict)
    assert found["day"] == datetime.date(2026, 1, 2)
    assert isinstance(found["m"], values.UnopenedValue)
    assert found["m"].what.startswith(f"{Model.__module__}.Model, ")
    assert "trust=on" in repr(found["m"])


def test_value_of_a_missing_library() -> None:
    """The error names what to install; nothing is a stack trace."""
    data = tagged.join(
        {"kind": "pickle", "type": "nolib.Net", "python": "3.9", "library": "nolib 2"}, b"cnolib\nNet\n."
    )
    with pytest.raises(UnreadableValue, match="the module nolib is missing here; install it for"):
        _ = replace(answer(data), trusted=True).value


def test_nothing_is_opened_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of results opens none of them."""
    monkeypatch.setattr(tagged, "decode", lambda *arguments: pytest.fail("opened"))
    result = answer([tagged.encode(Model()), 1])
    assert summary(result.carried).startswith("[<")
    assert summary(result.carried).endswith(" bytes>, 1]")


def test_value_of_bytes_that_only_look_tagged() -> None:
    """Damaged or foreign bytes are an error in words."""
    with pytest.raises(UnreadableValue, match="begin like a tagged Python value, but are not one"):
        _ = answer(tagged.MAGIC + b"?").value


def test_task_without_a_result() -> None:
    """The scheduler's true is no value of the task."""
    result = answer(True, {NO_RESULT: "true"})
    assert (result.value, result.has_value, dict(result.metadata)) == (None, False, {})


def test_outputs_come_in_order_and_without_the_rest() -> None:
    """By number, not by name; what the task itself put into the metadata stays apart."""
    entries = {f"{PREFIX}{number}": output(**{"text/plain": str(number)}) for number in (10, 9, 1)}
    result = replace(answer(1, {**entries, "mine": "x", RESULT: "9", f"{PREFIX}x": "?"}), trusted=True)
    assert [one.data["text/plain"] for one in rich_outputs.outputs_of(result)] == ["1", "9", "10"]
    assert dict(result.metadata) == {"mine": "x"}


def test_output_that_is_the_result_can_be_left_out() -> None:
    """Where the result itself is shown."""
    entries = {f"{PREFIX}{number}": output(**{"text/plain": str(number)}) for number in (1, 2)}
    result = answer(1, {**entries, RESULT: "2"})
    assert [one.data["text/plain"] for one in rich_outputs.outputs_of(result, with_result=False)] == ["1"]


def test_markup_of_another_job_is_text() -> None:
    """Pictures and texts are shown as they are; HTML is shown, and not run."""
    entries = {
        f"{PREFIX}1": output(**{"text/html": "<script>x</script>", "text/plain": "<HTML>"}),
        f"{PREFIX}2": output(**{"image/png": "iVBO", "text/html": "<b>", "text/plain": "p"}),
        f"{PREFIX}3": "no json",
        f"{PREFIX}4": '{"data": 5}',
    }
    first, second = rich_outputs.outputs_of(answer(1, entries))
    assert dict(first.data) == {
        "text/plain": "<HTML>\n<script>x</script>",
        "text/html": "<pre>&lt;HTML&gt;\n&lt;script&gt;x&lt;/script&gt;</pre>",
    }
    assert dict(second.data) == {"image/png": "iVBO", "text/plain": "p"}
    trusted = rich_outputs.outputs_of(replace(answer(1, entries), trusted=True))
    assert trusted[0].data["text/html"] == "<script>x</script>"


def test_pickle_is_what_a_foreign_job_could_send() -> None:
    """A pickle in plain bytes is bytes and is not opened."""
    assert answer(pickle.dumps(Model())).value == pickle.dumps(Model())
