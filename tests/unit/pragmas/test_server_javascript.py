"""Javascript tasks for a ProActive server, whose engine takes no arrays and objects."""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas.jobs.server_code import for_server


def sent(notebook, code: str, arguments: str = "") -> str:
    notebook.run(f"#%task(A, language=Javascript{arguments})\n{code}")
    return for_server(notebook.context.draft.build("job")).workflow.tasks[0].executable.code


def test_puts_are_converted(notebook) -> None:
    """Those of the script and of exports, and no text that looks like one; each on its line."""
    code = (
        "variables.put('a', [1]); variables . put(\n'b', 2)\n// variables.put(\nvar s = \"variables.put(\" + 'it\\'s'\n"
        "other.variables.put('c', 3); myvariables.put('d', 4)"
    )
    lines = sent(notebook, code, ", export=[s]").split("\n")
    assert lines[:5] == [
        "_proactive_put(variables, 'a', [1]); _proactive_put(variables, ",
        "'b', 2)",
        "// variables.put(",
        "var s = \"variables.put(\" + 'it\\'s'",
        "other.variables.put('c', 3); myvariables.put('d', 4)",
    ]
    assert '_proactive_put(variables, "s", s)' in "\n".join(lines)


def test_scripts_around_a_task_are_converted(notebook) -> None:
    """Puts and assignments, but not the last expression, which is no result there."""
    code = "variables['a'] = [1]\nresultMap.b = {}\n[2]"
    notebook.run("#%task(A)\n1")
    for field in ("pre", "post"):
        notebook.run(f"#%{field}_script(A, language=Javascript)\n{code}")
    task = for_server(notebook.context.draft.build("job")).workflow.tasks[0]
    expected = [
        "_proactive_entry(variables, 'a').value = [1]",
        '_proactive_entry(resultMap, "b").value = {}',
        "[2]",
    ]
    assert [script.code.split("\n")[:3] for script in (task.pre, task.post)] == [expected] * 2


def test_lines_keep_their_places(notebook) -> None:
    """Errors name the lines of the cell; the line after them belongs to no cell."""
    notebook.run("#%task(A, language=Javascript)\nvar x = 1\nx.y.z")
    built = for_server(notebook.context.draft.build("job"))
    source = built.sources["A"].scripts["task"]
    assert [source.place(line) for line in (1, 2, 3)] == [("Cell In[1]", 2), ("Cell In[1]", 3), None]
    assert built.sources["A"].written == "var x = 1\nx.y.z"
