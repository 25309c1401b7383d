"""Whatever is typed into a pragma is done or refused with a message: no other exception ever reaches the notebook."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.errors import ProActiveError, WaitTimeout
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, Parameter, Pragma

#: Values that have been trouble somewhere, or could be.
NASTY = (
    "",
    '""',
    "[]",
    "()",
    "{}",
    "[[]]",
    "[(a)]",
    "[(a, b, c, d)]",
    "{a: }",
    "=1/0",
    "[(a, =1/0)]",
    "[(a, =object())]",
    "[(n, x, PA:INTEGER)]",
    "[(n, 5, PA:NONSENSE)]",
    "[(n, 5, PA:SPEL(#value > ))]",
    "[(n, ((, PA:REGEXP(())]",
    "[(class, 1)]",
    "[class]",
    "T",
    "[T, U]",
    "[T, T]",
    "0",
    "-1",
    "1",
    "2.5",
    "1e400",
    "9" * 30,
    "9" * 5000,
    "999999999:59:59",
    "0:00",
    "on",
    "a\\b",
    '"\\x00"',
    '"\\ud800"',
    '"\\x1b[31m"',
    '"a\\nb"',
    ".",
    "..",
    "/",
    "./",
    "~",
    "~nobody/x",
    "/dev/null/x",
    "x" * 5000,
    "none.txt",
    "folder",
    "binary",
    "127.0.0.1:8080",
    "[::1]:80",
    "http://[",
    "http://h:99999",
    "http://h:x",
    "https://a b",
    "//",
    "\u00a0",
    "\u0130\u00df",
    "R",
    "Windows_Cmd",
    "job_id",
    "((((((((((1))))))))))",
    "1 +",
    "T.U",
    "user:[",
    "(a, nonsense)",
    "\u202etxt",
    "%s %d {} {0}",
)
VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=8).filter(lambda text: "/" not in text))
CODES = st.sampled_from(
    ("", "x = 1", "result = (", "\x00", "(" * 300, "'" * 3, "# -*- coding: nonsense -*-", "\u00a0x")
)


@st.composite
def cells(draw: st.DrawFn) -> str:
    """A call of any pragma with any values, and code below it."""
    pragma: Pragma = PRAGMAS[draw(st.sampled_from(list(PRAGMAS.names())))]
    given_ones: list[Parameter] = draw(
        st.lists(st.sampled_from(pragma.parameters), max_size=4) if pragma.parameters else st.just([])
    )
    arguments = [f"{one.name}={draw(VALUES)}" for one in {one.name: one for one in given_ones}.values()]
    arguments = [*(one for one in [draw(VALUES)] if draw(st.booleans())), *arguments]
    return f"#%{pragma.name}({', '.join(arguments)})\n{draw(CODES)}"


def _never(*_: Any, **__: Any) -> NoReturn:
    raise WaitTimeout("nothing ever ends here")


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to a server."""
    monkeypatch.setattr(Context, "connect", lambda self, _: self.connection)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(cell=cells())
@example("#%connect(host=127.0.0.1:8080)")
@example("#%import_xml(path=~nobody/x)")
@example("#%export_xml(name=.)")
@example("#%connect(port=9000)")
@example("#%runtime_env()")
@example("#%task(V, import=[class])")
@example("#%task(V, runs=2.5)")
@example("#%task(V, walltime=999999999:59:59)")
@example("#%wait_job(7, timeout=999999999:59:59)")
def test_invalid_input_is_refused_with_a_message(unreachable: None, cell: str) -> None:
    """Every pragma, with values that are none; in a notebook that has a task and a job."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder, "a", "b")
        (here / "folder").mkdir(parents=True)
        (here / "binary").write_bytes(b"\xff\x00\xfe")
        notebook = Notebook(here)
        notebook.live.wait = _never  # type: ignore[method-assign]
        notebook.run("#%job(name=job, variables=[(n, 1)])\n#%task(T, export=[v])\nv = 1\n#%submit_job()")
        message = "done"
        try:
            notebook.run(cell)
        except ProActiveError as error:
            message = str(error)
    assert message.strip()
    assert "\x00" not in message
    assert "\x1b" not in message
