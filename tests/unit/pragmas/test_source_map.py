"""Errors in the words of the cell."""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas.draft.source_map import MAIN, Code, SourceMap, Sources, join

SCRIPT = join(
    "cpython",
    [
        Code(text="import math\n", label="Cell In[1]", first_line=2),
        Code(text='x = variables.get("x")'),
        Code(text="def f():\n    return 1 / x\n\nf()\n", label="Cell In[3]", first_line=2),
        Code(text="more()", label="Cell In[4]", first_line=1),
    ],
)


def test_scripts_are_put_together_line_by_line() -> None:
    """And each line knows where it was written."""
    assert SCRIPT.script == 'import math\nx = variables.get("x")\ndef f():\n    return 1 / x\n\nf()\nmore()'
    assert [SCRIPT.place(line) for line in range(9)] == [
        None,
        ("Cell In[1]", 2),
        None,
        ("Cell In[3]", 2),
        ("Cell In[3]", 3),
        ("Cell In[3]", 4),
        ("Cell In[3]", 5),
        ("Cell In[4]", 1),
        None,
    ]


def test_frames_of_the_script_become_frames_of_the_cell() -> None:
    """Frames of libraries stay as they are."""
    text = (
        'Traceback (most recent call last):\n  File "/tmp/task.py", line 6, in <module>\n    f()\n    ^^^\n'
        '  File "/tmp/task.py", line 4, in f\n    return 1 / x\n           ~~^~~\n'
        '  File "/usr/lib/python3.11/json/decoder.py", line 4, in decode\n    return 1 / x\nZeroDivisionError: no\n'
    )
    assert SCRIPT.rewrite(text) == (
        "Traceback (most recent call last):\n  Cell In[3], line 5, in <module>\n    f()\n    ^^^\n"
        "  Cell In[3], line 3, in f\n    return 1 / x\n           ~~^~~\n"
        '  File "/usr/lib/python3.11/json/decoder.py", line 4, in decode\n    return 1 / x\nZeroDivisionError: no\n'
    )


def test_lines_that_a_server_shifted_are_reported_by_their_text() -> None:
    """A server puts lines of its own in front of a script."""
    text = '  File "/tmp/jsr223-cpython-123.py", line 27, in f\n    return 1 / x\n'
    assert SCRIPT.rewrite(text) == "  Cell In[3], line 3, in f\n    return 1 / x\n"


def test_the_labels_of_the_embedded_scheduler_are_translated_in_every_language() -> None:
    """Whichever of the task's scripts it is, and however its language writes a line."""
    pre = join("R", [Code(text="a\nb", label="Cell In[9]", first_line=4)])
    sources = Sources(scripts={MAIN: SCRIPT, "pre script of": pre})
    assert sources.rewrite(
        '  File "<task T#1>", line 6, in <module>\n<task T>:4:2\n<task T>: line 3\nat <task T> line 7.\n'
        "<pre script of T>:2\n<post script of T>:2\n<task T>:99\n"
    ) == (
        "  Cell In[3], line 5, in <module>\nCell In[3], line 3:2\nCell In[3], line 2\nat Cell In[4], line 1.\n"
        "Cell In[9], line 5\n<post script of T>:2\n<task T>:99\n"
    )


def test_what_is_not_of_the_script_stays() -> None:
    """Another file, code without a file, text that is not a traceback."""
    text = 'File "/home/me/other.py", line 3, in g\n    other()\nFile "<x>", line 2\nnothing, line 4\n'
    assert SCRIPT.rewrite(text) == text


def test_syntax_errors_have_a_place_too() -> None:
    """They name no function."""
    assert SCRIPT.rewrite('  File "/tmp/t.py", line 3\n    def f():\n    ^\nSyntaxError: no') == (
        "  Cell In[3], line 2\n    def f():\n    ^\nSyntaxError: no"
    )


def test_bash_tells_its_lines() -> None:
    """Those of the script become those of the cell."""
    bash = join("bash", [Code(text='v="$variables_v"'), Code(text="a\nb", label="Cell In[2]", first_line=2)])
    assert bash.rewrite("/tmp/x.sh: line 3: b: command not found\nfine: line 9: x\n") == (
        "Cell In[2], line 3: b: command not found\nfine: line 9: x\n"
    )


def test_other_languages_are_left_alone() -> None:
    """Since the format of their line numbers is unknown."""
    assert SourceMap(engine="cobol", script="x").rewrite('File "<x>", line 1') == 'File "<x>", line 1'


MADE = join(
    "cpython",
    [
        Code(text="v = [[[[1j]]]]\ng()", label="Cell In[1]", first_line=2),
        Code(text='def check(v):\n    check(v[0])\ncheck(v)\nvariables.put("v", v)'),
    ],
)


def test_frames_of_generated_lines_are_left_out() -> None:
    """If an export fails, only the message is shown: the export lines are not in a cell."""
    text = (
        'before\nTraceback (most recent call last):\n  File "<task T>", line 5, in <module>\n    check(v)\n'
        '  File "<task T>", line 4, in check\n    check(v[0])\n    ~~~~~^^^^^^\n'
        "  [Previous line repeated 3 more times]\nTypeError: v[0] cannot travel\nafter\n"
    )
    assert Sources(scripts={MAIN: MADE}).rewrite(text) == "before\nTypeError: v[0] cannot travel\nafter\n"
    assert MADE.rewrite(text.replace("<task T>", "/tmp/x.py")) == "before\nTypeError: v[0] cannot travel\nafter\n"


def test_frames_of_the_cell_stay_beside_frames_of_generated_lines() -> None:
    """A value of the cell's own class may fail in the middle of what hands it on."""
    text = (
        'Traceback (most recent call last):\n  File "<task T>", line 5, in <module>\n    check(v)\n'
        '  File "<task T>", line 2, in __eq__\n    g()\n    ^^^\nValueError: no\n'
    )
    assert Sources(scripts={MAIN: MADE}).rewrite(text) == (
        "Traceback (most recent call last):\n  Cell In[1], line 3, in __eq__\n    g()\n    ^^^\nValueError: no\n"
    )


def test_calls_from_generated_lines_are_left_out_in_javascript() -> None:
    """As in Python; calls from the cell stay."""
    script = join("javascript", [Code(text="f();", label="Cell In[1]"), Code(text="throw 1")])
    text = "Error: v is never set.\n    at <task T>:2:7\n    at f (<task T>:2:7)\n    at <task T>:1:1\n"
    assert Sources(scripts={MAIN: script}).rewrite(text) == ("Error: v is never set.\n    at Cell In[1], line 1:1\n")
