"""What a Python script sees, and what it gives back; the same from a warm process and from a new one."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue


def test_result(lab: Any) -> None:
    """The global ``result`` is the task's value."""
    assert lab.run("result = [1, 'two', {'three': 3.0}]").value == [1, "two", {"three": 3.0}]


def test_no_result(lab: Any) -> None:
    """A script that sets no result has the result true."""
    assert lab.run("x = 1").value is True


def test_none_result(lab: Any) -> None:
    """A result of None is None, not true."""
    assert lab.run("result = None").value is None


def test_output_in_order(lab: Any) -> None:
    """Each stream's lines come in the order in which they were written, in unicode."""
    run = lab.run("import sys\nprint('é 1')\nprint('日本 2')\nprint('bad', file=sys.stderr)")
    assert (run.out, run.err) == ("é 1\n日本 2\n", "bad\n")


def test_variables(lab: Any) -> None:
    """Variables are read with Java's manners: a missing one is None, whatever default is named."""
    code = "result = [variables['A'], variables.get('A'), variables['no'], variables.get('no', 'x'), 'no' in variables]"
    assert lab.run(code, inherited={"A": "1"}).value == ["1", "1", None, None, False]


def test_variables_set_and_removed(lab: Any) -> None:
    """What is put and what is removed is told apart from what was there."""
    code = "variables.put('n', (1, 2))\nvariables['b'] = b'x'\ndel variables['A']\nvariables.remove('nothing')"
    outcome = lab.run(code, inherited={"A": "1", "B": "2"}).outcome
    assert (outcome.failure, dict(outcome.variables_set), outcome.variables_removed) == (
        None,
        {"n": [1, 2], "b": {"$type": "bytes", "value": "eA=="}},
        ("A",),
    )


def test_variables_changed_in_place(lab: Any) -> None:
    """A list in a variable that a script appends to is a change of that variable."""
    outcome = lab.run("variables['L'].append(3)", inherited={"L": [1, 2], "M": [1]}).outcome
    assert outcome.variables_set == {"L": [1, 2, 3]}


def test_scope_hides_inherited(lab: Any) -> None:
    """A task's own variable hides the job's of the same name."""
    assert lab.run("result = variables['V']", inherited={"V": "job"}, scope={"V": "task"}).value == "task"


def test_variable_that_cannot_travel(lab: Any) -> None:
    """A value that cannot travel is refused where it is put, by name, with the remedy and the script's line."""
    run = lab.run("import threading\nvariables['lock'] = threading.Lock()")
    assert "variables['lock'] (_thread.lock) cannot travel between tasks: it cannot be pickled" in run.message
    assert "create the lock in the task that needs it" in run.message
    assert '  File "<task T>", line 2, in <module>\n' in run.err
    assert "_proactive" not in run.err
    assert "harness" not in run.err


def test_result_that_cannot_travel(lab: Any) -> None:
    """A result that cannot travel fails the task and names the place in it; its variables are kept."""
    run = lab.run("variables['k'] = 1\nresult = {'a': [1, 2, open(os.devnull)]}")
    assert "result['a'][2] (_io.TextIOWrapper) cannot travel" in run.message
    assert run.outcome.variables_set == {"k": 1}


def test_results_of_parents(lab: Any) -> None:
    """``results`` has the parents' values in order, as values and as texts."""
    parents = (
        ParentResult(task_name="A", task_id=0, value=RawValue.of({"a": 1}), metadata={"m": "n"}),
        ParentResult(task_name="B", task_id=1, value=RawValue.of(None)),
        ParentResult(task_name="C", task_id=2, value=RawValue.of([True, 1.0])),
    )
    code = (
        "result = [len(results), results[0].value(), [str(one) for one in results], results[0].getMetadata()['m'],"
        " str(results[2].getTaskId()), results[1].hadException()]"
    )
    assert lab.run(code, results=parents).value == [
        3,
        {"a": 1},
        ["{a=1}", "Result not available", "[true, 1.0]"],
        "n",
        "7t2",
        False,
    ]


def test_result_of_failed_parent(lab: Any) -> None:
    """The value of a parent that failed raises, naming the parent; its text tells why it failed."""
    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="Failed to execute task: x")
    parents = (ParentResult(task_name="A", task_id=0, failure=failure),)
    run = lab.run("print(results[0])\nresults[0].value()", results=parents)
    assert run.out == "Failed to execute task: x\n"
    assert run.err == (
        "Traceback (most recent call last):\n"
        '  File "<task T>", line 2, in <module>\n'
        + ("    results[0].value()\n" + ("    ~~~~~~~~~~~~~~~~^^\n" if sys.version_info >= (3, 13) else ""))
        + "TaskFailed: task A failed: Failed to execute task: x\n"
        + f"{run.message}\n"
    )


def test_other_bindings(lab: Any) -> None:
    """Generic information, credentials, arguments, spaces and nodes are there under ProActive's names."""
    attempt = lab.attempt(
        "import os\nresult = [genericInformation['G'], genericInformation['no'], credentials['C'], args, userspace,"
        " localspace == os.getcwd() == variables['localspace'], nodesurl, allnodesurl, sys is not None]",
        generic_information={"G": "g"},
        credentials={"C": "c"},
        spaces={"userspace": "/u"},
        node_urls=("n0", "n1"),
    )
    script = attempt.main
    import dataclasses

    attempt = dataclasses.replace(attempt, main=dataclasses.replace(script, arguments=("a", "ä b")))
    assert lab.run(attempt).value == ["g", None, "c", ["a", "ä b"], "/u", True, ["n1"], ["n0", "n1"], True]


def test_java_clients_say_what_they_are(lab: Any) -> None:
    """A client of the Java server that no embedded scheduler has says so when it is used."""
    assert "schedulerapi is a Java client of a ProActive server" in lab.run("schedulerapi.connect()").message


def test_maps_for_job_and_metadata(lab: Any) -> None:
    """``resultMap`` and ``resultMetadata`` come back; the latter starts with what generic information says of it."""
    outcome = lab.run(
        "resultMap['x'] = 1\nresultMetadata.put('kind', 'big')\nresult = b'png'",
        generic_information={"content.type": "image/png"},
    ).outcome
    assert (dict(outcome.result_map), dict(outcome.metadata)) == (
        {"x": 1},
        {"content.type": "image/png", "kind": "big"},
    )


def test_exception(lab: Any) -> None:
    """An exception fails the task; its traceback shows the script's lines and nothing else, its message the error."""
    run = lab.run(
        "def f(x):\n    return 1 / x\n\ntry:\n    f(0)\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e"
    )
    failure = run.outcome.failure
    assert (failure.kind, failure.exception, failure.message) == (
        FailureKind.ERROR,
        "TaskException",
        "Failed to execute task: Python process execution has failed with exit code 1: KeyError: 'k'",
    )
    # Without blank lines, and with the failure in one line after it, as on a server.
    trace = "".join(f"{line}\n" for line in failure.stack_trace.splitlines() if line)
    assert f"{trace}{failure.message}\n" == run.err
    files = [line for line in run.err.splitlines() if line.startswith("  File")]
    assert files == [
        '  File "<task T>", line 5, in <module>',
        '  File "<task T>", line 2, in f',
        '  File "<task T>", line 7, in <module>',
    ]
    assert "    return 1 / x\n" in run.err
    assert run.outcome.exit_code == 1


def test_syntax_error(lab: Any) -> None:
    """A script that does not compile fails with the place of the mistake."""
    run = lab.run("x = 1\nif x\n    pass\n")
    assert run.err.startswith('  File "<task T>", line 2\n    if x\n')
    assert "SyntaxError" in run.message


def test_exception_hook(lab: Any) -> None:
    """A hook for exceptions that the script installs shows them its own way."""
    run = lab.run("import sys\nsys.excepthook = lambda kind, error, trace: print('mine', error)\nraise ValueError('x')")
    assert (run.out, run.err) == ("mine x\n", f"{run.message}\n")


@pytest.mark.parametrize(("argument", "code", "err"), [("3", 3, ""), ("'bye'", 1, "bye\n"), ("259", 3, "")])
def test_exit_with_error(lab: Any, argument: str, code: int, err: str) -> None:
    """``sys.exit`` with another code than 0 fails the task with ProActive's message; variables are kept."""
    run = lab.run(f"import sys\nvariables['v'] = 1\nsys.exit({argument})")
    assert run.message == f"Failed to execute task: Python process execution has failed with exit code {code}"
    assert run.outcome.variables_set == {"v": 1}
    assert run.err == err + run.message + "\n"


def test_exit_without_error(lab: Any) -> None:
    """``sys.exit()`` ends the task well, and loses its result, as on a ProActive server."""
    assert lab.run("import sys\nresult = 5\nsys.exit()").value is True


def test_died(lab: Any) -> None:
    """A process that ends before its script is a death of the task's process."""
    run = lab.run("import os\nprint('before', flush=True)\nos._exit(3)")
    assert (run.outcome.failure.kind, run.outcome.failure.exception) == (FailureKind.DIED, "ForkedJvmProcessException")
    assert run.message == "Failed to execute task: the Python process ended with exit code 3 before the script did"
    assert run.out == "before\n"


def test_killed_by_signal(lab: Any) -> None:
    """A process that a signal ends is said to have been ended by it."""
    run = lab.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert "was ended by signal 9 (SIGKILL)" in run.message


def test_missing_module(lab: Any) -> None:
    """A module that is not there is named with the interpreter and with what to do."""
    run = lab.run("import helper_beside_notebook")
    assert "No module named 'helper_beside_notebook'" in run.message
    assert "send it along" in run.message
    assert sys.executable in run.err


def test_module_in_working_folder(lab: Any) -> None:
    """Modules in the working folder can be imported, also those that the script writes itself."""
    code = "open('mine.py', 'w').write('x = 42')\nimport mine\nresult = mine.x"
    assert lab.run(code).value == 42


def test_main_is_the_script(lab: Any) -> None:
    """The script is ``__main__``, finds its arguments in ``sys.argv``, and shares nothing with the last one."""
    lab.run("leftover = 1\nimport sys, json\nsys.leftover = 1\njson.leftover = 1")
    code = (
        "import sys, json\nresult = [__name__, 'leftover' in globals(), hasattr(sys, 'leftover'), "
        "hasattr(json, 'leftover'), len(sys.argv)]"
    )
    assert lab.run(code).value == ["__main__", False, False, False, 1]


def test_random_differs(lab: Any) -> None:
    """Two tasks have different random numbers."""
    code = "import random, uuid\nresult = [random.random(), str(uuid.uuid4())]"
    first, second = lab.run(code).value, lab.run(code).value
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_input_is_closed(lab: Any) -> None:
    """Reading standard input finds its end."""
    assert lab.run("import sys\nresult = sys.stdin.read()").value == ""


def test_no_foreign_descriptors(lab: Any) -> None:
    """Only the three standard descriptors are open."""
    code = (
        "found = os.listdir('/proc/self/fd')\n"  # the descriptor that lists the folder is among them
        "result = sorted(int(number) for number in found if os.path.exists('/proc/self/fd/' + number))"
    )
    assert lab.run(code).value == [0, 1, 2]


def test_signals_as_at_start(lab: Any) -> None:
    """Signals have the handlers that a new interpreter has."""
    code = (
        "import signal\n"
        "result = [signal.getsignal(signal.SIGINT) is signal.default_int_handler]\n"
        "result += [signal.getsignal(s) == signal.SIG_DFL for s in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)]\n"
        "result += [len(signal.pthread_sigmask(signal.SIG_BLOCK, []))]"
    )
    assert lab.run(code).value == [True, True, True, True, 0]


def test_threads_are_waited_for(lab: Any) -> None:
    """A thread that still runs when the script ends is waited for, and what it puts counts."""
    code = (
        "import threading, time\n"
        "def later():\n    time.sleep(0.1)\n    variables['late'] = 1\n    print('late')\n"
        "threading.Thread(target=later).start()"
    )
    run = lab.run(code)
    assert (run.out, dict(run.outcome.variables_set)) == ("late\n", {"late": 1})


def test_idle_pool_does_not_hang(lab: Any) -> None:
    """A pool of threads that was never shut down does not keep the task from ending."""
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor(2)\nresult = pool.submit(int, '4').result()"
    )
    assert lab.run(code).value == 4


def test_exit_handlers(lab: Any) -> None:
    """Exit handlers run, objects of the script are finalized and files it left open are written."""
    code = (
        "import atexit\natexit.register(print, 'at exit')\n"
        "class Noisy:\n    def __del__(self):\n        print('gone')\n"
        "noisy = Noisy()\nfile = open(userspace + '/left-open', 'w')\nfile.write('text')"
    )
    run = lab.run(code, spaces={"userspace": str(lab.folder.parent)})
    assert run.out == "at exit\ngone\n"
    assert (lab.folder.parent / "left-open").read_text() == "text"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(lab: Any, method: str) -> None:
    """Processes that a task starts with `multiprocessing` know its functions, whichever way they are started."""
    code = (
        "import multiprocessing, warnings\nwarnings.simplefilter('ignore')\n"
        "factor = int(variables['factor'])\n"
        "def scaled(x):\n    return x * factor\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        result = pool.map(scaled, [1, 2, 3])"
    )
    assert lab.run(code, inherited={"factor": "10"}).value == [10, 20, 30]


def test_fork_in_script(lab: Any) -> None:
    """A child that a script forks and that runs to the script's end does not report in its parent's place."""
    code = "import os\npid = os.fork()\nresult = 'child' if pid == 0 else 'parent'\nif pid: os.waitpid(pid, 0)"
    assert lab.run(code).value == "parent"


def test_stdout_closed_early(lab: Any) -> None:
    """A script may close its output and go on."""
    assert lab.run("import os\nprint('x')\nos.close(1)\nos.close(2)\nresult = 1").value == 1


def test_progress_reaches_the_sink(lab: Any) -> None:
    """``progress.set`` is told to whoever asks for progress."""
    import asyncio

    heard: list[int] = []

    async def scene() -> Any:
        attempt = lab.attempt(
            "import time, os\nprogress.set(40)\nresult = progress.get()\n"
            "while not os.path.exists('go'): time.sleep(0.01)"
        )
        task = asyncio.create_task(lab.executor.run(attempt, lambda *_: None, heard.append))
        while not heard:
            await asyncio.sleep(0.01)
        (lab.local(attempt) / "go").touch()
        return await task

    assert lab.do(scene()).value == 40
    assert heard == [40]


@pytest.mark.parametrize("warm", [True, False])
def test_too_large_result(labs: Any, warm: bool) -> None:
    """A result over the limit fails the task and says what to do instead."""
    lab = labs(warm=warm, result_limit=1000)
    message = lab.run("result = 'x' * 2000").message
    assert "it is larger than 1,000 bytes (PROACTIVE_KERNEL_RESULT_BYTES); write large data to a file" in message


def test_missing_interpreter(lab: Any) -> None:
    """An interpreter that is not there is an error before anything starts, and says how to get one."""
    run = lab.run("result = 1", generic_information={"PYTHON_COMMAND": "python-nowhere"})
    assert "'python-nowhere', the program that runs Python scripts, is not on this machine" in run.message
    assert "PYTHON_COMMAND" in run.message
    assert run.err == run.message + "\n"


def test_interpreter_of_the_task(lab: Any, python: str) -> None:
    """The task runs under the interpreter that generic information names."""
    assert (
        lab.run("import sys\nresult = sys.executable", generic_information={"PYTHON_COMMAND": python}).value == python
    )


def test_names_of_the_servers_java_engine_are_no_globals(lab: Any) -> None:
    """A server's bridge to Java leaves some of its own among the globals; a script has those names for itself."""
    names = ["gateway", "bindings", "params", "forkEnvironment"]
    assert lab.run(f"result = [name for name in {names} if name in globals()]").value == []
