"""File patterns for a ProActive server: the same files as on the embedded scheduler."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.pragmas.jobs.server_code import for_server
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.globs import compile_pattern

OWN = "{.pa_nodes_*,.tasks-progress/**,*/TaskLogs-*.log}"
PATHS = [
    "a.csv",
    "a,b.csv",
    "d/a.csv",
    "d/e/a.csv",
    "r1.txt",
    "d/r1.txt",
    "tmp/x",
    "d/x.tmp",
    ".pa_nodes_12t3",
    ".tasks-progress/12t3",
    "12/TaskLogs-12-3.log",
    "d/run.log",
]
SERVERS_OWN = {".pa_nodes_12t3", ".tasks-progress/12t3", "12/TaskLogs-12-3.log"}


def chosen(includes: str, excludes: str) -> set[str]:
    include, exclude = compile_pattern(includes), compile_pattern(excludes) if excludes else None
    return {path for path in PATHS if include.matches(path) and not (exclude and exclude.matches(path))}


def sent(notebook, arguments: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The patterns of a task's files, inputs and outputs, as they were written and as they are sent to a server."""
    notebook.run(f"#%task(A, {arguments})\n1")
    built = notebook.context.draft.build("job")
    return tuple(
        [(one.includes, one.excludes) for one in (*task.input_files, *task.output_files)]
        for task in (built.workflow.tasks[0], for_server(built).workflow.tasks[0])
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("**.csv", "{**.csv}"),
        ("r**.txt", "{r**.txt}"),
        ("d/**.csv", "{d/**.csv}"),
        ("a**/*.csv", "{a**/*.csv}"),
        ("**/*.csv", "**/*.csv"),
        ("d/**", "d/**"),
        ("**", "**"),
        ("*.csv", "*.csv"),
        ("[ab]**.csv", "[ab]**.csv"),
        ("{a,b}**.csv", "{a,b}**.csv"),
        ("regex:.*\\.csv", "regex:.*\\.csv"),
        ("${PREFIX}**.csv", "{${PREFIX}**.csv}"),
    ],
)
def test_input_patterns_look_into_folders(notebook, written: str, told: str) -> None:
    """Where a server would look into none; other patterns stay, and all choose what they chose."""
    before, after = sent(notebook, f"input_files=['{written}']")
    assert (before, after) == ([(written, "")], [(told, "")])
    if "$" not in written:
        assert chosen(told, "") == chosen(written, "")


@pytest.mark.parametrize(
    ("written", "left_out", "told"),
    [
        ("**", "", ("**", OWN)),
        ("**", "tmp/**", ("**", "{tmp/**," + OWN[1:])),
        ("**", "{tmp,d}/**", ("**", "{tmp/**,d/**," + OWN[1:])),
        ("**", "{a,b}{1,2}", ("**", "{a1,a2,b1,b2," + OWN[1:])),
        ("**", "**.{tmp,csv}", ("**", "{**.tmp,**.csv," + OWN[1:])),
        ("**.log", "", ("{**.log}", "*/TaskLogs-*.log")),
        ("*", "*.csv", ("*", "{*.csv,.pa_nodes_*}")),
        ("d/**", "", ("d/**", "")),
        ("*.csv", "a*", ("*.csv", "a*")),
        ("regex:.*", "regex:tmp/.*", None),
    ],
)
def test_output_patterns_leave_out_the_servers_files(
    notebook, written: str, left_out: str, told: tuple[str, str] | None
) -> None:
    """Those that the pattern would choose, beside what the author leaves out; of other files the same are chosen."""
    excludes = f", output, '{left_out}'" if left_out else ", output"
    before, after = sent(notebook, f"output_files=[('{written}'{excludes})]")
    assert before == [(written, left_out)]
    if told is not None:
        assert after == [told]
    assert chosen(*after[0]) == chosen(written, left_out) - SERVERS_OWN


def test_patterns_of_imported_workflows_stay(notebook, tmp_path) -> None:
    """Who wrote the file knows the server."""
    notebook.run("#%task(A, output_files=[**.csv])\n1")
    path = tmp_path / "job.xml"
    path.write_text(xml.dumps(notebook.context.draft.build("job").workflow), encoding="utf-8")
    notebook.run(f"#%import_xml(path={path})")
    built = notebook.context.draft.build("job")
    assert for_server(built).workflow.tasks[0].output_files == built.workflow.tasks[0].output_files
