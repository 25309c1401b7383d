"""The Javascript tasks of a notebook as they are sent to a ProActive server: arrays and objects become Java's.

A server's engine runs inside of Java: an array or object of Javascript as result fails the task there, and
``variables.put`` refuses it. The embedded scheduler takes both. So what is sent has a function behind the script that
makes Java's lists and maps of them, for the result and for what ``variables.put`` is given, which exports call, too.
"""

from __future__ import annotations

import re
from dataclasses import replace

from proactive_jupyter_kernel.pragmas.draft.source_map import Piece, SourceMap

__all__ = ["ENGINE", "around"]

ENGINE = "javascript"
#: One line, in the grammar of ECMAScript 5. Declared functions can be called from above; a value that the script ends
#: with stays what it is, since the last statement has none of its own unless there is a result.
_BEHIND = (
    "function _proactive_java(value) {"
    " var kind = Object.prototype.toString.call(value), found;"
    ' if (kind === "[object Array]") {'
    " found = new java.util.ArrayList();"
    " value.forEach(function (item) { found.add(_proactive_java(item)); });"
    ' } else if (kind === "[object Object]") {'
    " found = new java.util.LinkedHashMap();"
    " Object.keys(value).forEach(function (key) { found.put(key, _proactive_java(value[key])); });"
    " } else { found = value; }"
    " return found; }"
    " function _proactive_put(key, value) { return variables.put(key, _proactive_java(value)); }"
    ' if (typeof result !== "undefined" && result !== null) { result = _proactive_java(result); }'
)
#: Strings and comments, which stay, and the calls.
_PUT = re.compile(
    r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|//[^\n]*|/\*.*?\*/"
    r"|(?P<call>(?<![\w.$])variables\s*\.\s*put\s*\()",
    re.DOTALL,
)


def around(source: SourceMap) -> tuple[str, SourceMap]:
    """The script as it is sent, and its source map; the lines of the script keep their numbers."""

    def called(match: re.Match[str]) -> str:
        if not match["call"]:
            return match.group()
        return "_proactive_put(" + "\n" * match.group().count("\n")

    last = source.script.count("\n") + 2
    made = Piece(first_line=last, count=1, label="", source_line=1)
    # A semicolon first: the last statement of the script may lack one.
    code = f"{_PUT.sub(called, source.script)}\n;{_BEHIND}"
    return code, replace(source, script=f"{source.script}\n;", pieces=(*source.pieces, made))
