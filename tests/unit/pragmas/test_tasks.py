"""Tasks of the draft: defining, redefining, deleting them; their scripts; import code; cells that become tasks."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow, PragmaError
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, TaskVariable


def fault(notebook, cell: str) -> str:
    """The error of a cell that fails when it runs."""
    with pytest.raises(PragmaError) as caught:
        notebook.run(cell)
    return str(caught.value)


def test_a_task_is_confirmed_in_one_line(notebook) -> None:
    """With its language and what it depends on."""
    assert notebook.run("#%task(name=A)\nx = 1") == ["Defined task A (Python)."]
    assert notebook.run("#%task(B, dep=A, language=bash)\necho") == ["Defined task B (Linux_Bash, after A)."]


def test_every_parameter_reaches_the_workflow(notebook) -> None:
    """What a task says about itself is in the workflow that is built."""
    notebook.run(
        "#%task(A, variables=[(v, 1)], generic_info={K: x}, precious_result=on, retries=2, on_error=pause,"
        " walltime=1:00, description='what, for')\nresult = v"
    )
    task = notebook.context.draft.build("job").workflow.task("A")
    assert (task.variables, dict(task.generic_information)) == ((TaskVariable(name="v", value="1"),), {"K": "x"})
    assert (task.precious_result, task.max_executions, task.walltime) == (True, 3, 60)
    assert (task.on_error, task.description) == (ErrorPolicy.PAUSE_JOB, "what, for")


def test_a_task_named_again_is_redefined_in_place(notebook) -> None:
    """Its place and the dependencies of others on it stay, and a notice says so."""
    notebook.run("#%task(A)\n1\n#%task(B, dep=A)\n2")
    assert notebook.run("#%task(A, language=R)\n3") == ["* Redefined task A (R)."]
    tasks = notebook.context.draft.build("job").workflow.tasks
    assert [(task.name, task.executable.language, task.executable.code, task.depends) for task in tasks] == [
        ("A", "R", "3", ()),
        ("B", "cpython", "2", ("A",)),
    ]


def test_a_dependency_may_be_defined_further_down_in_the_cell(notebook) -> None:
    """Tasks of one cell may be written in any order."""
    notebook.run("#%task(B, dep=[A], import=[v])\n#%task(A, export=[v])\nv = 1")
    assert notebook.context.draft.build("job").workflow.task("B").depends == ("A",)


FAULTS = {
    "#%task(C, dep=[C])": """\
#%task: task C cannot depend on itself.
  line 1:
    #%task(C, dep=[C])
                   ^""",
    "#%task(A, dep=[B])": """\
#%task: task A cannot depend on B, which depends on A already.
  line 1:
    #%task(A, dep=[B])
                   ^""",
    "#%task(C, dep=[D])\n#%task(D, dep=[C])": """\
#%task: task C cannot depend on D, which depends on C already.
  line 1:
    #%task(C, dep=[D])
                   ^""",
    "#%task(C, dep=A, import=[vv])": """\
#%task: import names the variable 'vv', which is not exported by a task before C and not defined by the job or the task.
  line 1:
    #%task(C, dep=A, import=[vv])
                             ~^
Did you mean 'v'?""",
    "#%task(C, import=[v])": """\
#%task: import names the variable 'v', which is not exported by a task before C and not defined by the job or the task.
  line 1:
    #%task(C, import=[v])
                      ^
Export it in a task that this one depends on, or give it to #%job(variables=…).""",
    "#%task(C, language=bash, export=[v])": """\
#%task: a Linux_Bash task cannot export variables: its script gets a copy to read, and nothing comes back.
  line 1:
    #%task(C, language=bash, export=[v])
                                    ~~^
Let it write a file or print, or let a Python task that depends on it set the variable.""",
    "#%task(C, export=[a.b])": """\
#%task: export names 'a.b', which cannot be the name of a Python variable.
  line 1:
    #%task(C, export=[a.b])
                      ~~^""",
    "#%task(C, variables=[(a, =1/0)])": """\
#%task: the expression for a cannot be evaluated: ZeroDivisionError: division by zero
  line 1:
    #%task(C, variables=[(a, =1/0)])
                             ~~~^
A value that starts with '=' is an expression of the notebook's Python; quotes make it a text.""",
    "#%task(C, variables=[(a, =[1])])": """\
#%task: the expression for a gives a list, not a text, a number or a bool.
  line 1:
    #%task(C, variables=[(a, =[1])])
                             ~~~^
Turn it into text: =str(…) or =json.dumps(…).""",
    "#%delete_task(Aa)": """\
#%delete_task: there is no task 'Aa'.
  line 1:
    #%delete_task(Aa)
                  ~^
Did you mean 'A'?""",
}


@pytest.mark.parametrize("cell", FAULTS)
def test_what_cannot_be_is_refused_where_it_is_written(notebook, cell: str) -> None:
    """And changes nothing in the draft."""
    notebook.run("#%task(A, export=[v])\nv = 1\n#%task(B, dep=[A])")
    before = dict(notebook.context.draft.tasks)
    assert fault(notebook, cell) == FAULTS[cell]
    assert notebook.context.draft.tasks == before


@pytest.mark.parametrize(
    ("language", "script"),
    [
        ("Python", 'x = variables.get("x")\ncode'),
        ("Jython", 'x = variables.get("x")\ncode'),
        ("Linux_Bash", 'x="$variables_x"\ncode'),
        ("Windows_Cmd", 'set "x=%variables_x%"\ncode'),
        ("Perl", 'our $x = $ENV{"variables_x"};\ncode'),
        ("Groovy", 'x = variables.get("x")\ncode'),
        ("Javascript", 'var x = variables.get("x");\ncode'),
        ("Ruby", 'x = variables.get("x")\ncode'),
        ("R", 'x <- variables[["x"]]\ncode'),
        ("PowerShell", "$x = $variables['x']\ncode"),
        ("Scalaw", 'var x: Any = variables.get("x")\ncode'),
        ("DockerCompose", "code"),
    ],
)
def test_imported_variables_are_bound_as_the_language_does_it(notebook, language: str, script: str) -> None:
    """Before the task's own code."""
    notebook.run(f"#%job(name=job, variables=[(x, 1)])\n#%task(A, language={language}, import=[x])\ncode")
    assert notebook.script("A") == script


@pytest.mark.parametrize(
    ("language", "script"),
    [
        (
            "Jython",
            "code\ntry:\n    x\nexcept NameError:\n    raise NameError(\"Task 'A' exports the variable 'x', but its "
            'code never sets it.")\nvariables.put("x", x)',
        ),
        (
            "Groovy",
            'code\ntry { variables.put("x", x) } catch (MissingPropertyException missing) { throw new '
            "IllegalStateException(\"Task 'A' exports the variable 'x', but its code never sets it.\") }",
        ),
        (
            "Javascript",
            "code\nif (typeof x === \"undefined\") { throw new Error(\"Task 'A' exports the variable 'x', but its code "
            'never sets it."); }\nvariables.put("x", x);',
        ),
        (
            "Ruby",
            "code\nraise NameError, \"Task 'A' exports the variable 'x', but its code never sets it.\" unless "
            'defined?(x)\nvariables.put("x", x)',
        ),
        (
            "R",
            "code\nif (!exists(\"x\")) stop(\"Task 'A' exports the variable 'x', but its code never sets it.\")\n"
            'variables[["x"]] <- x',
        ),
        (
            "PowerShell",
            "code\nif (-not (Test-Path variable:x)) { throw \"Task 'A' exports the variable 'x', but its code never "
            "sets it.\" }\n$variables['x'] = $x",
        ),
        ("Scalaw", 'code\nvariables.put("x", x.asInstanceOf[Object])'),
    ],
)
def test_exported_variables_are_set_as_the_language_does_it(notebook, language: str, script: str) -> None:
    """After the task's own code, with an error that names a variable that was never set."""
    notebook.run(f"#%task(A, language={language}, export=[x])\ncode")
    assert notebook.script("A") == script


class Variables(dict):
    """The map that Python tasks see."""

    def put(self, name: str, value: object) -> None:
        self[name] = value


def run_python(script: str, **variables: object) -> Variables:
    """Run a Python task's script as an interpreter would."""
    found = Variables(variables)
    exec(compile(script, "<script>", "exec"), {"variables": found})
    return found


def test_a_python_task_hands_on_what_it_exports(notebook) -> None:
    """Every type that travels is put into the variables, unchanged."""
    notebook.run(
        "#%job(name=job, variables={n: 1})\n#%task(A, import=[n], export=[a, b])\na = [n, {'k': (1.5, None)}]\nb = b'x'"
    )
    assert run_python(notebook.script("A"), n="7") == {"n": "7", "a": ["7", {"k": (1.5, None)}], "b": b"x"}


def test_a_python_task_that_never_sets_an_export_fails_by_name(notebook) -> None:
    """The message names the task and the variable."""
    notebook.run("#%task(A, export=[total])\nx = 1")
    with pytest.raises(NameError, match=r"Task 'A' exports the variable 'total', but its code never sets it\."):
        run_python(notebook.script("A"))


def test_future_imports_stay_in_front(notebook) -> None:
    """What Python wants first stays first, whatever is put in front of a task."""
    notebook.run('#%import()\nimport math\n#%task(A)\n"""Doc."""\nfrom __future__ import annotations\nx: Foo = math.pi')
    assert notebook.script("A") == '"""Doc."""\nfrom __future__ import annotations\nimport math\nx: Foo = math.pi'
    run_python(notebook.script("A"))


def test_import_code_stands_in_front_of_every_task_of_its_language(notebook) -> None:
    """Also of tasks defined before, and of no task of another language."""
    notebook.run("#%task(A)\na\n#%task(B, language=R)\nb")
    assert notebook.run("#%import\nimport math") == ["This code is prepended to every Python task."]
    notebook.run("#%task(C)\nc")
    assert [notebook.script(name) for name in "ABC"] == ["import math\na", "b", "import math\nc"]


def test_import_cells_add_up_and_replace_themselves(notebook) -> None:
    """Another cell adds to the code, the same cell run again replaces its own; without code all of it is dropped."""
    notebook.run("#%task(A)\na")
    for cell, code in (("one", "import x"), ("two", "import y"), ("one", "import z")):
        notebook.frontend.cell_id = cell
        notebook.run(f"#%import()\n{code}")
    assert notebook.script("A") == "import z\nimport y\na"
    assert notebook.run("#%import()") == ["No code is prepended to Python tasks any more."]
    assert notebook.script("A") == "a"


def test_the_same_import_code_is_kept_once_where_cells_have_no_identity(notebook) -> None:
    """Running a cell twice does not double its code."""
    notebook.run("#%task(A)\na")
    notebook.run("#%import()\nimport x")
    notebook.run("#%import()\nimport x")
    assert notebook.script("A") == "import x\na"


def test_a_file_holds_the_code(notebook) -> None:
    """`path` is relative to the notebook's folder; the file wins over code in the cell, with a warning."""
    (notebook.frontend.folder / "t.py").write_text("result = 'ü'\n", encoding="utf-8")
    assert notebook.run("#%task(A, path=t.py)\nresult = 2") == [
        "! The code in the cell is ignored: #%task takes it from t.py.",
        "Defined task A (Python).",
    ]
    assert notebook.script("A") == "result = 'ü'"


def test_a_file_that_cannot_be_used_is_reported(notebook) -> None:
    """A missing file proposes the nearest one; a file that is not Python names its line."""
    folder = notebook.frontend.folder
    (folder / "script.py").write_text("x = = 1\n")
    (folder / "latin.py").write_bytes(b"x = '\xff'")
    (folder / "klingon.py").write_bytes(b"# coding: klingon\nx = 1")
    assert fault(notebook, "#%task(A, path=scirpt.py)") == (
        f"#%task: scirpt.py cannot be read: No such file or directory. It was looked for in {folder}.\n  line 1:\n"
        "    #%task(A, path=scirpt.py)\n                   ~~~~~~~~^\nDid you mean 'script.py'?"
    )
    assert "script.py, line 1: the file is not Python: invalid syntax." in fault(notebook, "#%task(A, path=script.py)")
    assert "latin.py is not text in UTF-8." in fault(notebook, "#%task(A, path=latin.py)")
    assert "klingon.py names an unknown encoding: klingon." in fault(notebook, "#%task(A, path=klingon.py)")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\ny = 1\n", "# -*- coding: utf-8 -*-\nx = 'é'\ny = 1\n"),
        (
            b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'",
            "#!/usr/bin/python\n# vim: set fileencoding=utf-8 :\nx = '€'",
        ),
        ("\ufeffx = 'é'\n".encode(), "x = 'é'\n"),
        ("x = 'é'\r\n".encode("utf-16"), "x = 'é'\n"),
        ("x = 'é'\n".encode("utf-32"), "x = 'é'\n"),
    ],
    ids=["latin-1", "cp1252 in the second line", "UTF-8 mark", "UTF-16", "UTF-32"],
)
def test_a_file_is_read_in_its_encoding(notebook, content: bytes, code: str) -> None:
    """By Python's coding comment or a byte order mark; the comment says what the task's file is, UTF-8."""
    (notebook.frontend.folder / "script.py").write_bytes(content)
    notebook.run("#%task(A, path=script.py)")
    assert notebook.context.draft.build("job").workflow.task("A").executable.code == code.rstrip("\n")


def test_code_for_another_python_is_not_judged_by_ours(notebook) -> None:
    """A warning says so, for the cell and for a file; without PYTHON_COMMAND it stays an error."""
    (notebook.frontend.folder / "old.py").write_text("print 'old'\n")
    info = "generic_info=[(PYTHON_COMMAND, python2)]"
    shown = notebook.run(f"#%task(A, {info})\nx = 1\nprint 'old'") + notebook.run(f"#%task(B, {info}, path=old.py)")
    doubt = (
        "is not Python for this kernel's interpreter (Missing parentheses in call to 'print'. Did you mean print(...)?)"
    )
    assert [text for text in shown if "PYTHON_COMMAND" in text] == [
        f"! Line 3 of the cell {doubt}; python2 (PYTHON_COMMAND) will run it.",
        f"! Line 1 of old.py {doubt}; python2 (PYTHON_COMMAND) will run it.",
    ]
    tasks = notebook.context.draft.build("job").workflow.tasks
    assert [task.executable.code for task in tasks] == ["x = 1\nprint 'old'", "print 'old'"]
    assert "the code is not Python" in fault(notebook, "#%task(C)\nprint 'old'")


def test_formulas_take_the_notebooks_values(notebook) -> None:
    """A bare value that starts with = is evaluated in the notebook's Python; texts in quotes are not."""
    notebook.frontend.namespace |= {"n": 3, "names": ["a", "b"], "flag": True}
    notebook.run("#%task(A, variables=[(n, =n + 1), (k, =len(names)), (f, =flag), (t, '=n'), (s, =', '.join(names))])")
    assert {one.name: one.value for one in notebook.context.draft.tasks["A"].task.variables} == {
        "n": "4",
        "k": "2",
        "f": "true",
        "t": "=n",
        "s": "a, b",
    }
    assert "__builtins__" not in notebook.frontend.namespace


def test_a_deleted_task_takes_the_dependencies_on_it_along(notebook) -> None:
    """And says which tasks no longer depend on it."""
    notebook.run("#%task(A)\n#%task(B, dep=A)\n#%task(C, dep=[A, B])")
    assert notebook.run("#%delete_task(A)") == ["Deleted task A. No longer depending on it: B, C."]
    workflow = notebook.context.draft.build("job").workflow
    assert [(task.name, task.depends) for task in workflow.tasks] == [("B", ()), ("C", ("B",))]


def test_an_import_that_lost_its_export_is_found_when_the_job_is_built(notebook) -> None:
    """All problems come together, each naming its task."""
    notebook.run("#%task(A, export=[v, w])\nv = w = 1\n#%task(B, dep=A, import=[v])\n#%task(C, dep=A, import=[w])")
    notebook.run("#%task(A)\npass")
    with pytest.raises(InvalidWorkflow) as caught:
        notebook.context.draft.build("job")
    assert [str(problem)[:45] for problem in caught.value.problems] == [
        "Task 'B' imports the variable 'v', which no t",
        "Task 'C' imports the variable 'w', which no t",
    ]


def test_variables_of_the_system_and_of_the_task_may_be_imported(notebook) -> None:
    """PA_… variables are always there; a task's own need no export."""
    notebook.run("#%task(A, variables=[(own, 1)], import=[own, PA_JOB_ID])\nresult = own")


def test_plain_cells_are_local_unless_configured(notebook) -> None:
    """And in every mode a cell of comments, or papermill's parameters, stays local."""
    assert notebook.plain("x = 1") is None
    notebook.run("#%configure(task=block)")
    assert notebook.plain("# just a comment\n\n") is None
    assert notebook.plain("# Parameters\nn = 3\n") is None
    assert notebook.plain("x = 1") == ["Defined task block1 (Python)."]
    notebook.run("#%configure(task=local)")
    assert notebook.plain("x = 1") is None


def test_a_block_cell_run_again_stays_the_same_task(notebook) -> None:
    """Where the front end tells cells apart, each is one task; names never clash."""
    notebook.run("#%task(block2)\n#%configure(task=block)")
    notebook.frontend.cell_id = "one"
    notebook.plain("x = 1")
    notebook.frontend.cell_id = "two"
    notebook.plain("x = 2")
    notebook.frontend.cell_id = "one"
    assert notebook.plain("x = 3") == ["* Redefined task block1 (Python)."]
    assert {name: notebook.script(name) for name in notebook.context.draft.tasks} == {
        "block2": "",
        "block1": "x = 3",
        "block3": "x = 2",
    }


def test_multiblock_cells_continue_with_the_last_task(notebook) -> None:
    """A cell run again replaces its own part; without a task the first cell makes one."""
    notebook.run("#%configure(task=multiblock)")
    assert notebook.plain("x = 0") == ["Defined task block1 (Python)."]
    notebook.run("#%task(A, export=[x])\nx = 1")
    notebook.frontend.cell_id = "two"
    assert notebook.plain("x += 1") == ["Task A continues with this cell."]
    notebook.frontend.cell_id = "three"
    notebook.plain("x += 2")
    notebook.frontend.cell_id = "two"
    notebook.plain("x += 5")
    assert run_python(notebook.script("A")) == {"x": 8}


def test_plain_cells_that_are_not_python_are_refused_at_their_line(notebook) -> None:
    """The place is that of the cell."""
    notebook.run("#%configure(task=block)")
    with pytest.raises(PragmaError) as caught:
        notebook.plain("x = 1\ny = (")
    assert (caught.value.line, caught.value.source) == (2, "y = (")


@pytest.mark.parametrize(
    "cell", ["#%fork_env(name=train)\nx = 1", "#%pre_script(train)\nx = 1", "#%delete_task(train)"]
)
def test_script_of_a_task_that_is_not_there_says_how_to_make_one(notebook, cell: str) -> None:
    """Also where there is no task at all, and so none to propose."""
    with pytest.raises(PragmaError) as caught:
        notebook.run(cell)
    assert caught.value.hint == "The job has no task yet: #%task(name=NAME) defines a task with the code below it."


@pytest.mark.parametrize(("notebook_name", "job"), [("n", "notebook_n"), ("my", "my"), ("", "Unnamed_job")])
def test_job_of_any_notebook_has_a_name_that_a_scheduler_takes(notebook, notebook_name: str, job: str) -> None:
    """The notebook's own where it can be one."""
    notebook.frontend.notebook_name = notebook_name
    notebook.run("#%task(A)\n1")
    assert notebook.context.draft.build(notebook.context.job_name).workflow.name == job
