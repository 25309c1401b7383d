"""What Python tasks show: figures, display(), the value of a last expression, as entries of the result's metadata."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from proactive_jupyter_kernel.client import python_code
from proactive_jupyter_kernel.scheduler.attempt import ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import Script
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import MOST, NO_RESULT, PREFIX, RESULT, WANTED


def run_cell(lab: Any, code: str, language: str = "cpython", **more: Any) -> Any:
    """Run a task as the kernel submits it."""
    return lab.run(code, language, generic_information={WANTED: "result"}, **more)


def outputs(run: Any) -> list[dict[str, Any]]:
    """The MIME bundles of a run, in order."""
    found = [key for key in run.outcome.metadata if key.startswith(PREFIX)]
    assert found == [f"{PREFIX}{number}" for number in range(1, len(found) + 1)]
    return [json.loads(run.outcome.metadata[key])["data"] for key in found]


def test_figures_are_shown_where_the_script_shows_them(lab: Any) -> None:
    """Each `plt.show()` shows what is open and closes it; so is what is open in the end."""
    run = run_cell(
        lab,
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nassert plt.get_fignums() == []\n"
        "display('between')\nplt.figure(); plt.figure()\nimport os\nresult = os.environ['MPLBACKEND']",
    )
    shown = outputs(run)
    assert [sorted(bundle) for bundle in shown] == [
        ["image/png", "text/plain"],
        ["text/plain"],
        ["image/png", "text/plain"],
        ["image/png", "text/plain"],
    ]
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    assert (shown[1]["text/plain"], run.value) == ("'between'", "agg")


def test_figure_of_a_script_that_failed(lab: Any) -> None:
    """It is shown all the same: it may tell why."""
    run = run_cell(lab, "import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0")
    assert "ZeroDivisionError" in run.message
    assert [sorted(bundle) for bundle in outputs(run)] == [["image/png", "text/plain"]]


def test_display_asks_objects_as_a_notebook_does(lab: Any) -> None:
    """Every ``_repr_*_`` counts, ``_repr_mimebundle_`` before the others; one that fails is left out."""
    run = run_cell(
        lab,
        "class Both:\n    def _repr_html_(self): return '<b>x</b>'\n    def _repr_png_(self): return b'png'\n"
        "    def _repr_svg_(self): raise ValueError\n    def __repr__(self): return 'both'\n"
        "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'application/json': {'a': 1}, 'application/javascript': 'alert(1)'}, {}\n"
        "    def __repr__(self): return 'bundle'\n"
        "display(Both(), Bundle(), Both)\ndisplay({'text/plain': 'raw'}, raw=True)",
    )
    assert outputs(run) == [
        {"text/html": "<b>x</b>", "image/png": base64.b64encode(b"png").decode(), "text/plain": "both"},
        {"application/json": {"a": 1}, "text/plain": "bundle"},
        {"text/plain": "<class '__main__.Both'>"},
        {"text/plain": "raw"},
    ]


def test_display_of_ipython(lab: Any) -> None:
    """What IPython's own display gets is shown here."""
    run = run_cell(
        lab, "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<i>i</i>'), Markdown('*m*'))"
    )
    assert [(bundle.get("text/html"), bundle.get("text/markdown")) for bundle in outputs(run)] == [
        ("<i>i</i>", None),
        (None, "*m*"),
    ]


def test_last_expression_is_the_result(lab: Any) -> None:
    """Where the script sets none; it is shown, and marked as the result."""
    run = run_cell(lab, "import pandas\ndf = pandas.DataFrame({'a': [1]})\ndf.a.tolist()")
    assert (run.value, outputs(run), run.outcome.metadata[RESULT]) == ([1], [{"text/plain": "[1]"}], "1")


def test_code_that_the_kernel_adds_for_a_server_shows_nothing(lab: Any) -> None:
    """A file that was exported for a server may be submitted here."""
    run = lab.run("\n".join((python_code.prologue(), "result = 1", python_code.epilogue())))
    assert (run.value, outputs(run)) == (1, [])


def test_last_expression_of_a_workflow_from_elsewhere(lab: Any) -> None:
    """It is no result, as on a ProActive server."""
    run = lab.run("5")
    assert (run.value, outputs(run), run.outcome.metadata) == (True, [], {NO_RESULT: "true"})


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("result = 5\n'seen'", 5, ["'seen'"]),
        ("x = 5", True, []),
        ("print('x')", True, []),
        ("5;", True, []),
        ("...", True, []),
        ("import threading\nthreading.Lock", True, None),
        ("(x for x in [1])", [1], None),
        ("sys.exit(0)", True, []),
        ("variables['V'] = 1\nvariables.put('V', 2)", True, []),
        ("variables['V'] = 1\nvariables.get('V')", 1, ["1"]),
        ("'''Doc.'''\nx = 1", True, []),
    ],
)
def test_what_is_no_result_and_what_is_shown(lab: Any, code: str, value: Any, shown: list[str] | None) -> None:
    """A result that is set stays; None, an assignment and a closing semicolon show nothing."""
    run = run_cell(lab, code)
    if shown is None:
        assert len(outputs(run)) == 1
    else:
        assert (run.value, [bundle["text/plain"] for bundle in outputs(run)]) == (value, shown)
    assert (NO_RESULT in run.outcome.metadata) == (run.value is True)


def test_last_expression_before_exports(lab: Any) -> None:
    """The lines that export variables come after it, and are not it."""
    from proactive_jupyter_kernel.workflow.variable_bindings import PYTHON

    run = run_cell(lab, "x = 1\nx + 1\n" + PYTHON.exports(["x"], "T"))
    assert (run.value, run.outcome.variables_set) == (2, {"x": 1})


def test_lines_and_artists_are_not_results(lab: Any) -> None:
    """What plotting functions give back is shown by the figure."""
    run = run_cell(lab, "import matplotlib.pyplot as plt\nplt.plot([1, 2])")
    assert (run.value, [sorted(bundle) for bundle in outputs(run)]) == (True, [["image/png", "text/plain"]])


def test_figure_as_result_is_not_shown_twice(lab: Any) -> None:
    """It is the result; the notebook shows that."""
    run = run_cell(lab, "import matplotlib.pyplot as plt\nresult = plt.figure()")
    assert outputs(run) == []


def test_line_numbers_stay(lab: Any) -> None:
    """A script whose last expression fails says its own line."""
    run = run_cell(lab, "x = 0\n\n1 / x")
    assert '  File "<task T>", line 3, in <module>\n    1 / x\n' in run.err


def test_too_many_outputs(lab: Any) -> None:
    """What is shown is bounded, and says so."""
    run = run_cell(lab, f"for i in range(5):\n    display({{'text/plain': 'x' * {MOST // 3}}}, raw=True)")
    shown = outputs(run)
    assert len(shown) == 3
    assert shown[-1]["text/plain"].startswith("Further outputs are not shown: a task shows 4,000,000 characters")


def test_outputs_of_a_post_script_follow(lab: Any) -> None:
    """They are numbered on, and the script's own metadata stays."""
    run = run_cell(
        lab, "resultMetadata['mine'] = 'kept'\ndisplay(1)", post=Script(language="cpython", code="display(2)")
    )
    assert ([bundle["text/plain"] for bundle in outputs(run)], run.outcome.metadata["mine"]) == (["1", "2"], "kept")


def test_bash_reads_texts(lab: Any) -> None:
    """A task in another language gets the text of a value that is one to it, and else what it is."""
    written = run_cell(lab, "import datetime, numpy\nresult = datetime.date(2026, 1, 2)\nvariables['a'] = numpy.eye(2)")
    run = run_cell(
        lab,
        'echo "$results_0 $variables_a"',
        language="bash",
        results=(ParentResult(task_name="A", task_id=0, value=RawValue.of(written.value)),),
        inherited=written.outcome.variables_set,
    )
    assert run.out == "2026-01-02 <numpy.ndarray, float64 (2, 2), 160 bytes>\n"


def test_javascript_reads_texts(lab: Any) -> None:
    """The same in a language with bindings."""
    written = run_cell(lab, "import datetime\nresult = datetime.date(2026, 1, 2)\nvariables['d'] = [result]")
    run = run_cell(
        lab,
        "result = results[0].value() + variables.get('d')[0]",
        language="javascript",
        results=(ParentResult(task_name="A", task_id=0, value=RawValue.of(written.value)),),
        inherited=written.outcome.variables_set,
    )
    assert run.value == "2026-01-022026-01-02"
