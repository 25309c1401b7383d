"""The error in what a task wrote, with the errors that led to it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from proactive_jupyter_kernel.pragmas.jobs.missing_files import hint_of
from proactive_jupyter_kernel.pragmas.jobs.tracebacks import last_traceback


def _cause() -> None:
    try:
        {}["a"]
    except KeyError as error:
        raise RuntimeError("outer") from error


def _context_only() -> None:
    try:
        {}["a"]
    except KeyError:
        int("x")


def _group() -> None:
    raise ExceptionGroup("many", [ValueError("a"), TypeError("b")])


def _plain() -> None:
    raise ValueError("one")


def text_of(function: Callable[[], None]) -> str:
    try:
        function()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("it must fail")


@pytest.mark.parametrize("function", [_plain, _cause, _context_only, _group])
def test_the_whole_story_of_the_last_error(function: Callable[[], None]) -> None:
    """Between other output: causes, contexts and groups are whole, an error before and lines after are not part."""
    text = text_of(function)
    assert last_traceback(f"hello\n{text_of(_plain)}retrying\n{text}Failed to execute task\n") == text


def test_a_message_of_several_lines() -> None:
    """Where the text is that of one error, notes and further lines of the message belong to it."""
    text = 'ValueError: x\nTraceback (most recent call last):\n  File "a", line 1\nValueError: x\nsecond line\n\nnote\n'
    whole = text.removeprefix("ValueError: x\n")
    assert last_traceback(text, is_whole=True) == whole
    assert last_traceback(text) == whole.removesuffix("second line\n\nnote\n")


def test_a_syntax_error_has_no_traceback() -> None:
    """It is found all the same; text without either gives nothing."""
    text = '  File "<task T>", line 2\n    y = = 2\n        ^\nSyntaxError: invalid syntax'
    assert last_traceback(f"a\n{text}\nb\n") == text
    assert last_traceback("nothing wrong\n") == ""


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'", "data.csv"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'sub/more.csv'", "sub/more.csv"),
        ("cat: data.csv: No such file or directory", "data.csv"),
        ("  cannot open file 'data.csv': No such file or directory", "data.csv"),
        ("Error: ENOENT: no such file or directory, open 'data.csv'", "data.csv"),
        ("ls: cannot access 'sub': No such file or directory", "sub/**"),
        ("ModuleNotFoundError: No module named 'helper.deep'", "helper.py"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'other.csv'", ""),
        ("ValueError: data.csv", ""),
    ],
)
def test_what_stands_beside_the_notebook_can_be_sent(tmp_path: Path, text: str, files: str) -> None:
    """In the words of any language; what is not there gets no hint."""
    (tmp_path / "sub").mkdir()
    for name in ("data.csv", "sub/more.csv", "helper.py"):
        (tmp_path / name).touch()
    hint = hint_of(tmp_path, f"before\n{text}\nafter")
    assert hint.endswith(f"Send it along with the task: input_files=[{files}].") if files else hint == ""
