"""Completion and inspection, in every part of a pragma."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SchedulerUnreachable
from proactive_jupyter_kernel.pragmas.assist.completion import complete
from proactive_jupyter_kernel.pragmas.assist.inspection import inspect
from proactive_jupyter_kernel.pragmas.assist.task_names import SYSTEM_VARIABLES
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.memory.job_listing import JobListing


@pytest.fixture
def context(notebook):
    """A notebook with some names."""
    notebook.run("#%job(name='my, job', variables=[(size, 3)])\n#%task(Alpha, export=[total])\ntotal = 1\n#%task(Beta)")
    notebook.run("#%submit_job()")
    (notebook.frontend.folder / "data").mkdir()
    (notebook.frontend.folder / "data" / "t.py").touch()
    (notebook.frontend.folder / "tool.py").touch()
    (notebook.frontend.folder / ".hidden").touch()
    return notebook.context


def offers(cell: str, context) -> tuple[list[str], str] | None:
    """What may stand at the mark ``|``, and the text that it would replace."""
    cursor = cell.index("|")
    text = cell.replace("|", "", 1)
    found = complete(text, cursor, context)
    return None if found is None else ([match.text for match in found.matches], text[found.start : found.end])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("#%ta|", (["task"], "ta")),
        ("#%task(T) |", ([], "")),
        ("#%task(T)  # see |\nprint(1)", ([], "")),
        ("x = 1\n# %timeit pri|", ([], "")),
        ("x = 1\n  #%get_r|", (["get_result"], "get_r")),
        ("#%delete_task(|", (["name=", "Alpha", "Beta"], "")),
        ("#%delete_task(na|)", (["name="], "na")),
        ("#%delete_task(Al|)", (["Alpha"], "Al")),
        ("#%task(T, dep=[|", (["Alpha", "Beta"], "")),
        ("#%task(T, dep=[Alpha, |])", (["Beta"], "")),
        ("#%task(T, dep=Be|", (["Beta"], "Be")),
        ("#%task(T, dep=['Be|'", (["Beta"], "Be")),
        ("#%task(name=T, language=p|)", (["Python", "Perl", "PowerShell"], "p")),
        ("#%task(name=T, [language=j|])", (["Javascript", "Jython"], "j")),
        ("#%task(name=T, import[to|", (["total"], "to")),
        ("#%task(name=T,\n#   on_e|", (["on_error="], "on_e")),
        ("#%task(name=T,\n#   on_error=c|\n#)", (["cancel", "continue"], "c")),
        ("#%task(name=T, precious_result=|, retries=2)", (["on", "off"], "")),
        ("#%submit_job(variables=[(si|", (["size"], "si")),
        ("#%submit_job(variables=[(size, |", ([], "")),
        ("#%submit_job(variables={size: 1, t|", (["total"], "t")),
        ("#%get_task_result(task_name=A|", (["Alpha"], "A")),
        ("#%kill_job(job_name=|", (['"my, job"'], "")),
        ("#%kill_job(job_name='my|", (["my, job"], "my")),
        ("#%kill_job(id=|", (["1"], "")),
        ("#%help(pragma=conn|", (["connect"], "conn")),
        ("#%task(T, path=t|", (["tool.py"], "t")),
        ("#%task(T, path=|", (["data/", "tool.py"], "")),
        ("#%task(T, path=data/|", (["data/t.py"], "data/")),
        ("#%task(T, path=.h|", ([".hidden"], ".h")),
        ("#%task(T, path=no/such/|", ([], "no/such/")),
        ("#%nonsense(|", ([], "")),
        ("#%task(nonsense=|", ([], "")),
        ("#%job(name=job, variables=[(size, 1, PA:INT|", (["PA:INTEGER"], "PA:INT")),
        ("# %ta|", (["task"], "ta")),
        ("#% TA|", (["task"], "TA")),
        ("# %delete_task(Al|", (["Alpha"], "Al")),
        ("    #%delete_task(Al|", (["Alpha"], "Al")),
        (">>> #%delete_task(Al|", (["Alpha"], "Al")),
        ("#%Delete_Task(Al|", (["Alpha"], "Al")),
        ("#%task(\n    name=T,\n    on_e|\n)", (["on_error="], "on_e")),
        ("#%task(\n    name=T,\n    on_e|", (["on_error="], "on_e")),
        ("#%task(\n    name=T,\n    dep=[\n        Al|,\n        Beta,\n    ],\n)", (["Alpha"], "Al")),
        ("#%task(\n    name=T,\n    dep=[\n        Beta,\n        |\n    ],\n)", (["Alpha"], "")),
        ("#%task(name=T, description=[(|", ([], "")),
        ("#%kill_job(|", (["job_id=", "job_name=", "1", '"my, job"'], "")),
        ("#%task(T, variables=[(own, 1)])\nvariables['|']", (["own", "size", "total", *SYSTEM_VARIABLES], "")),
        ('#%task(T)\nx = variables["si|', (["size"], "si")),
        ("#%task(T)\nvariables.get('to|", (["total"], "to")),
        ("#%task(T)\nvariables.pu|", (["put("], "pu")),
        ("#%task(T)\nresults[0].va|", (["value()"], "va")),
        ("#%task(T)\nfor one in results:\n    print(one.had|", (["hadException()"], "had")),
        ("#%task(T)\nother.va|", None),
        ("#%task(T, language=R)\nresults[0].va|", None),
        ("#%submit_job()\nresults[0].va|", None),
        ("results[0].va|", None),
        ("#%task(T)|", ([], "")),
        ("#%task(T)\nprint(|", None),
        ("#%task(T\nprint(|", None),
        ("print(|)\n#%task(T)", None),
        ("#%task(T) # dep=|", ([], "")),
        ("pri|", None),
    ],
)
def test_what_fits_is_offered(context, cell: str, expected: tuple[list[str], str] | None) -> None:
    """Names of pragmas and parameters, words, and the names that the notebook knows; nothing in code."""
    assert offers(cell, context) == expected


def test_a_parameter_that_is_given_is_not_offered_again(context) -> None:
    """Wherever in the call it stands, under any of its names."""
    found = offers("#%get_job_result(|, id=3, timeout=5)", context)
    assert found == (["job_name=", "into=", "trust="], "")


def test_every_pragma_and_parameter_is_offered_without_a_notebook() -> None:
    """Before the first pragma ran nothing but the registry is known."""
    assert offers("#%|", None) == (list(PRAGMAS.names()), "")
    for name, pragma in PRAGMAS.items():
        found = offers(f"#%{name}(|", None)
        assert found is not None
        assert [text for text in found[0] if text.endswith("=")] == [f"{one.name}=" for one in pragma.parameters]


def test_matches_carry_their_kind_and_meaning(context) -> None:
    """For the front end to show beside them."""
    found = complete("#%delete_task(n", 15, context)
    assert found is not None
    (match,) = found.matches
    assert (match.kind, match.doc) == ("parameter", "The task to remove, or several.")


def text_at(cell: str, context) -> str:
    """What is said about the place of the mark."""
    found = inspect(cell.replace("|", "", 1), cell.index("|"), context)
    return found.text if found else ""


def test_a_pragma_is_explained_under_its_name(context) -> None:
    """Usage, parameters, example."""
    text = text_at("#%delete_|task(name=T)", context)
    assert text == (
        "#%delete_task(name=NAME)\n\nRemoves tasks, the dependencies on them and the controls that they belong "
        "to.\n\n  name  The task to remove, or several. (required; names of tasks, such as [a, b])\n"
        "\nExample:\n  #%delete_task(name=Greet)"
    )


@pytest.mark.parametrize("cell", ["#%kill_job(job|_id=3)", "#%kill_job(i|d=3)", "#%kill_job(job_id=3|)"])
def test_a_parameter_is_explained_in_its_name_and_value(context, cell: str) -> None:
    """What it means and what it takes."""
    assert text_at(cell, context) == (
        "job_id or id of #%kill_job: The job's number. Without it and without a name: the job submitted last from this "
        "notebook.\nIs an integer of at least 1."
    )


def test_a_task_and_a_variable_are_explained_where_they_are_named(context) -> None:
    """The task as it stands, the variable's value or who exports it."""
    stands = "\nTask Alpha (Python) of Cell In[1]\n  exports: total\ntotal = 1"
    assert text_at("#%task(T, dep=[Al|pha])", context).endswith(stands)
    assert text_at("#%task(name=Al|pha)", context).endswith(stands)
    assert text_at("#%delete_task(Al|pha)", context).endswith(stands)
    assert text_at("#%task(T, import=[si|ze])", context).endswith("\nsize = 3 (of the job)")
    assert text_at("#%task(T, import=[tot|al])", context).endswith("\ntotal is exported by task Alpha")


def test_nothing_is_said_outside_of_pragmas(context) -> None:
    """Code is IPython's business."""
    assert text_at("#%task(T)\npri|nt", context) == ""
    assert text_at("#%nonse|nse(x)", context) == ""


def test_markup_is_escaped() -> None:
    """The HTML of every pragma is made of texts."""
    found = inspect("#%task", 4, None)
    assert found is not None
    assert "<name>" not in found.html
    assert found.html.startswith("<p><code>#%task(name=NAME, ")


def test_a_task_is_explained_with_all_that_it_has(context, notebook) -> None:
    """Its cell, parents, children, variables with models, imports, runs and code."""
    notebook.run("#%task(Last, dep=[Mid])")
    notebook.run("#%task(Mid, dep=[Alpha], variables=[(k, 2, PA:INTEGER)], import=[total], runs=3)\nprint(total)")
    assert text_at("#%task(T, dep=[Mi|d])", context).split("\n")[2:] == [
        "Task Mid (Python) of Cell In[4]",
        "  after: Alpha",
        "  before: Last",
        "  variables: k = 2 (PA:INTEGER)",
        "  imports: total",
        "  runs: 3",
        "print(total)",
    ]


def test_jobs_of_earlier_sessions_are_offered_from_a_listing(context, notebook) -> None:
    """The listing is refreshed in the background, and never waited for."""
    notebook.run("#%submit_job(name=nightly)")
    context.jobs.clear()
    context.job_listing.jobs()
    context.job_listing.wait(30)
    assert offers("#%job_status(job_id=|", context) == (["2", "1"], "")
    assert offers("#%job_status(nig|", context) == (["nightly"], "nig")


def test_completion_starts_no_scheduler() -> None:
    """A notebook that never needed one is offered what it knows itself."""
    listing = JobListing(lambda: None)
    assert listing.jobs() == ()


def test_a_server_that_does_not_answer_delays_no_other(context, notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last answer stays."""
    context.job_listing.jobs()
    context.job_listing.wait(30)
    before = context.job_listing.jobs()
    seconds = iter([100.0, 100.0, 200.0])
    monkeypatch.setattr(context.job_listing, "_clock", lambda: next(seconds))
    monkeypatch.setattr(Scheduler, "jobs", lambda *_, **__: raise_(SchedulerUnreachable("gone")))
    context.job_listing.jobs()
    context.job_listing.wait(30)
    assert context.job_listing.jobs() == before == ((1, "my, job"),)


def raise_(error: Exception) -> None:
    raise error
