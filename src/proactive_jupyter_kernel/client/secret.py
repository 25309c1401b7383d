"""A secret text that does not appear in `repr`, logs, errors or the local variables of a traceback."""

from __future__ import annotations

__all__ = ["Secret"]


class Secret:
    """Holds a password or token; only `reveal` returns it, and only a transport calls that."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text; do not store it in variables, since a verbose traceback shows those."""
        return self._text

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
