"""The code of a pragma: from the cell or from a file, checked as far as that is possible before it runs."""

from __future__ import annotations

import codecs
import io
import re
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.proposals import propose
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.draft.source_map import Code
from proactive_jupyter_kernel.pragmas.grammar.tokens import Span
from proactive_jupyter_kernel.pragmas.outputs import Notice
from proactive_jupyter_kernel.pragmas.paths import path_of
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, Language

__all__ = ["check_code", "check_decides", "code_of"]

#: `warnings.catch_warnings` is for one thread at a time.
_CHECKING = threading.Lock()
#: Byte order mark -> encoding; that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Python's coding comment (PEP 263), up to the name of the encoding.
_CODING = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+")
_MAGIC_HINT = (
    "Magics and shell commands belong to IPython; a task runs plain Python. "
    "A task with language=Linux_Bash runs shell commands."
)


def check_code(call: BoundCall) -> None:
    """Check the code in the cell first: Python is compiled, other languages are not checked."""
    language = call.values.get("language")
    is_ours = isinstance(language, Language) and language.engine == "cpython" and not _foreign_python(call)
    if call.code and not call.values.get("path") and is_ours:
        fault = _python_fault(call.code)
        if fault is not None:
            raise _in_cell(call, fault)


def check_decides(*variables: str) -> Callable[[BoundCall], None]:
    """The check of a script that must set one of these variables: its language must be able to."""
    wanted = " or ".join(variables)

    def check(call: BoundCall) -> None:
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


def code_of(context: Context, call: BoundCall, language: Language) -> Code:
    """The pragma's code; the file that `path` names wins over the cell, with a warning."""
    path = call.values.get("path")
    foreign = _foreign_python(call) if language.engine == "cpython" else ""
    if not path:
        if foreign and (fault := _python_fault(call.code)):
            _doubt(context, call.call.code_first_line + (fault.lineno or 1) - 1, "the cell", foreign, fault)
        return Code(
            text=call.code,
            label=context.frontend.cell_label,
            first_line=call.call.code_first_line,
            cell=context.frontend.cell_id,
        )
    text = _read(context, call, path, language)
    if foreign and (fault := _python_fault(text)):
        _doubt(context, fault.lineno or 1, path, foreign, fault)
    elif language.engine == "cpython" and (fault := _python_fault(text)):
        message = f"{path}, line {fault.lineno or 1}: the file is not Python: {fault.msg}."
        raise call.fault(message, parameter="path", hint=_hint(fault))
    if call.code:
        context.frontend.show(
            Notice(text=f"The code in the cell is ignored: #%{call.call.name} takes it from {path}.", warning=True)
        )
    return Code(text=text, label=path, cell=context.frontend.cell_id)


def _foreign_python(call: BoundCall) -> str:
    """The interpreter that the pragma names for its code: it may know a syntax that ours does not."""
    information = dict(call.values.get("generic_info") or ())
    return str(information.get("PYTHON_COMMAND", "")).strip()


def _doubt(context: Context, line: int, where: str, python: str, fault: SyntaxError) -> None:
    """Code for another Python is not judged by ours."""
    text = (
        f"Line {line} of {where} is not Python for this kernel's interpreter ({fault.msg}); {python} (PYTHON_COMMAND) "
        "will run it."
    )
    context.frontend.show(Notice(text=text, warning=True))


def _read(context: Context, call: BoundCall, path: str, language: Language) -> str:
    if path.lower().endswith(".ipynb"):
        message = f"{path} is a notebook, not a script."
        raise call.fault(message, parameter="path", hint="Save the code of its cell as a file, such as script.py.")
    file = path_of(context, call, "path")
    is_python = language.engine == "cpython"
    encoding = "utf-8"
    try:
        content = file.read_bytes()
        encoding = _encoding(content, is_python=is_python)
        text = content.decode(encoding).replace("\r\n", "\n")
    except (UnicodeDecodeError, SyntaxError) as error:
        # `SyntaxError`: the coding comment names no encoding, or there is none and the text is not UTF-8.
        said = error.msg if isinstance(error, SyntaxError) else ""
        reason = f"is not text in {encoding.removesuffix('-sig').upper()}"
        if said.startswith("unknown encoding"):
            reason = f"names an {said}"
        hint = "Save it in UTF-8." + (" Or name its encoding: # -*- coding: latin-1 -*-" if is_python else "")
        raise call.fault(f"{path} {reason}.", parameter="path", hint=hint) from None
    except OSError as error:
        near = "" if file.exists() else propose(file.name, _names_in(file.parent))
        message = f"{path} cannot be read: {error.strerror}. It was looked for in {file.parent}."
        raise call.fault(message, parameter="path", hint=f"Did you mean {near!r}?" if near else "") from None
    if is_python and encoding not in ("utf-8", "utf-8-sig"):
        # The workflow is UTF-8, and so is the file that the task runs.
        *first, rest = text.split("\n", 2)
        text = "\n".join([*(_CODING.sub(r"\g<1>utf-8", line) for line in first), rest])
    return text


def _encoding(content: bytes, *, is_python: bool) -> str:
    """How a file's text is encoded: by its byte order mark, by Python's coding comment, else UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if not is_python:
        return "utf-8"
    import tokenize

    return tokenize.detect_encoding(io.BytesIO(content).readline)[0]


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


def _in_cell(call: BoundCall, fault: SyntaxError) -> PragmaError:
    lines = call.code.split("\n")
    number = min(max(fault.lineno or 1, 1), len(lines))
    column = max((fault.offset or 1) - 1, 0)
    end = fault.end_offset if fault.end_offset and fault.end_lineno == fault.lineno else None
    span = Span(
        line=call.call.code_first_line + number - 1,
        column=column,
        length=max((end or 0) - 1 - column, 1),
        source=lines[number - 1],
    )
    message = f"the code is not Python: {fault.msg}."
    return span.fault(PragmaSyntaxError, message, hint=_hint(fault), pragma=call.call.name)


def _hint(fault: SyntaxError) -> str:
    line = (fault.text or "").lstrip()
    return _MAGIC_HINT if line.startswith(("%", "!")) else ""
