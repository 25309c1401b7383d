"""The JavaScript scripts of a notebook as they are sent to a ProActive server: arrays and objects become Java's.

A server's engine runs inside of Java: an array or object of JavaScript as result fails the task there, and the maps
``variables`` and ``resultMap`` refuse it. The embedded scheduler takes both. So what is sent has functions behind the
script that make Java's lists and maps of them. Calls of ``put``, assignments to entries, exports, and an array or
object that the script ends with go through these functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proactive_jupyter_kernel.pragmas.draft.source_map import LineRange, SourceMap
from proactive_jupyter_kernel.pragmas.jobs.javascript_tokens import Token, closing, last_expression, tokens

__all__ = ["BEHIND", "ENGINE", "around", "sets"]

ENGINE = "javascript"
#: One line, in the grammar of ECMAScript 5. Declared functions can be called from above; a value that the script ends
#: with stays what it is, since the last statement has none of its own unless there is a result.
BEHIND = (
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
    " function _proactive_put(map, key, value) { return map.put(key, _proactive_java(value)); }"
    ' function _proactive_entry(map, key) { return Object.defineProperty({}, "value", {'
    " get: function () { return map.get(key); }, set: function (value) { _proactive_put(map, key, value); } }); }"
    " function _proactive_last(value) { var found = _proactive_java(value);"
    ' if (found !== value && typeof result === "undefined") { result = found; } return found; }'
    ' if (typeof result !== "undefined" && result !== null) { result = _proactive_java(result); }'
)
_MAPS = frozenset({"variables", "resultMap"})
_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>="})


def around(source: SourceMap, *, keep_last: bool) -> tuple[str, SourceMap]:
    """The script as it is sent, and its source map; the lines of the script keep their numbers.

    `keep_last` is whether the value of the last expression is the result.
    """
    text = source.script
    found = tokens(text)
    changes = list(_changes(text, found))
    # Behind lines that export variables the value of the script is none, as on the embedded scheduler.
    place = last_expression(found) if keep_last else None
    if place is not None:
        changes += [(place[0], place[0], "_proactive_last(("), (place[1], place[1], "))")]
    last = text.count("\n") + 2
    made = LineRange(first_line=last, count=1, label="", source_line=1)
    # A semicolon first: the last statement of the script may lack one.
    code = f"{_changed(text, changes)}\n;{BEHIND}"
    return code, replace(source, script=f"{text}\n;", pieces=(*source.pieces, made))


def sets(script: str) -> bool:
    """Whether a script puts or assigns entries of ``variables`` or ``resultMap``."""
    return any(True for _ in _changes(script, tokens(script)))


def _changes(text: str, found: list[Token]) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead) for each call of `put` and each assignment to an entry."""
    for index, token in enumerate(found):
        if token.text not in _MAPS or (index and found[index - 1].text == "."):
            continue
        words = [one.text for one in found[index + 1 : index + 4]]
        if words == [".", "put", "("]:
            # The line feeds between the tokens stay.
            lines = "\n" * text.count("\n", token.start, found[index + 3].end)
            yield token.start, found[index + 3].end, f"_proactive_put({token.text}, {lines}"
        elif words[:1] == ["."] and len(words) == 3 and found[index + 2].is_word and words[2] in _ASSIGNMENTS:
            yield token.start, found[index + 2].end, f'_proactive_entry({token.text}, "{words[1]}").value'
        elif words[:1] == ["["]:
            end = closing(found, index + 1)
            if 0 < end < len(found) - 1 and found[end + 1].text in _ASSIGNMENTS:
                yield token.start, found[index + 1].end, f"_proactive_entry({token.text}, "
                yield found[end].start, found[end].end, ").value"


def _changed(text: str, changes: list[tuple[int, int, str]]) -> str:
    """The text with the changes, which may touch and do not overlap."""
    pieces, position = [], 0
    for start, end, instead in sorted(changes):
        pieces += [text[position:start], instead]
        position = end
    return "".join([*pieces, text[position:]])
