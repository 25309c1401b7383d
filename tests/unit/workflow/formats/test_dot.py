"""Workflows as dot: what is written comes back; files of others are read as Graphviz reads them."""

from __future__ import annotations

from dataclasses import replace

import pydot
import pytest
from hypothesis import given, settings
from strategies import controlled, workflows

from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow
from proactive_jupyter_kernel.workflow.formats.dot import dumps, loads
from proactive_jupyter_kernel.workflow.formats.dot_text import parse
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Replicate, Script, Task, Workflow

JS = "javascript"
MANY = "{" + " ".join(f"n{number}" for number in range(800)) + "}"


def task(name: str, *depends: str, code: str = "", **more: object) -> Task:
    executable = Script(language="cpython", code=code)
    return Task(name=name, executable=executable, depends=depends, **more)  # type: ignore[arg-type]


BRANCH = Workflow(
    name="choose",
    tasks=(
        task(
            "Ask",
            code='print("a\\n")\n',
            flow=Branch(
                script=Script(language=JS, code='branch = "if"'), target="Yes", otherwise="No", continuation="Z"
            ),
        ),
        task("Yes"),
        task("No"),
        task("Z"),
    ),
)


def without_repeats(workflow: Workflow) -> Workflow:
    """A dependency that is named twice counts once."""
    return replace(
        workflow, tasks=tuple(replace(one, depends=tuple(dict.fromkeys(one.depends))) for one in workflow.tasks)
    )


def test_a_branch_is_written_as_edges() -> None:
    """Scripts stand in the nodes, the ways of the branch are edges."""
    assert dumps(BRANCH) == (
        'digraph "choose" {\n'
        "  graph [rankdir=TB];\n"
        '  node [shape=box, style="rounded"];\n'
        '  "Ask" [language="cpython", code="print(\\"a\\\\n\\")\n", control="branch", control_language="javascript", '
        'control_code="branch = \\"if\\""];\n'
        '  "Yes" [language="cpython", code=""];\n'
        '  "No" [language="cpython", code=""];\n'
        '  "Z" [language="cpython", code=""];\n'
        '  "Ask" -> "Yes" [control="if", label="if", style="dashed"];\n'
        '  "Ask" -> "No" [control="else", label="else", style="dashed"];\n'
        '  "Ask" -> "Z" [control="continuation", label="continuation", style="dotted"];\n'
        "}\n"
    )
    assert loads(dumps(BRANCH)).workflow == BRANCH


@given(controlled())
def test_controls_come_back(workflow: Workflow) -> None:
    """Nested loops, replications and branches, with their scripts."""
    loaded = loads(dumps(workflow).encode())
    assert (loaded.workflow, loaded.notices) == (workflow, ())


@settings(max_examples=40)
@given(workflows())
def test_every_workflow_comes_back(workflow: Workflow) -> None:
    """Also what dot has no form for."""
    assert loads(dumps(workflow)).workflow == without_repeats(workflow)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=20)
@given(controlled())
def test_another_parser_reads_the_same_graph(workflow: Workflow) -> None:
    """pydot sees the same nodes and edges."""
    text = dumps(workflow)
    ours = parse(text)
    (theirs,) = pydot.graph_from_dot_data(text)
    nodes = [node.get_name().strip('"') for node in theirs.get_nodes()]
    edges = [(edge.get_source().strip('"'), edge.get_destination().strip('"')) for edge in theirs.get_edges()]
    assert [name for name in nodes if name not in ("node", "graph")] == list(ours.nodes)
    assert edges == [(edge.tail, edge.head) for edge in ours.edges]


FOREIGN = r"""
/* made by hand */
strict digraph "my graph" {
  rankdir=LR; node [shape=box, fontname="Helvetica"]
  subgraph cluster_0 { label="process #1"; a0 -> a1 -> a2; node [shape=circle] inner }
  "quoted \"name\"" -> b:port1:n [label=<<b>bold</b> &amp; x>, weight=3];
  b -> { c d } -> e
  table [label=<<table><tr><td port="p1">two &lt; three</td></tr></table>>];
  table:p1 -> a0;
  x -> y -> {z; w};   // a comment
# line 1 "preprocessor"
  "con" + "cat" -> c
  123 -> -4.5; é -> ü
  e -> e2; e -> e2
  { rank=same; q r } -> subgraph s { t }
  subgraph s -> u
  EDGE [color=red]; Node [label="line\none\l"]; last
  a0 -> h [style=invis]; ghost [style="filled,invis"]; ghost -> a0
}
digraph other { o }
"""


def test_a_file_of_others_is_read_as_graphviz_does() -> None:
    """Subgraphs as ends, ports, HTML labels, quoted and joined names, numbers, defaults, strict."""
    loaded = loads(FOREIGN)
    graph = {one.name: one.depends for one in loaded.workflow.tasks}
    assert graph == {
        "a0": ("table",),
        "a1": ("a0",),
        "a2": ("a1",),
        "inner": (),
        "quoted__name_": (),
        "b": ("quoted__name_",),
        "c": ("b", "concat"),
        "d": ("b",),
        "e": ("c", "d"),
        "table": (),
        "x": (),
        "y": ("x",),
        "z": ("y",),
        "w": ("y",),
        "concat": (),
        "_123": (),
        "_-4.5": ("_123",),
        "é": (),
        "ü": ("é",),
        "e2": ("e",),
        "q": (),
        "r": (),
        "t": ("q", "r"),
        "u": ("t",),
        "last": (),
        "h": (),
    }
    assert loaded.workflow.name == "my graph"
    assert {one.name: one.description for one in loaded.workflow.tasks if one.description} == {
        "table": "two < three",
        "last": "line\none",
        "h": "line\none",
    }
    assert loaded.notices == (
        "The file holds several graphs; only the first one was read.",
        "Node 'quoted \"name\"' became task 'quoted__name_': a task cannot have the other name.",
        "Node '123' became task '_123': a task cannot have the other name.",
        "Node '-4.5' became task '_-4.5': a task cannot have the other name.",
        "Left out invisible nodes: 'ghost'.",
        "Left out 1 invisible edge, which only place nodes.",
        "The file holds no scripts: its 26 tasks have no code yet.",
    )


def test_controls_may_be_written_by_hand() -> None:
    """Edges with a control suffice; the script of the control is missing then."""
    loaded = loads("digraph g { a -> b [control=replicate]; b -> c; c -> d; d -> c [control=loop] }")
    a, b, c, d = loaded.workflow.tasks
    assert (a.flow, d.flow) == (
        Replicate(script=Script(language=JS)),
        Loop(script=Script(language=JS), target="c"),
    )
    assert (b.depends, c.depends, d.depends) == (("a",), ("b",), ("c",))
    assert loaded.notices[:2] == (
        "The replicate of 'a' needs a script that decides it, and has none.",
        "The loop of 'd' needs a script that decides it, and has none.",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1, column 1: a dot file starts with 'digraph', not with the end of the file."),
        ("hello {}", "Line 1, column 1: a dot file starts with 'digraph', not with 'hello'.\n    hello {}"),
        ("digraph {\n a -> ;\n}", "Line 2, column 7: a node or '{' is expected, not ';'.\n    a -> ;"),
        ("digraph {\n a ->", "Line 2, column 6: a node or '{' is expected, not the end of the file.\n    a ->"),
        ('digraph { a [label="x] }', "Line 1, column 20: this string is not terminated."),
        ("digraph {\n a [label=<x] }", "Line 2, column 11: this HTML string is not terminated."),
        ("digraph {\n /* a }", "Line 2, column 2: this comment is not terminated."),
        ("digraph { a -- b }", "Line 1, column 13: the edges of a digraph are written '->', not '--'."),
        ("digraph { a [b=] }", "Line 1, column 16: a value is expected, not ']'."),
        ("digraph { a ? }", "Line 1, column 13: '?' is not expected here."),
        ("digraph {\n a", "Line 2, column 3: the file ends, but a '}' is missing."),
        ("graph { a -- b }", "This graph is undirected"),
        ("digraph { }", "This graph has no node"),
        ("digraph {\n a -> b [control=if]; }", "Line 2: node 'a': a branch needs an edge with control=if and one with"),
        ("digraph { a -> b [control=if]; a -> c [control=if] }", "Line 1: 'a' has two edges with control=if."),
        ("digraph { a [control=x] }", "Line 1: node 'a': control=x is not known; use branch, loop or replicate."),
        ('digraph { a [proactive="{"] }', "The attribute proactive of node 'a' (line 1) is not JSON"),
        ('digraph { a [proactive="{\\"walltime\\": \\"x\\"}"] }', "In node 'a' (line 1), walltime must be an integer"),
        ("digraph " + "{ " * 200, "subgraphs are nested more than 100 deep."),
        (f"digraph {{ {MANY} -> {MANY} -> {MANY} }}", "the file has more than 1,000,000 edges."),
    ],
)
def test_a_bad_file_is_reported_with_its_line(text: str, message: str) -> None:
    """What was expected, and where."""
    with pytest.raises(UnreadableWorkflow) as caught:
        loads(text)
    assert message in caught.value.message


def test_values_are_judged() -> None:
    """What no server accepts is neither written nor read."""
    with pytest.raises(InvalidWorkflow):
        dumps(Workflow(name="no tasks"))
    with pytest.raises(InvalidWorkflow, match="Task 'a': walltime must be a time of whole seconds"):
        loads('digraph { a [proactive="{\\"walltime\\": 0}"] }')
