"""The syntax of variable models: ``PA:TYPE(argument)[bounds]?``. What a type means is in `model_types`."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ParsedModel", "is_model", "parse_model"]

_PREFIX = "PA:"
_TYPE = re.compile(r"\s*([A-Za-z0-9_]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedModel:
    """The parts of a model: ``PA:NAME(argument)[bounds]?``."""

    #: Upper case, such as ``INTEGER``; the whole text where it has another form.
    name: str
    #: The text in parentheses; None if there are none.
    argument: str | None
    #: The text in brackets; None if there are none.
    bounds: str | None
    #: Whether ``?`` follows: an empty value passes.
    optional: bool


def is_model(model: str) -> bool:
    """Whether the model of a variable restricts its values; any other text is a comment."""
    return model.strip()[: len(_PREFIX)].upper() == _PREFIX


def parse_model(model: str) -> ParsedModel:
    """The parts of a text for which `is_model` holds."""
    plain = model.strip()
    name, argument, bounds = _parts(plain.removesuffix("?").rstrip()[len(_PREFIX) :])
    return ParsedModel(name=name, argument=argument, bounds=bounds, optional=plain.endswith("?"))


def _parts(text: str) -> tuple[str, str | None, str | None]:
    """Type, argument and range of ``TYPE(argument)[range]``; a text of another form is all type."""
    match = _TYPE.match(text)
    if match is None:
        return text.strip(), None, None
    rest, bounds = text[match.end() :], None
    start = rest.rfind("[")
    head = rest[: max(start, 0)].rstrip()
    if start >= 0 and rest.find("]", start) == len(rest) - 1 and (not head or (head[0] == "(" and head[-1] == ")")):
        rest, bounds = head, rest[start + 1 : -1]
    if not rest:
        return match[1].upper(), None, bounds
    if rest.startswith("(") and rest.endswith(")") and len(rest) > 1:
        return match[1].upper(), rest[1:-1], bounds
    return text.strip(), None, None
