"""Names that flow from task to task."""

from __future__ import annotations

from collections.abc import Mapping

from proactive_jupyter_kernel.pragmas.analysis import Binding, Flow, TaskCode, flows_of, missing_in, name_use

Sources = Mapping[str, tuple[str, tuple[str, ...]]]


def tasks_of(sources: Sources) -> dict[str, TaskCode]:
    return {name: TaskCode(name=name, use=name_use(code)) for name, (code, _) in sources.items()}


def flows(sources: Sources, **options: object) -> list[tuple[str, str, tuple[str, ...]]]:
    found = flows_of(tasks_of(sources), lambda name: sources[name][1], **options)  # type: ignore[arg-type]
    return [(flow.name, flow.reader, flow.setters) for flow in found]


def test_name_set_by_the_parent() -> None:
    """A parent that sets the name is its setter."""
    assert flows({"A": ("x = 1", ()), "B": ("print(x)", ("A",))}) == [("x", "B", ("A",))]


def test_nearest_setter_hides_those_behind_it() -> None:
    """The last task that sets a name before the reader counts, and not one further up."""
    sources: Sources = {"A": ("x = 1", ()), "B": ("x = 2", ("A",)), "C": ("print(x)", ("B",))}
    assert flows(sources) == [("x", "C", ("B",))]


def test_task_between_that_only_passes_it_on() -> None:
    """A task between that does not know the name does not end the search."""
    sources: Sources = {"A": ("x = 1", ()), "B": ("pass", ("A",)), "C": ("print(x)", ("B",))}
    assert flows(sources) == [("x", "C", ("A",))]


def test_setters_on_two_ways_are_both_named() -> None:
    """Two parents that set the name are both setters, in the order of the dependencies."""
    sources: Sources = {"A": ("x = 1", ()), "B": ("x = 2", ()), "C": ("print(x)", ("B", "A"))}
    assert flows(sources) == [("x", "C", ("B", "A"))]


def test_tasks_that_do_not_come_before_do_not_count() -> None:
    """A task beside the reader cannot give it anything."""
    sources: Sources = {"A": ("pass", ()), "B": ("x = 2", ("A",)), "C": ("print(x)", ("A",))}
    assert flows(sources) == []


def test_job_variable_needs_no_setter() -> None:
    """A name that is a variable of the job flows from the job."""
    assert flows({"A": ("print(x)", ())}, job_variables={"x"}) == [("x", "A", ())]


def test_module_flows_with_its_import_statement() -> None:
    """A module that an ancestor imported is reported with the statement to repeat."""
    sources: Sources = {"A": ("import numpy as np", ()), "B": ("np.zeros(3)", ("A",))}
    (flow,) = flows_of(tasks_of(sources), lambda name: sources[name][1])
    expected = Flow(
        name="np",
        reader="B",
        setters=("A",),
        binding=Binding.MODULE,
        statement="import numpy as np",
        read=flow.read,
    )
    assert flow == expected


def test_names_that_nothing_provides() -> None:
    """Only certain reads that no flow satisfies are missing; what tasks have anyway is not."""
    sources: Sources = {
        "A": ("x = 1", ()),
        "B": ("print(x, y, variables, results)\ntry:\n    z\nexcept NameError:\n    z = 1", ("A",)),
    }
    tasks = tasks_of(sources)
    found = missing_in(tasks.values(), flows_of(tasks, lambda name: sources[name][1]))
    assert [(one.name, one.task, one.read.line) for one in found] == [("y", "B", 1)]
