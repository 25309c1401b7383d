"""Workflows as files: what is written and read, in every format, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import BadValue


def test_a_workflow_goes_to_a_file_and_comes_back(notebook) -> None:
    """Tasks keep their scripts; what was drafted before is replaced, with a notice."""
    folder = notebook.frontend.folder
    notebook.run("#%job(name=a/b, variables=[(v, 1)])\n#%task(A, import=[v])\nresult = v\n#%task(B, dep=A)\n2")
    built = notebook.context.draft.build("a/b").workflow
    assert notebook.run("#%export_xml()") == [
        f"Exported workflow 'a/b' (2 tasks) as ProActive XML to {folder / 'a_b.xml'}."
    ]
    notebook.run("#%export_xml(name=copy)")
    assert (folder / "copy.xml").read_text(encoding="utf-8") == (folder / "a_b.xml").read_text(encoding="utf-8")
    assert notebook.run("#%import_xml(copy.xml)") == [
        "Imported workflow 'a/b' (2 tasks).",
        "* It replaces the job built before, with its 2 tasks.",
    ]
    assert notebook.context.draft.build("a/b").workflow == built


def test_tasks_from_a_file_can_be_built_upon(notebook) -> None:
    """They can be dependencies, deleted and redefined; their exports are unknown."""
    notebook.run("#%job(name=job)\n#%task(A)\nvariables.put('v', 1)\n#%export_xml(name=w)\n#%import_xml(path=w.xml)")
    notebook.run("#%task(B, dep=[A], import=[v])\nresult = v")
    assert [task.name for task in notebook.context.draft.build("job").workflow.tasks] == ["A", "B"]
    assert notebook.run("#%task(A)\npass") == ["* Redefined task A (Python)."]


def test_files_that_cannot_be_used_are_reported(notebook) -> None:
    """Missing, unreadable, not writable."""
    folder = notebook.frontend.folder
    (folder / "bad.xml").write_text("<job")
    with pytest.raises(BadValue, match=r"none\.xml cannot be read: No such file or directory"):
        notebook.run("#%import_xml(path=none.xml)")
    with pytest.raises(BadValue, match=r"#%import_xml: bad\.xml: "):
        notebook.run("#%import_xml(path=bad.xml)")
    notebook.run("#%task(A)")
    with pytest.raises(BadValue, match="cannot be written: No such file or directory"):
        notebook.run("#%export_xml(name=no/such/folder)")


def test_a_workflow_from_elsewhere_reads_no_file_outside_its_folder(notebook) -> None:
    """A script's path that leaves the folder of the workflow file is refused."""
    folder = notebook.frontend.folder
    (folder / "inside").mkdir()
    (folder / "secret.groovy").write_text("secret")
    (folder / "inside" / "w.xml").write_text(
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="job"><taskFlow><task name="A"><scriptExecutable><script>'
        '<file path="../secret.groovy"/></script></scriptExecutable></task></taskFlow></job>'
    )
    with pytest.raises(BadValue, match="outside the folder"):
        notebook.run("#%import_xml(path=inside/w.xml)")


CONTROLS = """#%job(name=controls)
#%branch(name=Ask)
result = 1
#%condition()
branch = "if";
#%if(name=Yes)
#%else(name=No)
#%continuation(name=Join)
#%start(name=First, dep=[Join])
#%condition()
loop = false;
#%loop(name=Last)
#%post_script(name=Last, language=Linux_Bash)
echo "a\\n" """


@pytest.mark.parametrize(
    ("write", "read", "extension"),
    [
        ("export_xml", "import_xml", ".xml"),
        ("export_json", "import_json", ".json"),
        ("export_as_json", "import_as_json", ".json"),
        ("write_dot", "import_dot", ".dot"),
    ],
)
def test_controls_and_scripts_survive_every_format(notebook: Any, write: str, read: str, extension: str) -> None:
    """The same workflow, and the same file when it is written again."""
    notebook.run(CONTROLS)
    built = notebook.context.draft.build("controls").workflow
    notebook.run(f"#%{write}(name=first)\n#%{read}(path=first{extension})\n#%{write}(second{extension})")
    assert notebook.context.draft.build("controls").workflow == built
    first, second = ((notebook.frontend.folder / f"{name}{extension}").read_bytes() for name in ("first", "second"))
    assert first == second


def test_a_dot_file_of_others_becomes_a_job(notebook: Any) -> None:
    """Notices list the changes, and the problems that prevent a submission."""
    (notebook.frontend.folder / "g.dot").write_text('digraph plan { "step 1" -> b -> c; c -> b }')
    assert notebook.run("#%import_dot(g.dot)") == [
        "Imported workflow 'plan' (3 tasks).",
        "! Node 'step 1' became task 'step_1': a task cannot have the other name.",
        "! The file holds no scripts: its 3 tasks have no code yet.",
        "! Before it can be submitted: Task 'b': Infinite recursion detected. The tasks wait for each other in a "
        "cycle: b → c → b.",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("#%export_xml(name=.)", r"'\.' names a folder, not a file\."),
        (
            "#%export_json(name=~nobody-of-this-name/x)",
            "~nobody-of-this-name is not the home folder of a user",
        ),
        (
            "#%import_json(path=~nobody-of-this-name/x)",
            "~nobody-of-this-name is not the home folder of a user",
        ),
        ("#%import_json(path=bad.json)", r"bad\.json: Line 2, column 1: this is not JSON"),
        ("#%import_dot(path=bad.dot)", r"bad\.dot: Line 1, column 13: a node or '\{' is expected"),
        ("#%import_xml(path=.)", r"\. cannot be read: Is a directory\."),
    ],
)
def test_bad_names_and_files_are_reported(notebook: Any, line: str, message: str) -> None:
    """Never as an exception of ours; with the line of the file."""
    (notebook.frontend.folder / "bad.json").write_text("{\n")
    (notebook.frontend.folder / "bad.dot").write_text("digraph {a->")
    notebook.run("#%task(A)")
    with pytest.raises(BadValue, match=message):
        notebook.run(line)
    assert list(notebook.context.draft.tasks) == ["A"]


def test_json_is_the_published_format(notebook: Any) -> None:
    """A file that other programs can read."""
    notebook.run("#%job(name=ab)\n#%task(A)\nprint(1)\n#%export_as_json(name=x)")
    assert json.loads((notebook.frontend.folder / "x.json").read_text()) == {
        "format": "proactive-workflow/1",
        "name": "ab",
        "tasks": [{"name": "A", "executable": {"type": "script", "language": "cpython", "code": "print(1)"}}],
    }


def test_xml_for_an_older_server(notebook, tmp_path: Path) -> None:
    """What its schema does not have is left out, with a warning; the code for a server is added where it is wanted."""
    notebook.run("#%job(name=jj)\n#%task(A)\nresult = 1")
    notebook.run("#%export_json(j)")
    data = json.loads((tmp_path / "j.json").read_text())
    (tmp_path / "j.json").write_text(json.dumps({**data, "tags": ["t"]}))
    plain = notebook.run("#%import_json(j.json)\n#%export_xml(old, schema=3.13)")
    notebook.run("#%new_job\n#%job(name=kk)\n#%task(A)\nresult = 1")
    notebook.run("#%export_xml(k, for_server=on)")
    assert "! Schema 3.13 has no tags: left out for the job." in plain
    assert [name for name in ("old", "k") if "_proactive_task" in (tmp_path / f"{name}.xml").read_text()] == ["k"]
    assert 'jobdescriptor:3.13"' in (tmp_path / "old.xml").read_text()
