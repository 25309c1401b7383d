"""Calls against declarations: valid calls, and the error for each invalid one."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.cells.plan import mask, plan
from proactive_jupyter_kernel.pragmas.declarations.kinds import Formula
from proactive_jupyter_kernel.pragmas.declarations.registry import (
    FAMILIES,
    PRAGMAS,
    BoundCall,
    Parameter,
    Registry,
    pragma,
)
from proactive_jupyter_kernel.pragmas.declarations.values import Plain
from proactive_jupyter_kernel.pragmas.grammar.syntax import LocalCode


def bound(cell: str) -> BoundCall:
    """The one pragma of a cell."""
    (call,) = plan(cell).calls
    return call


def fault(cell: str) -> str:
    """The error of an invalid cell."""
    with pytest.raises(PragmaError) as caught:
        plan(cell)
    return str(caught.value)


def test_values_get_their_types_and_defaults() -> None:
    """Each parameter has the value of its kind, or its default."""
    call = bound(
        "#%task(dep=A, name='T1', language=bash, variables={n: =len(x), s: '=no formula'}, precious_result=YES,"
        " walltime=01:00:05, retries=2, import[a, b], on_error=Cancel)\necho"
    )
    assert {name: call[name] for name in ("name", "dep", "import", "export", "retries", "walltime")} == {
        "name": "T1",
        "dep": ("A",),
        "import": ("a", "b"),
        "export": (),
        "retries": 2,
        "walltime": 3605,
    }
    assert call["language"].engine == "bash"
    assert call["variables"] == {"n": Formula(text="len(x)"), "s": "=no formula"}
    assert (call["precious_result"], call["on_error"], call["path"]) == (True, "cancel", None)
    assert call.code == "echo"
    assert (call.given("dep"), call.given("path")) == (True, False)


@pytest.mark.parametrize("name", ["python", "PYTHON", "cpython", "Python", "py"])
def test_languages_are_known_by_any_of_their_names(name: str) -> None:
    """Whatever the case, and under short names."""
    assert bound(f"#%task(T, language={name})")["language"].engine == "cpython"


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("[(a,1),(b,2)]", {"a": "1", "b": "2"}),
        ("(a, 1)", {"a": "1"}),
        ("((a,1),(b,2))", {"a": "1", "b": "2"}),
        ("[[a,1]]", {"a": "1"}),
        ("{a: 1}", {"a": "1"}),
        ("[]", {}),
        ("[(a, 'x, y')]", {"a": "x, y"}),
        ("[(a, '')]", {"a": ""}),
    ],
)
def test_pairs_may_be_written_in_several_ways(pairs: str, expected: dict[str, str]) -> None:
    """As pairs in a list, as one pair, or in curly brackets."""
    assert bound(f"#%job(name=job, variables={pairs})")["variables"] == expected


def test_one_value_without_a_name_is_the_one_required_parameter() -> None:
    """Or the only parameter there is."""
    assert bound("#%task(T1)")["name"] == "T1"
    assert bound("#%get_task_result(T1, job_id=3)")["task_name"] == "T1"
    assert bound("#%help(task)")["pragma"] == "task"


def test_aliases_name_the_same() -> None:
    """`id` is `job_id`; `get_result` is `get_job_result`."""
    assert bound("#%get_result(id=7)").pragma is PRAGMAS["get_job_result"]
    assert bound("#%get_result(id=7)")["job_id"] == 7


def test_code_below_a_pragma_that_takes_none_is_local() -> None:
    """It runs in the notebook's own Python, after the pragma, at its own lines."""
    steps = plan("a\n#%task(A)\nb\n#%submit_job()\nc\n#%help()\n").steps
    assert [step if isinstance(step, LocalCode) else step.pragma.name for step in steps] == [
        LocalCode(text="a\n", first_line=1),
        "task",
        "submit_job",
        LocalCode(text="c\n", first_line=5),
        "help",
    ]


def test_a_pragma_knows_those_that_follow_in_its_cell() -> None:
    """Dependencies on tasks of the same cell need it."""
    first, second = plan("#%task(A)\n#%task(B)").calls
    assert [call["name"] for call in first.later] == ["B"]
    assert list(second.later) == []


def test_what_follows_in_a_cell_is_a_sequence() -> None:
    """It counts, slices and names tasks from the pragma that asks."""
    first, second, *_ = plan("#%task(A)\n#%task(B, dep=[A])\n#%help()\n#%task(C)\n#%help()").calls
    later = first.later
    assert [call.pragma.name for call in later] == ["task", "help", "task", "help"]
    assert (len(later), later[0]["name"], later[-2]["name"], [one.pragma.name for one in later[1:2]]) == (
        4,
        "B",
        "C",
        ["help"],
    )
    assert (later.definition("A"), later.definition("C"), later.depend_on("A")) == (None, later[2], True)
    assert (sorted(later.tasks), list(second.later.tasks), second.later.depend_on("A")) == (["B", "C"], ["C"], False)
    assert (later.changes_draft, later[2].later.changes_draft) == (True, False)
    with pytest.raises(IndexError):
        _ = later[4]


MISFITS = {
    "#%tsk(name=T)": """\
There is no pragma #%tsk.
  line 1:
    #%tsk(name=T)
    ~~~~^
Did you mean #%task? #%help() lists all pragmas.""",
    "#%zzzzzz()": """\
There is no pragma #%zzzzzz.
  line 1:
    #%zzzzzz()
    ~~~~~~~^
#%help() lists all pragmas.""",
    "#%delete_task(nme=T)": """\
#%delete_task: there is no parameter nme.
  line 1:
    #%delete_task(nme=T)
                  ~~^
Did you mean 'name'?
Usage: #%delete_task(name=NAME)""",
    "#%delete_task(name=T, name=U)": """\
#%delete_task: name is given twice.
  line 1:
    #%delete_task(name=T, name=U)
                          ~~~^""",
    "#%kill_job(id=1, job_id=2)": """\
#%kill_job: job_id is given twice.
  line 1:
    #%kill_job(id=1, job_id=2)
                     ~~~~~^""",
    "#%delete_task": """\
#%delete_task: name must be given.
  line 1:
    #%delete_task
    ~~~~~~~~~~~~^
Usage: #%delete_task(name=NAME)""",
    "#%task(name=1T)": """\
#%task: name must be a task's name, and '1T' starts with '1'; a name starts with a letter or _.
  line 1:
    #%task(name=1T)
                ~^""",
    "#%task(name=a b)": """\
#%task: name must be a task's name, and 'a b' contains ' '; a name holds letters, digits, '.', '-' and '_' only.
  line 1:
    #%task(name=a b)
                ~~^""",
    "#%task(name=T#1)": """\
#%task: name must be a task's name, and 'T#1' contains '#'; a name holds letters, digits, '.', '-' and '_' only.
  line 1:
    #%task(name=T#1)
                ~~^""",
    "#%task(name=[T])": """\
#%task: name must be a task's name: letters, digits, '_', '-' and '.', a letter or '_' first, not [T].
  line 1:
    #%task(name=[T])
                ~~^
Brackets that belong to the text are written inside quotes.""",
    "#%task(T, dep=[A, B, A])": """\
#%task: dep names 'A' twice.
  line 1:
    #%task(T, dep=[A, B, A])
                         ^""",
    "#%task(T, dep={A: B})": """\
#%task: dep must be names of tasks, such as [a, b], not {A: B}.
  line 1:
    #%task(T, dep={A: B})
                  ~~~~~^""",
    "#%task(T, language=Pyton)": """\
#%task: language must be a script language, not 'Pyton'.
  line 1:
    #%task(T, language=Pyton)
                       ~~~~^
Did you mean 'Python'? The languages: Linux_Bash, Windows_Cmd, DockerCompose, Scalaw, Groovy, Javascript, Jython, \
Python, Ruby, Perl, PowerShell, R.""",
    "#%task(T, precious_result=maybe)": """\
#%task: precious_result must be on or off, not 'maybe'.
  line 1:
    #%task(T, precious_result=maybe)
                              ~~~~^""",
    "#%task(T, retries=-1)": """\
#%task: retries must be an integer from 0 to 10000, not '-1'.
  line 1:
    #%task(T, retries=-1)
                      ~^""",
    "#%kill_job(job_id=x)": """\
#%kill_job: job_id must be an integer of at least 1, not 'x'.
  line 1:
    #%kill_job(job_id=x)
                      ^""",
    "#%task(T, walltime=0)": """\
#%task: walltime must be a time: seconds, MM:SS or HH:MM:SS, longer than 0, not '0'.
  line 1:
    #%task(T, walltime=0)
                       ^""",
    "#%task(T, walltime=1:75)": """\
#%task: walltime must be a time: seconds, MM:SS or HH:MM:SS, longer than 0, not '1:75'.
  line 1:
    #%task(T, walltime=1:75)
                       ~~~^""",
    "#%task(T, on_error=cancle)": """\
#%task: on_error must be cancel, suspend, pause or continue, not 'cancle'.
  line 1:
    #%task(T, on_error=cancle)
                       ~~~~~^
Did you mean 'cancel'?""",
    "#%job(name=J)": """\
#%job: name must be a job's name: at least 2 characters, not 'J'.
  line 1:
    #%job(name=J)
               ^""",
    "#%job(name=job, variables=[a, b])": """\
#%job: variables must be pairs, such as [(name, value), (name, value)] or {name: value}, not 'a'.
  line 1:
    #%job(name=job, variables=[a, b])
                               ^""",
    "#%job(name=job, variables=a)": """\
#%job: variables must be pairs, such as [(name, value), (name, value)] or {name: value}, not 'a'.
  line 1:
    #%job(name=job, variables=a)
                              ^""",
    "#%job(name=job, variables=[(a,1),(a,2)])": """\
#%job: variables gives 'a' twice.
  line 1:
    #%job(name=job, variables=[(a,1),(a,2)])
                                      ^""",
    "#%job(name=job, variables=[(a,[1,2])])": """\
#%job: variables takes texts as values, not [1,2].
  line 1:
    #%job(name=job, variables=[(a,[1,2])])
                                  ~~~~^
Write it in quotes.""",
    "#%get_task_result(T, into=2x)": """\
#%get_task_result: into must be the name of a Python variable, not '2x'.
  line 1:
    #%get_task_result(T, into=2x)
                              ~^""",
    "#%get_task_result(T, into=class)": """\
#%get_task_result: into must be the name of a Python variable, not 'class'.
  line 1:
    #%get_task_result(T, into=class)
                              ~~~~^""",
    "#%connect(host=h, port=99999)": """\
#%connect: port must be an integer from 1 to 65535, not '99999'.
  line 1:
    #%connect(host=h, port=99999)
                           ~~~~^""",
    "#%configure(task=cell)": """\
#%configure: task must be local, block or multiblock, not 'cell'.
  line 1:
    #%configure(task=cell)
                     ~~~^
Known: local, block, multiblock.""",
    "#%task(T)\nx = 1\ny = = 2": """\
#%task: the code is not Python: invalid syntax.
  line 3:
    y = = 2
        ^""",
    "#%task(T)\nif x:\nprint(1)": """\
#%task: the code is not Python: expected an indented block after 'if' statement on line 1.
  line 3:
    print(1)
    ~~~~^""",
    "#%task(T)\n!ls": """\
#%task: the code is not Python: invalid syntax.
  line 2:
    !ls
    ^
Magics and shell commands belong to IPython; a task runs plain Python. A task with language=Linux_Bash runs shell \
commands.""",
    "#%task(A)\n#%import()\nreturn 1": """\
#%import: the code is not Python: 'return' outside function.
  line 3:
    return 1
    ~~~~~~~^""",
}


@pytest.mark.parametrize("cell", MISFITS)
def test_a_misfit_is_reported_in_full(cell: str) -> None:
    """What is wrong, where, what was expected, and the nearest thing that exists."""
    assert fault(cell) == MISFITS[cell]


SECRETS = {
    "#%connect(host=h, login=me, pasword=s3cret)": """\
#%connect: there is no parameter pasword.
  line 1:
    #%connect(host=h, login=me, pasword=******)
                                ~~~~~~^
Did you mean 'password'?
Usage: #%connect([host=HOST], [port=8080], [url=URL], [login=LOGIN], [password=PASSWORD], [path=PATH], \
[token=TOKEN], [verify=on])""",
    "#%connect(password=s3)cret, host=h)": """\
#%connect: nothing but a comment may follow the closing bracket.
  line 1:
    #%connect(password=*******, host=h)
                          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%connect(password=[s3, cret], host=h)": """\
#%connect: password must be a text, kept secret.
  line 1:
    #%connect(password=**********, host=h)
                       ~~~~~~~~~^
Brackets that belong to the text are written inside quotes.""",
    "#%connct(password='s3,cret', host=h)": """\
There is no pragma #%connct.
  line 1:
    #%connct(password=*********, host=h)
    ~~~~~~~^
Did you mean #%connect? #%help() lists all pragmas.""",
    "#%connect(host=h, port=x, password=s3cret)": """\
#%connect: port must be an integer from 1 to 65535, not 'x'.
  line 1:
    #%connect(host=h, port=x, password=******)
                           ^""",
}


@pytest.mark.parametrize("cell", SECRETS)
def test_no_error_shows_a_password(cell: str) -> None:
    """Whatever is wrong with the line, the password in it is hidden, a misspelt one too."""
    assert fault(cell) == SECRETS[cell]


def test_passwords_are_masked_in_pragmas_and_nowhere_else() -> None:
    """What is kept of a cell, such as the history, has stars for passwords and tokens; code is left alone."""
    cell = (
        "password = 'mine'\n#%connect(login=me, password=\n#  top secret, host=h)\nx = dict(token='t')\n"
        "#%connect(url=https://h, token=abc)\n#%connect(url=http://me:s3cret@h:8080)"
    )
    assert mask(cell) == (
        "password = 'mine'\n#%connect(login=me, password=\n#  **********, host=h)\nx = dict(token='t')\n"
        "#%connect(url=https://h, token=***)\n#%connect(url=http://me:******@h:8080)"
    )


def test_the_token_of_a_node_is_not_a_secret() -> None:
    """It is the name of a group of nodes, which every user can list; the token of a login is one, also misspelt."""
    cell = "#%submit_job(token=cuda)\n#%conect(token=abc)"
    assert mask(cell) == "#%submit_job(token=cuda)\n#%conect(token=***)"


@pytest.mark.parametrize("password", ["p@ss=w0rd!", "a;b", "100%", "x{y}", "ünï", "(a)b", "#start", "a'b\"c", r"a\nb"])
def test_passwords_are_taken_to_the_letter(password: str) -> None:
    """A bare password may hold anything but what ends it."""
    assert bound(f"#%connect(login=ada.l-o@x\\y, password={password})")["password"].reveal() == password


def test_a_password_never_shows_in_a_bound_call() -> None:
    """Neither as a value nor through the printing of the call's values."""
    assert "s3cret" not in repr(bound("#%connect(password=s3cret)").values)


def test_an_unfit_cell_is_refused_as_a_whole() -> None:
    """Every pragma of a cell is checked before the first is handed out."""
    assert "line 3" in fault("#%task(A)\nx = 1\n#%tusk(B)")


def test_every_pragma_declares_itself_completely() -> None:
    """Each has a known family, a sentence, an example that fits its own declaration, and documented parameters."""
    for name, found in PRAGMAS.items():
        assert found.family in FAMILIES
        assert found.summary.endswith(".")
        assert plan(found.example).calls[0].pragma.name == name
        assert found.handler.__doc__ or found.handler.__qualname__.startswith("_act")
        for parameter in found.parameters:
            assert parameter.doc.endswith("."), (name, parameter.name)
            assert parameter.kind.description


def test_a_registry_refuses_a_second_pragma_of_a_name() -> None:
    """Names and aliases are unique, families are known."""
    registry = Registry()
    declare = {"family": "help", "summary": "Does.", "example": "#%a", "registry": registry}
    pragma("a", Parameter(name="x", kind=Plain(), doc="An x."), aliases=("b",), **declare)(lambda context, call: None)
    with pytest.raises(ValueError, match="two pragmas are called b"):
        pragma("b", **declare)(lambda context, call: None)
    with pytest.raises(ValueError, match="no family"):
        pragma("c", **{**declare, "family": "nonsense"})(lambda context, call: None)
    assert (list(registry), len(registry), registry.names()) == (["a"], 1, ("a", "b"))
    assert registry["b"].name == "a"


@pytest.mark.parametrize(
    ("cell", "word"), [("#%submit_job(wait)", "wait"), ("#%draw_job(save)", "save"), ("#%submit_job(draw)", "draw")]
)
def test_switch_without_its_value_is_not_a_name(cell: str, word: str) -> None:
    """It would silently become the name of the job."""
    text = fault(cell)
    assert f"the value of {word} is missing." in text
    assert f"Did you mean {word}=on? Else write name={word}." in text


def test_code_belongs_below_the_pragma() -> None:
    """Where it is written as a value, which a pragma with code does not take."""
    assert fault("#%import(numpy)").split("\n")[-2:] == [
        "Write its code on the lines below it.",
        "Usage: #%import([language=Python], [path=PATH])",
    ]


def test_name_that_is_a_switch_elsewhere_is_a_name() -> None:
    """Written by its name it is taken as it stands."""
    assert bound("#%submit_job(name=wait)")["name"] == "wait"
