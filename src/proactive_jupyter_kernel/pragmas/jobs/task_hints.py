"""What to do about errors of Python tasks that misread `results` or `variables`, or that ask for input."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["hint_for_task_error"]

#: How results and variables are read, as it stands in the line of the code that failed.
_RESULTS = re.compile(r"\bresults\s*\[")
_VARIABLE = re.compile(r"\bvariables\s*(?:\[|\.get\()\s*(['\"])(?P<name>[^'\"\n]+)\1")
_LINE_IN_CELL = re.compile(r"^[ \t]*Cell In\[\d+\], line \d+.*\n(?P<code>[^\n]*)", re.MULTILINE)


def hint_for_task_error(text: str, parents: Sequence[str] | None) -> str:
    """The hint for the text of an error; `parents` are the names in the task's `dep`, None if they are not known."""
    error = next((line for line in reversed(text.rstrip().split("\n")) if line and line[0] not in " \t"), "")
    lines = [match["code"] for match in _LINE_IN_CELL.finditer(text)]
    code = lines[-1] if lines else ""
    if "'TaskResult' object" in error:
        return "An entry of results is what a task returned and how it ended: results[0].value() is its value."
    if error.startswith("EOFError") and "reading a line" in error:
        return (
            "A task cannot ask for input. Pass the value as a variable: #%submit_job(variables=[(answer, yes)]), and "
            'variables["answer"] in the task.'
        )
    if _RESULTS.search(code):
        return _of_results(error, parents)
    if variable := _VARIABLE.search(code):
        return _of_variable(error, variable["name"])
    return ""


def _of_results(error: str, parents: Sequence[str] | None) -> str:
    listed = f"here [{', '.join(parents)}]" if parents else "and this task has no dep" if parents is not None else ""
    where = f"results has an entry for each task in dep, in that order{f', {listed}' if listed else ''}"
    if error.startswith("IndexError"):
        return f"{where}; the first is results[0]."
    if error.startswith("TypeError: tuple indices must be integers"):
        return f"{where}; it is read by number: results[0].value()."
    return ""


def _of_variable(error: str, name: str) -> str:
    if "'NoneType'" in error:
        return (
            f"A missing variable reads as None. Nothing has set {name}: define it in the job, such as "
            f"#%job(variables=[({name}, 1)]), or export it from a task in dep."
        )
    if error.startswith("TypeError") and ("'str'" in error or "to str" in error or '"str"' in error):
        return f'Variables of a job are texts: int(variables["{name}"]) and float(...) make numbers of them.'
    return ""
