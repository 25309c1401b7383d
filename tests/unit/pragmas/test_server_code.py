"""The code that carries values in Python tasks of a ProActive server, run against stand-ins for its Java proxies."""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client import python_code
from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.jobs.rerun import Rerun
from proactive_jupyter_kernel.client.jobs.stored_tasks import with_stored_results
from proactive_jupyter_kernel.client.records import JobInfo, TaskResult, TaskState
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.pragmas.draft.building import Built
from proactive_jupyter_kernel.pragmas.jobs.server_code import for_embedded, for_server
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT, PREFIX, RESULT
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

RUNNER = Path(__file__).with_name("server_task.py")


class TaskFailed(Exception):
    """What the script wrote to standard error."""


def run(
    code: str, folder: Path, *, python: str = sys.executable, stdin: int | None = None, **state: Any
) -> dict[str, Any]:
    """What came of a script on a server."""
    script, kept = folder / "script.py", folder / "state"
    script.write_text(code, encoding="utf-8")
    kept.write_bytes(pickle.dumps(state, 4))
    done = subprocess.run(
        [python, str(RUNNER), str(script), str(kept)],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=stdin,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise TaskFailed(done.stderr)
    found: dict[str, Any] = pickle.loads(kept.read_bytes())
    return found


def sent(notebook: Any, name: str) -> str:
    """A task's script as a server gets it."""
    built = for_server(notebook.context.draft.build("job"))
    task = next(task for task in built.workflow.tasks if task.name == name)
    return xml.loads(xml.dumps(built.workflow)).workflow.task(name).executable.code if task else ""


@pytest.mark.parametrize(
    ("setup", "value", "check"),
    [
        ("import numpy", "numpy.arange(3)", "got.tolist() == [0, 1, 2]"),
        ("import numpy", "numpy.float64(2)", "type(got) is float"),
        ("import pandas", "pandas.DataFrame({'a': [1]})", "got.a.tolist() == [1]"),
        ("import datetime", "datetime.date(2026, 1, 2)", "got.year == 2026"),
        ("", "2 ** 70", "got == 2 ** 70"),
        ("", "{'a': [1, {'b': None}]}", "got == {'a': [1, {'b': None}]} and type(got) is dict"),
        ("", "(1, (2, 3))", "got == [1, [2, 3]]"),
        ("", "{1, 2}", "got == {1, 2} and type(got) is set"),
        ("class Own:\n    x = 1", "Own()", "got.x == 1"),
    ],
)
def test_values_travel_on_a_server(notebook, tmp_path: Path, setup: str, value: str, check: str) -> None:
    """As results, exported variables, and nested; imports and reads give Python's values."""
    notebook.run(f"#%task(A, export=[v])\n{setup}\nresult = {value}\nv = [result]")
    notebook.run(
        f"#%task(B, dep=[A], import=[v])\n{setup}\n"
        f"result = []\nfor got in (results[0].value(), v[0], variables.get('v')[0], variables['v'][0]):\n"
        f"    result.append({check})"
    )
    first = run(sent(notebook, "A"), tmp_path)
    second = run(sent(notebook, "B"), tmp_path, variables=first["variables"], results=[first["result"]])
    assert second["result"] == [True] * 4


def test_what_is_shown_on_a_server(notebook, tmp_path: Path) -> None:
    """Figures, display() and the last expression, which is the result, are in the result's metadata."""
    notebook.run(
        "#%task(A, export=[x])\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\n"
        "display('seen')\nx = 1\n{'a': x}, [\n  2]  # the result"
    )
    found = run(sent(notebook, "A"), tmp_path, metadata={"mine": "kept"})
    shown = [json.loads(found["metadata"][f"{PREFIX}{number}"])["data"] for number in (1, 2, 3)]
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    assert [one["text/plain"] for one in shown[1:]] == ["'seen'", "({'a': 1}, [2])"]
    assert (found["result"], found["variables"]["x"], found["metadata"][RESULT]) == ([{"a": 1}, [2]], 1, "3")


#: What a later task could not do with a server's proxies, and what it gets now.
REAL = {
    "json.dumps(v, sort_keys=True)": '{"names": ["a", "b"], "nested": {"x": [1, {"y": 2}]}, "numbers": [3, 1]}',
    "isinstance(v, dict) and isinstance(v['names'], list)": True,
    "v['names'] == ['a', 'b']": True,
    "v == {'names': ['a', 'b'], 'nested': {'x': [1, {'y': 2}]}, 'numbers': [3, 1]}": True,
    "v['names'] + ['c']": ["a", "b", "c"],
    "['c'] + v['names']": ["c", "a", "b"],
    "v['numbers'] * 2": [3, 1, 3, 1],
    "copy.deepcopy(v)['nested']['x'][1]": {"y": 2},
    "pickle.loads(pickle.dumps(v))['numbers']": [3, 1],
    "v.copy()['names']": ["a", "b"],
    "v.get('nope', 5)": 5,
    "sorted(v['numbers']) + v['numbers'][::-1]": [1, 3, 1, 3],
    "type(v['nested']['x'][1]) is dict": True,
    "{**v, 'more': 1}['more']": 1,
    "str(v['names'])": "['a', 'b']",
}
#: The ways to the value, each as an expression.
WAYS = ("results[0].value()", "results[0].getValue()", "variables['v']", "variables.get('v')", "v")


@pytest.mark.parametrize("way", WAYS)
def test_collections_are_lists_and_dicts(notebook, tmp_path: Path, way: str) -> None:
    """With all that lists and dicts can do, whichever way they come; a missing key is an error as everywhere."""
    whole = {"names": ["a", "b"], "nested": {"x": [1, {"y": 2}]}, "numbers": [3, 1]}
    notebook.run("#%task(A, export=[v])\nv = 1")
    expressions = ", ".join(REAL)
    notebook.run(
        f"#%task(B, dep=[A], import=[v])\nimport copy, json, pickle\nv = {way}\n"
        f"try:\n    v['nope']\nexcept KeyError:\n    missing = True\nresult = [{expressions}, missing]"
    )
    found = run(sent(notebook, "B"), tmp_path, variables={"v": whole}, results=[whole])
    assert found["result"] == [*REAL.values(), True]


def test_standard_input_is_at_its_end(notebook, tmp_path: Path) -> None:
    """A server leaves a pipe without a writer open; reading would never end, in the task and in its programs."""
    notebook.run(
        "#%task(A)\nimport subprocess, sys\nread = sys.stdin.read()\ntry:\n    input()\nexcept EOFError:\n"
        "    read += 'end'\nresult = [read, subprocess.run(['cat'], stdout=subprocess.PIPE).stdout.decode()]"
    )
    reading, writing = os.pipe()
    try:
        found = run(sent(notebook, "A"), tmp_path, stdin=reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert found["result"] == ["end", ""]


def test_task_without_a_result_on_a_server(notebook, tmp_path: Path) -> None:
    """It is marked: its result, true, is only the server's default."""
    notebook.run("#%task(A)\nx = 1")
    found = run(sent(notebook, "A"), tmp_path)
    assert (found["result"], found["metadata"]) == (True, {NO_RESULT: "true"})


def test_a_script_before_the_task_marks_no_result(notebook, tmp_path: Path) -> None:
    """The metadata is that of the whole task: its result would not be shown."""
    notebook.run("#%task(A)\nresult = 5\n#%pre_script(A)\nx = 1\n#%post_script(A)\ny = 1")
    task = for_server(notebook.context.draft.build("job")).workflow.task("A")
    assert task.pre is not None
    assert task.post is not None
    metadata = run(task.pre.code, tmp_path)["metadata"]
    found = run(sent(notebook, "A"), tmp_path, metadata=metadata)
    behind = run(task.post.code, tmp_path, metadata=found["metadata"])
    assert (metadata, found["result"], found["metadata"], behind["metadata"]) == ({}, 5, {}, {})


def test_control_scripts_see_and_set_lists(notebook, tmp_path: Path) -> None:
    """In Python as the task's own; in JavaScript where they set variables, and as they are otherwise."""
    condition = "loop = variables['l'] == [1]\nvariables['m'] = [loop]"
    notebook.run(f"#%start(S)\n1\n#%condition(language=Python)\n{condition}\n#%loop(L)\n2")
    notebook.run("#%branch(B)\n1\n#%condition()\nvariables['k'] = [1]; branch = 'if'\n#%if(I)\n1\n#%else(E)\n2")
    notebook.run("#%split(P)\n1\n#%runs()\nruns = 2\n#%process(Q)\n1\n#%merge(M)\n1")
    tasks = {task.name: task for task in for_server(notebook.context.draft.build("job")).workflow.tasks}
    codes = {name: tasks[name].flow.script.code for name in ("L", "B", "P")}
    found = run(codes["L"], tmp_path, variables={"l": [1]})
    assert (found["variables"]["m"], codes["P"]) == ([True], "runs = 2")
    assert codes["B"].startswith("_proactive_entry(variables, 'k').value = [1]; branch = 'if'\n;function")


def test_lists_changed_in_place_are_kept(notebook, tmp_path: Path) -> None:
    """As with the server's own live lists."""
    notebook.run("#%task(A)\nvariables['l'].append(3)\nvariables['n'] = [1]\nvariables['n'].append(2)")
    found = run(sent(notebook, "A"), tmp_path, variables={"l": [1, 2], "other": [0]})
    assert found["variables"] == {"l": [1, 2, 3], "other": [0], "n": [1, 2]}


def test_map_methods(notebook, tmp_path: Path) -> None:
    """Those of Java and of dict, with Python's values."""
    notebook.run(
        "#%task(A)\nv = variables\nresult = [v.get('no', 1), v.getOrDefault('no', 2), v.putIfAbsent('p', 3),"
        " v.pop('l'), 'l' in v, sorted(dict(v)), len(v), v.copy(), {**v}, v.containsKey('p'), v.isEmpty()]"
    )
    found = run(sent(notebook, "A"), tmp_path, variables={"l": [1]})
    assert found["result"] == [None, 2, None, [1], False, ["p"], 1, {"p": 3}, {"p": 3}, True, False]


def test_what_cannot_travel_on_a_server(notebook, tmp_path: Path) -> None:
    """It is refused by name, and no frame of the kernel's own code is left of the traceback."""
    notebook.run("#%task(A)\nimport threading\nresult = {'a': [threading.Lock()]}")
    built = for_server(notebook.context.draft.build("job"))
    with pytest.raises(TaskFailed) as caught:
        run(sent(notebook, "A"), tmp_path)
    told = built.sources["A"].rewrite(str(caught.value))
    assert "NotSerializable: result['a'][0] (_thread.lock) cannot travel between tasks: it cannot be pickled" in told
    assert python_code.FILE not in told
    assert "_proactive_task.end()" not in told


def test_error_names_the_line_of_the_cell(notebook, tmp_path: Path) -> None:
    """Also in the last expression, which is shown as it was written."""
    notebook.run("#%task(A)\nx = 0\n1 / x")
    built = for_server(notebook.context.draft.build("job"))
    with pytest.raises(TaskFailed) as caught:
        run(sent(notebook, "A"), tmp_path)
    told = built.sources["A"].rewrite(str(caught.value))
    assert "Cell In[1], line 3, in <module>\n    1 / x\n" in told
    assert "_proactive" not in told


def test_future_import_stays_first(notebook, tmp_path: Path) -> None:
    """Python wants it first; the rest of the lines keep their places."""
    notebook.run("#%task(A)\n'''Doc.'''\nfrom __future__ import annotations\nx: Unknown = 1\nx + 1")
    built = for_server(notebook.context.draft.build("job"))
    code = built.workflow.tasks[0].executable.code
    assert code.startswith("'''Doc.'''\nfrom __future__ import annotations\n# The next line")
    assert run(code, tmp_path)["result"] == 2
    places = [built.sources["A"].scripts["task"].place(number) for number in range(1, code.count("\n") + 2)]
    assert [place[1] if place else None for place in places] == [2, 3, None, None, None, 4, 5, None]


def test_other_languages_and_imported_workflows_stay(notebook, tmp_path: Path) -> None:
    """Only Python tasks of this notebook get the code."""
    notebook.run("#%task(A, language=bash)\necho 1")
    built = notebook.context.draft.build("job")
    assert for_server(built).workflow == built.workflow
    notebook.run("#%task(B)\n1")
    path = tmp_path / "job.xml"
    path.write_text(xml.dumps(notebook.context.draft.build("job").workflow), encoding="utf-8")
    notebook.run(f"#%import_xml(path={path})")
    built = notebook.context.draft.build("job")
    assert for_server(built).workflow == built.workflow


@pytest.mark.memory_only("an embedded scheduler is no server")
def test_an_embedded_scheduler_behind_an_address_gets_the_code_as_it_is(notebook: Any) -> None:
    """Its tasks carry values by themselves; it has no Java for the code that JavaScript tasks get for a server."""
    notebook.connection.settings = Settings(url=notebook.server.address, login="ada", password=Secret("secret"))
    notebook.server.embedded = "0.1.0"
    notebook.run("#%task(name=A, language=Javascript)\nresult = [1]\n#%task(name=B)\n[1]\n#%submit_job(draw=off)")
    sent = xml.loads(notebook.server.jobs[1].xml).workflow
    assert [task.executable.code for task in sent.tasks] == ["result = [1]", "[1]"]


def test_embedded_scheduler_is_asked_for_last_expressions(notebook) -> None:
    """By generic information of the Python tasks of this notebook; their code is sent as it is."""
    notebook.run("#%task(A)\n1\n#%task(B, language=bash)\necho")
    built = notebook.context.draft.build("job")
    tasks = for_embedded(built).workflow.tasks
    assert [dict(task.generic_information) for task in tasks] == [{"PYTHON_LAST_VALUE": "result"}, {}]
    assert [task.executable for task in tasks] == [task.executable for task in built.workflow.tasks]


def test_post_script_sees_and_gives_values(notebook, tmp_path: Path) -> None:
    """The result of the task as Python's value, and its own result tagged."""
    notebook.run("#%task(A)\n1\n#%post_script(A)\nresult = result.replace(day=5)")
    built: Built = for_server(notebook.context.draft.build("job"))
    post = built.workflow.tasks[0].post
    assert post is not None
    import datetime

    found = run(post.code, tmp_path, result=tagged.encode(datetime.date(2026, 1, 2)))
    assert tagged.decode(found["result"]) == datetime.date(2026, 1, 5)


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("x", "_proactive_last((x))"),
        ("1, 2", "_proactive_last((1, 2))"),
        ("a = 1", "a = 1"),
        ("x;", "x;"),
        ("é = 1\nf('é', *é) # end", "é = 1\n_proactive_last((f('é', *é))) # end"),
        ("(x for x in y)", "_proactive_last(((x for x in y)))"),
        ("if x:\n    y", "if x:\n    y"),
        ("print 'python 2'", "print 'python 2'"),
        ("", ""),
        ("variables.put('a', 1)", "variables.put('a', 1)"),
        ("variables.get('a')", "_proactive_last((variables.get('a')))"),
    ],
)
def test_last_expression_is_kept(code: str, kept: str) -> None:
    """On the lines where it is."""
    assert python_code.with_last_kept(code) == kept


def test_code_for_old_pythons(notebook, tmp_path: Path) -> None:
    """The code in front is as short as it can be, and in the grammar of Python 3.6."""
    import ast
    import zlib

    line = python_code.prologue().split("\n")[-1]
    packed = line.split('b85decode("')[1].split('")')[0]
    source = zlib.decompress(base64.b85decode(packed)).decode()
    assert len(line) < 16_000
    ast.parse(source, feature_version=(3, 6))


def test_stored_results_are_returned_on_a_server(tmp_path: Path) -> None:
    """A task that stands in for an earlier one gives Java what it had, tagged bytes unopened, by every copy its own."""
    value = [tagged.encode(3 + 4j), {"a": {1, 2}}, None, 1.5]
    streams = {name: base64.b64encode(serialization.dumps(one)).decode() for name, one in (("v", value), ("n", "1"))}
    results = {
        name: TaskResult(id=number, name=name, has_value=True, carried=carried, serialized_variables=streams)
        for number, (name, carried) in enumerate({"W": value, "W*1": tagged.encode(1j)}.items())
    }
    states = tuple(TaskState(id=one.id, name=one.name, status=TaskStatus.FINISHED) for one in results.values())
    workflow = Workflow(name="part", tasks=(Task(name="W", executable=Script(language="cpython")),))
    rerun = Rerun(workflow=workflow, stored={"W": states}, split_of={"W": "S"})
    job = JobInfo(id=7, name="whole", status=JobStatus.FINISHED, variables={"n": "1"})
    found, _ = with_stored_results(rerun, results, job)
    code = found.task("W").executable.code
    copies = [run(code, tmp_path, variables={"PA_TASK_REPLICATION": number}) for number in (0, 1)]
    assert [(one["result"], one["variables"]["v"], "n" in one["variables"]) for one in copies] == [
        (value, value, False),
        (tagged.encode(1j), value, False),
    ]
