"""Files of tasks as pragmas write them: spaces, modes, excludes, and what is refused."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.cells.plan import plan
from proactive_jupyter_kernel.pragmas.declarations.file_values import Files
from proactive_jupyter_kernel.workflow.model import FileSelector

#: As typed, and (pattern, mode, exclude) of each item.
IN = {
    "data.csv": [("data.csv", "transferFromInputSpace", "")],
    "[data/*.csv, user:model.bin, global : shared/**]": [
        ("data/*.csv", "transferFromInputSpace", ""),
        ("model.bin", "transferFromUserSpace", ""),
        ("shared/**", "transferFromGlobalSpace", ""),
    ],
    "['a,[b].{x,y}']": [("a,[b].{x,y}", "transferFromInputSpace", "")],
    "[(big.bin, cacheFromGlobalSpace), cache_user:x, (data/**, input, **.tmp)]": [
        ("big.bin", "cacheFromGlobalSpace", ""),
        ("x", "cacheFromUserSpace", ""),
        ("data/**", "transferFromInputSpace", "**.tmp"),
    ],
    "(a, output)": [("a", "transferFromOutputSpace", "")],
    "{a: user, b: transferFromGlobalSpace}": [
        ("a", "transferFromUserSpace", ""),
        ("b", "transferFromGlobalSpace", ""),
    ],
    "['regex:.*', 'user:regex:a+', 'glob:*']": [
        ("regex:.*", "transferFromInputSpace", ""),
        ("regex:a+", "transferFromUserSpace", ""),
        ("glob:*", "transferFromInputSpace", ""),
    ],
    "$DIR/x": [("$DIR/x", "transferFromInputSpace", "")],
    "[]": [],
}
OUT = {
    "[out/*, user:a]": [("out/*", "transferToOutputSpace", ""), ("a", "transferToUserSpace", "")],
    "[(a, global), (b, transferToUserSpace)]": [
        ("a", "transferToGlobalSpace", ""),
        ("b", "transferToUserSpace", ""),
    ],
}


def selectors(items) -> tuple[FileSelector, ...]:
    return tuple(FileSelector(includes=one, access_mode=mode, excludes=but) for one, mode, but in items)


def read(parameter: str, text: str) -> tuple[FileSelector, ...]:
    (call,) = plan(f"#%task(T, {parameter}={text})").calls
    return call[parameter]


@pytest.mark.parametrize(
    ("parameter", "text", "meant"),
    [("input_files", text, meant) for text, meant in IN.items()]
    + [("output_files", text, meant) for text, meant in OUT.items()],
)
def test_patterns_name_their_space(parameter: str, text: str, meant) -> None:
    """In front of the pattern or as a mode beside it; without, input comes from the input space, output goes to
    the output space; and what is written back reads as the same."""
    kind = Files(parameter.removesuffix("_files"))
    assert read(parameter, text) == selectors(meant)
    assert read(parameter, kind.unparse(selectors(meant))) == selectors(meant)


@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        ("input_files", "../secret", "leaves its space"),
        ("input_files", "/etc/passwd", "leaves its space"),
        ("input_files", "user:", "has an empty pattern"),
        ("input_files", "[(a, usr)]", "has the unknown space 'usr'"),
        ("output_files", "[(a, transferFromUserSpace)]", "has the unknown space"),
        ("output_files", "input:a", "cannot go to the input space"),
        ("input_files", "'a{b'", "a brace is not closed"),
    ],
)
def test_what_chooses_no_files_is_refused(parameter: str, text: str, words: str) -> None:
    """With the reason, before anything of the cell is done."""
    with pytest.raises(ProActiveError, match=words):
        read(parameter, text)


def test_task_keeps_its_files(notebook) -> None:
    """They are in the workflow that is built."""
    notebook.run("#%task(T, input_files=[a], output_files=[user:b])\npass")
    task = notebook.context.draft.build("job").workflow.task("T")
    assert (task.input_files, task.output_files) == (
        selectors([("a", "transferFromInputSpace", "")]),
        selectors([("b", "transferToUserSpace", "")]),
    )
