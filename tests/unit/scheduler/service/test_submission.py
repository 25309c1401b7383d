"""From a submission's XML to every reason why it is refused."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service.submission import prepare

HIDDEN = HiddenValues(b"k" * 32)
WORKFLOW = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="refused">
  <variables><variable name="N" value="12" model="PA:INTEGER[1,10]"/></variables>
  <taskFlow>
    <task name="A" {attributes}>
      <scriptExecutable><script><code language="bash">true</code></script></scriptExecutable>
    </task>
    <task name="B"><depends><task ref="{parent}"/></depends><javaExecutable class="org.example.Work"/></task>
  </taskFlow>
</job>"""


def refused(xml: str, **variables: str) -> list[str]:
    with pytest.raises(InvalidWorkflow) as caught:
        prepare(xml, variables=variables, generic_information={}, site={}, hidden=HIDDEN)
    return [str(problem) for problem in caught.value.problems]


def test_a_dependency_on_nothing_does_not_hide_the_rest() -> None:
    """An unknown dependency, a wrong variable, runAsMe and a Java class are told together, each with its place."""
    found = refused(WORKFLOW.format(attributes='runAsMe="true"', parent="Z"))
    assert [problem.split(":")[0] for problem in found] == ["Line 7, task 'B'", "Variable 'N'", "Task 'A'", "Task 'B'"]
    assert "Unknown dependence: Z" in found[0]
    assert "runAsMe" in found[2]
    assert "org.example.Work" in found[3]


def test_run_as_me_is_refused_alone() -> None:
    """A task that asks for its owner's account is refused by name, with what to do."""
    xml = WORKFLOW.format(attributes='runAsMe="true"', parent="A").replace(
        '<javaExecutable class="org.example.Work"/>',
        '<nativeExecutable><staticCommand value="true"/></nativeExecutable>',
    )
    (problem,) = refused(xml, N="3")
    assert problem.startswith("Task 'A': it asks to run under its owner's account (runAsMe)")
    assert "leave runAsMe out" in problem


def test_a_circle_beside_a_java_class_is_reported_too() -> None:
    """The rules of the flow are judged where all dependencies are known."""
    found = refused(WORKFLOW.format(attributes="", parent="B"), N="3")
    assert found[0].startswith("Task 'B': Unreachable task.")
    assert len(found) == 2


@pytest.mark.parametrize(
    "model",
    ["PA:INTEGER", "PA:LIST(a,b)", "PA:URI", "PA:REGEXP(${pw}x)", "PA:SPEL(T(Integer).parseInt(variables['pw']) > 3)"],
)
def test_a_refusal_does_not_tell_the_hidden_value_that_it_refers_to(model: str) -> None:
    """It shows what others see of it."""
    variables = '<variable name="pw" value="a secret" model="PA:HIDDEN"/>'
    variables += f'<variable name="Q" value="${{pw}}" model="{model}"/>'
    xml = WORKFLOW.format(attributes="", parent="A").replace("<variables>", f"<variables>{variables}")
    for given in ({}, {"pw": "another secret"}):
        (first, *_) = refused(xml, **given)
        assert ("secret" in first, HIDDEN.shown(given.get("pw", "a secret")) in first) == (False, True), first
