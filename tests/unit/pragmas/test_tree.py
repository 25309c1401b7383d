"""The tree of any cell: parsing, completion, inspection and masking tolerate any input."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.notebook.transformer import may_have_pragma
from proactive_jupyter_kernel.pragmas.assist.completion import complete
from proactive_jupyter_kernel.pragmas.assist.inspection import inspect
from proactive_jupyter_kernel.pragmas.cells.plan import has_pragma, mask, plan
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.grammar.parser import read

#: What cells with pragmas are made of, and what may break them.
PIECES = (
    "#%task(",
    "# %task(name=T",
    "#%connect(",
    "#%Help",
    "#%%job(",
    "#%nonsense(",
    "%task(x)",
    "x = #%get_result(",
    ">>> ",
    "In [1]: ",
    "name=",
    "password=s3cret",
    "dep=[A, B]",
    "variables=[(a, 1, PA:INTEGER)]",
    "{k: v}",
    "language=bash",
    "f'x'",
    "\u201cx\u201d",
    "\u00a0",
    "=1+1",
    ", ",
    ")",
    "(",
    "]",
    "[",
    "{",
    "'",
    '"',
    "'''",
    "\\",
    "#",
    "# ",
    "#%",
    "\n",
    "\n",
    "\n    ",
    "\r\n",
    "\t",
    "if x:",
    "cat <<EOF",
    "EOF",
    "!ls (",
    "%timeit f(x)",
    "\x00",
    "\u0130",
)
CELLS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=14).map("".join)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(CELLS)
@example("#%connect(password=a\r\n#%, host=h)")
def test_any_cell_has_a_tree(cell: str) -> None:
    """Its pragmas follow each other, and end where the code of each starts."""
    tree = read(cell, PRAGMAS.dialect)
    position = 0
    for one in tree.readings:
        assert position <= one.start <= one.sign <= one.name_start <= one.name_end <= one.end <= one.code_end
        position = one.code_end
        assert all(slot.start <= slot.first for slot in one.slots)


@patient
@given(CELLS)
@example("#%connect\u00a0(x)")
@example(">>> # %Help")
@example(">>> %task(x)")
@example("In [1]: %task(x)")
def test_the_quick_look_misses_no_pragma(cell: str) -> None:
    """Whatever the grammar takes for a pragma, the check that loads nothing has seen; cell magics aside."""
    assert may_have_pragma(cell) or not has_pragma(cell) or cell.lstrip().startswith("%%")


@patient
@given(CELLS, st.data())
def test_any_place_can_be_completed_and_inspected(cell: str, data: st.DataObject) -> None:
    """What would be replaced ends at the cursor."""
    cursor = data.draw(st.integers(0, len(cell)))
    found = complete(cell, cursor, None)
    assert found is None or 0 <= found.start <= found.end == cursor
    inspect(cell, cursor, None)


@patient
@given(CELLS)
def test_any_cell_is_planned_or_refused(cell: str) -> None:
    """With a message that shows the line, marked within it."""
    with suppress(PragmaError):
        plan(cell)


@patient
@given(CELLS)
def test_masking_keeps_the_shape_of_a_cell(cell: str) -> None:
    """As many lines of the same lengths, and the same text but for stars."""
    masked = mask(cell)
    typed = cell if masked == cell else cell.replace("\r\n", "\n")
    assert len(masked) == len(typed)
    assert all(one == other or other == "*" for one, other in zip(typed, masked, strict=True))


@patient
@given(CELLS)
def test_a_password_before_any_text_is_never_shown(cell: str) -> None:
    """Neither in the cell that is kept, nor in the message about one that is refused."""
    cell = "#%connect(host=h, password=s3cret)\n" + cell.replace("s3cret", "")
    message = ""
    try:
        plan(cell)
    except PragmaError as error:
        message = str(error)
    assert "s3cret" not in message + mask(cell)
