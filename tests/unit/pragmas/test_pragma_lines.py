"""Which lines of a cell are pragmas, and the slips in them that would change the meaning."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.grammar.magics import MAGICS, SHARED
from proactive_jupyter_kernel.pragmas.grammar.parser import has_pragma, parse, read, write
from proactive_jupyter_kernel.pragmas.grammar.syntax import TextNode


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("#%task", True),
        ("  \t#%task(name=T)", True),
        ("#% task(name=T)", True),
        ("# %task(name=T)", True),
        ("#\u00a0%\u00a0task\u00a0(name=T)", True),
        ("#  %  TASK ( name=T)", True),
        ("#%%task(name=T)", True),
        ("# %%task(name=T)", True),
        ("#%get_result  # an alias", True),
        ("#%task name=T", True),
        ("#%help task", True),
        ("#%misspelt(x)", True),
        ("#%misspelt(x,", True),
        ("%task(name=T)", True),
        ("%%task(name=T)", True),
        ("x = #%get_job_result(id=7)", True),
        ("x = 1 #%task", False),
        ("#%%", False),
        ("#%% a cell marker", False),
        ("# %% Import", False),
        ("#%misspelt", False),
        ("#%misspelt(x) + 1", False),
        ("#%misspelt (x)", False),
        ("#%matplotlib inline", False),
        ("#%timeit f(x)", False),
        ("#%debug", False),
        ("#%debug x = 1", False),
        ("#%debug(T)", True),
        ("# %debug (T)", True),
        ("#%timeit(f(x))", False),
        ("#%pip install x", False),
        ("#%TODO: ...", False),
        ("# % of total (2023)", False),
        ("# %task forces meet", False),
        ("#%1", False),
        ("#%_x", False),
        ("%timeit(x)", False),
        ("%task", False),
        ("", False),
    ],
)
def test_a_pragma_line_is_known_by_its_name(line: str, is_one: bool) -> None:
    """A comment that calls a pragma, or nearly one, is a pragma, however it is spaced; every other is a comment."""
    assert has_pragma(f"print(1)\n{line}\n", PRAGMAS.dialect) is is_one


def calls(cell: str) -> list[tuple[str, str]]:
    """Name and code of each pragma of a cell."""
    return [(call.name, call.code) for call in parse(cell, PRAGMAS.dialect).calls]


@pytest.mark.parametrize(
    "cell",
    [
        'x = """\n#%submit_job()\n"""',
        "x = r'''\\\\\n#%submit_job()\n'''",
        "x = [\n#%submit_job()\n1]",
        "f(1,\n  # %submit_job()\n)",
        "x = 'a\\\n#%submit_job()'",
    ],
)
def test_python_texts_and_brackets_hold_no_pragmas(cell: str) -> None:
    """What Python sees as a part of a text or inside of a bracket is none, in local code and in a task's."""
    assert calls(cell) == []
    assert calls(f"#%task(A)\n{cell}\n#%help()") == [("task", cell + "\n"), ("help", "")]


@pytest.mark.parametrize(
    "code", ["print(", "x = [1, 2", "x = '''", "it's", '!echo "(', "%timeit f(", "x = {", "x = )", "x = 1 # ("]
)
def test_what_is_never_closed_hides_no_pragma(code: str) -> None:
    """A bracket or a quote that stays open is a slip; the pragma below it is still one."""
    assert calls(f"#%task(A)\n{code}\n#%help()") == [("task", code + "\n"), ("help", "")]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("Linux_Bash", "cat <<EOF\n#%help()\nEOF\n"),
        ("Linux_Bash", "cat <<-'EOF' | sort\n#%help()\n\tEOF\n"),
        ("Linux_Bash", "echo '\n#%help()\n'\n"),
        ("Linux_Bash", 'echo "a \\" \n#%help()\n"\n'),
        ("Ruby", "x = <<~DOC\n#%help()\n  DOC\n"),
        ("Perl", 'print <<"EOT";\n#%help()\nEOT\n'),
        ("R", 'x <- "\n#%help()\n"\n'),
        ("Javascript", "x = `\n#%help()\n`\n"),
        ("Groovy", "x = '''\n#%help()\n'''\n"),
        ("Scalaw", 'x = """\n#%help()\n"""\n'),
        ("PowerShell", "$x = @'\n#%help()\n'@\n"),
        ("Jython", "x = '''\n#%help()\n'''\n"),
    ],
)
def test_texts_of_other_languages_hold_no_pragmas(language: str, code: str) -> None:
    """A here-document or a text over several lines may hold lines that look like pragmas."""
    assert calls(f"#%task(A, language={language})\n{code}#%help()") == [("task", code), ("help", "")]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("Linux_Bash", "echo it\\'s  # don't\n"),
        ("Linux_Bash", "echo $# ${x#'}\n"),
        ("Windows_Cmd", "echo don't\n"),
        ("DockerCompose", "x: 'a\n"),
        ("Perl", "# it's\nprint 1;\n"),
        ("nonsense", "'\n"),
    ],
)
def test_a_pragma_ends_code_of_other_languages(language: str, code: str) -> None:
    """A lone quote hides nothing."""
    assert calls(f"#%task(A, language={language})\n{code}#%help()") == [("task", code), ("help", "")]


def test_a_backslash_keeps_a_line_from_being_a_pragma() -> None:
    r"""`\#%` at the start of a line stands for `#%` in the code, and is written back so."""
    (call,) = parse("#%task(A)\n\\#%task(B)\n  \\# %help\n", PRAGMAS.dialect).calls
    assert call.code == "#%task(B)\n  # %help\n"
    assert parse(write(call), PRAGMAS.dialect).calls == (call,)


def test_a_cell_that_is_indented_or_has_prompts_reads_like_one_that_is_not() -> None:
    """Errors quote it as typed."""
    plain = "#%task(A)\nif x:\n    y\n"
    indented = "    #%task(A)\n    if x:\n        y\n"
    console = ">>> #%task(A)\n>>> if x:\n...     y\n"
    numbered = "In [7]: #%task(A)\n   ...: if x:\n   ...:     y\n"
    assert calls(plain) == calls(indented) == calls(console) == calls(numbered)
    with pytest.raises(PragmaSyntaxError) as caught:
        parse(">>> #%task(name=)\n", PRAGMAS.dialect)
    assert str(caught.value).split("\n")[1:] == ["  line 1:", "    >>> #%task(name=)", "                    ^"]


SLIPS = {
    "#%submit_job(name=aa wait=on)": """\
#%submit_job: a comma is missing before wait=.
  line 1:
    #%submit_job(name=aa wait=on)
                         ~~~^
If wait= belongs to the text, put the text in quotes.""",
    '#%task(name="T" runs=2)': """\
#%task: a comma is missing before runs=.
  line 1:
    #%task(name="T" runs=2)
                    ~~~^
If runs= belongs to the text, put the text in quotes.""",
    "#%task(name=T, dep=[A] runs=2)": """\
#%task: a comma is missing before runs=.
  line 1:
    #%task(name=T, dep=[A] runs=2)
                           ~~~^
If runs= belongs to the text, put the text in quotes.""",
    "#%task(\n    name=T\n    runs=2\n)": """\
#%task: a comma is missing before runs=.
  line 3:
        runs=2
        ~~~^
If runs= belongs to the text, put the text in quotes.""",
    "#%task(name= runs=2)": """\
#%task: a value of name is expected here.
  line 1:
    #%task(name= runs=2)
                 ^""",
    "#%task(name=T, dep=[A\nprint(1)": """\
#%task: the bracket '[' is never closed; ']' is expected.
  line 1:
    #%task(name=T, dep=[A
                       ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(name=T,\n#%submit_job()": """\
#%task: the bracket '(' is never closed; ')' is expected.
  line 1:
    #%task(name=T,
          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%export_xml(name=f'{x}.xml')": """\
#%export_xml: f'...' is not evaluated here.
  line 1:
    #%export_xml(name=f'{x}.xml')
                      ~~~~~~~~~^
Only pairs, such as variables=[(name, =expression)], have evaluated values. Write the text.""",
    "#%job(name=job, variables=[(a, f'{x}, {y}')])": """\
#%job: f'...' is not evaluated here.
  line 1:
    #%job(name=job, variables=[(a, f'{x}, {y}')])
                                   ~~~~~~~~~~^
A value that starts with '=' is an expression of the notebook's Python: =f'...'.""",
    r"#%task(T, path=r'C:\x')": r"""#%task: text in quotes takes no prefix r.
  line 1:
    #%task(T, path=r'C:\x')
                   ~~~~~~^
Write '...', with \\ for a backslash.""",
    "#%task(name=\u201cT\u201d)": """\
#%task: curly quotes do not quote.
  line 1:
    #%task(name=\u201cT\u201d)
                ~~^
Write straight quotes: "..." or '...'.""",
    "#%job(name=job, variables={a=1})": """\
#%job: in curly brackets a key, ':' and its value are expected.
  line 1:
    #%job(name=job, variables={a=1})
                               ^
Write {key: value}, with ':' in place of '='.""",
    "%task(name=T)": """\
#%task: it is written like a magic.
  line 1:
    %task(name=T)
    ~~~~^
Write it as #%task(...).""",
    "x = #%get_task_result(T)": """\
#%get_task_result: a pragma has no value to assign, and it starts its line.
  line 1:
    x = #%get_task_result(T)
        ~~~~~~~~~~~~~~~~^
Write #%get_task_result(..., into=x) on a separate line.""",
    "a\nb\n>>> #%help()": """\
#%help: a prompt precedes it.
  line 3:
    >>> #%help()
        ~~~~~^
Remove the prompt: a pragma starts its line.""",
    "if x:\n    #%submit_job()": """\
#%submit_job: a pragma cannot be conditional: it is inside an indented block.
  line 2:
        #%submit_job()
        ~~~~~~~~~~~^
Move it out of the block: a pragma runs whenever its cell runs.""",
}


@pytest.mark.parametrize("cell", SLIPS)
def test_a_slip_that_would_change_the_meaning_is_an_error_that_says_what_to_write(cell: str) -> None:
    """Nothing is swallowed by the argument before it, and nothing is taken to the letter that Python would not."""
    with pytest.raises(PragmaSyntaxError) as caught:
        parse(cell, PRAGMAS.dialect)
    assert str(caught.value) == SLIPS[cell]


@pytest.mark.parametrize(
    "cell",
    [
        "#%task(\n    # name=Old (draft,\n    name=T,\n    # dep=[B],\n    runs=2,\n)\nx",
        "#%task(\n#   name=T,\n#   # dep=[B],\n#   runs=2)\nx",
        "# %task(\n# %   name=T,\n#     runs=2\n# )\nx",
        "#%task(\n    name=T,\n    #dep=[B],\n    runs=2)\nx",
        "#%task(name=T, #dep=[B],\n#%runs=2)\nx",
    ],
)
def test_an_argument_that_is_commented_out_is_none(cell: str) -> None:
    """Whether the lines of the pragma carry a sign or not."""
    (call,) = parse(cell, PRAGMAS.dialect).calls
    values = [(one.name, one.value.text) for one in call.arguments if isinstance(one.value, TextNode)]
    assert (values, call.code) == ([("name", "T"), ("runs", "2")], "x")


def test_broken_pragmas_have_their_place_in_the_tree_too() -> None:
    """A broken one ends on the line of the last thing that was understood."""
    cell = "x\n#%a(b=1)\ncode\n#%c(d=[\nmore\n#%e"
    readings = read(cell).readings
    assert [cell[one.start : one.end] for one in readings] == ["#%a(b=1)\n", "#%c(d=[\nmore\n", "#%e"]
    assert [one.closed for one in readings] == [True, False, True]


def test_the_names_that_magics_and_pragmas_share_are_known() -> None:
    """A cell with one of them is read by the grammar, which tells the two apart."""
    assert {name for name in PRAGMAS.names() if name in MAGICS} == SHARED
