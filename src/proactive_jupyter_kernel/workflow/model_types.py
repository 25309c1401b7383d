"""The types of variable models, such as ``PA:INTEGER``: a table, and one validation function for each type.

Follows ``org.ow2.proactive.scheduler.common.job.factories.spi.model`` of ProActive. `Lookups` gives what only a server
knows (files, credentials, the catalogue, models behind a URL); a value that cannot be looked up passes.
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
#: A model behind a URL may be another such model; more than this number is taken for a cycle.
_MAX_URLS = 5


class ModelError(ValueError):
    """A value does not match its model, or the model is invalid; the message follows ``Model …:``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What only the scheduler knows. None means that it is not known, and the value passes."""

    #: The text behind a URL (``PA:MODEL_FROM_URL``); raises OSError if it cannot be fetched.
    fetch: Callable[[str], str] | None = None
    #: Whether a path exists in a space: (``USER`` or ``GLOBAL``, path, whether it must be a folder).
    file: Callable[[str, str, bool], bool] | None = None
    #: Whether the user has a third-party credential of this name.
    credential: Callable[[str], bool] | None = None
    #: Whether the catalogue has an object: (``bucket/object`` or ``bucket/object/revision``, arguments of the model).
    catalog: Callable[[str, tuple[str, ...]], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Validation:
    """A value and the context of its validation."""

    value: str
    #: The text in parentheses; None if there are none.
    argument: str | None
    #: The text in brackets; None if there are none.
    bounds: str | None
    hidden: bool
    scope: Scope
    lookups: Lookups
    urls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    """One type of model."""

    check: Callable[[_Validation], None]
    #: Whether ``(…)`` must, may (None) or must not follow.
    argument: bool | None = False
    #: Whether ``[min,max]`` may follow.
    ranged: bool = False
    #: Whether ``?`` may follow: an empty value passes.
    optional: bool = True


def is_model(model: str) -> bool:
    """Whether the model of a variable restricts its values; any other text is a comment."""
    return model.strip()[: len(_PREFIX)].upper() == _PREFIX


def check_model(model: str, value: str, hidden: bool, scope: Scope, lookups: Lookups, urls: int = 0) -> None:
    """Raises ModelError if `value` does not match `model`; `urls` counts the models that were fetched so far."""
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
        raise ModelError(f"{name} cannot be optional, because it rejects the empty value")
    if optional and not value:
        return
    kind.check(
        _Validation(
            value=value,
            argument=None if argument is None else argument[1:-1],
            bounds=None if bounds is None else bounds[1:-1],
            hidden=hidden,
            scope=scope,
            lookups=lookups,
            urls=urls,
        )
    )


def _one_of(*values: str) -> Callable[[_Validation], None]:
    def check(validation: _Validation) -> None:
        if validation.value.lower() not in values:
            raise ModelError(f"{validation.value!r} is none of {', '.join(values)}")

    return check


def _whole(bits: int) -> Callable[[_Validation], None]:
    """Java's Short, Integer and Long."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
            raise ModelError(f"{text!r} is not an integer")
        if not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
            raise ModelError(f"{text!r} is not an integer of {bits} bits")
        return int(text)

    return lambda validation: _in_range(validation, read)


def _read_real(text: str) -> float:
    """As ``Double.parseDouble``: surrounding blanks, an exponent and a suffix f or d are allowed."""
    plain = text.strip()
    if not re.fullmatch(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)", plain, re.ASCII):
        raise ModelError(f"{text!r} is not a number")
    return float(plain if plain.endswith(("NaN", "Infinity")) else plain.rstrip("fFdD"))


def _in_range(validation: _Validation, read: Callable[[str], Any]) -> None:
    value = read(validation.value)
    if validation.bounds is None:
        return
    parts = [part.strip() for part in validation.bounds.split(",")]
    if len(parts) > 2:
        raise ModelError(f"the range [{validation.bounds}] must be [min] or [min,max]")
    try:
        lowest, highest = read(parts[0]), read(parts[-1]) if len(parts) == 2 else None
    except ModelError as error:
        raise ModelError(f"the range [{validation.bounds}] is wrong: {error}") from error
    if highest is not None and highest < lowest:
        raise ModelError(f"the range [{validation.bounds}] is empty")
    if not (lowest <= value and (highest is None or value <= highest)):
        raise ModelError(f"{validation.value!r} is not in the range [{validation.bounds}]")


def _date(validation: _Validation) -> None:
    layout = validation.argument or ""

    def read(text: str) -> Any:
        try:
            return parse_date(text, layout)
        except ValueError as error:
            raise ModelError(str(error)) from error

    _in_range(validation, read)


def _list(validation: _Validation) -> None:
    items = [item.strip() for item in (validation.argument or "").split(",")]
    if ")" in (validation.argument or ""):
        raise ModelError("an item of a list cannot hold a parenthesis")
    doubles = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if doubles:
        raise ModelError(f"the list names {doubles[0]!r} twice")
    if validation.value not in items:
        hint = did_you_mean(validation.value, filter(None, items))
        raise ModelError(f"{validation.value!r} is not one of the items. {hint}".strip())


def _regexp(validation: _Validation) -> None:
    try:
        pattern = compile_java(validation.argument or "")
    except ValueError as error:
        raise ModelError(str(error)) from error
    if not pattern.fullmatch(validation.value):
        raise ModelError(f"{validation.value!r} does not match the regular expression")


def _not_empty(validation: _Validation) -> None:
    if not validation.value.strip():
        raise ModelError("the value is empty or blank")


def _cron(validation: _Validation) -> None:
    try:
        cron.parse(validation.value)
    except ValueError as error:
        raise ModelError(f"this is not a cron expression: {error}") from error


#: RFC 2396 as ``java.net.URI`` reads it: characters beyond ASCII are allowed.
_URI = re.compile(
    r"""(?:[A-Za-z][A-Za-z0-9+.-]*:(?=.)|(?![^/?\#]*:))
        (?:[^\x00-\x20\x7f"<>\\^`{|}%\#]|%[0-9A-Fa-f]{2})*
        (?:\#(?:[^\x00-\x20\x7f"<>\\^`{|}%\#]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)
_URL_SCHEMES = ("http", "https", "ftp", "file", "jar", "mailto")


def _uri(validation: _Validation) -> None:
    if not _URI.fullmatch(validation.value):
        raise ModelError(f"{validation.value!r} is not a URI")


def _url(validation: _Validation) -> None:
    scheme, colon, _ = validation.value.strip().partition(":")
    if not colon or scheme.lower() not in _URL_SCHEMES:
        raise ModelError(
            f"{validation.value!r} is not a URL: it must start with one of {', '.join(_URL_SCHEMES)} and ':'"
        )


def _json(validation: _Validation) -> None:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not valid JSON")

    try:
        json.loads(validation.value, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"this is not valid JSON: {error}") from error


def _anything(validation: _Validation) -> None:
    """Every value passes."""


def _credential(validation: _Validation) -> None:
    known = validation.lookups.credential
    if known is not None and not known(validation.value):
        raise ModelError(f"there is no third-party credential {validation.value!r}; add it to the scheduler first")


def _path(space: str, folder: bool) -> Callable[[_Validation], None]:
    def check(validation: _Validation) -> None:
        if validation.hidden or validation.lookups.file is None:
            return
        what = "folder" if folder else "file"
        if folder and validation.value.endswith("/"):
            raise ModelError(f"{validation.value!r} must not end with '/'")
        if not validation.lookups.file(space, validation.value, folder):
            raise ModelError(f"there is no {what} {validation.value!r} in the {space.lower()} space")

    return check


def _catalog(validation: _Validation) -> None:
    if not re.fullmatch(r"[^/]+/[^/]+(/[0-9]{13})?", validation.value):
        form = "bucket/object or bucket/object/revision, the revision of 13 digits"
        raise ModelError(f"{validation.value!r} must have the form {form}")
    arguments = tuple(part.strip() for part in (validation.argument or "").split(",")) if validation.argument else ()
    if len(arguments) > 4:
        raise ModelError("there are at most four arguments: kind, content type, bucket, object")
    if validation.lookups.catalog is not None and not validation.lookups.catalog(validation.value, arguments):
        raise ModelError(f"the catalogue has no such object {validation.value!r}")


def _from_url(validation: _Validation) -> None:
    url = (validation.argument or "").strip()
    if "${" in url or validation.lookups.fetch is None:
        return
    if validation.urls >= _MAX_URLS:
        raise ModelError("the URLs refer to each other in a cycle")
    try:
        model = validation.lookups.fetch(url)
    except (OSError, ValueError) as error:
        raise ModelError(f"the model behind {url} cannot be fetched: {error}") from error
    check_model(model, validation.value, validation.hidden, validation.scope, validation.lookups, validation.urls + 1)


def _spel(validation: _Validation) -> None:
    _expression(validation, validation.argument or "", f"the expression is false for {validation.value!r}")


def _spel_with_message(validation: _Validation) -> None:
    message, comma, expression = _first_argument(validation.argument or "")
    if not comma:
        raise ModelError("SPEL2 needs a message and an expression")
    _expression(validation, expression, message.strip())


def _first_argument(text: str) -> tuple[str, str, str]:
    """The text before the first comma; a quoted text may contain commas."""
    quoted = re.match(r"""\s*('(?:[^']|'')*'|"[^"]*")\s*(,)""", text)
    if quoted:
        return quoted.group(1)[1:-1], ",", text[quoted.end() :]
    return text.partition(",")


def _expression(validation: _Validation, expression: str, refusal: str) -> None:
    try:
        result = evaluate(expression, validation.scope)
    except SpelError as error:
        raise ModelError(f"the expression cannot be evaluated: {error}") from error
    decided = result if validation.scope.valid is None else validation.scope.valid
    if decided is not True:
        raise ModelError(refusal)


MODELS: Mapping[str, _Type] = {
    "BOOLEAN": _Type(check=_one_of("true", "false", "0", "1")),
    "INTEGER": _Type(check=_whole(32), ranged=True),
    "LONG": _Type(check=_whole(64), ranged=True),
    "SHORT": _Type(check=_whole(16), ranged=True),
    "FLOAT": _Type(check=lambda validation: _in_range(validation, _read_real), ranged=True),
    "DOUBLE": _Type(check=lambda validation: _in_range(validation, _read_real), ranged=True),
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
