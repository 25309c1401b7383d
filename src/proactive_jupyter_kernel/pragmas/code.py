"""The code of a pragma: from the cell or from a file, checked as far as that is possible before it runs."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Notice
from proactive_jupyter_kernel.pragmas.paths import path_of
from proactive_jupyter_kernel.pragmas.proposals import propose
from proactive_jupyter_kernel.pragmas.registry import Bound
from proactive_jupyter_kernel.pragmas.source_map import Code
from proactive_jupyter_kernel.pragmas.tokens import Place
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, Language

__all__ = ["check_code", "check_decides", "code_of"]

#: `warnings.catch_warnings` is for one thread at a time.
_CHECKING = threading.Lock()
_MAGIC_HINT = (
    "Magics and shell commands belong to IPython; a task runs plain Python. "
    "A task with language=Linux_Bash runs shell commands."
)


def check_code(call: Bound) -> None:
    """Check the code in the cell before anything is done: Python is compiled, other languages are taken as they are."""
    language = call.values.get("language")
    if call.code and not call.values.get("path") and isinstance(language, Language) and language.engine == "cpython":
        fault = _python_fault(call.code)
        if fault is not None:
            raise _in_cell(call, fault)


def check_decides(*variables: str) -> Callable[[Bound], None]:
    """The check of a script that must set one of these variables: its language must be able to."""
    wanted = " or ".join(variables)

    def check(call: Bound) -> None:
        check_code(call)
        language: Language = call["language"]
        if not language.sets_variables:
            able = ", ".join(one.name for one in LANGUAGES if one.in_pragmas and one.sets_variables)
            raise call.fault(
                f"a {language.name} script cannot set variables, and this one must set {wanted}.",
                parameter="language",
                hint=f"Languages that can: {able}.",
            )

    return check


def code_of(context: Context, call: Bound, language: Language) -> Code:
    """The pragma's code; the file that `path` names wins over the cell, with a warning."""
    path = call.values.get("path")
    if not path:
        return Code(
            text=call.code,
            label=context.frontend.cell_label,
            first_line=call.call.code_first_line,
            cell=context.frontend.cell_id,
        )
    text = _read(context, call, path)
    if language.engine == "cpython" and (fault := _python_fault(text)):
        message = f"{path}, line {fault.lineno or 1}: the file is not Python: {fault.msg}."
        raise call.fault(message, parameter="path", hint=_hint(fault))
    if call.code:
        context.frontend.show(
            Notice(text=f"The code in the cell is ignored: #%{call.call.name} takes it from {path}.", warning=True)
        )
    return Code(text=text, label=path, cell=context.frontend.cell_id)


def _read(context: Context, call: Bound, path: str) -> str:
    file = path_of(context, call, "path")
    try:
        return file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise call.fault(f"{path} is not a text in UTF-8.", parameter="path") from None
    except OSError as error:
        near = propose(file.name, _names_in(file.parent))
        message = f"{path} cannot be read: {error.strerror}. It was looked for in {file.parent}."
        raise call.fault(message, parameter="path", hint=f"Did you mean {near!r}?" if near else "") from None


def _names_in(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir()]
    except OSError:
        return []


def _python_fault(text: str) -> SyntaxError | None:
    with _CHECKING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<cell>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:  # null characters; nested too deeply
            return SyntaxError(str(error) or "it is nested too deeply")
    return None


def _in_cell(call: Bound, fault: SyntaxError) -> PragmaError:
    lines = call.code.split("\n")
    number = min(max(fault.lineno or 1, 1), len(lines))
    column = max((fault.offset or 1) - 1, 0)
    end = fault.end_offset if fault.end_offset and fault.end_lineno == fault.lineno else None
    place = Place(
        line=call.call.code_first_line + number - 1,
        column=column,
        length=max((end or 0) - 1 - column, 1),
        source=lines[number - 1],
    )
    message = f"the code is not Python: {fault.msg}."
    return place.fault(PragmaSyntaxError, message, hint=_hint(fault), pragma=call.call.name)


def _hint(fault: SyntaxError) -> str:
    line = (fault.text or "").lstrip()
    return _MAGIC_HINT if line.startswith(("%", "!")) else ""
