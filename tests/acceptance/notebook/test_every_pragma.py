"""Every pragma that the reference kernel's users know, run in a real kernel on both schedulers."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.notebook.conftest import Kernel

from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS

#: The pragmas that notebooks rely on, by every name; the three of portals have two for one.
# fmt: off
NAMES = (
    "help", "connect", "import", "configure", "task", "pre_script", "post_script", "selection_script", "fork_env",
    "job_selection_script", "job_fork_env", "split", "runs", "process", "merge", "start", "condition", "loop",
    "branch", "if", "else", "continuation", "delete_task", "job", "draw_job", "write_dot", "import_dot",
    "export_xml", "submit_job", "list_submitted_jobs", "get_job_result", "get_result", "get_task_result",
    "print_job_output", "print_task_output", "show_resource_manager", "show_scheduling_portal",
    "show_workflow_automation", "show_workflow_execution", "runtime_env", "list_nodesources", "list_hosts",
    "list_tokens", "list_resources", "export_json", "import_json",
)
# fmt: on

CELLS = (
    "#%help()",
    "#%configure(task=local)",
    "#%import(language=Python)\nimport json",
    "#%job(name=every_pragma, variables=[(who, world)])",
    "#%task(name=first, export=[shared])\nshared = 'x'\nprint('in first')\nresult = 1",
    "#%pre_script(name=first, language=Python)\nprint('before')",
    "#%post_script(name=first, language=Python)\nprint('after')",
    "#%selection_script(name=first, language=Python)\nselected = True",
    "#%fork_env(name=first, language=Python)\nforkEnvironment.addSystemEnvironmentVariable('A', '1')",
    "#%task(name=surplus)\nresult = 0",
    "#%delete_task(name=surplus)",
    "#%split(name=split, dep=[first])\nresult = 1",
    "#%runs()\nruns = 2",
    "#%process(name=process)\nresult = 1",
    "#%merge(name=merge)\nresult = 1",
    "#%start(name=start)\nresult = 1",
    "#%condition()\nloop = false",
    "#%loop(name=loop)\nresult = 1",
    "#%branch(name=branch)\nresult = 1",
    "#%condition()\nbranch = 'if'",
    "#%if(name=if)\nresult = 1",
    "#%else(name=else)\nresult = 1",
    "#%continuation(name=continuation)\nresult = 1",
    "#%draw_job()",
    "#%write_dot(name=every)",
    "#%export_xml(name=every)",
    "#%export_json(name=every)",
    "#%submit_job()",
    "#%get_job_result()",
    "#%get_result(job_name=every_pragma)",
    "#%get_task_result(task_name=first)",
    "#%print_job_output()",
    "#%print_task_output(task_name=first)",
    "#%list_submitted_jobs()",
    "#%list_nodesources()",
    "#%list_hosts()",
    "#%list_tokens()",
    "#%list_resources()",
    "#%show_resource_manager()",
    "#%show_scheduling_portal(height=100, width=200)",
    "#%show_workflow_automation()",
    "#%show_workflow_execution()",
    # With them each task is a program of its own: they are not submitted.
    "#%job_selection_script(language=Python, force=on)\nselected = True",
    "#%job_fork_env(language=Python, force=on)\nforkEnvironment.addSystemEnvironmentVariable('B', '2')",
    "#%runtime_env(type=podman, image=docker.io/library/python)",
    "#%new_job()\n#%import_dot(path=every.dot)",
    "#%new_job()\n#%import_json(path=every.json)",
)


def test_every_name_is_declared_and_is_run_below() -> None:
    """No name is left out, neither of the registry nor of the notebook."""
    called = {name for cell in CELLS for name in re.findall(r"^#%(\w+)", cell, re.MULTILINE)} | {"connect"}
    assert (sorted(set(NAMES) - {*PRAGMAS.names()}), sorted(set(NAMES) - called)) == ([], [])


@pytest.fixture(params=["embedded", "server"])
def connect(request: pytest.FixtureRequest, stand_in: Callable[[], AbstractContextManager[Any]]) -> Iterator[str]:
    """The cell that connects to the embedded scheduler, or to the stand-in for a ProActive server."""
    with contextlib.ExitStack() as stack:
        cell = "#%connect(host=local)"
        if request.param == "server":
            server = stack.enter_context(stand_in())
            cell = f"#%connect(url={server.url}, login={server.login}, password={server.password})"
        yield cell


def test_a_notebook_of_every_pragma(start_kernel: Callable[[], Kernel], connect: str, home: Path) -> None:
    """Each of its cells ends well on either scheduler."""
    kernel = start_kernel()
    failed = {}
    for cell in (connect, *CELLS):
        reply = kernel.run(cell)
        if reply.status != "ok":
            failed[cell] = f"{reply.content.get('ename')}: {reply.content.get('evalue')}"
    assert failed == {}
