"""Names that tasks need from each other: proposed, or added with `propagate=auto`."""

from __future__ import annotations

import pytest

TASKS = """#%task(Load)
import math as m
rows = [1, 2]
unused = 3
def half(x):
    return m.floor(x / divisor)
divisor = 2
#%task(Between, dep=Load)
print('between')
#%task(Use, dep=Between)
result = half(rows[0]) + m.pi"""


@pytest.fixture
def automatic(notebook):
    """A notebook that adds exports and imports by itself."""
    notebook.run("#%configure(propagate=auto)")
    return notebook


def scripts(notebook) -> dict[str, str]:
    workflow = notebook.context.draft.build("job").workflow
    return {task.name: task.executable.code for task in workflow.tasks}


def test_values_are_exported_and_imported(automatic) -> None:
    """Only the names that a later task reads travel; a task between them is left alone."""
    automatic.run(TASKS)
    found = scripts(automatic)
    assert 'variables.put("rows", rows)' in found["Load"]
    assert "unused" not in found["Load"].split("unused = 3")[1]
    assert found["Between"] == "print('between')"
    assert 'rows = variables.get("rows")' in found["Use"]


def test_modules_and_functions_are_repeated_with_what_they_need(automatic) -> None:
    """An import is written again, a definition is repeated, and the values it reads travel."""
    automatic.run(TASKS)
    lines = scripts(automatic)["Use"].split("\n")
    assert "import math as m" in lines
    assert "def half(x):" in lines
    assert 'divisor = variables.get("divisor")' in lines
    assert lines.index("import math as m") < lines.index("result = half(rows[0]) + m.pi")


def test_cell_says_what_its_task_takes(automatic) -> None:
    """The answer to the cell names the variables and where they come from."""
    automatic.run("#%task(Load)\nrows = [1]")
    assert automatic.run("#%task(Use, dep=Load)\nprint(rows)") == [
        "Defined task Use (Python, after Load, takes rows from Load)."
    ]


def test_nothing_is_added_unless_asked_for(notebook) -> None:
    """Without `propagate=auto` the scripts are as written."""
    notebook.run("#%task(Load)\nrows = [1]\n#%task(Use, dep=Load)\nprint(rows)")
    assert scripts(notebook) == {"Load": "rows = [1]", "Use": "print(rows)"}


def test_explicit_exports_and_imports_are_not_doubled(automatic) -> None:
    """What the pragmas say already is not added again."""
    automatic.run("#%task(Load, export=rows)\nrows = [1]\n#%task(Use, dep=Load, import=rows)\nprint(rows)")
    assert scripts(automatic)["Load"].count('variables.put("rows", rows)') == 1
    assert scripts(automatic)["Use"].count('rows = variables.get("rows")') == 1


def test_lines_of_the_cell_keep_their_places(automatic) -> None:
    """Errors are still mapped to the cell although lines were added."""
    automatic.run(TASKS)
    source = automatic.context.draft.build("job").sources["Use"].scripts["task"]
    line = source.script.split("\n").index("result = half(rows[0]) + m.pi") + 1
    assert source.place(line) == ("Cell In[2]", 11)
