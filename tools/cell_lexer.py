"""Colours for the cells on the pages: each pragma, and the code below it in its own language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Keyword, Name, Text

from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.workflow.languages import by_pragma_name

__all__ = ["CellLexer"]

_PRAGMA = re.compile(r"^[ \t]*#[ \t]*%+[ \t]*(\w+)\b.*\n?", re.MULTILINE)
_LANGUAGE = re.compile(r"\blanguage[ ]*=[ ]*(\w+)")
_FILE = re.compile(r"\A%%writefile .*\.(\w+)\n")
#: Engines for which Pygments has another name.
_PYGMENTS = {"cpython": "python", "scalaw": "scala", "cmd": "batch", "docker-compose": "yaml", "R": "r"}


class CellLexer(Lexer):
    """A cell of a notebook, or a block of a page that one could hold."""

    name = "notebook cell"

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Position, token, text: as Pygments asks for."""
        position = 0
        language = "xml" if (written := _FILE.match(text)) and written[1] == "xml" else "python"
        for found in _PRAGMA.finditer(text):
            if found[1].lower() not in PRAGMAS.dialect.shapes:
                continue
            yield from self._code(text[position : found.start()], position, language)
            head = found.start(1) + len(found[1])
            yield found.start(), Keyword, text[found.start() : head]
            yield head, Name.Attribute, text[head : found.end()]
            position, language = found.end(), _language(found)
        yield from self._code(text[position:], position, language)

    def _code(self, code: str, position: int, language: str) -> Iterator[tuple[int, Any, str]]:
        if code.strip():
            # Without its options a lexer would cut blank lines, and all positions would be wrong.
            inner = get_lexer_by_name(language, stripnl=False, ensurenl=False)
            tokens = list(inner.get_tokens_unprocessed(code))
            for at, token, part in tokens:
                yield position + at, token, part
        elif code:
            yield position, Text, code


def _language(found: re.Match[str]) -> str:
    named = _LANGUAGE.search(found[0])
    language = by_pragma_name(named[1]) if named else None
    engine = language.engine if language else PRAGMAS.dialect.shapes[found[1].lower()].engine or "cpython"
    return _PYGMENTS.get(engine, engine)
