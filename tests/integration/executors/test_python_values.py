"""Values of data science from one Python task into the next, as results and as variables, alone and nested."""

# ruff: noqa: E501  # a table reads best with one value a line

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.values import from_wire

#: What the tasks import and define, the value, and what is true of it on the other side (as `got`).
VALUES = {
    "numpy number": ("import numpy", "numpy.float32(1.5)", "type(got) is float and got == 1.5"),
    "numpy integer": ("import numpy", "numpy.int64(7)", "type(got) is int and got == 7"),
    "numpy boolean": ("import numpy", "numpy.bool_(True)", "got is True"),
    "numpy text": ("import numpy", "numpy.str_('é')", "type(got) is str and got == 'é'"),
    "numpy large integer": ("import numpy", "numpy.uint64(2**64 - 1)", "got == 2**64 - 1"),
    "numpy date": ("import numpy", "numpy.datetime64('2026-01-02T03:04:05.000000006')", "got == EXPECTED"),
    "array": ("import numpy", "numpy.arange(6.0).reshape(2, 3)", "numpy.array_equal(got, EXPECTED) and got.dtype == 'f8'"),
    "array without shape": ("import numpy", "numpy.array(3)", "got.shape == () and got == 3"),
    "array with fields": ("import numpy", "numpy.array([(1, 'a')], dtype=[('x', 'i4'), ('y', 'U1')])", "got['y'][0] == 'a'"),
    "array of objects": ("import numpy", "numpy.array([1, None], dtype=object)", "got[1] is None and got.dtype == object"),
    "masked array": ("import numpy", "numpy.ma.array([1, 2], mask=[0, 1])", "got.mask.tolist() == [False, True]"),
    "table": (
        "import pandas",
        "pandas.DataFrame({'n': [1, 2], 't': ['a', None], 'w': pandas.to_datetime(['2026-01-01', '2026-01-02'])}, index=[5, 6])",
        "got.equals(EXPECTED) and got.dtypes.equals(EXPECTED.dtypes)",
    ),
    "table of categories": (
        "import pandas", "pandas.DataFrame({'c': pandas.Categorical(['x', 'y', 'x'])})", "got.equals(EXPECTED)"
    ),
    "table with twice the same column": (
        "import pandas", "pandas.DataFrame([[1, 2]], columns=['a', 'a'])", "got.equals(EXPECTED)"
    ),
    "table of mixed objects": (
        "import pandas", "pandas.DataFrame({'a': [1, 'x', {1, 2}]})", "got['a'][2] == {1, 2}"
    ),
    "empty table": ("import pandas", "pandas.DataFrame({'a': []})", "got.equals(EXPECTED)"),
    "series": ("import pandas", "pandas.Series([1.5, None], name='s')", "got.equals(EXPECTED) and got.name == 's'"),
    "series without name": ("import pandas", "pandas.Series(['a', 'b'])", "got.equals(EXPECTED) and got.name is None"),
    "index": ("import pandas", "pandas.MultiIndex.from_tuples([(1, 'a')])", "got.equals(EXPECTED)"),
    "timestamp": ("import pandas", "pandas.Timestamp('2026-01-01', tz='Europe/Paris')", "got == EXPECTED and got.tz is not None"),
    "polars table": ("import polars", "polars.DataFrame({'a': [1, 2], 'b': ['x', None]})", "got.equals(EXPECTED)"),
    "polars series": ("import polars", "polars.Series('s', [1, 2])", "got.equals(EXPECTED) and got.name == 's'"),
    "arrow table": ("import pyarrow", "pyarrow.table({'a': [1, 2]})", "got.equals(EXPECTED)"),
    "arrow batch": ("import pyarrow", "pyarrow.record_batch({'a': [1, 2]})", "got.equals(EXPECTED)"),
    "figure": (
        "import matplotlib.pyplot as plt", "plt.figure(figsize=(2, 1))", "bytes(got).startswith(bytes([137, 80, 78, 71]))"
    ),
    "image": ("from PIL import Image", "Image.new('RGB', (3, 2), 'red')", "got.size == (3, 2) and got.getpixel((0, 0)) == (255, 0, 0)"),
    "image that PNG cannot hold": ("from PIL import Image", "Image.new('CMYK', (3, 2))", "got.mode == 'CMYK'"),
    "datetime": ("import datetime", "datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)", "got == EXPECTED"),
    "date": ("import datetime", "datetime.date(2026, 1, 2)", "got == EXPECTED"),
    "time": ("import datetime", "datetime.time(1, 2)", "got == EXPECTED"),
    "timedelta": ("import datetime", "datetime.timedelta(days=1, seconds=2)", "got == EXPECTED"),
    "time with zone": (
        "import datetime, zoneinfo",
        "datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo('Europe/Paris'))",
        "got == EXPECTED and got.tzinfo.key == 'Europe/Paris'",
    ),
    "decimal": ("from decimal import Decimal", "Decimal('1.50')", "got == EXPECTED and str(got) == '1.50'"),
    "decimal that is not a number": ("from decimal import Decimal", "Decimal('NaN')", "got.is_nan()"),
    "path": ("import pathlib", "pathlib.Path('/tmp/x')", "got == EXPECTED"),
    "uuid": ("import uuid", "uuid.UUID(int=7)", "got == EXPECTED"),
    "fraction": ("import fractions", "fractions.Fraction(1, 3)", "got == EXPECTED"),
    "enum": ("import enum\nclass Colour(enum.Enum):\n    RED = 1", "Colour.RED", "got is Colour.RED"),
    "integer enum": ("import enum\nclass Level(enum.IntEnum):\n    LOW = 1", "Level.LOW", "got is Level.LOW"),
    "set": ("", "{1, 'a'}", "got == EXPECTED and type(got) is set"),
    "complex": ("", "3 + 4j", "got == 3 + 4j"),
    "large integer": ("", "10**30", "got == 10**30"),
    "half a surrogate pair": ("", "'\\ud800'", "got == '\\ud800'"),
    "named tuple": (
        "import collections\nPoint = collections.namedtuple('Point', 'x y')", "Point(1, [2])", "got.y == [2] and type(got) is Point"
    ),
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass Job:\n    name: str\n    when: object = None", "Job('a', {1: 2})", "got == EXPECTED"
    ),
    "exception": ("", "ValueError('x')", "got.args == ('x',)"),
    "model": (
        "import warnings\nfrom sklearn.linear_model import LinearRegression",
        "LinearRegression().fit([[0], [1]], [1, 3])",
        "round(float(got.predict([[2]])[0])) == 5",
    ),
    "bytes that look tagged": (
        "", "bytes([147]) + b'ProActive' + bytes([1]) + b'...'", "got == EXPECTED"
    ),
}  # fmt: skip


#: One of each library also in processes that are started anew, where it is imported each time.
ANEW = ("array", "table", "polars table", "arrow table", "figure", "image", "time with zone", "enum", "set", "model")


@pytest.mark.parametrize(
    ("lab", "name"), [*(("warm", name) for name in VALUES), *(("spawned", name) for name in ANEW)], indirect=["lab"]
)
def test_value_reaches_the_next_task(lab: Any, name: str) -> None:
    """As its result, as a variable, inside lists and dicts, and as what a script itself put before."""
    setup, value, check = VALUES[name]
    written = lab.run(
        f"{setup}\nresult = {value}\nvariables.put('v', result)\nvariables['n'] = {{'k': [result, 1]}}\n"
        f"EXPECTED = {value}\ngot = variables['v']\nassert {check}"
    )
    parents = (ParentResult(task_name="A", task_id=0, value=RawValue.of(written.value)),)
    read = lab.run(
        f"{setup}\nEXPECTED = {value}\nresult = []\n"
        "for got in (results[0].value(), variables.get('v'), variables['n']['k'][0], dict(variables)['v']):\n"
        f"    result.append(bool({check}))",
        results=parents,
        inherited=written.outcome.variables_set,
    )
    assert read.value == [True] * 4, read.err


def test_class_of_the_other_task_alone(lab: Any) -> None:
    """An object of a class that only the writing task defines comes with its class, by cloudpickle."""
    written = lab.run("class Model:\n    def twice(self, x):\n        return 2 * x\nresult = Model()")
    read = lab.run(
        "result = results[0].value().twice(4)",
        results=(ParentResult(task_name="A", task_id=0, value=RawValue.of(written.value)),),
    )
    assert read.value == 8


def test_function(lab: Any) -> None:
    """A function comes with its code."""
    written = lab.run("factor = 3\nresult = lambda x: factor * x")
    read = lab.run(
        "result = results[0].value()(4)",
        results=(ParentResult(task_name="A", task_id=0, value=RawValue.of(written.value)),),
    )
    assert read.value == 12


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import threading\nresult = [threading.Lock()]", "result[0] (_thread.lock) cannot travel between tasks: it cannot be pickled"),
        ("result = {'f': open(os.devnull)}", "result['f'] (_io.TextIOWrapper) cannot travel"),
        ("import sqlite3\nresult = sqlite3.connect(':memory:')", "result (sqlite3.Connection) cannot travel"),
        (
            "class Holder: pass\nresult = Holder()\nresult.lines = (x for x in 'ab')",
            "result (Holder) cannot travel between tasks: it cannot be pickled (cannot pickle 'generator' object)",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_pickled_is_refused_by_name(lab: Any, code: str, message: str) -> None:
    """With its place, its type, why, and what to do."""
    run = lab.run(code)
    assert message in run.message
    assert "; " in run.message.partition("cannot travel")[2]
    assert "Traceback" not in run.err


def test_error_inside_a_generator(lab: Any) -> None:
    """It fails the task with the script's own line, and no line of the harness."""
    run = lab.run("def rows():\n    yield 1\n    raise RuntimeError('the file ended')\nresult = rows()")
    assert run.message == (
        "Failed to execute task: Python process execution has failed with exit code 1: RuntimeError: the file ended"
    )
    assert '  File "<task T>", line 3, in rows\n' in run.err
    assert "harness" not in run.err
    assert "_proactive" not in run.err


@pytest.mark.parametrize(
    "code",
    [
        "import json\njson.dumps = lambda *a, **k: '{}'\nresult = 5",
        "import json\njson.JSONEncoder = None\njson.dumps = None\nresult = 5",
        "import builtins\nbuiltins.open = None\nresult = 5",
        "open = print\nos.replace = None\nresult = 5",
    ],
)
def test_script_that_replaces_what_the_report_needs(lab: Any, code: str) -> None:
    """Its result arrives all the same."""
    assert lab.run(code).value == 5


def test_plain_values_on_request(lab: Any) -> None:
    """With PYTHON_VALUES=plain, arrays, tables and times are lists, records and texts, for tasks of any language."""
    run = lab.run(
        "import numpy, pandas, datetime, pathlib\n"
        "result = [numpy.eye(2), pandas.DataFrame({'a': [1], 't': [pandas.Timestamp('2026-01-02')]}),"
        " datetime.date(2026, 1, 2), pathlib.Path('/x'), 1j, numpy.float32(0.5)]",
        generic_information={"PYTHON_VALUES": "plain"},
    )
    assert from_wire(run.value) == [
        [[1.0, 0.0], [0.0, 1.0]],
        [{"a": 1, "t": "2026-01-02T00:00:00"}],
        "2026-01-02",
        "/x",
        [0.0, 1.0],
        0.5,
    ]


def test_nothing_is_imported_that_the_task_does_not_use(lab: Any) -> None:
    """A task of plain values imports no library of data science, and not even pickle."""
    heavy = "('numpy', 'pandas', 'pyarrow', 'matplotlib', 'pickle', 'cloudpickle', 'IPython')"
    assert lab.run(f"result = [name for name in {heavy} if name in sys.modules]").value == []


def test_value_whose_library_is_missing(lab: Any) -> None:
    """The message names the value, its library, and what to install where."""
    value = tagged.join(
        {"kind": "pickle", "type": "nolib.Model", "python": "3.6", "library": "nolib 1.2", "about": ""},
        b"cnolib\nModel\n.",
    )
    from proactive_jupyter_kernel.workflow.values import to_wire

    run = lab.run(
        "results[0].value()", results=(ParentResult(task_name="Fit", task_id=0, value=RawValue.of(to_wire(value))),)
    )
    assert (
        "The result of Fit is a value of type nolib.Model that Python 3.6 with nolib 1.2 wrote; "
        "the module nolib is missing here; install it for "
    ) in run.message
    assert "harness" not in run.err
