"""The types of variable models, ``PA:INTEGER`` and so on: a table, and one function for what each demands of a value.

Follows ``org.ow2.proactive.scheduler.common.job.factories.spi.model`` of ProActive. What only a server knows (files,
credentials, the catalogue, models behind a URL) is asked through `Lookups`; what nobody can answer passes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import cron
from proactive_jupyter_kernel.workflow.java.dates import parse_date
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.spel import Scope, SpelError, evaluate

__all__ = ["MODELS", "Lookups", "ModelError", "check_model", "is_model"]

_PREFIX = "PA:"
_MODEL = re.compile(
    r"PA:\s*(?P<type>[A-Za-z0-9_]+)\s*(?P<argument>\(.*\))?\s*(?P<range>\[[^\[\]]*\])?", re.DOTALL | re.I
)
#: A model behind a URL may be another such model; more than this is a circle.
_MAX_URLS = 5


class ModelError(ValueError):
    """A value does not fit its model, or the model is none; the message is what follows ``Model …:``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What only the scheduler knows. A None means that nobody knows: the value passes."""

    #: The text behind a URL (``PA:MODEL_FROM_URL``); raises OSError where nothing answers.
    fetch: Callable[[str], str] | None = None
    #: Whether a path exists in a space: (``USER`` or ``GLOBAL``, path, whether a folder is meant).
    file: Callable[[str, str, bool], bool] | None = None
    #: Whether the user has a third-party credential of this name.
    credential: Callable[[str], bool] | None = None
    #: Whether the catalogue has an object: (``bucket/object`` or ``bucket/object/revision``, arguments of the model).
    catalog: Callable[[str, tuple[str, ...]], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A value and all that its model may look at."""

    value: str
    #: The inside of the parentheses; None where there are none.
    argument: str | None
    #: The inside of the brackets; None where there are none.
    bounds: str | None
    hidden: bool
    scope: Scope
    lookups: Lookups
    urls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    """One type of model."""

    check: Callable[[_Question], None]
    #: Whether ``(…)`` must, may (None) or must not follow.
    argument: bool | None = False
    #: Whether ``[min,max]`` may follow.
    ranged: bool = False
    #: Whether ``?`` may follow: an empty value passes.
    optional: bool = True


def is_model(model: str) -> bool:
    """Whether a variable's model demands anything; other texts are remarks."""
    return model.strip()[: len(_PREFIX)].upper() == _PREFIX


def check_model(model: str, value: str, hidden: bool, scope: Scope, lookups: Lookups, urls: int = 0) -> None:
    """Raises ModelError where `value` does not fit `model`; `urls` counts the models that were fetched on the way."""
    if not is_model(model):
        return
    plain = model.strip()
    optional = plain.endswith("?")
    match = _MODEL.fullmatch(plain.removesuffix("?").rstrip())
    name = match["type"].upper() if match else plain[len(_PREFIX) :].strip()
    kind = MODELS.get(name)
    if match is None or kind is None:
        raise ModelError(f"there is no such model. {did_you_mean(name, MODELS)}".strip())
    argument, bounds = match["argument"], match["range"]
    if kind.argument is not None and kind.argument != (argument is not None):
        raise ModelError(f"{name} needs its argument in parentheses" if kind.argument else f"{name} has no argument")
    if bounds is not None and not kind.ranged:
        raise ModelError(f"{name} has no range")
    if optional and not kind.optional:
        raise ModelError(f"{name} cannot be optional: an empty value is just what it refuses")
    if optional and not value:
        return
    kind.check(
        _Question(
            value=value,
            argument=None if argument is None else argument[1:-1],
            bounds=None if bounds is None else bounds[1:-1],
            hidden=hidden,
            scope=scope,
            lookups=lookups,
            urls=urls,
        )
    )


def _one_of(*values: str) -> Callable[[_Question], None]:
    def check(question: _Question) -> None:
        if question.value.lower() not in values:
            raise ModelError(f"{question.value!r} is none of {', '.join(values)}")

    return check


def _whole(bits: int) -> Callable[[_Question], None]:
    """Java's Short, Integer and Long."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
            raise ModelError(f"{text!r} is no whole number")
        if not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
            raise ModelError(f"{text!r} is no whole number of {bits} bits")
        return int(text)

    return lambda question: _in_range(question, read)


def _read_real(text: str) -> float:
    """As ``Double.parseDouble``: blanks around it, an exponent and a letter f or d are allowed."""
    plain = text.strip()
    if not re.fullmatch(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)", plain, re.ASCII):
        raise ModelError(f"{text!r} is no number")
    return float(plain if plain.endswith(("NaN", "Infinity")) else plain.rstrip("fFdD"))


def _in_range(question: _Question, read: Callable[[str], Any]) -> None:
    value = read(question.value)
    if question.bounds is None:
        return
    parts = [part.strip() for part in question.bounds.split(",")]
    if len(parts) > 2:
        raise ModelError(f"the range [{question.bounds}] must be [min] or [min,max]")
    try:
        lowest, highest = read(parts[0]), read(parts[-1]) if len(parts) == 2 else None
    except ModelError as error:
        raise ModelError(f"the range [{question.bounds}] is wrong: {error}") from error
    if highest is not None and highest < lowest:
        raise ModelError(f"the range [{question.bounds}] is empty")
    if not (lowest <= value and (highest is None or value <= highest)):
        raise ModelError(f"{question.value!r} is not in the range [{question.bounds}]")


def _date(question: _Question) -> None:
    layout = question.argument or ""

    def read(text: str) -> Any:
        try:
            return parse_date(text, layout)
        except ValueError as error:
            raise ModelError(str(error)) from error

    _in_range(question, read)


def _list(question: _Question) -> None:
    items = [item.strip() for item in (question.argument or "").split(",")]
    if ")" in (question.argument or ""):
        raise ModelError("an item of a list cannot hold a parenthesis")
    doubles = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if doubles:
        raise ModelError(f"the list names {doubles[0]!r} twice")
    if question.value not in items:
        hint = did_you_mean(question.value, filter(None, items))
        raise ModelError(f"{question.value!r} is none of the items. {hint}".strip())


def _regexp(question: _Question) -> None:
    try:
        pattern = compile_java(question.argument or "")
    except ValueError as error:
        raise ModelError(str(error)) from error
    if not pattern.fullmatch(question.value):
        raise ModelError(f"{question.value!r} does not match the regular expression")


def _not_empty(question: _Question) -> None:
    if not question.value.strip():
        raise ModelError("the value is empty or blank")


def _cron(question: _Question) -> None:
    try:
        cron.parse(question.value)
    except ValueError as error:
        raise ModelError(f"this is no cron expression: {error}") from error


#: RFC 2396 as ``java.net.URI`` reads it: characters beyond ASCII are allowed.
_URI = re.compile(
    r"""(?:[A-Za-z][A-Za-z0-9+.-]*:(?=.)|(?![^/?\#]*:))
        (?:[^\x00-\x20\x7f"<>\\^`{|}%\#]|%[0-9A-Fa-f]{2})*
        (?:\#(?:[^\x00-\x20\x7f"<>\\^`{|}%\#]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)
_URL_SCHEMES = ("http", "https", "ftp", "file", "jar", "mailto")


def _uri(question: _Question) -> None:
    if not _URI.fullmatch(question.value):
        raise ModelError(f"{question.value!r} is no URI")


def _url(question: _Question) -> None:
    scheme, colon, _ = question.value.strip().partition(":")
    if not colon or scheme.lower() not in _URL_SCHEMES:
        raise ModelError(f"{question.value!r} is no URL: it must start with one of {', '.join(_URL_SCHEMES)} and ':'")


def _json(question: _Question) -> None:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    try:
        json.loads(question.value, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"this is no JSON: {error}") from error


def _anything(question: _Question) -> None:
    """Every value passes."""


def _credential(question: _Question) -> None:
    known = question.lookups.credential
    if known is not None and not known(question.value):
        raise ModelError(f"there is no third-party credential {question.value!r}; add it to the scheduler first")


def _path(space: str, folder: bool) -> Callable[[_Question], None]:
    def check(question: _Question) -> None:
        if question.hidden or question.lookups.file is None:
            return
        what = "folder" if folder else "file"
        if folder and question.value.endswith("/"):
            raise ModelError(f"{question.value!r} must not end with '/'")
        if not question.lookups.file(space, question.value, folder):
            raise ModelError(f"there is no {what} {question.value!r} in the {space.lower()} space")

    return check


def _catalog(question: _Question) -> None:
    if not re.fullmatch(r"[^/]+/[^/]+(/[0-9]{13})?", question.value):
        form = "bucket/object or bucket/object/revision, the revision of 13 digits"
        raise ModelError(f"{question.value!r} must have the form {form}")
    arguments = tuple(part.strip() for part in (question.argument or "").split(",")) if question.argument else ()
    if len(arguments) > 4:
        raise ModelError("there are at most four arguments: kind, content type, bucket, object")
    if question.lookups.catalog is not None and not question.lookups.catalog(question.value, arguments):
        raise ModelError(f"the catalogue has no such object {question.value!r}")


def _from_url(question: _Question) -> None:
    url = (question.argument or "").strip()
    if "${" in url or question.lookups.fetch is None:
        return
    if question.urls >= _MAX_URLS:
        raise ModelError("the URLs lead to each other without end")
    try:
        model = question.lookups.fetch(url)
    except (OSError, ValueError) as error:
        raise ModelError(f"the model behind {url} cannot be fetched: {error}") from error
    check_model(model, question.value, question.hidden, question.scope, question.lookups, question.urls + 1)


def _spel(question: _Question) -> None:
    _expression(question, question.argument or "", f"the expression is not true for {question.value!r}")


def _spel_with_message(question: _Question) -> None:
    message, comma, expression = _first_argument(question.argument or "")
    if not comma:
        raise ModelError("SPEL2 needs a message and an expression")
    _expression(question, expression, message.strip())


def _first_argument(text: str) -> tuple[str, str, str]:
    """The text before the first comma; a text in quotes may hold commas."""
    quoted = re.match(r"""\s*('(?:[^']|'')*'|"[^"]*")\s*(,)""", text)
    if quoted:
        return quoted.group(1)[1:-1], ",", text[quoted.end() :]
    return text.partition(",")


def _expression(question: _Question, expression: str, refusal: str) -> None:
    try:
        result = evaluate(expression, question.scope)
    except SpelError as error:
        raise ModelError(f"the expression cannot be evaluated: {error}") from error
    decided = result if question.scope.valid is None else question.scope.valid
    if decided is not True:
        raise ModelError(refusal)


MODELS: Mapping[str, _Type] = {
    "BOOLEAN": _Type(check=_one_of("true", "false", "0", "1")),
    "INTEGER": _Type(check=_whole(32), ranged=True),
    "LONG": _Type(check=_whole(64), ranged=True),
    "SHORT": _Type(check=_whole(16), ranged=True),
    "FLOAT": _Type(check=lambda question: _in_range(question, _read_real), ranged=True),
    "DOUBLE": _Type(check=lambda question: _in_range(question, _read_real), ranged=True),
    "DATETIME": _Type(check=_date, argument=True, ranged=True),
    "LIST": _Type(check=_list, argument=True),
    "REGEXP": _Type(check=_regexp, argument=True),
    "NOT_EMPTY_STRING": _Type(check=_not_empty, optional=False),
    "CRON": _Type(check=_cron),
    "URI": _Type(check=_uri),
    "URL": _Type(check=_url),
    "JSON": _Type(check=_json),
    "CATALOG_OBJECT": _Type(check=_catalog, argument=None),
    "MODEL_FROM_URL": _Type(check=_from_url, argument=True),
    "HIDDEN": _Type(check=_anything),
    "CREDENTIAL": _Type(check=_credential),
    "USER_FILE": _Type(check=_path("USER", False)),
    "GLOBAL_FILE": _Type(check=_path("GLOBAL", False)),
    "USER_FOLDER": _Type(check=_path("USER", True)),
    "GLOBAL_FOLDER": _Type(check=_path("GLOBAL", True)),
    "SPEL": _Type(check=_spel, argument=True),
    "SPEL2": _Type(check=_spel_with_message, argument=True),
}
