"""The journal: what a restarted kernel offers, and that it restores nothing unless told to."""

from __future__ import annotations

import pytest
from tests.unit.pragmas.conftest import Notebook
from tests.unit.pragmas.test_ownership import BRANCH, run, tasks

from proactive_jupyter_kernel.errors import PragmaError, SchedulerUnreachable
from proactive_jupyter_kernel.pragmas import ownership

OFFER = (
    "* The journal has the draft from before the restart of the kernel: {} #%draft(restore=on) restores it, "
    "#%draft(restore=off) discards it. Cells that you run again need neither."
)


@pytest.fixture
def notebook(tmp_path) -> Notebook:
    """A notebook with a journal."""
    notebook = Notebook(tmp_path, memory=True)
    run(notebook, "configure", "#%configure(journal=on)")
    return notebook


def test_a_draft_is_offered_once_and_restored_on_request(notebook) -> None:
    """With every cell's identity, so that a cell that runs again replaces itself."""
    run(notebook, "j", "#%job(name=job, variables=[(v, 1)])\n#%import\nimport math")
    run(notebook, "a", "x = 1\n#%task(A)\n1\n#%pre_script(A)\np")
    for cell, text in BRANCH.items():
        run(notebook, cell, text)
    before = notebook.context.draft.build("job").workflow
    after = notebook.restarted()
    assert run(after, "h", "#%job_selection_script()\nselected = True\n#%help(help)")[0] == OFFER.format(
        "6 cells, tasks A, B, I, E."
    )
    ownership.deleted_cells(after.context, ["h"])
    assert tasks(after) == {}
    assert run(after, "d", "#%draft(restore=on)")[0] == "Restored the draft from 6 cells. Tasks: A, B, I, E."
    assert after.context.draft.build("job").workflow == before
    assert run(after, "a", "#%task(A2)\n2")[-1].startswith("* Removed task A: ")
    assert [row[-1] for row in after.frontend.tables[-1].rows][:2] == [
        "Cell In[3] (before the restart)",
        "Cell In[4] (before the restart)",
    ]


def test_it_may_be_discarded(notebook) -> None:
    """Then it is gone for good; `#%new_job` discards it, too."""
    run(notebook, "a", "#%task(A)\n1")
    assert notebook.restarted().run("#%draft(restore=off)")[0] == "Discarded the draft from before the restart."
    assert notebook.restarted().context.journal.offered == []
    with pytest.raises(PragmaError, match="the journal has no draft from before a restart"):
        notebook.restarted().run("#%draft(restore=on)")
    run(notebook, "a", "#%task(A)\n1")
    notebook.restarted().run("#%new_job()")
    assert notebook.restarted().context.journal.offered == []


def test_what_is_not_settled_is_offered_again(notebook) -> None:
    """Except for cells that ran again, or were deleted; with the journal on or off."""
    for cell in "abc":
        run(notebook, cell, f"#%task({cell.upper()})\n1")
    after = notebook.restarted()
    run(after, "a", "#%task(A)\n1")
    ownership.deleted_cells(after.context, ["b"])
    assert [cell.id for cell in after.restarted().context.journal.offered] == ["c"]
    run(after, "configure", "#%configure(journal=on)")
    run(after, "d", "#%task(D)\n1")
    assert [cell.id for cell in after.restarted().context.journal.offered] == ["a", "d", "c"]


def test_a_deleted_task_is_not_restored(notebook) -> None:
    """Though the cell that defined it, and another task, is."""
    run(notebook, "a", "#%task(A)\n1\n#%task(B, dep=A)\n1")
    run(notebook, "d", "#%delete_task(A)")
    after = notebook.restarted()
    assert run(after, "r", "#%draft(restore=on)")[0] == "Restored the draft from 1 cell. Tasks: B."
    assert tasks(after) == {"B": ("1", ())}


def test_a_cell_that_cannot_be_restored_is_named(notebook) -> None:
    """Its formula needs what the restarted Python does not have yet."""
    notebook.frontend.namespace["n"] = 3
    run(notebook, "a", "#%task(A)\n1")
    run(notebook, "b", "#%task(B, variables=[(v, =n)])\n1")
    after = notebook.restarted()
    assert run(after, "r", "#%draft(restore=on)")[:2] == [
        "Restored the draft from 1 cell. Tasks: A.",
        "! Not restored: Cell In[3] (before the restart): #%task: the expression for v cannot be evaluated: NameError: "
        "name 'n' is not defined. Run that cell.",
    ]


def test_cells_without_a_pragma_are_restored_in_their_mode(notebook) -> None:
    """Block and multiblock."""
    run(notebook, "m", "#%configure(task=block)")
    notebook.frontend.cell_id = "a"
    notebook.plain("1")
    run(notebook, "m", "#%configure(task=multiblock)")
    notebook.frontend.cell_id = "b"
    notebook.plain("2")
    after = notebook.restarted()
    run(after, "r", "#%draft(restore=on)")
    assert (tasks(after), after.context.cell_mode) == ({"block1": ("1\n2", ())}, "local")


def test_no_password_is_written(notebook) -> None:
    """The journal is a file."""
    with pytest.raises(SchedulerUnreachable):
        run(notebook, "a", "#%task(A)\n1\n#%connect(host=127.0.0.1, port=1, login=ada, password=s3cret)")
    (file,) = (notebook.folder / "memory").glob("*.journal.json")
    assert "s3cret" not in file.read_text()


def test_switched_off_it_is_empty(notebook) -> None:
    """And nothing is kept without it, or where the notebook is not known."""
    run(notebook, "a", "#%task(A)\n1")
    assert run(notebook, "c", "#%configure(journal=off)") == ["The journal of the draft is off."]
    run(notebook, "b", "#%task(B)\n1")
    assert notebook.restarted().context.journal.offered == []
    unknown = Notebook(notebook.folder)
    assert unknown.run("#%configure(journal=on)") == [
        "! A journal is not possible here: the front end does not provide the path of the notebook.",
        "The journal of the draft is off.",
    ]


def test_a_journal_that_cannot_be_written_is_one_warning(notebook) -> None:
    """The cells work on."""
    (notebook.folder / "memory").write_text("a file where the folder should be")
    texts = [*run(notebook, "a", "#%task(A)\n1"), *run(notebook, "b", "#%task(B)\n1")]
    assert [text[:44] for text in texts if text.startswith("!")] == ["! The journal is off: it cannot be written: "]


def test_the_settings_are_shown_without_any(notebook) -> None:
    """One line each."""
    assert notebook.run("#%configure()") == [
        "A cell without a pragma: it runs in the notebook's own Python.",
        "The journal of the draft is on.",
        "Names between tasks: a task gets what its import names.",
    ]
