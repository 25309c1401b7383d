"""A failed task in the notebook's Python, in a real kernel on a real scheduler."""

from __future__ import annotations

from typing import Any


def test_a_failed_task_is_debugged_and_run_again(kernel: Any) -> None:
    """Its code comes as a new cell, works after it was changed, and runs on with the stored results."""
    kernel.run("#%new_job()", cell="new")
    kernel.run("#%job(name=Debugged)\n#%task(Load, export=[d])\nd = {'a': 0}\nresult = 4", cell="load")
    kernel.run("#%task(Use, dep=Load, import=[d])\nresult = results[0].value() / d['a']", cell="use")
    kernel.run("#%task(Tell, dep=Use)\nresult = str(results[0])", cell="tell")
    assert kernel.run("#%submit_job(wait=on)", cell="submit").status == "error"
    reply = kernel.run("#%debug(Use)", cell="debug")
    assert [one["text"] for one in reply.content["payload"] if one["source"] == "set_next_input"] == [
        "result = results[0].value() / d['a']"
    ]
    assert kernel.run("d, results[0].value() + 1", cell="here").data() == ["({'a': 0}, 5)"]
    kernel.run("#%task(Use, dep=Load, import=[d])\nresult = results[0].value() + d['a']", cell="use")
    again = kernel.run("#%submit_job(from=Use, draw=off)\n#%get_task_result(Tell, into=told)", cell="again")
    assert "are used for Load." in again.stream()
    assert kernel.run("told", cell="told").data() == ["'4'"]
