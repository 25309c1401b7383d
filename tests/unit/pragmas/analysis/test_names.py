"""The names that cross the border of a task's code."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.pragmas.analysis import Binding, Read, name_use

READS = {
    "a plain read": ("print(x)", ["x"]),
    "set before": ("x = 1\nprint(x)", []),
    "read before set": ("x = x + 1", ["x"]),
    "augmented": ("total += 1", ["total"]),
    "index": ("table['a'] = 1", ["table"]),
    "attribute": ("model.rate = 2", ["model"]),
    "builtins": ("print(len(range(3)))", []),
    "in a function": ("def f():\n    return rate * 2\nf()", ["rate"]),
    "a global set later": ("def f():\n    return rate\nrate = 2\nf()", []),
    "parameters": ("def f(a, *b, c=1, **d):\n    return a, b, c, d", []),
    "a default": ("def f(a=start):\n    return a", ["start"]),
    "locals of a function": ("def f():\n    y = 1\n    return y", []),
    "closure": ("def f():\n    y = 1\n    def g():\n        return y + z\n    return g", ["z"]),
    "lambda": ("f = lambda a: a + b", ["b"]),
    "comprehension": ("[i * k for i in items if i > low]", ["items", "low", "k"]),
    "nested comprehension": ("[j for i in rows for j in i]", ["rows"]),
    "class body": ("class A:\n    x = start\n    def f(self):\n        return x", ["start", "x"]),
    "for": ("for i in data:\n    print(i)", ["data"]),
    "with": ("with open(path) as f:\n    f.read()", ["path"]),
    "except": ("try:\n    pass\nexcept ValueError as e:\n    print(e)", []),
    "import": ("import numpy as np\nfrom os import path\nnp.zeros(path.sep)", []),
    "if sets": ("if a:\n    b = 1\nprint(b)", ["a"]),
    "walrus": ("if (n := size) > 3:\n    print(n)", ["size"]),
    "match": ("match thing:\n    case [a, *b]:\n        print(a, b)", ["thing"]),
    "match of a mapping": ("match thing:\n    case {'k': v, **rest}:\n        print(v, rest)", ["thing"]),
    "f-string": ("print(f'{greeting} {1 + other}')", ["greeting", "other"]),
    "decorator": ("@wrap\ndef f(): pass", ["wrap"]),
    "annotation": ("x: int\nprint(x)", ["x"]),
    "del": ("del x", ["x"]),
    "global in a function": ("def f():\n    global g\n    g = 1\nf()\nprint(g)", []),
    "not Python": ("print(", []),
}


@pytest.mark.parametrize("case", READS)
def test_names_read_from_outside(case: str) -> None:
    """A name counts as read where the code itself cannot have set it, in the order of the first reads."""
    code, expected = READS[case]
    assert sorted(name_use(code).reads) == sorted(expected)


def test_first_read_has_its_place_in_characters() -> None:
    """Columns count characters, not bytes."""
    assert name_use("y = 1\nprint('é', x, x)").reads == {"x": Read(name="x", line=2, column=11)}


UNCERTAIN = {
    "a handler expects it": "try:\n    x\nexcept NameError:\n    x = None",
    "set further down in a loop": "for i in range(3):\n    if i:\n        print(x)\n    x = i",
    "dynamic": "if 'x' in globals():\n    print(x)",
    "star import": "from os.path import *\nprint(x)",
}


@pytest.mark.parametrize("case", UNCERTAIN)
def test_reads_that_may_be_meant_to_fail_are_uncertain(case: str) -> None:
    """Where the author seems to expect that the name is missing, nothing is claimed."""
    assert name_use(UNCERTAIN[case]).reads["x"].certain is False


def test_names_set_with_what_they_are() -> None:
    """Names that are set at the end, by kind; a deleted name and a caught exception are not."""
    code = """
import numpy as np
x = 1
y, (z, *w) = 1, (2, 3)
def f(): pass
class A: pass
del x
try:
    pass
except E as e:
    pass
"""
    assert name_use(code).sets == {
        "np": Binding.MODULE,
        "y": Binding.VALUE,
        "z": Binding.VALUE,
        "w": Binding.VALUE,
        "f": Binding.FUNCTION,
        "A": Binding.CLASS,
    }


def test_imports_are_kept_one_by_one() -> None:
    """Each imported name has the statement that binds it alone."""
    code = "import os.path, numpy as np\nfrom json import dumps as d, loads"
    assert name_use(code).imports == {
        "os": "import os.path",
        "np": "import numpy as np",
        "d": "from json import dumps as d",
        "loads": "from json import loads",
    }
