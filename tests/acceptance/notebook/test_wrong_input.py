"""What a person may get wrong in a cell, and what the cell then says; and letters from everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: What is typed -> the error's name and the lines that must be in it.
WRONG = {
    "#%tsak(name=B)": ("UnknownPragma", "There is no pragma #%tsak.", "Did you mean #%task?"),
    "#%task(name=B, langauge=bash)": (
        "UnknownParameter",
        "there is no parameter langauge.",
        "Did you mean 'language'?",
    ),
    "#%task(name=B, language=pyhton)": ("BadValue", "not 'pyhton'.", "Did you mean 'Python'?"),
    "#%task(name=B, dep=[B])": ("BadValue", "task B cannot depend on itself."),
    "#%task(name=A, dep=[C])": ("BadValue", "task A cannot depend on C, which depends on A already."),
    "#%task(name=B, path=nowhere.py)": ("BadValue", "nowhere.py cannot be read: No such file or directory."),
    "#%task(name=B\nx = 1": ("PragmaSyntaxError", "the bracket '(' is never closed; ')' is expected."),
    "#%task(name=B)\nx = = 1": ("PragmaSyntaxError", "the code is not Python", "line 2:"),
    "#%delete_task(name=Z)": ("BadValue", "Known: A, C."),
    "#%job_status(job_id=4711)": ("UnknownJob", "There is no job 4711", "#%list_submitted_jobs()"),
    "#%job_status(job_name=Wrongg)": ("UnknownJob", "No job named 'Wrongg'", "Did you mean 'Wrong'?"),
    "#%get_task_result(task_name=Z)": ("BadValue", "has no task 'Z'.", "Known: A, C."),
    "#%import_xml(path=half.xml)": ("BadValue", "half.xml: Line 1, column", "not well-formed XML"),
    "#%import_xml(path=nowhere.xml)": ("BadValue", "nowhere.xml cannot be read: No such file or directory."),
    "#%export_xml(name=nowhere/job)": ("BadValue", "job.xml cannot be written: No such file or directory."),
    "#%configure(task=blok)": ("BadValue", "must be local, block or multiblock, not 'blok'.", "Did you mean 'block'?"),
    "#%stop()": ("UnknownPragma", "There is no pragma #%stop.", "Did you mean #%kill_job?"),
    "x = #%get_job_result()": ("PragmaSyntaxError", "a pragma has no value to assign", "into=x"),
    "%task(name=B)": ("PragmaSyntaxError", "it is written like a magic.", "Write it as #%task(...)."),
    "if True:\n    #%submit_job()": ("PragmaSyntaxError", "a pragma cannot be conditional"),
    "#%task(name=B dep=[A])": ("PragmaSyntaxError", "a comma is missing before dep=."),
    "#%kill_job(job_id=one)": ("BadValue", "job_id must be an integer of at least 1, not 'one'."),
}


@pytest.fixture(scope="module")
def session(kernel: Any, home: Path) -> Any:
    """A kernel with two tasks and a job that has run."""
    (home / "half.xml").write_text("<job>oops", encoding="utf-8")
    reply = kernel.run("#%task(name=A)\n1\n#%task(name=C, dep=[A])\n2\n#%submit_job(name=Wrong, wait=on)")
    assert reply.status == "ok"
    return kernel


@pytest.mark.parametrize("cell", WRONG)
def test_wrong_cell_says_what_and_changes_nothing(session: Any, cell: str) -> None:
    """The error names the fault, what is known or near, shows no frame of ours, and nothing of the cell was done."""
    name, *expected = WRONG[cell]
    reply = session.run(f"#%task(name=Before)\n0\n{cell}" if name == "UnknownPragma" else cell)
    assert (reply.status, reply.content["ename"]) == ("error", name)
    assert [part for part in expected if part not in reply.content["evalue"]] == []
    assert "proactive_jupyter_kernel/" not in "".join(reply.content["traceback"])
    # The tasks are still those two: it is what the error for an unknown one lists.
    assert "Known: A, C." in session.run("#%delete_task(name=Unheard)").content["evalue"]


def test_letters_from_everywhere(start_kernel: Callable[[], Any], home: Path) -> None:
    """Names of jobs, files, variables' values, descriptions, code, output, results and errors hold any letter."""
    session = start_kernel()
    folder = home / "Ωμέγα 文件"
    folder.mkdir()
    (folder / "скрипт.py").write_text("print('из файла ñ 🐍')\nresult = {'ключ': ['值', 'é']}", encoding="utf-8")
    defined = session.run(
        "#%task(name=U1, variables=[(v, 'žluťoučký 🐎, [x]')], path=Ωμέγα 文件/скрипт.py)\n"
        '#%task(name=U2, dep=[U1], language=bash)\necho "данные: $results_0" | tee /dev/stderr\n'
        "#%task(name=U3, dep=[U1])\nπ = results[0].value()['ключ']\nresult = π + [variables.get('größe')]\n"
        '#%job(name="Aufgabe 作业 ✓", description="Ñandú", variables=[(größe, "ß<&>")])'
    )
    assert defined.status == "ok", defined.content
    done = session.run("#%submit_job(wait=on)")
    assert done.status == "ok", done.content
    assert "    U1  из файла ñ 🐍\n" in done.data()[0]
    assert done.data()[0].count("    U2  данные: {ключ=[值, é]}") == 2
    found = session.run("#%get_job_result(job_name=Aufgabe 作业 ✓, into=found)\n[found['U1'], found['U3']]")
    assert found.data()[-1] == "[{'ключ': ['值', 'é']}, ['值', 'é', 'ß<&>']]"
    session.run("#%export_xml(name=Ωμέγα 文件/作业)")
    read = session.run(
        "#%import_xml(path=Ωμέγα 文件/作业.xml)\n#%submit_job(wait=on)\n#%get_result(into=again)\nagain == found"
    )
    assert read.data()[-1] == "True"
    session.run("#%task(name=U4)\nraise ValueError('не так 🙈')")
    failed = session.run("#%submit_job(wait=on)")
    assert "ValueError: не так 🙈" in failed.content["evalue"]
