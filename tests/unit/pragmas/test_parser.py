"""The grammar of pragmas, rule by rule."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.grammar.parser import parse, write
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, LocalCode, MapNode, Node, TextNode


def plain(node: Node) -> object:
    """A value as Python's own lists, dicts and texts."""
    if isinstance(node, ListNode):
        found = [plain(item) for item in node.items]
        return tuple(found) if node.bracket == "(" else found
    if isinstance(node, MapNode):
        return {key.text: plain(value) for key, value in node.rows}
    return node.text


def arguments(line: str) -> list[tuple[str, object]]:
    """The arguments of the one pragma in a cell."""
    (call,) = parse(line).calls
    return [(argument.name, plain(argument.value)) for argument in call.arguments]


def value(text: str) -> object:
    """What the grammar makes of a value; code follows below."""
    ((_, found),) = arguments(f"#%p(x={text})\ncode\n")
    return found


def test_no_brackets_and_empty_brackets_mean_the_same() -> None:
    """`#%name`, `#%name()` and `#%name ( )` are the same call."""
    assert parse("#%name").calls == parse("#%name()").calls == parse("#%name ( )  # done").calls


def test_a_cell_falls_into_local_code_and_pragmas_with_their_code() -> None:
    """What stands before the first pragma is local, what stands below one is its code, line numbers are the cell's."""
    local, first, second = parse("x = 1\n\n#%task(A)\nprint(1)\n\n  #%submit_job()\ny = 2").segments
    assert local == LocalCode(text="x = 1\n\n", first_line=1)
    assert (first.name, first.code, first.first_line, first.code_first_line) == ("task", "print(1)\n\n", 3, 4)
    assert (second.name, second.code, second.first_line, second.code_first_line) == ("submit_job", "y = 2", 6, 7)


def test_blanks_and_comments_before_a_pragma_are_not_code() -> None:
    """Blank lines, comments and cell markers before the first pragma are dropped."""
    assert [segment.name for segment in parse("\n# hello\n  #%% marker\n\n#%task(A)\n").segments] == ["task"]


def test_code_of_blanks_only_counts_as_no_code() -> None:
    """Blank lines below a pragma are not its code."""
    assert parse("#%task(A)\n\n   \n").calls[0].code == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://host:8443/path?a=b", "https://host:8443/path?a=b"),
        ("p@ss=w0rd!", "p@ss=w0rd!"),
        ("docker://activeeon/dlm3", "docker://activeeon/dlm3"),
        ("./my dir/a-b.py", "./my dir/a-b.py"),
        ("nb+1", "nb+1"),
        ("  outer blanks cut  ", "outer blanks cut"),
        ("données 日本語", "données 日本語"),
        ("it's", "it's"),
        ('a "quoted" word', 'a "quoted" word'),
        ("f(a, b)[0]", "f(a, b)[0]"),
        ("(nb+1)*2", "(nb+1)*2"),
        ("[a] and more", "[a] and more"),
        ("p#ss #word", "p#ss #word"),
        ("p # word", "p # word"),
        ("# word", "# word"),
        ("#secret", "#secret"),
        ("${HOME}/x", "${HOME}/x"),
        (r"domain\user", r"domain\user"),
        ("=n+1", "=n+1"),
        ("a: b", "a: b"),
        ("50%", "50%"),
    ],
)
def test_bare_text_is_everything_up_to_comma_or_bracket(text: str, expected: str) -> None:
    """Bare text goes up to the next comma or closing bracket of the same depth; outer blanks are cut."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a, b)"', "a, b)"),
        ("'  kept  '", "  kept  "),
        ('""', ""),
        (r'"a\tb\n\\ \" \x41 \u00e9 \U0001F600 \101 \N{BULLET}"', 'a\tb\n\\ " A é 😀 A •'),
        (r'"C:\data\q"', r"C:\data\q"),
        ("'it\\'s'", "it's"),
        ("'say \"hi\"'", 'say "hi"'),
    ],
)
def test_quoted_text_has_pythons_escapes(text: str, expected: str) -> None:
    """Quotes of either kind take anything; escapes are Python's, and a backslash that starts none stays."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a, b]", ["a", "b"]),
        ("[]", []),
        ("[ a , 'b, c' , ]", ["a", "b, c"]),
        ("[(k1,v1),(k2,v2)]", [("k1", "v1"), ("k2", "v2")]),
        ("{k1: v1, 'k 2': \"v:2\"}", {"k1": "v1", "k 2": "v:2"}),
        ("{url: https://h:1/x}", {"url": "https://h:1/x"}),
        ("{}", {}),
        ("[f(x, y), {a: [b]}]", ["f(x, y)", {"a": ["b"]}]),
    ],
)
def test_brackets_hold_lists_pairs_and_tables(text: str, expected: object) -> None:
    """Lists, pairs, dict-style tables and any mixture of them are read as such."""
    assert value(text) == expected


def test_what_documentation_writes_works() -> None:
    """An argument in square brackets is that argument, and `import[a,b]` needs no sign of equality."""
    line = "#%task(name=T, [language=R], [dep=[A,B]], import[v1,v2], [export[v3]], [on_error=cancel, retries=2],)"
    assert arguments(line) == [
        ("name", "T"),
        ("language", "R"),
        ("dep", ["A", "B"]),
        ("import", ["v1", "v2"]),
        ("export", ["v3"]),
        ("on_error", "cancel"),
        ("retries", "2"),
    ]


def test_a_value_may_stand_without_a_name() -> None:
    """A value alone is an argument without a name, be it a text or a list."""
    assert arguments("#%p(T1)") == [("", "T1")]
    assert arguments("#%p([a, b], https://h/?a=b)") == [("", ["a", "b"]), ("", "https://h/?a=b")]


@pytest.mark.parametrize("start", ["#%", "#", "", "  #  ", "\t"])
def test_a_pragma_continues_while_a_bracket_is_open(start: str) -> None:
    """A continued line may start with #%, # or nothing; comments may end its lines; the code starts after it."""
    lines = [
        "#%task(",
        "name=T,   # the first (of two), T",
        "dep=[A,  # and",
        "B # too",
        "],",
        "language=R # rest",
        ") # done",
        "code",
    ]
    cell = "\n".join([lines[0], *(start + line for line in lines[1:6]), "", *lines[6:]])
    (call,) = parse(cell).calls
    assert [(one.name, plain(one.value)) for one in call.arguments] == [
        ("name", "T"),
        ("dep", ["A", "B"]),
        ("language", "R"),
    ]
    assert (call.first_line, call.last_line, call.code) == (1, 8, "code")


def test_line_ends_of_windows_are_line_ends() -> None:
    """A cell with CR LF reads like one with LF."""
    assert parse("#%task(A,\r\n#b=c)\r\nx\r\n").calls == parse("#%task(A,\n#b=c)\nx\n").calls


BROKEN = {
    "#%task(name=T1": """\
#%task: the bracket '(' is never closed; ')' is expected.
  line 1:
    #%task(name=T1
          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "x=1\n#%task(name=T1\n#%job(name=a)": """\
#%task: the bracket '(' is never closed; ')' is expected.
  line 2:
    #%task(name=T1
          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(dep=[A, B)": """\
#%task: the bracket '[' is never closed; ']' is expected before ')'.
  line 1:
    #%task(dep=[A, B)
               ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(dep=[A, [B)": """\
#%task: the bracket '[' is never closed; ']' is expected before ')'.
  line 1:
    #%task(dep=[A, [B)
                   ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(name=f(x)": """\
#%task: the bracket '(' is never closed; ')' is expected.
  line 1:
    #%task(name=f(x)
          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(name=a(b]c)": """\
#%task: the bracket '(' is never closed; ')' is expected before ']'.
  line 1:
    #%task(name=a(b]c)
                 ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(name=a]b)": """\
#%task: ']' closes nothing; ')' is expected.
  line 1:
    #%task(name=a]b)
                 ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(name=)": """\
#%task: a value of name is expected here.
  line 1:
    #%task(name=)
                ^""",
    "#%task(name=T,,dep=A)": """\
#%task: a value or ')' is expected before ','.
  line 1:
    #%task(name=T,,dep=A)
                  ^""",
    "#%task(dep=[A,,B])": """\
#%task: a value or ']' is expected before ','.
  line 1:
    #%task(dep=[A,,B])
                  ^""",
    "#%task(name='T)": """\
#%task: the text in quotes is not closed on its line.
  line 1:
    #%task(name='T)
                ~~^
Close it with '.""",
    "#%task(name='T' x)": """\
#%task: ',' or ')' is expected here.
  line 1:
    #%task(name='T' x)
                    ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    r'#%task(name="\x4")': r"""#%task: \x is not an escape that Python knows.
  line 1:
    #%task(name="\x4")
                 ~^
For a backslash itself, write \\.""",
    r'#%task(name="\N{NO SUCH SIGN}")': r"""#%task: \N{NO SUCH SIGN} is not an escape that Python knows.
  line 1:
    #%task(name="\N{NO SUCH SIGN}")
                 ~~~~~~~~~~~~~~~^
For a backslash itself, write \\.""",
    "#%task name=T": """\
#%task: arguments are expected in brackets.
  line 1:
    #%task name=T
           ^
Write it as #%task(key=value).""",
    "  #%task(name=T) print(1)": """\
#%task: nothing but a comment may follow the closing bracket.
  line 1:
      #%task(name=T) print(1)
                     ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
    "#%task(variables={a})": """\
#%task: in curly brackets a key, ':' and its value are expected.
  line 1:
    #%task(variables={a})
                       ^""",
    "#%task(variables={a:})": """\
#%task: a value of a is expected here.
  line 1:
    #%task(variables={a:})
                        ^""",
    "#%task(\n# name=T\n# dep=A)": """\
#%task: the bracket '(' is never closed; ')' is expected.
  line 1:
    #%task(
          ^
Text that holds a comma, a bracket or outer blanks is written in quotes.""",
}


@pytest.mark.parametrize("cell", BROKEN)
def test_a_break_of_the_grammar_is_pointed_at(cell: str) -> None:
    """The message names the pragma, shows the line as typed with a mark under the fault, and says what is expected."""
    with pytest.raises(PragmaSyntaxError) as caught:
        parse(cell)
    assert str(caught.value) == BROKEN[cell]


def test_a_blank_of_the_web_is_a_blank() -> None:
    """A non-breaking space stands wherever a blank may."""
    assert arguments("#%p(\u00a0x\u00a0=\u00a0a\u00a0b\u00a0, y = [\u00a0c ])") == [("x", "a b"), ("y", ["c"])]


def test_a_call_is_written_on_one_line_in_bare_text_where_that_is_possible() -> None:
    """Writing quotes only what would not survive without."""
    (call,) = parse("#%p( a = x y ,b='1, 2', c = [ 'q' , (r,s) ], d={k: v} )\ncode\n").calls
    assert write(call) == '#%p(a=x y, b="1, 2", c=["q", (r, s)], d={k: v})\ncode\n'


def test_texts_are_equal_whether_quoted_or_not() -> None:
    """Quotes are how a text is typed, not a part of it."""
    assert parse("#%p(a='x')").calls == parse("#%p(a=x)").calls
    assert isinstance(parse("#%p(a='x')").calls[0].arguments[0].value, TextNode)


def test_a_key_with_a_bracket_and_a_quote_is_written_in_quotes() -> None:
    """A quote in it would pair up with one of its neighbours; a key with a colon in quotes reads back, too."""
    (call,) = parse("""#%p(a={'{:="}=': "", '=":"': v})""").calls
    assert write(call) == '#%p(a={"{:=\\"}=": "", "=\\":\\"": v})'
    assert parse(write(call)).calls == (call,)
