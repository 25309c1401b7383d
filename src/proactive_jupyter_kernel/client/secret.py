"""A secret text that does not appear in `repr`, logs, errors or the local variables of a traceback."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

__all__ = ["SHORTEST", "Secret"]


#: A shorter secret would blot out half of every message.
SHORTEST = 3


class Secret:
    """Holds a password or token; only `reveal` returns it, and only a transport calls that."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text; do not store it in variables, since a verbose traceback shows those."""
        return self._text

    def masked_in(self, text: str) -> str:
        """A text of others without this one, which a server may repeat as it was sent, or encoded."""
        if len(self._text) < SHORTEST:
            return text
        forms = {self._text, quote(self._text, safe=""), quote_plus(self._text), html.escape(self._text)}
        forms |= {json.dumps(self._text)[1:-1], json.dumps(self._text, ensure_ascii=False)[1:-1]}
        for form in sorted(filter(None, forms), key=len, reverse=True):
            text = text.replace(form, "***")
        return text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be serialized")
