"""What an unknown word is taken for, values without a name, and models of variables."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import BadValue, PragmaError
from proactive_jupyter_kernel.pragmas.cells.plan import plan
from proactive_jupyter_kernel.pragmas.declarations.kinds import Formula, Modelled
from proactive_jupyter_kernel.pragmas.declarations.proposals import PARAMETER_SYNONYMS, PRAGMA_SYNONYMS, propose
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.workflow.model import TaskVariable, Variable


def hint(cell: str) -> str:
    """The first line of the hint for a refused cell."""
    with pytest.raises(PragmaError) as caught:
        plan(cell)
    return caught.value.hint.split("\n")[0]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("stop", "kill_job"),
        ("cancel", "kill_job"),
        ("run_job", "submit_job"),
        ("submit", "submit_job"),
        ("kil_job", "kill_job"),
        ("delete_tasks", "delete_task"),
        ("submit-job", "submit_job"),
        ("submitjob", "submit_job"),
        ("get_job_resutl", "get_job_result"),
        # Harmless words that look like the name of something that is not.
        ("fill_job", ""),
        ("new_jobs", "new_job"),
        ("select_task", ""),
        ("zzzz", ""),
    ],
)
def test_a_pragma_is_proposed_by_meaning_then_by_spelling(word: str, meant: str) -> None:
    """And one that removes something only for its synonyms and for what is clearly its own name."""
    guarded = [name for name in PRAGMAS.names() if PRAGMAS[name].destructive]
    assert {"kill_job", "delete_task", "new_job"} <= set(guarded)
    found = propose(word, PRAGMAS.names(), PRAGMA_SYNONYMS, guarded=guarded)
    assert found == meant or (not meant and found not in guarded)


def test_no_synonym_is_the_name_of_a_pragma() -> None:
    """A declared synonym must never hide a pragma."""
    assert [word for word in PRAGMA_SYNONYMS if word in PRAGMAS.names()] == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("#%task(T, depends_on=[A])", "Did you mean 'dep'?"),
        ("#%task(T, after=A)", "Did you mean 'dep'?"),
        ("#%task(T, lang=R)", "Did you mean 'language'?"),
        ("#%task(T, vars=[(a, 1)])", "Did you mean 'variables'?"),
        ("#%connect(host=h, user=ada)", "Did you mean 'login'?"),
        ("#%get_task_result(task=T)", "Did you mean 'task_name'?"),
        ("#%get_job_result(job=jj)", "Did you mean 'job_name'?"),
        ("#%stop(7)", "Did you mean #%kill_job? #%help() lists all pragmas."),
        ("#%task(name=T, dep=a, b)", "Did you mean dep=[a, b]?"),
        ("#%task(name=T, dep=a, b, c, runs=2)", "Did you mean dep=[a, b, c]?"),
        ("#%task(dep=a, T)", "Did you mean dep=[a, T]? Else write name=T."),
        ("#%task(name=T, description=one, two)", 'Did you mean description="one, two"?'),
        ("#%job(name=job, variables=[(a=1)])", "Write (a, 1)."),
        ("#%job(name=job, variables=[a=1, b=2])", "Write (a, 1)."),
        ("#%job(name=job, variables=[a: 1])", "Write (a, 1)."),
        ("#%connect(host=127.0.0.1:9000)", "Give them separately: host=127.0.0.1, port=9000."),
        ("#%connect(host=https://h:9)", "Write url=https://h:9."),
        ("#%connect(host=http://h, port=9)", "Write url=http://h:9."),
        ("#%connect(url=h:8443)", "Write url=https://h:8443."),
        ("#%connect(port=9000)", "Write host=HOST, port=..., or url=ADDRESS."),
        ("#%connect(host=local, password=x)", "Write host=HOST, password=..., or url=ADDRESS."),
        ("#%connect(url=https://h, port=9000)", "Write url=https://HOST:PORT."),
        ("#%connect(verify=off)", "Write host=HOST, verify=..., or url=ADDRESS."),
    ],
)
def test_a_refusal_says_what_to_write(cell: str, expected: str) -> None:
    """In the words of the cell."""
    assert hint(cell) == expected


def test_every_meaning_of_a_parameter_exists() -> None:
    """The table of synonyms names parameters that some pragma has."""
    later = {"input_files", "output_files"}
    targets = {target for targets in PARAMETER_SYNONYMS.values() for target in targets}
    assert targets - set(PRAGMAS.parameters) - later == set()


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("#%submit_job(nightly)", {"name": "nightly"}),
        ("#%job_status(7)", {"job_id": 7}),
        ("#%kill_job(7)", {"job_id": 7}),
        ("#%kill_job(nightly)", {"job_name": "nightly"}),
        ("#%get_job_result(7, into=x)", {"job_id": 7, "into": "x"}),
        ("#%get_result('7')", {"job_id": 7}),
        ("#%wait_job(nightly, timeout=5)", {"job_name": "nightly", "timeout": 5}),
        ("#%get_task_result(T, id=7)", {"task_name": "T", "job_id": 7}),
        ("#%connect(h, port=9)", {"host": "h", "port": 9}),
        ("#%runtime_env(python:3)", {"image": "python:3"}),
        ("#%runtime_env()", {}),
        ("#%delete_task([A, B])", {"name": ("A", "B")}),
        ("#%pre_script(name=[A, B])\n1", {"name": ("A", "B")}),
        ("#%post_script(A)\n1", {"name": ("A",)}),
        ("#%clean_script([A, B], language=bash)\n1", {"name": ("A", "B")}),
    ],
)
def test_a_value_without_a_name_is_what_one_would_expect(cell: str, given: dict[str, object]) -> None:
    """A number is a job's id, a text a name; where several are possible, one may list them."""
    (call,) = plan(cell).calls
    found = {name: call[name] for name in call.spans if name != "language"}
    assert found == given


def test_a_number_that_is_not_an_id_is_refused() -> None:
    """It is not taken for the name of a job."""
    with pytest.raises(BadValue, match="job_id must be an integer of at least 1, not '0'"):
        plan("#%kill_job(0)")


def test_the_image_of_the_reference_kernel_is_the_default() -> None:
    """A notebook for the reference kernel may leave the image out."""
    assert plan("#%runtime_env(type=podman)").calls[0]["image"] == "docker://activeeon/dlm3"


def test_variables_may_have_models(notebook) -> None:
    """Of the job and of a task; a model stays when the variable gets another value."""
    notebook.frontend.namespace["n"] = 3
    notebook.run("#%job(name=job, variables=[(a, 5, PA:INTEGER[1,10]), (b, x), (c, =n, 'PA:LIST(3,4)')])")
    notebook.run("#%task(T, variables={d: (on, PA:LIST(on,off))})\n1")
    notebook.run("#%job(name=job, variables=[(a, 7), (b, y, a remark)])")
    workflow = notebook.context.draft.build("job").workflow
    assert workflow.variables == (
        Variable(name="a", value="7", model="PA:INTEGER[1,10]"),
        Variable(name="b", value="y", model="a remark"),
    )
    assert workflow.task("T").variables == (TaskVariable(name="d", value="on", model="PA:LIST(on,off)"),)


MODELS = {
    "#%job(name=job, variables=[(a, x, PA:INTEGER)])": (
        "#%job: variables gives a the value 'x', which does not match PA:INTEGER: 'x' is not an integer of 32 bits.",
        31,
    ),
    "#%job(name=job, variables=[(a, =n, PA:INTEGER)])": (
        "#%job: variables gives a the value '2.5', which does not match PA:INTEGER: "
        "'2.5' is not an integer of 32 bits.",
        28,
    ),
    "#%task(T, variables=[(b, 1), (a, 11, 'PA:INTEGER[1,10]')])": (
        "#%task: variables gives a the value '11', which does not match PA:INTEGER[1,10]: 11 is not in [1, 10].",
        33,
    ),
}


@pytest.mark.parametrize("cell", MODELS)
def test_a_value_that_does_not_fit_its_model_is_refused_in_the_cell(notebook, cell: str) -> None:
    """Before anything of the cell is done where the value is known, else when the pragma runs."""
    notebook.frontend.namespace["n"] = 2.5
    with pytest.raises(BadValue) as caught:
        notebook.run(cell)
    message, column = MODELS[cell]
    assert caught.value.message.split(": ")[:2] == message.split(": ")[:2]
    assert caught.value.column == column
    assert notebook.context.draft.job.variables == ()


def test_triples_read_back_as_written() -> None:
    """Values and models survive writing."""
    (call,) = plan("#%job(name=job, variables=[(a, 5, PA:INTEGER), (b, =n, PA:INTEGER), (c, x)])").calls
    values = call["variables"]
    assert values == {
        "a": Modelled(value="5", model="PA:INTEGER"),
        "b": Modelled(value=Formula(text="n"), model="PA:INTEGER"),
        "c": "x",
    }
    kind = call.pragma.parameter("variables").kind
    assert plan(f"#%job(name=job, variables={kind.unparse(values)})").calls[0]["variables"] == values


def test_a_name_on_both_sides_is_pointed_at_where_it_is_wrong() -> None:
    """The caret covers the item of a list, not the list."""
    with pytest.raises(PragmaError) as caught:
        plan("#%task(T, dep=[A, 1B])")
    assert (caught.value.column, caught.value.length) == (18, 2)


@pytest.mark.parametrize("value", ['"a\\x00b"', '"\\x1b[31m"', '["a\\x07"]'])
def test_control_characters_are_refused(value: str) -> None:
    """No value may hold what neither XML nor a path can."""
    with pytest.raises(BadValue, match="holds the control character"):
        plan(f"#%job(name=job, description={value})")
