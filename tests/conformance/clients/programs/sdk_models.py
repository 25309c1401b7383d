"""Jobs built with the SDK's models, and every way to submit one."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from table import Table

WORKFLOW = """<?xml version="1.0" encoding="UTF-8"?>
<job xmlns="urn:proactive:jobdescriptor:3.13" name="from_file" priority="normal" projectName="sdk">
  <variables><variable name="who" value="nobody"/></variables>
  <taskFlow>
    <task name="greet" preciousResult="true">
      <scriptExecutable><script><code language="cpython"><![CDATA[
print("hello", variables.get("who"))
result = "hello " + variables.get("who")
]]></code></script></scriptExecutable>
    </task>
  </taskFlow>
</job>
"""


def python_task(s: SimpleNamespace, name: str, code: str, *parents: Any) -> Any:
    task = s.gateway.createPythonTask()
    task.setTaskName(name)
    task.setTaskImplementation(code)
    for parent in parents:
        task.addDependency(parent)
    return task


def job_of(s: SimpleNamespace, name: str, *tasks: Any) -> Any:
    job = s.gateway.createJob()
    job.setJobName(name)
    for task in tasks:
        job.addTask(task)
    return job


def build(table: Table, s: SimpleNamespace) -> None:
    """Nothing of this asks the server, but what it makes is submitted below."""
    g = s.gateway
    languages = g.getProactiveScriptLanguage()
    table("getProactiveScriptLanguage", languages.python, "cpython")
    table("createTask", lambda: g.createTask(languages.linux_bash()).getScriptLanguage(), "bash")
    table("createTask of an unknown language", lambda: g.createTask("cobol"), None)
    table("createFlowScript", lambda: g.createFlowScript().getScriptLanguage(), "javascript")
    table("createDefaultForkEnvironment", lambda: g.createDefaultForkEnvironment().getScriptLanguage(), "python")
    table("createPythonForkEnvironment", lambda: g.createPythonForkEnvironment().getScriptLanguage(), "cpython")
    table("createDefaultSelectionScript", lambda: g.createDefaultSelectionScript().getScriptLanguage(), "python")
    table("createPythonSelectionScript", lambda: g.createPythonSelectionScript().getScriptLanguage(), "cpython")

    first = python_task(s, "first", 'print("first")\nresult = 6 * 7\nvariables.put("seen", "it")')
    first.addGenericInformation("PYTHON_COMMAND", "python3")
    first.setPreciousResult(True)
    second = python_task(s, "second", 'result = results[0].value() + 1\nprint(variables.get("seen"))', first)
    bash = g.createTask(languages.linux_bash())
    bash.setTaskName("shell")
    bash.setTaskImplementation('echo "from $variables_USER_NAME"')
    bash.addVariable("USER_NAME", "a shell")
    bash.addDependency(second)
    before = table("createPreScript", lambda: g.createPreScript(languages.linux_bash()), lambda v: "PreScript" in v)
    before.setImplementation("echo before")
    after = table("createPostScript", lambda: g.createPostScript(languages.linux_bash()), lambda v: "PostScript" in v)
    after.setImplementation("echo after")
    bash.setPreScript(before)
    bash.setPostScript(after)
    select = table("createSelectionScript", lambda: g.createSelectionScript("groovy"), lambda v: "Selection" in v)
    select.setImplementation("selected = true")
    second.setSelectionScript(select)
    fork = table("createForkEnvironment", lambda: g.createForkEnvironment("groovy"), lambda v: "ForkEnv" in v)
    fork.setImplementation('forkEnvironment.addSystemEnvironmentVariable("FROM_FORK", "here")')
    third = python_task(s, "third", 'import os\nresult = os.environ["FROM_FORK"]', bash)
    third.setForkEnvironment(fork)
    s.chain = job_of(s, "chain", first, second, bash, third)
    s.chain.addVariable("job_variable", "of the job")
    s.chain.addGenericInformation("note", "kept")

    table("buildJob", lambda: g.buildJob(s.chain).getName(), "chain")
    table("exportJob2XML", lambda: g.exportJob2XML(s.chain), lambda v: 'name="chain"' in v and "FROM_FORK" in v)
    saved = s.folder / "chain.xml"
    table("saveJob2XML", lambda: g.saveJob2XML(s.chain, str(saved)), None)

    start = python_task(s, "start", 'print("start")')
    start.setFlowBlock(g.getProactiveFlowBlockType().start())
    end = python_task(s, "end", 'result = int(variables.get("PA_TASK_ITERATION"))', start)
    loop = "loop = variables.get('PA_TASK_ITERATION') < 1;"
    end.setFlowScript(table("createLoopFlowScript", lambda: g.createLoopFlowScript(loop, "start"), of_flow))
    end.setFlowBlock(g.getProactiveFlowBlockType().end())
    s.loop = job_of(s, "loop", start, end)

    split = python_task(s, "split", "result = 1")
    split.setFlowScript(table("createReplicateFlowScript", lambda: g.createReplicateFlowScript("runs = 2"), of_flow))
    process = python_task(s, "process", 'result = int(variables.get("PA_TASK_REPLICATION"))', split)
    merge = python_task(s, "merge", "result = sum(each.value() for each in results)", process)
    s.replicate = job_of(s, "replicate", split, process, merge)

    names = ("condition", "yes", "no", "afterwards")
    condition, *rest = (python_task(s, name, f"result = {name!r}") for name in names)
    branch = "branch = 'if';"
    made = table("createBranchFlowScript", lambda: g.createBranchFlowScript(branch, *names[1:]), of_flow)
    condition.setFlowScript(made)
    s.branch = job_of(s, "branch", condition, *rest)


def of_flow(value: str) -> bool:
    return "FlowScript" in value


def whole(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def submit(table: Table, s: SimpleNamespace) -> None:
    """All jobs at once: they run while the next are submitted."""
    g = s.gateway

    def submitted(name: str, call: str, action: Any) -> None:
        s.jobs[name] = table(call, action, whole)

    for name in ("chain", "loop", "replicate", "branch"):
        submitted(name, f"submitJob({name})", functools.partial(g.submitJob, getattr(s, name)))

    workflow = s.folder / "workflow.xml"
    workflow.write_text(WORKFLOW, encoding="utf-8")
    given = {"who": "Żółw & co"}
    submitted("file", "submitWorkflowFromFile", lambda: g.submitWorkflowFromFile(str(workflow), given))
    with served(s.folder) as address:
        url = f"{address}/workflow.xml"
        submitted("url", "submitWorkflowFromURL", lambda: g.submitWorkflowFromURL(url, {"who": "a link"}))
    submitted(
        "catalog",
        "submitWorkflowFromCatalog",
        lambda: g.submitWorkflowFromCatalog("examples", "greeting", {"who": "the catalog"}),
    )

    task = python_task(s, "main", "")
    # The SDK names the file as an input file of the task, and looks for it in its own folder.
    program = source(s.folder)
    task.setTaskExecutionFromFile(program.name, ["one", "two"])
    folders = [s.folder / "program", s.folder / "nothing"]
    for each in folders:
        each.mkdir()
    source(folders[0])
    execution = job_of(s, "execution", task)
    submitted(
        "execution",
        "setTaskExecutionFromFile",
        lambda: g.submitJobWithInputsAndOutputsPaths(execution, *map(str, folders)),
    )
    task = python_task(s, "read", "")
    task.setTaskImplementationFromFile(str(source(s.folder)))
    submitted("implementation", "setTaskImplementationFromFile", lambda: g.submitJob(job_of(s, "of_file", task)))
    task = python_task(s, "anonymous", "")
    task.setTaskExecutionFromLambdaFunction(lambda: 88 - 20 * 10)
    submitted("lambda", "setTaskExecutionFromLambdaFunction", lambda: g.submitJob(job_of(s, "lambda", task)))
    broken = python_task(s, "broken", 'print("about to fail")\nraise ValueError("on purpose")')
    submitted("broken", "submitJob(broken)", lambda: g.submitJob(job_of(s, "broken", broken)))
    sleeper = python_task(s, "sleeper", "import time\ntime.sleep(60)")
    submitted("sleeping", "submitJob(sleeping)", lambda: g.submitJob(job_of(s, "sleeping", sleeper)))

    files = python_task(
        s, "copy", 'text = open("in/data.txt").read()\nopen("out.txt", "w").write(text.upper())\nresult = text'
    )
    files.addInputFile("in/**")
    files.addOutputFile("out.txt")
    s.inputs, s.outputs = s.folder / "inputs", s.folder / "outputs"
    (s.inputs / "in").mkdir(parents=True)
    s.outputs.mkdir()
    (s.inputs / "in" / "data.txt").write_text("some data", encoding="utf-8")
    submitted(
        "files",
        "submitJobWithInputsAndOutputsPaths",
        lambda: g.submitJobWithInputsAndOutputsPaths(job_of(s, "files", files), str(s.inputs), str(s.outputs)),
    )
    if s.modern:
        modern(submitted, s, str(workflow))


def modern(submitted: Any, s: SimpleNamespace, workflow: str) -> None:
    """What 14 adds."""
    g = s.gateway
    custom = {
        "workflow_variables": {"who": "custom"},
        "workflow_generic_info": {"note": "kept"},
        "job_name": "customised",
        "job_description": "a description",
        "project_name": "a project",
    }
    # The client reads the workflow itself, and on Java 9 and later it cannot: ServiceRegistry is for ImageIO alone.
    if s.java_version < 9:
        submitted("custom", "submitCustomWorkflowFromFile", lambda: g.submitCustomWorkflowFromFile(workflow, **custom))
    task = python_task(s, "contained", "result = 1")
    task.setRuntimeEnvironment(type="none")
    submitted("runtime", "setRuntimeEnvironment", lambda: g.submitJob(job_of(s, "runtime", task)))
    task = python_task(s, "signalled", "result = 1")
    variable = dict.fromkeys(("model", "description", "group"), "") | {"name": "word", "value": "none"}
    task.setSignals({"go": [variable | {"advanced": False, "hidden": False}]})
    submitted("signal", "setSignals", lambda: g.submitJob(job_of(s, "signals", task)))


def source(folder: Path) -> Path:
    path = folder / "program.py"
    path.write_text("import sys\nprint('arguments', *sys.argv[1:])\nresult = 'of a file'\n", encoding="utf-8")
    return path


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
