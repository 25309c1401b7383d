"""Formatters of Python rewrite the comments that pragmas are; the jobs stay the same.

Every example, and cells that are hard to get right, are formatted cell by cell, as the code formatters of JupyterLab
and of editors do it. A cell that a formatter refuses, since it is no Python, stays as it is.
"""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import pytest
from tests.required import need_module
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import PragmaError, ProActiveError, WaitTimeout
from proactive_jupyter_kernel.pragmas.cells.plan import has_pragma, plan
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.grammar.syntax import LocalCode
from proactive_jupyter_kernel.pragmas.run import run
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Workflow

EXAMPLES = Path(__file__).parents[3] / "examples"
NOTEBOOKS = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))


def ruff(cells: list[str]) -> list[str]:
    """All cells in one run; those that are no Python stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"cell{number}.py") for number in range(len(cells))]
        for file, cell in zip(files, cells, strict=True):
            file.write_text(cell + "\n", encoding="utf-8")
        subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "-q", folder], capture_output=True)
        return [file.read_text(encoding="utf-8").rstrip("\n") for file in files]


def _each(formatter: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    return lambda cells: [formatted(cell, formatter) for cell in cells]


def black(code: str) -> str:
    module = need_module("black")
    return str(module.format_str(code, mode=module.Mode()))


def autopep8(code: str) -> str:
    return str(need_module("autopep8").fix_code(code, options={"aggressive": 1}))


def yapf(code: str) -> str:
    return str(need_module("yapf.yapflib.yapf_api").FormatCode(code)[0])


FORMATTERS = {"ruff": ruff, "black": _each(black), "autopep8": _each(autopep8), "yapf": _each(yapf)}

#: Cells that formatters change most: signs, blanks, indentation, brackets, quotes.
NASTY = (
    "#%job(name=nasty, variables=[(n, 3), (text, 'a, b')])",
    "#%task(name=A,export=[v])\nimport   os\nv=[1,\n2]\n\n\n\n\nx='#%task(name=No)'\n",
    "#%task(\n#name=B,\n#dep=[A],\n#    import=[v]\n#)\nprint( v )",
    "#%task(\n#%  name=C,\n#%  dep=[A, B],  # both\n#%)\ndef f():\n  return '''\n#%delete_task(name=A)\n'''\n",
    "x=1\n#%   task( name = D , dep = C )\ny=[\n#%delete_task(name=A)\n1]\n#%pre_script(name=D)\nprint( 'before' )",
    "#%Task(name=E, dep=D, description='it is, they say, \"so\"', runs=n)\nresult=1;\n",
    "#%task(name=F, dep=E)\nif True:\n  pass\n#%post_script(name=F)\nresult=2\n\n#%clean_script(name=F)\n\nresult=3",
    "#%%\n#%matplotlib inline\n#%timeit f(x)\n#%%task(name=G)\nz = {'a':1}",
    "    #%task(name=H)\n    if 1:\n        pass\n",
    '#%task(name=I, language=Linux_Bash)\necho "it\'s"\n',
    "#%task(name=J, language=R)\nx <- 1\n",
    "#%submit_job(name=nasty)",
)


def formatted(code: str, formatter: Callable[[str], str]) -> str:
    """The cell as the formatter leaves it; as it was where it is no Python."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return formatter(code).rstrip("\n")
    except pytest.skip.Exception:
        raise
    except Exception:
        return code


def _normal_code(code: str) -> str:
    with suppress(SyntaxError):
        return ast.unparse(_SplitImports().visit(ast.parse(code)))
    return code.strip()


class _SplitImports(ast.NodeTransformer):
    """`import a, b` as two statements: autopep8 makes them of it."""

    def visit_Import(self, node: ast.Import) -> list[ast.Import]:
        return [ast.Import(names=[alias]) for alias in node.names]


def _normal(value: Any) -> Any:
    """A workflow with every Python script in one form of many; formatters may change the scripts' looks."""
    if isinstance(value, Script):
        return replace(value, code=_normal_code(value.code) if value.language == "cpython" else value.code.strip())
    if isinstance(value, tuple):
        return tuple(map(_normal, value))
    if isinstance(value, Workflow) or hasattr(value, "__dataclass_fields__"):
        fields = {name: _normal(getattr(value, name)) for name in value.__dataclass_fields__}
        return type(value)(**fields) if not isinstance(value, type) else value
    return value


def _never(*_: Any, **__: Any) -> NoReturn:
    raise WaitTimeout("nothing ends here")


def jobs(cells: list[str], folder: Path) -> list[str]:
    """The XML of every job that the cells submit, and of the one that they leave, and which cells were refused."""
    notebook = Notebook(folder)
    notebook.live.wait = _never  # type: ignore[method-assign]
    found: list[str] = []
    for number, cell in enumerate(cells):
        notebook.frontend.cell_id = f"cell-{number}"
        if not has_pragma(cell):
            _run_here(cell, notebook, folder)
            continue
        try:
            steps = plan(cell).steps
        except PragmaError as error:
            found.append(f"cell {number} is refused: {error.message}")
            continue
        for step in steps:
            if isinstance(step, LocalCode):
                _run_here(step.text, notebook, folder)
                continue
            try:
                run(notebook.context, step)
            except ProActiveError as error:
                found.append(f"cell {number}: {type(error).__name__}")
                break
    for job in notebook.context.jobs:
        workflow = xml.loads(notebook.context.scheduler.xml(job.id)).workflow
        found.append(xml.dumps(_normal(workflow)))
    with suppress(ProActiveError):
        found.append(xml.dumps(_normal(notebook.context.draft.build("left").workflow)))
    return found


def _run_here(code: str, notebook: Notebook, folder: Path) -> None:
    """The notebook's own Python, as far as it runs without IPython, and files that it writes."""
    first, _, rest = code.partition("\n")
    if first.startswith("%%writefile "):
        (folder / first.split()[1]).write_text(rest, encoding="utf-8")
        return
    with suppress(Exception), redirect_stdout(io.StringIO()):
        exec(code, notebook.frontend.namespace)


def _cells_of(name: str) -> list[str]:
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _spared(cell: str, formatter: str) -> bool:
    """Whether a formatter breaks the code of another language: where it happens to be Python, too; autopep8 any.

    No cell with a cell magic is given to one.
    """
    if cell.startswith("%%"):
        return True
    try:
        steps = plan(cell).calls
    except PragmaError:
        return False
    foreign = any(call.code and call.values.get("language") and call["language"].engine != "cpython" for call in steps)
    with suppress(SyntaxError):
        ast.parse(cell)
        return foreign
    return foreign and formatter == "autopep8"


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("name", [*NOTEBOOKS, "nasty"])
def test_formatted_cells_make_the_same_jobs(
    name: str, formatter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same workflow XML, but for the looks of Python scripts, and nothing else is refused."""
    monkeypatch.setattr(Context, "connect", lambda self, _: self.connection)
    # Cells of examples may use the Python API; there is no scheduler here for it, least of all the user's own.
    monkeypatch.setattr(Scheduler, "embedded", _never)
    cells = list(NASTY) if name == "nasty" else _cells_of(name)
    after = [
        cell if _spared(cell, formatter) else new for cell, new in zip(cells, FORMATTERS[formatter](cells), strict=True)
    ]
    folders = [tmp_path / "typed", tmp_path / "formatted"]
    for folder in folders:
        shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("*.ipynb"))
    typed, again = jobs(cells, folders[0]), jobs(after, folders[1])
    assert again == [one.replace(str(folders[0]), str(folders[1])) for one in typed]
    assert [one for one in typed if one.startswith("<?xml")] != [], "no cell defines a job: nothing was compared"
    if name == "nasty":
        assert len(typed) == 2
        assert after != cells
