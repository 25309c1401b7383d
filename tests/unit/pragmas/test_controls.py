"""Controls: their order, their edits, and the workflow that comes of them."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow, PragmaError
from proactive_jupyter_kernel.pragmas.draft.applied_controls import runs_script
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script

BRANCH = "#%branch(B)\n#%condition()\nbranch = 'if';\n#%if(I)\n#%else(E)\n#%continuation(C)\n"
LOOP = "#%start(S)\n#%condition\nloop = false;\n#%loop(L)\n"
REPLICATE = "#%split(S)\n#%runs\nruns = 3;\n#%process(P)\n#%merge(M)\n"


def script(code: str) -> Script:
    return Script(language="javascript", code=code)


def shape(notebook) -> dict[str, str]:
    """Each task of the workflow: its parents, block mark and action."""
    found = {}
    for task in notebook.context.draft.build("job").workflow.tasks:
        marks = [",".join(task.depends)]
        if task.block is not Block.NONE:
            marks.append(str(task.block.value))
        if task.flow is not None:
            marks.append(type(task.flow).__name__.lower())
        found[task.name] = " ".join(marks).strip()
    return found


def flow(notebook, name: str):
    return notebook.context.draft.build("job").workflow.task(name).flow


def fault(notebook, cell: str) -> str:
    with pytest.raises(PragmaError) as caught:
        notebook.run(cell)
    return caught.value.message


def problems(notebook) -> list[str]:
    with pytest.raises(InvalidWorkflow) as caught:
        notebook.context.draft.build("job")
    return [str(problem) for problem in caught.value.problems]


def test_a_branch_is_an_action_of_its_first_task(notebook) -> None:
    """The ways and the continuation depend on nothing; the script is JavaScript unless said otherwise."""
    notebook.run(BRANCH)
    assert shape(notebook) == {"B": "branch", "I": "", "E": "", "C": ""}
    assert flow(notebook, "B") == Branch(script=script("branch = 'if';"), target="I", otherwise="E", continuation="C")


def test_a_branch_may_do_without_a_continuation(notebook) -> None:
    """Both ways then just end."""
    notebook.run(BRANCH.replace("#%continuation(C)\n", ""))
    assert flow(notebook, "B").continuation == ""


def test_a_loop_is_a_block_whose_end_decides(notebook) -> None:
    """The end comes after all that is between, if it says nothing else."""
    notebook.run(LOOP)
    assert shape(notebook) == {"S": "start", "L": "S end loop"}
    assert flow(notebook, "L") == Loop(script=script("loop = false;"), target="S")
    notebook.run("#%task(T, dep=S)\n#%task(U, dep=S)\n#%task(V, dep=T)")
    assert shape(notebook)["L"] == "U,V end loop"


def test_a_replication_is_a_block_from_split_to_merge(notebook) -> None:
    """Process and merge depend on what comes before them without saying so."""
    notebook.run(REPLICATE)
    assert shape(notebook) == {"S": "start replicate", "P": "S", "M": "P end"}
    assert flow(notebook, "S") == Replicate(script=script("runs = 3;"))


def test_tasks_inside_a_replication_are_replicated_together(notebook) -> None:
    """They become a block of their own."""
    notebook.run(REPLICATE)
    notebook.run("#%task(Q, dep=P)\n#%task(R, dep=Q)")
    assert shape(notebook) == {"S": "start replicate", "P": "S start", "M": "R end", "Q": "P", "R": "Q end"}


def test_tasks_inside_a_way_of_a_branch_become_a_block(notebook) -> None:
    """So that the continuation comes after the last of them."""
    notebook.run(BRANCH)
    notebook.run("#%task(J, dep=I)")
    assert shape(notebook) == {"B": "branch", "I": "start", "E": "", "C": "", "J": "I end"}


def test_controls_nest(notebook) -> None:
    """A branch in a loop, and a replication in the way of a branch."""
    notebook.run("#%start(S)\n#%condition()\nloop = false")
    notebook.run("#%branch(B, dep=S)\n#%condition()\nbranch = 'if'\n#%if(I)\n#%else(E)\n#%continuation(C)")
    notebook.run("#%split(X, dep=I)\n#%runs\nruns=2\n#%process(P)\n#%merge(M)\n#%task(J, dep=M)")
    notebook.run("#%loop(L)")
    assert shape(notebook) == {
        "S": "start",
        "B": "S branch",
        "I": "start",
        "E": "",
        "C": "",
        "X": "I start replicate",
        "P": "X",
        "M": "P end",
        "J": "M end",
        "L": "C end loop",
    }


def test_a_loop_nests_in_a_loop_under_another_name(notebook) -> None:
    """Once the outer one is decided; chained ones follow each other."""
    notebook.run("#%start(S)\n#%condition()\nloop = false\n#%task(A, dep=S)")
    notebook.run("#%start(T, dep=A)\n#%condition()\nloop = true\n#%loop(M)\n#%task(Z, dep=M)\n#%loop(L)")
    notebook.run("#%start(U, dep=L)\n#%condition()\nloop = 1\n#%loop(N)")
    assert shape(notebook) == {
        "S": "start",
        "A": "S",
        "T": "A start",
        "M": "T end loop",
        "Z": "M",
        "L": "Z end loop",
        "U": "L start",
        "N": "U end loop",
    }
    assert (flow(notebook, "M").target, flow(notebook, "L").script.code) == ("T", "loop = false")


def test_names_are_made_up_without_clashes(notebook) -> None:
    """And said."""
    notebook.run("#%task(split1)")
    assert notebook.run("#%split()\n#%runs()\nruns=2\n#%process()\n#%merge()") == [
        "Defined task split2 (Python).",
        "Defined the script that decides the replicate of split2 (Javascript). #%process comes next.",
        "Defined task process1 (Python).",
        "Defined task merge1 (Python).",
    ]


ORDER = [
    ("", "#%condition()\nx", "it is a step of a control that begins with #%branch or #%start."),
    ("", "#%process()", "it is a step of a control that begins with #%split."),
    ("#%split(S)", "#%process()", "#%runs is expected next, in the control that starts with task S."),
    ("#%split(S)", "#%merge()", "#%runs is expected next, in the control that starts with task S."),
    ("#%split(S)\n#%runs\nruns=1", "#%merge()", "#%process is expected next, in the control that starts with task S."),
    ("#%start(S)", "#%loop()", "#%condition is expected next, in the control that starts with task S."),
    ("#%start(S)\n#%condition\nloop=1", "#%if()", "#%loop is expected next, in the control that starts with task S."),
    ("#%branch(S)\n#%condition\nx", "#%else()", "#%if is expected next, in the control that starts with task S."),
    (LOOP, "#%condition\nx", "it is a step of a control that begins with #%branch or #%start."),
]


@pytest.mark.parametrize(("before", "cell", "message"), ORDER)
def test_a_step_out_of_order_names_what_may_come_next(notebook, before: str, cell: str, message: str) -> None:
    """And changes nothing."""
    if before:
        notebook.run(before)
    controls = list(notebook.context.draft.controls)
    name = cell.removeprefix("#%").split("(")[0].split("\n")[0]
    assert fault(notebook, cell) == f"#%{name}: {message}"
    assert notebook.context.draft.controls == controls


def test_other_pragmas_are_allowed_inside_an_unfinished_control(notebook) -> None:
    """Help, tasks, deletions."""
    notebook.run("#%split(S)\n#%help()\n#%task(T)\n#%delete_task(T)\n#%job(name=job)\n#%runs\nruns=2")
    notebook.run("#%task(T)\n#%process(P)\n#%merge(M)")
    assert shape(notebook)["M"] == "P end"


def test_the_first_pragma_again_starts_the_control_over(notebook) -> None:
    """What had been given is to be given again; made-up names stay."""
    notebook.run("#%split()\n#%runs()\nruns=1")
    notebook.run("#%split()")
    assert fault(notebook, "#%process()") == (
        "#%process: #%runs is expected next, in the control that starts with task split1."
    )
    notebook.run("#%runs()\nruns=2\n#%process()\n#%merge()")
    assert shape(notebook) == {"split1": "start replicate", "process1": "split1", "merge1": "process1 end"}


def test_starting_over_under_another_name_leaves_nothing_behind(notebook) -> None:
    """The task of the first attempt is gone."""
    notebook.run("#%split(A)\n#%split(B)\n#%runs\nruns=1\n#%process(P)\n#%merge(M)")
    assert list(shape(notebook)) == ["B", "P", "M"]


def test_a_whole_control_may_be_run_again(notebook) -> None:
    """Cell by cell, by name or by cell; nothing is doubled."""
    for _ in range(2):
        notebook.run(BRANCH)
        notebook.run(LOOP)
        notebook.run(REPLICATE.replace("(S)", "(X)"))
    assert len(notebook.context.draft.controls) == 3
    assert list(shape(notebook)) == ["B", "I", "E", "C", "S", "L", "X", "P", "M"]


def test_a_step_is_edited_in_place_by_its_cell(notebook) -> None:
    """Also a script, which has no name, and a task whose name was made up."""
    cells = {"one": "#%split()", "two": "#%runs()\nruns=1", "three": "#%process()\n'old'", "four": "#%merge()"}
    for cell, text in cells.items():
        notebook.frontend.cell_id = cell
        notebook.run(text)
    notebook.frontend.cell_id = "three"
    assert notebook.run("#%process()\n'new'") == ["* Redefined task process1 (Python)."]
    notebook.frontend.cell_id = "two"
    notebook.run("#%runs()\nruns=7")
    assert flow(notebook, "split1").script.code == "runs=7"
    assert notebook.script("process1") == "'new'"
    notebook.frontend.cell_id = "three"
    notebook.run("#%process(name=Work)\nnewer")
    assert list(shape(notebook)) == ["split1", "Work", "merge1"]


def test_two_controls_of_a_kind_may_stand_in_one_cell(notebook) -> None:
    """The front end tells one cell; each control stays its own, also when the cell runs again."""
    notebook.frontend.cell_id = "cell"
    both = LOOP + LOOP.replace("(S)", "(T)").replace("(L)", "(N)")
    notebook.run(both)
    notebook.run(both)
    assert shape(notebook) == {"S": "start", "L": "S end loop", "T": "start", "N": "T end loop"}


def test_a_deleted_step_gives_up_its_control(notebook) -> None:
    """The other tasks stay."""
    notebook.run(REPLICATE)
    assert notebook.run("#%delete_task(P)") == [
        "Deleted task P. Removed the replicate that it was a step of; its other tasks stay."
    ]
    assert shape(notebook) == {"S": "", "M": ""}


def test_an_unfinished_control_is_a_problem_at_submission(notebook) -> None:
    """It says which step is missing; other problems come along."""
    notebook.run("#%start(S)\n#%condition\nloop = 1\n#%branch(B)")
    assert problems(notebook) == [
        "The branch that starts with task 'B' is unfinished: #%condition is expected.",
        "The loop that starts with task 'S' is unfinished: #%loop is expected.",
    ]


def test_a_step_keeps_to_its_control(notebook) -> None:
    """A task cannot be a step of two."""
    notebook.run(LOOP)
    assert fault(notebook, "#%split(L)") == "#%split: task L is a step of the loop that starts with S."


@pytest.mark.parametrize("language", ["bash", "perl", "Windows_Cmd", "DockerCompose"])
def test_a_language_that_sets_no_variable_decides_nothing(notebook, language: str) -> None:
    """It is refused by name, with those that can."""
    notebook.run("#%split(S)")
    message = fault(notebook, f"#%runs(language={language})\nruns=1")
    assert message.endswith("script cannot set variables, and this one must set runs.")


def test_a_script_must_be_given(notebook) -> None:
    """Nothing below is no decision."""
    notebook.run("#%start(S)")
    assert fault(notebook, "#%condition()") == "#%condition: a script is expected below, which sets loop."


def test_flow_scripts_may_be_written_in_other_languages_and_files(notebook) -> None:
    """Python is checked as tasks are."""
    (notebook.frontend.folder / "decide.groovy").write_text("loop = true\n")
    notebook.run("#%start(S)\n#%condition(language=Groovy, path=decide.groovy)\n#%loop(L)")
    assert flow(notebook, "L").script == Script(language="groovy", code="loop = true")
    assert "the code is not Python" in fault(notebook, "#%start(S)\n#%condition(language=Python)\nloop = =")


def test_variables_travel_along_controls(notebook) -> None:
    """What a step exports, the steps after it may import, though no dependency is written."""
    notebook.run(
        "#%split(S, export=[n])\nn = 3\n#%runs\nruns = variables.get('n');\n#%process(P, import=[n], export=[m])\nm=n"
    )
    notebook.run("#%merge(M, import=[n, m])\nresult = m")
    notebook.run(
        "#%branch(B, dep=M, export=[x])\nx=1\n#%condition\nbranch='if'\n#%if(I, import=[x, m])\n#%else(E, import=[x])"
    )
    shape(notebook)


# -- task(runs=…)


def test_a_single_task_is_replicated_between_its_parent_and_its_child(notebook) -> None:
    """The one parent splits, the one child merges."""
    notebook.run("#%task(A)\n#%task(B, dep=A, runs=3)\n#%task(C, dep=B)")
    assert shape(notebook) == {"A": "replicate", "B": "A", "C": "B"}
    assert flow(notebook, "A") == Replicate(script=script("runs=3"))


def test_a_missing_merge_is_added_with_a_notice(notebook) -> None:
    """At submission, under a name that is free; the draft stays as it is."""
    notebook.run("#%task(DefaultMerge1)\nprint(1)\n#%task(A)\n#%task(B, dep=A, runs=2)")
    texts = notebook.run("#%submit_job()")
    assert texts[0] == "* Task DefaultMerge2, which does nothing, is added to merge the replicas of B."
    assert [task.name for task in notebook.context.scheduler.job(1).tasks] == [
        "DefaultMerge1",
        "A",
        "B",
        "DefaultMerge2",
    ]
    assert list(notebook.context.draft.tasks) == ["DefaultMerge1", "A", "B"]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("3", "runs=3"),
        ("nb+1", 'runs=Number(variables.get("nb"))+1'),
        ("(a.b - 1) * 2", 'runs=(Number(variables.get("a.b")) - 1) * 2'),
    ],
)
def test_runs_is_an_expression_of_numbers_and_variables(expression: str, code: str) -> None:
    """Variables are texts to the scheduler; here they are numbers."""
    assert runs_script(expression).code == code


RUNS = {
    "#%task(B, runs=2)": (
        "Task 'B': runs=2 needs exactly one task in dep, and there are none. "
        "The copies start after that task: add dep=[TASK]."
    ),
    "#%task(Z)\n#%task(B, dep=[A, Z], runs=2)": (
        "Task 'B': runs=2 needs exactly one task in dep, and there are 2. Keep one of them."
    ),
    "#%task(B, dep=A, runs=2)\n#%task(C, dep=A)": (
        "Task 'B': for runs=2, task 'A' splits, but C depends on it as well and would be replicated too. Put another "
        "task between them."
    ),
    "#%task(B, dep=M, runs=2)\n#%start(M)\n#%condition\nloop=1\n#%loop(N, dep=M)": (
        "Task 'B': for runs=2, task 'M' splits, but N depends on it as well and would be replicated too. Put another "
        "task between them."
    ),
    "#%branch(M)\n#%condition\nx\n#%if(I)\n#%else(E)\n#%task(B, dep=M, runs=2)": (
        "Task 'B': for runs=2, task 'M' should split, but it has a flow script already. Put another task between them."
    ),
}


@pytest.mark.parametrize("cell", RUNS)
def test_a_replication_that_cannot_be_is_a_problem_at_submission(notebook, cell: str) -> None:
    """With what to change."""
    notebook.run("#%task(A)\n" + cell)
    assert problems(notebook)[0] == RUNS[cell]


@pytest.mark.parametrize("expression", ["nb", "2*total"])
def test_an_unknown_variable_in_runs_is_refused(notebook, expression: str) -> None:
    """It must be the job's, or exported before."""
    notebook.run("#%task(A)")
    assert "which is not exported by a task before B and not defined by the job." in fault(
        notebook, f"#%task(B, dep=A, runs={expression})"
    )
    notebook.run("#%job(name=job, variables=[(nb, 2), (total, 1)])")
    notebook.run(f"#%task(B, dep=A, runs={expression})")


@pytest.mark.parametrize("expression", ["3; x", "2**3", "2//3", "a b/*", "(1", "'x'"])
def test_what_is_not_an_expression_is_refused(notebook, expression: str) -> None:
    """It goes into a script, so it must be what it seems."""
    with pytest.raises(PragmaError):
        notebook.run(f'#%task(A)\n#%task(B, dep=A, runs="{expression}")')


def test_a_control_at_the_end_of_a_replication_gets_an_end_after_it(notebook) -> None:
    """A task ends one block only: a task that hands the result on ends the outer one, and that is said."""
    notebook.run("#%split(S)\n#%runs\nruns = 2\n#%process(P)\n#%start(A, dep=P)\n#%condition\nloop = false\n#%loop(L)")
    notebook.run("#%merge(M)\nresult = len(results)")
    assert shape(notebook) == {
        "S": "start replicate",
        "P": "S start",
        "A": "P start",
        "L": "A end loop",
        "M": "DefaultEnd1 end",
        "DefaultEnd1": "L end",
    }
    assert notebook.context.draft.build("job").notices == (
        "Task DefaultEnd1 was added to pass on the result of L, because L already ends a block.",
    )


def test_several_ends_inside_a_replication_are_a_problem(notebook) -> None:
    """They would be no block, and run once instead of often."""
    notebook.run(REPLICATE)
    notebook.run("#%task(Q, dep=P)\n#%task(R, dep=P)")
    assert problems(notebook)[0] == (
        "Tasks 'Q', 'R' all end what task 'P' begins, and only one task can: let one that depends on all of them "
        "follow."
    )
