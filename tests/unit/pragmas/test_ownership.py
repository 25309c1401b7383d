"""Cells own what they contribute: edited, re-run, deleted and refused cells, and what the draft holds after them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.client.python_code import as_written
from proactive_jupyter_kernel.errors import PragmaError, ProActiveError
from proactive_jupyter_kernel.pragmas import ownership

BRANCH = {
    "b": "#%branch(B)",
    "c": "#%condition()\nbranch = 'if';",
    "i": "#%if(I)",
    "e": "#%else(E)",
}


def run(notebook: Notebook, cell: str, text: str) -> list[str]:
    """Run a cell that the front end calls `cell`."""
    notebook.frontend.cell_id = cell
    return notebook.run(text)


def refused(notebook: Notebook, cell: str, text: str) -> str:
    """Run a cell that is refused."""
    with pytest.raises(PragmaError) as caught:
        run(notebook, cell, text)
    return caught.value.message


def tasks(notebook: Notebook) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each task's script and dependencies."""
    draft = notebook.context.draft
    return {name: (draft.script(entry).script, entry.task.depends) for name, entry in draft.tasks.items()}


# -- names


def test_a_renamed_task_leaves_nothing_behind(notebook) -> None:
    """The old name is gone, and what still depends on it is named."""
    run(notebook, "a", "#%task(A)\n1")
    run(notebook, "b", "#%task(B, dep=A)\n2")
    assert run(notebook, "a", "#%task(A2)\n1") == [
        "Defined task A2 (Python).",
        "* Removed task A: this cell no longer defines it. B still depends on it: change dep there, or define A again.",
    ]
    assert tasks(notebook) == {"A2": ("1", ()), "B": ("2", ("A",))}
    with pytest.raises(ProActiveError, match="'B': Unknown dependence: A"):
        notebook.run("#%submit_job()")


def test_the_order_of_the_tasks_stays_when_cells_run_again(notebook) -> None:
    """A cell keeps its place."""
    for cell in "abc":
        run(notebook, cell, f"#%task({cell.upper()})\n1")
    assert run(notebook, "a", "#%task(A)\n2") == ["* Redefined task A (Python)."]
    assert tasks(notebook) == {"A": ("2", ()), "B": ("1", ()), "C": ("1", ())}


def test_a_name_that_is_taken_over_is_a_warning_that_names_the_cell(notebook) -> None:
    """The cell that ran last has it; when that cell is gone, the other one has it again."""
    run(notebook, "a", "#%task(A)\n1")
    assert run(notebook, "b", "#%task(A)\n2") == [
        "! Task A was the task of Cell In[1], which no longer counts. Two cells should not define the same task: "
        "rename one of them, or delete it.",
        "* Redefined task A (Python).",
    ]
    assert tasks(notebook) == {"A": ("2", ())}
    run(notebook, "a", "#%task(A)\n3")
    assert tasks(notebook) == {"A": ("3", ())}
    run(notebook, "b", "#%task(A)\n4")
    ownership.deleted_cells(notebook.context, ["b"])
    assert tasks(notebook) == {"A": ("3", ())}


def test_without_identities_a_task_is_redefined_as_ever(notebook) -> None:
    """A terminal: no warning, nothing removed."""
    notebook.run("#%task(A)\n1")
    assert notebook.run("#%task(A)\n2") == ["* Redefined task A (Python)."]
    notebook.run("#%task(B)\n1")
    assert tasks(notebook) == {"A": ("2", ()), "B": ("1", ())}


def test_a_copied_cell_is_a_cell_of_its_own(notebook) -> None:
    """Same text, another identity."""
    run(notebook, "a", "#%task(A)\n1\n#%task(B)\n2")
    assert [text[:2] for text in run(notebook, "copy", "#%task(A)\n1\n#%task(B)\n2")] == ["! ", "* "] * 2
    ownership.deleted_cells(notebook.context, ["a"])
    assert tasks(notebook) == {"A": ("1", ()), "B": ("2", ())}


# -- pragmas and cells that are gone


def test_a_removed_pragma_removes_its_task(notebook) -> None:
    """Whether the cell has other pragmas now, or none."""
    run(notebook, "a", "#%task(A)\n1\n#%task(B)\n2")
    assert run(notebook, "a", "#%task(B)\n2") == [
        "* Redefined task B (Python).",
        "* Removed task A: this cell no longer defines it.",
    ]
    assert run(notebook, "a", "#%job(name=job)")[1:] == [
        "* Removed task B: this cell no longer defines it.",
    ]
    run(notebook, "b", "#%task(B)\n2")
    notebook.frontend.shown.clear()
    ownership.plain_cell(notebook.context, "b")
    assert notebook.frontend.texts == ["* Removed task B: its cell no longer has a pragma for it."]
    assert tasks(notebook) == {}


def test_a_task_is_removed_before_its_cell_submits(notebook) -> None:
    """The job has what the cell says now."""
    run(notebook, "a", "#%task(A)\n1\n#%submit_job()")
    run(notebook, "a", "#%task(B)\n1\n#%submit_job()")
    run(notebook, "c", "#%task(C)\n1")
    run(notebook, "a", "#%submit_job()")
    assert [[task.name for task in notebook.context.scheduler.job(number).tasks] for number in (1, 2, 3)] == [
        ["A"],
        ["B"],
        ["C"],
    ]


def test_a_deleted_cell_takes_everything_along(notebook) -> None:
    """Tasks, scripts around tasks and for the job, prepended and appended code, settings."""
    run(notebook, "a", "#%task(A)\n1")
    before = notebook.context.draft.build("job")
    run(notebook, "b", "#%pre_script(A)\npre\n#%selection_script(A)\nselected = True\n#%import\nimport math")
    run(notebook, "c", "#%job_fork_env(language=groovy)\nx\n#%job(name=nn, variables=[(v, 1)], priority=high)")
    notebook.run("#%configure(task=multiblock)")
    notebook.frontend.cell_id = "d"
    notebook.plain("2")
    assert notebook.script("A") == "import math\n1\n2"
    notebook.frontend.shown.clear()
    ownership.deleted_cells(notebook.context, ["b", "c", "d", "never ran"])
    assert notebook.context.draft.build("job") == before
    assert notebook.frontend.texts == []


def test_a_deleted_step_takes_what_builds_on_it_out_of_the_draft(notebook) -> None:
    """The other cells of the control are named; with the step again, they count again."""
    for cell, text in BRANCH.items():
        run(notebook, cell, text)
    whole = notebook.context.draft.build("job")
    notebook.frontend.shown.clear()
    ownership.deleted_cells(notebook.context, ["c"])
    assert notebook.frontend.texts == [
        "* Removed task E: in Cell In[4], step #%else (E) has no control to belong to: #%condition is expected next, "
        "in the control that starts with task B.",
        "* Removed task I: in Cell In[3], step #%if (I) has no control to belong to: #%condition is expected next, in "
        "the control that starts with task B.",
    ]
    run(notebook, "c2", BRANCH["c"])
    run(notebook, "i", BRANCH["i"])
    run(notebook, "e", BRANCH["e"])
    assert notebook.context.draft.build("job").workflow == whole.workflow


def test_a_script_for_a_task_whose_cell_moved_counts_again(notebook) -> None:
    """Cut and paste gives a cell another identity and another place."""
    run(notebook, "a", "#%task(A)\n1")
    run(notebook, "b", "#%post_script(A)\npost")
    before = notebook.context.draft.build("job").workflow
    ownership.deleted_cells(notebook.context, ["a"])
    assert [one.reason for one in notebook.context.draft.inactive] == [
        "post script of A, which no cell before it defines"
    ]
    run(notebook, "a2", "#%task(A)\n1")
    assert (notebook.context.draft.build("job").workflow, notebook.context.draft.inactive) == (before, [])


def test_a_deleted_task_is_back_when_its_cell_runs_again(notebook) -> None:
    """Deleting is done once, and needs no cell to stay deleted."""
    run(notebook, "a", "#%task(A)\n1")
    run(notebook, "b", "#%task(B)\n1")
    assert run(notebook, "d", "#%delete_task(A)") == ["Deleted task A."]
    ownership.deleted_cells(notebook.context, ["d"])
    assert list(tasks(notebook)) == ["B"]
    run(notebook, "a", "#%task(A)\n1")
    assert list(tasks(notebook)) == ["A", "B"]


def test_generated_names_stay_when_their_cells_run_again(notebook) -> None:
    """Also of two cells with the same text."""
    for cell in "ab":
        run(notebook, cell, "#%split()\n#%runs\nruns=1\n#%process()\n#%merge()")
    for cell in "ba":
        run(notebook, cell, "#%split()\n#%runs\nruns=2\n#%process()\n#%merge()")
    assert list(tasks(notebook)) == ["split1", "process1", "merge1", "split2", "process2", "merge2"]


# -- refused cells


def test_a_refused_cell_changes_nothing(notebook) -> None:
    """Neither one that cannot be read, nor one whose second pragma fails."""
    run(notebook, "a", "#%task(A)\n1\n#%task(B)\n1")
    before = tasks(notebook)
    refused(notebook, "a", "#%task(A, dpe=B)\n2")
    assert tasks(notebook) == before
    refused(notebook, "a", "#%task(A)\n2\n#%task(B, import=[none])\n2")
    assert tasks(notebook) == {"A": ("2", ()), "B": ("1", ())}


def test_a_job_with_an_older_version_of_a_refused_task_is_not_submitted(notebook) -> None:
    """Until the cell runs well, is deleted, or the task is given up."""
    run(notebook, "a", "#%task(A)\n1")
    refused(notebook, "a", "#%task(A)\n1 +")
    notebook.frontend.cell_id = "s"
    with pytest.raises(PragmaError) as caught:
        notebook.run("#%submit_job()")
    assert (caught.value.message, caught.value.hint) == (
        "#%submit_job: the job has an older version of task A: Cell In[2] was refused. #%task: the code is not Python: "
        "invalid syntax.",
        "Correct that cell and run it, or delete it. #%delete_task(name=A) submits without the task.",
    )
    assert notebook.server.requests == []
    run(notebook, "a", "#%task(A)\n2")
    run(notebook, "s", "#%submit_job()")
    # On a server there is code around it.
    assert as_written(notebook.submitted_script(1, "A").split("\n")[-2 if notebook.on_server else -1]) == "2"


def test_a_job_that_needs_a_refused_task_is_not_submitted(notebook) -> None:
    """One that does not need it is, with a warning."""
    run(notebook, "z", "#%task(Z)\n1")
    refused(notebook, "a", "#%task(name=A, walltime=soon)\n1")
    assert run(notebook, "s", "#%submit_job()")[0] == (
        "! The job lacks task A: Cell In[2] was refused. #%task: walltime must be a time: seconds, MM:SS or "
        "HH:MM:SS, longer than 0, not 'soon'."
    )
    assert any("The job lacks task A: Cell" in text for text in run(notebook, "p", "#%draw_job()"))
    run(notebook, "b", "#%task(B, dep=A)\n1")
    with pytest.raises(PragmaError, match="the job lacks task A, which B needs: Cell In"):
        run(notebook, "s", "#%submit_job()")
    assert run(notebook, "d", "#%delete_task(A)") == ["The job lacks task A, whose cell was refused."]
    with pytest.raises(ProActiveError, match="'B': Unknown dependence: A"):
        run(notebook, "s", "#%submit_job()")


@pytest.mark.parametrize(
    "end",
    [
        lambda notebook: ownership.deleted_cells(notebook.context, ["a"]),
        lambda notebook: ownership.plain_cell(notebook.context, "a"),
        lambda notebook: run(notebook, "other", "#%task(A)\n1"),
        lambda notebook: run(notebook, "a", "#%task(A)\n1"),
        lambda notebook: run(notebook, "a", "#%help()"),
        lambda notebook: run(notebook, "n", "#%new_job()"),
    ],
    ids=["deleted", "plain", "elsewhere", "corrected", "other pragma", "new job"],
)
def test_a_refusal_is_forgotten(notebook, end) -> None:
    """When nothing is missing any more."""
    refused(notebook, "a", "#%task(A)\n1 +")
    assert len(list(notebook.context.refusals)) == 1
    end(notebook)
    assert list(notebook.context.refusals) == []


def test_without_identities_a_refusal_is_a_warning_until_its_task_is_defined(notebook) -> None:
    """A terminal cannot tell which input corrects which."""
    notebook.run("#%task(Z)\n1")
    refused(notebook, "", "#%task(A)\n1 +\n#%task(B)\n1")
    assert [text[:20] for text in notebook.run("#%submit_job()")[:2]] == ["! The job lacks task"] * 2
    notebook.run("#%task(A)\n1\n#%task(B)\n1")
    assert notebook.run("#%submit_job()") == []


# -- tasks that are defined later


def test_a_task_defined_later_satisfies_a_dependency(notebook) -> None:
    """Also an import of what it exports; the cell says what is expected, with the nearest name."""
    assert notebook.run("#%task(B, dep=[A], import=[v], runs=n)\nv") == [
        "* dep names task A, which is not defined yet. Define it before the job is submitted.",
        "* No task before B exports variable v yet. Export it before the job is submitted.",
        "* No task before B exports variable n yet. Export it before the job is submitted.",
        "Defined task B (Python, after A).",
    ]
    with pytest.raises(ProActiveError, match="'B': Unknown dependence: A"):
        notebook.run("#%submit_job()")
    notebook.run("#%task(A, export=[v, n])\nv = n = 1\n#%submit_job()")
    notebook.run("#%task(Load)")
    assert notebook.run("#%task(C, dep=Laod)")[0] == (
        "! dep names task Laod, which is not defined yet. Define it before the job is submitted. Did you mean 'Load'?"
    )


def test_a_dependency_on_a_later_task_cannot_close_a_circle(notebook) -> None:
    """The task that would close it is refused."""
    notebook.run("#%task(B, dep=[A])\n1")
    with pytest.raises(PragmaError, match="task A cannot depend on B, which depends on A already"):
        notebook.run("#%task(A, dep=[B])\n1")


def test_a_control_may_follow_a_later_task(notebook) -> None:
    """The order of the definitions does not matter."""
    notebook.run("#%split(S, dep=[A], import=[n])\n1\n#%runs\nruns=n\n#%process(P)\n1\n#%merge(M)\n1")
    notebook.run("#%task(Z, dep=[Y])\n1")
    notebook.run("#%task(A, export=[n])\nn = 2\n#%task(Y, dep=[M])\n1")
    assert {task.name: task.depends for task in notebook.context.draft.build("job").workflow.tasks} == {
        "S": ("A",),
        "P": ("S",),
        "M": ("P",),
        "Z": ("Y",),
        "A": (),
        "Y": ("M",),
    }


def test_terminal_forgets_a_nameless_refusal_once_the_pragma_is_right(notebook) -> None:
    """No cell can be run again there, and the task that was meant cannot be told."""
    for text in ("#%task(nam=A)\n1", '#%task(name="my task")\n1'):
        refused(notebook, "", text)
    assert len(list(notebook.context.refusals)) == 2
    run(notebook, "", "#%task(A)\n1")
    assert list(notebook.context.refusals) == []


# -- new_job, draft


def test_a_new_job_is_empty(notebook) -> None:
    """And says what it dropped; cells that run again are in it."""
    run(notebook, "j", "#%job(name=old, variables=[(v, 1)])\n#%import\nimport math")
    run(notebook, "a", "#%task(A)\n1")
    assert run(notebook, "n", "#%new_job(fresh)") == [
        "Started a new job 'fresh'.",
        "* Dropped task A of job 'old'. Run its cell again to define it again.",
    ]
    run(notebook, "a", "#%task(A)\n1")
    run(notebook, "b", "#%task(B)\n1")
    assert run(notebook, "m", "#%new_job(fresh)")[1:] == [
        "* Dropped 2 tasks of job 'fresh': A, B. Run a cell again to define its task."
    ]
    run(notebook, "a", "#%task(A)\n1")
    draft = notebook.context.draft
    assert (draft.job.name, draft.job.variables, tasks(notebook)) == ("fresh", (), {"A": ("1", ())})


def test_the_draft_is_listed(notebook) -> None:
    """Each task with language, dependencies, control, scripts and cell; what is of the job; what is doubtful."""
    run(notebook, "j", "#%job(name=job, variables=[(v, 1), (w, x)])\n#%job_selection_script()\nselected = True")
    run(notebook, "a", "#%task(A, language=bash)\n1\n#%pre_script(A)\n1")
    run(notebook, "i", "#%import\nimport math")
    run(notebook, "l", "#%start(S, dep=[A, Q])\n1\n#%condition\nloop = false;\n#%loop(L)\n1")
    refused(notebook, "x", "#%task(X)\n1 +")
    texts = run(notebook, "d", "#%draft()")
    assert (notebook.frontend.tables[0].headings, notebook.frontend.tables[0].rows) == (
        ("Task", "Language", "Depends on", "Control", "Scripts", "Cell"),
        [
            ("A", "Linux_Bash", "", "", "pre script", "Cell In[2]"),
            ("S", "Python", "A, Q (not defined)", "loop of S: start", "", "Cell In[4]"),
            ("L", "Python", "", "loop of S: loop", "", "Cell In[4]"),
        ],
    )
    assert texts == [
        "Variables of the job: v=1, w=x.",
        "Scripts for every task: selection script.",
        "Code is prepended to tasks in: Python.",
        "! The job lacks task X: Cell In[5] was refused. #%task: the code is not Python: invalid syntax.",
    ]


def test_an_empty_draft_says_how_to_begin(notebook) -> None:
    """With the pragma for it."""
    assert notebook.run("#%draft()") == [
        "The draft has no task yet. #%task(name=NAME) defines a task with the code below it."
    ]


# -- any sequence of edits

#: For each cell, texts that it may hold in turn. No two cells contribute the same thing. None imports what another may
#: take away again: that is checked when the cell runs, and once more at submission. Where a cell has several pragmas,
#: none needs another cell: a cell that runs stops at the first that is refused.
TEXTS = {
    "job": ("#%job(name=one)", "#%job(name=two, variables=[(v, 1)], priority=high)", "#%import\nimport math"),
    "a": ("#%task(A)\n1", "#%task(A2, export=[v])\nv = 2", "#%task(A)\n3\n#%task(A2)\n4", "#%help()"),
    "b": ("#%task(B, dep=A)\n1", "#%task(B, dep=[A2], export=[w])\n2", "#%task(B3)\n3\n#%post_script(B3)\nx"),
    "s": ("#%pre_script(A)\np", "#%post_script(B)\nq", "#%selection_script(name=[A])\nselected = True"),
    "f": ("#%job_fork_env(language=groovy)\nx", "#%import(language=bash)\ny"),
    "1": ("#%branch(B1, dep=A)\n1", "#%branch(B2)\n1", "#%split(B1)\n1"),
    "2": ("#%condition()\nbranch = 'if';", "#%runs()\nruns = 2;", "#%condition()\nbranch = 'else';"),
    "3": ("#%if(I)\n1", "#%if(I2)\n1", "#%process(I)\n1", "#%task(T, dep=A)\n1"),
    "4": ("#%else(E)\n1", "#%merge(E)\n1"),
    "l": ("#%start(S)\n1\n#%condition\nloop = false;\n#%loop(L)\n1", "#%start(S)\n1", "#%task(L, dep=S)\n1"),
    "block": (None, None),
    "appended": (None, None),
    "more": (None, None),
}
RUNS = st.sampled_from([(cell, number) for cell, texts in TEXTS.items() for number in range(len(texts))])
CHANGES = st.lists(st.one_of(RUNS, RUNS, RUNS, st.sampled_from(sorted(TEXTS))), max_size=30)


def attempt(notebook: Notebook, cell: str, number: int) -> bool:
    """Run one of a cell's texts; whether it was accepted."""
    text = TEXTS[cell][number]
    notebook.frontend.cell_id = cell
    try:
        if text is None:
            notebook.context.cell_mode = "block" if cell == "block" else "multiblock"
            notebook.plain(f"{cell} = {number}")
        else:
            notebook.run(text)
    except ProActiveError:
        return False
    return True


def state(notebook: Notebook) -> object:
    """Everything that stands in the draft, but for where it was written and for the numbers of generated names."""
    contents = notebook.context.draft.contents
    tasks = [
        (
            replace(entry.task, name=name.rstrip("0123456789")) if name.startswith("block") else entry.task,
            [code.text for code in entry.code or ()],
            entry.imports,
            entry.exports,
            entry.runs,
        )
        for name, entry in contents.tasks.items()
    ]
    controls = [(one.kind.name, dict(one.tasks), one.script, one.position) for one in contents.controls]
    imports = {engine: [code.text for code in kept.values()] for engine, kept in contents.imports.items() if kept}
    job = (contents.job, contents.job_selection, contents.job_fork_environment)
    return tasks, controls, imports, job


@given(changes=CHANGES)
def test_any_sequence_of_edits_leaves_what_running_the_final_cells_once_leaves(changes) -> None:
    """In the order in which the draft has the cells; a refused run of a cell counts for nothing."""
    folder = Path(mkdtemp())
    notebook = Notebook(folder)
    final: dict[str, int] = {}
    for change in changes:
        if isinstance(change, str):
            ownership.deleted_cells(notebook.context, [change])
            final.pop(change, None)
            continue
        cell, number = change
        if attempt(notebook, cell, number):
            final[cell] = number
        elif (TEXTS[cell][number] or "").count("#%") > 1:
            # A cell of several pragmas may have been accepted in part: the draft as it is then is not any cell's.
            return
    once = Notebook(folder)
    inactive = {one.cell.id for one in notebook.context.draft.inactive}
    for cell in notebook.context.draft.cells:
        if cell in final:
            accepted = attempt(once, cell, final[cell])
            assert accepted or cell in inactive
    assert state(notebook) == state(once)
