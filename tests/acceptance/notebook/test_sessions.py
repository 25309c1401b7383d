"""A person's session with the kernel: subshells, interrupts, restarts, questions, the debugger."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.client import embedded

SLOW = "#%task(name=Slow)\nimport time\nprint('started', flush=True)\ntime.sleep(60)"


def ident(text: str) -> int:
    """The number of the job in the text of its card."""
    found = re.search(r"\bjob (\d+)", text)
    assert found is not None, text
    return int(found[1])


def test_kernel_says_what_it_is(kernel: Any) -> None:
    """kernel_info names this project and its version, with help that is about it first."""
    from proactive_jupyter_kernel import __version__

    kernel.client.kernel_info()
    info = kernel.client.get_shell_msg(timeout=10)["content"]
    assert (info["implementation"], info["implementation_version"]) == ("proactive", __version__)
    assert info["language_info"]["name"] == "python"
    texts = [link["text"] for link in info["help_links"]]
    assert texts.index("ProActive Documentation") < texts.index("Python Reference")
    assert "#%help()" in info["banner"]
    assert set(info["supported_features"]) == {"kernel subshells", "debugger"}


def test_another_cell_answers_while_one_waits(kernel: Any) -> None:
    """In a subshell a status comes at once, and a kill ends the waiting cell with the error of the killed job."""
    kernel.run(SLOW)
    waiting = kernel.send("#%submit_job(name=Subshell, wait=on)")
    kernel.wait_for(
        lambda kind, content: kind.endswith("display_data") and "\n    started" in content["data"]["text/plain"]
    )
    subshell = kernel.control("create_subshell_request")["subshell_id"]
    status = kernel.reply(kernel.send("#%job_status()", subshell=subshell))
    assert " Running (" in status.data()[0]
    killed = kernel.reply(kernel.send("#%kill_job()\n1 + 1", subshell=subshell))
    assert killed.data() == ["2"]
    ended = kernel.reply(waiting)
    assert (ended.status, ended.content["ename"]) == ("error", "JobFailed")
    assert "was killed" in ended.content["evalue"]


def test_interrupt_ends_the_waiting_and_not_the_job(kernel: Any) -> None:
    """The reply says how to kill the job, with no frames of ours, and the job runs on."""
    kernel.run(SLOW)
    waiting = kernel.send("await __import__('asyncio').sleep(0)\n#%submit_job(name=Interrupted, wait=on)")
    shown = kernel.wait_for(
        lambda kind, content: kind.endswith("display_data") and "\n    started" in content["data"]["text/plain"]
    )
    number = ident(shown["data"]["text/plain"])
    kernel.manager.interrupt_kernel()
    interrupted = kernel.reply(waiting)
    words = f"Interrupted. Job {number} ('Interrupted') is still running. #%kill_job(job_id={number}) kills it."
    assert interrupted.content["ename"] == "KeyboardInterrupt"
    assert interrupted.content["evalue"] == words
    assert interrupted.content["traceback"] == [f"KeyboardInterrupt: {words}"]
    assert " Running (" in kernel.run("#%job_status()").data()[0]
    assert kernel.run("#%kill_job()").status == "ok"


def test_error_reply_has_name_value_and_traceback(kernel: Any) -> None:
    """A pragma's error fills all fields of the reply; the value is plain, the traceback is the message."""
    reply = kernel.run("#%tsk(name=A)")
    assert reply.content["ename"] == "UnknownPragma"
    assert reply.content["evalue"].startswith("There is no pragma #%tsk.\n  line 1:\n    #%tsk(name=A)\n    ~~~~^\n")
    assert reply.content["traceback"] == [f"\x1b[31mUnknownPragma\x1b[39m: {reply.content['evalue']}"]
    # The card of an earlier cell may be brought up to date meanwhile.
    others = ("execute_input", "update_display_data")
    assert [kind for kind, _ in reply.messages if kind not in others] == ["status", "error"]


def test_silent_cell_leaves_no_trace(kernel: Any) -> None:
    """What a front end runs unseen counts no cell and becomes no task, also where cells are tasks."""
    kernel.run("#%configure(task=block)")
    before = kernel.client.execute("", silent=True, reply=True, timeout=10)["content"]["execution_count"]
    kernel.client.execute("unseen = 1", silent=True, reply=True, timeout=10)
    reply = kernel.run("#%configure(task=local)")
    assert reply.content["execution_count"] == before + 1
    assert kernel.run("unseen").data() == ["1"]


def test_password_is_asked_for_unseen(kernel: Any, stand_in: Callable[[], Any]) -> None:
    """With a person there the password comes through a question that does not show it, once the server was reached."""
    assert kernel.run("#%connect(url=http://127.0.0.1:9, login=ada)").content["ename"] == "SchedulerUnreachable"
    with stand_in() as server:
        request = kernel.send(f"#%connect(url={server.url}, login=ada)", allow_stdin=True)
        question = kernel.client.get_stdin_msg(timeout=30)["content"]
        assert question["password"] is True
        assert "ada" in question["prompt"]
        kernel.client.input("hunter2")
        reply = kernel.reply(request)
    assert reply.content["ename"] == "LoginRefused"
    assert "hunter2" not in str(reply)


def test_job_is_found_after_a_restart(kernel: Any) -> None:
    """After a restart jobs are found by id and by name, with their results."""
    kernel.restart()  # The tasks of the tests above are gone with it.
    submitted = kernel.run("#%task(name=Left)\nresult = 'still here'\n#%submit_job(name=LeaveAndComeBack, wait=on)")
    number = ident(submitted.data()[0])
    kernel.restart()
    assert "LeaveAndComeBack" in kernel.run("#%list_submitted_jobs()").data()[0]
    assert kernel.run("#%get_job_result(job_name=LeaveAndComeBack, into=by_name)\nby_name['Left']").data()[-1] == (
        "'still here'"
    )
    assert kernel.run(f"#%get_task_result(job_id={number}, task_name=Left)").data() == ["Left: 'still here'"]


def test_debugger_stops_below_a_pragma(kernel: Any) -> None:
    """A breakpoint in code that runs here, below a pragma, stops at its line."""
    code = "#%job(name=Debugged)\nx = 6\ny = x * 7"
    sequence = iter(range(1, 100))

    def debug(command: str, **arguments: Any) -> dict[str, Any]:
        return kernel.control("debug_request", type="request", seq=next(sequence), command=command, arguments=arguments)

    debug("initialize", clientID="test", adapterID="python", pathFormat="path", linesStartAt1=True)
    debug("attach")
    path = debug("dumpCell", code=code)["body"]["sourcePath"]
    debug("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}], sourceModified=False)
    debug("configurationDone")
    request = kernel.send(code)
    kernel.wait_for(lambda kind, content: kind == "debug_event" and content.get("event") == "stopped")
    thread = debug("stackTrace", threadId=1)
    assert thread["body"]["stackFrames"][0]["line"] == 3
    debug("continue", threadId=1)
    assert kernel.reply(request).status == "ok"
    debug("disconnect", restart=False, terminateDebuggee=True)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_kernel_leaves_no_process_and_its_job_runs_on(start_kernel: Callable[..., Any]) -> None:
    """kill -9 of a kernel in mid-job ends nothing but the kernel: no helper of ours stays, the job ends well."""
    kernel = start_kernel()
    reply = kernel.run("#%task(name=Short)\nimport time\ntime.sleep(1)\nresult = 7\n#%submit_job(name=Orphan)")
    number = ident(reply.data()[0])
    process = psutil.Process(kernel.manager.provisioner.process.pid)
    scheduler = embedded.status().address
    assert scheduler is not None
    lives_on = {scheduler.pid, *(child.pid for child in psutil.Process(scheduler.pid).children(recursive=True))}
    children = [child for child in process.children(recursive=True) if child.pid not in lives_on]
    process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [child.cmdline() for child in alive] == []
    other = start_kernel()
    assert other.run(f"#%get_task_result(job_id={number}, task_name=Short)").data()[-1] == "Short: 7"
