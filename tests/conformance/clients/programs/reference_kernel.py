"""A notebook of all pragmas of the reference kernel, run cell by cell in that kernel.

    python reference_kernel.py URL LOGIN PASSWORD FOLDER

The report is FOLDER/report.json, as that of `sdk.py`.
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

#: (cell, a regular expression that its output matches). `<URL>` and the like are filled in.
CELLS: tuple[tuple[str, str], ...] = (
    ("#%help()", "List of existing pragmas|#%connect"),
    ("#%help(pragma=task)", "#%task"),
    ("#%connect(url=<URL>, login=<LOGIN>, password=<PASSWORD>)", "Connected as '<LOGIN>'!"),
    ("#%connect(path=<FOLDER>/server.ini)", "Connected as '<LOGIN>'!"),
    ("#%list_nodesources()", "List of available node sources.*<td>(Default|Local|local)"),
    ("#%list_hosts()", "List of available hosts.*<td><HOST>"),
    ("#%list_tokens()", "token"),
    ("#%list_resources()", "List of available hosts"),
    ("#%configure(task=block)", "Switching to block mode"),
    ("#%import(language=Python)\nimport json\nimport os", ""),
    ("#%task(name=alone)\nresult = 'alone'", "alone"),
    ("#%runtime_env(type=none)", ""),
    ("#%submit_job(name=contained)", r"job_id: \d+"),
    ("#%get_task_result(task_name=alone)", r"Result:\s*alone"),
    ("#%delete_task(name=alone)", "Deleting task"),
    # In Python: each of the many tasks below would start a Java machine for Groovy, and the client waits a minute.
    (
        "#%job_fork_env(language=Python, force=on)\nforkEnvironment.addSystemEnvironmentVariable('ALL', '1')",
        "",
    ),
    ("#%job_selection_script(language=Python, force=on)\nselected = True", ""),
    (
        "#%task(name=first, generic_info=[(color,blue)], variables=[(size,big)], export=[shared],"
        " precious_result=true)\nshared = 'exported'\nprint('in first', variables.get('size'))\n"
        "result = json.dumps([1, 2])",
        "Task 'first' created",
    ),
    ("#%pre_script(name=first, language=Linux_Bash)\necho before first", "first"),
    ("#%post_script(name=first, language=Python)\nprint('after first')", "first"),
    ("#%task(name=second, dep=[first], import=[shared])\nprint('got', shared)\nresult = results[0].value()", "second"),
    ("#%selection_script(name=second, language=Groovy)\nselected = true", "second"),
    (
        "#%fork_env(name=second, language=Groovy)\n"
        'forkEnvironment.addSystemEnvironmentVariable("MARK", "set by the fork environment")',
        "second",
    ),
    ("#%task(name=shell, dep=[second], language=Linux_Bash)\necho from bash", "shell"),
    ("#%task(name=groovy, dep=[second], language=Groovy)\nprintln 'from groovy'\nresult = 1 + 1", "groovy"),
    ("#%task(name=filed, path=<FOLDER>/program.py, dep=[groovy])", "filed"),
    ("result = 'a cell without a pragma'", "DT"),
    ("#%job(name=chain, generic_info=[(note,kept)], variables=[(who,world)])", "Job 'chain' created"),
    ("#%draw_job(name=chain, inline=on, save=on)", "Plotting|Workflow created"),
    ("#%write_dot(name=chain)", "'chain.dot' file created"),
    ("#%export_xml(name=chain)", "'chain.xml' file created"),
    ("#%submit_job()", r"job_id: \d+"),
    ("#%get_job_result(job_name=chain)", r"\[1, 2\]"),
    ("#%get_task_result(job_name=chain, task_name=second)", r"\[1, 2\]"),
    ("#%get_task_result(task_name=groovy)", r"Result:\s*2"),
    ("#%print_job_output(job_name=chain)", "in first big"),
    ("#%print_task_output(job_name=chain, task_name=first)", "before first\\s+in first big\\s+after first"),
    ("#%print_task_output(task_name=shell)", "from bash"),
    ("#%get_task_result(task_name=filed)", "of a file"),
    ("#%list_submitted_jobs()", "Name: chain"),
    ("#%submit_job(name=on_a_source, nodesource=<SOURCE>)", r"job_id: \d+"),
    ("#%get_task_result(task_name=groovy)", r"Result:\s*2"),
    ("#%submit_job(name=on_a_host, host=<HOST>)", r"job_id: \d+"),
    ("#%get_task_result(task_name=groovy)", r"Result:\s*2"),
    ("#%job_selection_script(language=Python, force=on)\nselected = True", ""),
    ("#%submit_job(name=with_files, input_path=<FOLDER>/in, output_path=<FOLDER>/out)", r"job_id: \d+"),
    ("#%get_task_result(task_name=second)", r"\[1, 2\]"),
    ("#%split(name=split, dep=[first])\nresult = 'split'", "split"),
    ("#%runs()\nruns = 3", ""),
    ("#%process(name=process)\nresult = variables.get('PA_TASK_REPLICATION')", "process"),
    ("#%merge(name=merge)\nresult = len(results)", "merge"),
    ("#%start(name=start)\nprint('start')", "start"),
    ("#%condition()\nloop = variables.get('PA_TASK_ITERATION') < 1;", ""),
    ("#%loop(name=loop)\nresult = int(variables.get('PA_TASK_ITERATION'))", "loop"),
    ("#%branch(name=branch)\nresult = 'branch'", "branch"),
    ('#%condition()\nbranch = "if";', ""),
    ("#%if(name=if)\nresult = 'yes'", "if"),
    ("#%else(name=else)\nresult = 'no'", "else"),
    ("#%continuation(name=continuation)\nresult = 'continued'", "continuation"),
    ("#%submit_job(name=controls)", r"job_id: \d+"),
    ("#%get_task_result(task_name=merge)", r"Result:\s*3"),
    ("#%get_task_result(task_name=loop)", r"Result:\s*0"),
    ("#%get_task_result(task_name=continuation)", "continued"),
    ("#%import_dot(path=./chain.dot)", "Task 'first' already exists.*Task 'filed' already exists"),
    ("#%show_resource_manager()", "<iframe.*<URL>/rm/"),
    ("#%show_scheduling_portal(height=100, width=200)", "<iframe.*<URL>/scheduler/"),
    ("#%show_workflow_automation()", "<iframe.*<URL>/automation-dashboard/"),
    ("#%configure(task=multiblock)", "Switching to multiblock mode"),
    ("#%task(name=many)\nvalue = 20", "many"),
    ("result = value + 1", "Adding current script to task 'many'"),
    ("#%submit_job(name=blocks)", r"job_id: \d+"),
    ("#%get_task_result(task_name=many)", r"Result:\s*21"),
)


def main() -> None:
    url, login, password, place = sys.argv[1:]
    folder = Path(place)
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "program.py").write_text("result = 'of a file'\n", encoding="utf-8")
    (folder / "server.ini").write_text(
        f"[proactive_server]\nurl = {url}\n[user]\nlogin = {login}\npassword = {password}\n", encoding="utf-8"
    )
    filled = {"URL": url, "LOGIN": login, "PASSWORD": password, "FOLDER": place, "HOST": socket.gethostname()}
    filled["SOURCE"] = "Default"
    # As `jupyter` starts it, from a kernelspec, in the notebook's folder.
    spec = folder / "kernels" / "reference"
    spec.mkdir(parents=True)
    launcher = str(Path(__file__).with_name("kernel_launcher.py"))
    argv = [sys.executable, launcher, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "r", "language": "python"}))
    os.environ["JUPYTER_PATH"] = place
    os.environ["MPLBACKEND"] = "agg"
    # The kernel takes its id from the name of this file, as Jupyter Server writes it.
    manager = KernelManager(kernel_name="reference", connection_file=str(folder / "kernel-1.json"))
    manager.start_kernel(cwd=place)
    client = manager.client()
    client.start_channels()
    rows: list[dict[str, Any]] = []
    try:
        client.wait_for_ready(timeout=60)
        run(client, filled, rows)
        client.stop_channels()
    finally:
        (folder / "report.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        manager.shutdown_kernel()


def run(client: BlockingKernelClient, filled: dict[str, str], rows: list[dict[str, Any]]) -> None:
    for cell, pattern in CELLS:
        for name, value in filled.items():
            cell = cell.replace(f"<{name}>", value)
            pattern = pattern.replace(f"<{name}>", re.escape(value))
        begun = time.monotonic()
        output: list[str] = []
        hear = functools.partial(heard, output)
        try:
            reply = client.execute_interactive(cell, timeout=60, allow_stdin=False, output_hook=hear)
            status = reply["content"]["status"]
        except TimeoutError:
            status = "no answer"
        said = "".join(output)
        right = status == "ok" and re.search(pattern, said, re.DOTALL) is not None
        row = {"call": cell, "right": right, "value": f"{status}: {said}"}
        rows.append(row | {"seconds": round(time.monotonic() - begun, 2)} | ({} if right else {"expected": pattern}))
        if status == "no answer":
            return


def heard(output: list[str], message: dict[str, Any]) -> None:
    content = message["content"]
    if message["msg_type"] == "stream":
        output.append(str(content["text"]))
    elif message["msg_type"] == "error":
        output.append(f"{content['ename']}: {content['evalue']}")
    else:
        output.append(str(content.get("data", {}).get("text/html", "")))


if __name__ == "__main__":
    main()
