"""Which cells give parameters to tasks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proactive_jupyter_kernel.notebook.cell_changes import CellChanges
from proactive_jupyter_kernel.notebook.requests import Cell

DEFAULTS = "days = 3  # how many\ncities = ['Vienna']"
GIVEN = "# Parameters\ndays = 7"


def parameters_after(*cells: str, tagged: int = -1) -> list[str]:
    """The texts of the cells of parameters after these cells ran; the one with this number has Jupyter's tag."""
    shell = SimpleNamespace(parent={})
    shell.get_parent = lambda: shell.parent
    runner: Any = SimpleNamespace(parameter_cells={}, started=None)
    requests: Any = SimpleNamespace(on_start=[], on_end=[], on_error=[])
    CellChanges(shell, runner, requests).install()
    for number, text in enumerate(cells):
        shell.parent = {"metadata": {"tags": ["parameters"]} if number == tagged else {}}
        for callback in requests.on_end:
            callback(Cell(number=number, run=number, id=f"id {number}", text=text))
    return list(runner.parameter_cells.values())


@pytest.mark.parametrize(
    ("cells", "tagged", "expected"),
    [
        (["x = 1", GIVEN], -1, [GIVEN]),
        ([DEFAULTS, GIVEN], -1, [DEFAULTS, GIVEN]),
        ([DEFAULTS, "", GIVEN], -1, [DEFAULTS, GIVEN]),
        ([DEFAULTS, "x = 1", GIVEN], -1, [GIVEN]),
        ([f"{DEFAULTS}\nprint(days)", GIVEN], -1, [GIVEN]),
        ([DEFAULTS], -1, []),
        ([DEFAULTS, "x = 1"], 0, [DEFAULTS]),
    ],
)
def test_cells_of_parameters(cells: list[str], tagged: int, expected: list[str]) -> None:
    """One that says so, the one with the defaults before what papermill adds, and one with Jupyter's tag."""
    assert parameters_after(*cells, tagged=tagged) == expected
