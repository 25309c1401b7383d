"""The kind of value that names files to carry: patterns, where they come from or go to, and what is left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.declarations.kinds import NOWHERE, InvalidValue, Kind, KnownNames, text_node
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, MapNode, Node, TextNode
from proactive_jupyter_kernel.workflow.globs import InvalidPattern, compile_pattern
from proactive_jupyter_kernel.workflow.model import FileSelector

__all__ = ["INPUT_MODES", "OUTPUT_MODES", "Files"]

#: The word in pragmas -> the word in the workflow; the first is the default.
INPUT_MODES: Mapping[str, str] = {
    "input": "transferFromInputSpace",
    "output": "transferFromOutputSpace",
    "global": "transferFromGlobalSpace",
    "user": "transferFromUserSpace",
    "cache_input": "cacheFromInputSpace",
    "cache_output": "cacheFromOutputSpace",
    "cache_global": "cacheFromGlobalSpace",
    "cache_user": "cacheFromUserSpace",
    "none": "none",
}
OUTPUT_MODES: Mapping[str, str] = {
    "output": "transferToOutputSpace",
    "global": "transferToGlobalSpace",
    "user": "transferToUserSpace",
    "none": "none",
}

#: A space in front of a pattern; ``glob:`` and ``regex:`` there belong to the pattern.
_SPACE_AHEAD = re.compile(rf"({'|'.join(word for word in INPUT_MODES if word != 'none')})[ \t]*:[ \t]*")


@dataclass(frozen=True)
class Files(Kind):
    """Patterns, each alone, as ``space:pattern``, or as ``(pattern, space)`` or ``(pattern, space, left out)``."""

    many: ClassVar[bool] = True
    #: ``input`` or ``output``.
    direction: str

    @property
    def modes(self) -> Mapping[str, str]:
        """The words for spaces."""
        return INPUT_MODES if self.direction == "input" else OUTPUT_MODES

    @property
    def description(self) -> str:
        return "patterns of files, such as [data/*.csv, global:models/**, (logs/**, user, logs/old*)]"

    def parse(self, node: Node) -> tuple[FileSelector, ...]:
        if isinstance(node, MapNode):
            return tuple(self._selector(row) for row in node.rows)
        if isinstance(node, TextNode):
            return (self._selector((node,)),)
        alone = (
            node.bracket == "(" and 1 < len(node.items) <= 3 and all(isinstance(one, TextNode) for one in node.items)
        )
        return tuple(map(self._item, (node,) if alone else node.items))

    def node(self, value: Sequence[FileSelector]) -> Node:
        words = {mode: word for word, mode in self.modes.items()}

        def written(selector: FileSelector) -> Node:
            excludes = (selector.excludes,) if selector.excludes else ()
            texts = (selector.includes, words[selector.access_mode], *excludes)
            return ListNode(items=tuple(map(text_node, texts)), bracket="(", span=NOWHERE)

        return ListNode(items=tuple(map(written, value)), span=NOWHERE)

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        spaces = [f"{word}:" for word in self.modes if word != "none"]
        return (*known.files(typed), *spaces) if self.direction == "input" else spaces

    def _item(self, node: Node) -> FileSelector:
        if not isinstance(node, ListNode):
            return self._selector((node,))
        if not 0 < len(node.items) <= 3:
            raise self.unfit(node)
        return self._selector(node.items)

    def _selector(self, parts: Sequence[Node]) -> FileSelector:
        """One selector, of its pattern, space and what is left out."""
        includes, mode = self.text_of(parts[0]).strip(), next(iter(self.modes.values()))
        if len(parts) > 1:
            mode = self._mode(parts[1])
        elif ahead := _SPACE_AHEAD.match(includes):
            if ahead[1] not in self.modes:
                way = "come from" if self.direction == "input" else "go to"
                raise InvalidValue(f"cannot {way} the {ahead[1]} space.", parts[0], hint=self._spaces(ahead[1]))
            includes, mode = includes[ahead.end() :], self.modes[ahead[1]]
        excludes = self._pattern(parts[2], self.text_of(parts[2]).strip()) if len(parts) > 2 else ""
        return FileSelector(includes=self._pattern(parts[0], includes), access_mode=mode, excludes=excludes)

    def _pattern(self, node: Node, text: str) -> str:
        if not text:
            raise InvalidValue("has an empty pattern.", node)
        # References are put in when the task starts; what stands around them is judged then.
        if "$" in text:
            return text
        try:
            compile_pattern(text)
        except InvalidPattern as error:
            raise InvalidValue(f"has a pattern that cannot be used. {error}", node) from None
        return text

    def _mode(self, node: Node) -> str:
        word = self.text_of(node).strip()
        if word.lower() in self.modes:
            return self.modes[word.lower()]
        if word in self.modes.values():
            return word
        raise InvalidValue(f"has the unknown space {word!r}.", node, hint=self._spaces(word))

    def _spaces(self, word: str) -> str:
        near = did_you_mean(word, self.modes)
        return f"{near} Spaces: {', '.join(self.modes)}." if "mean" in near else f"Spaces: {', '.join(self.modes)}."
