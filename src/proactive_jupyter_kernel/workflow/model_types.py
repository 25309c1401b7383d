"""The types of variable models, such as ``PA:INTEGER``: a table, and one validation function for each type.

Follows ``org.ow2.proactive.scheduler.common.job.factories.spi.model`` of ProActive. `Lookups` gives what only a server
knows (files, credentials, the catalog, models behind a URL); a value that cannot be looked up passes.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import cron
from proactive_jupyter_kernel.workflow.java.dates import parse_date
from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded, deadline
from proactive_jupyter_kernel.workflow.java.numbers import parse_double, parse_float, parse_whole
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.java.uri import is_uri
from proactive_jupyter_kernel.workflow.model_syntax import ParsedModel, is_model, parse_model
from proactive_jupyter_kernel.workflow.spel import Scope, SpelError, evaluate

__all__ = ["MODELS", "Lookups", "ModelError", "ParsedModel", "check_model", "is_model", "parse_model"]

#: Characters of a model and of a value that has one, far above those of real ones.
_MAX_MODEL = 100_000
_MAX_VALUE = 1_000_000
#: Seconds of computing time for one value.
_SECONDS = 2.0
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
    #: Whether the catalog has an object: (``bucket/object`` or ``bucket/object/revision``, arguments of the model).
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


def check_model(model: str, value: str, hidden: bool, scope: Scope, lookups: Lookups, urls: int = 0) -> None:
    """Raises ModelError if `value` does not match `model`; `urls` counts the models that were fetched so far."""
    if not is_model(model):
        return
    if len(model) > _MAX_MODEL:
        raise ModelError(f"the model has {len(model):,} characters; at most {_MAX_MODEL:,} are checked")
    if len(value) > _MAX_VALUE:
        raise ModelError(f"the value has {len(value):,} characters; at most {_MAX_VALUE:,} are checked against a model")
    parsed = parse_model(model)
    name, argument, bounds, optional = parsed.name, parsed.argument, parsed.bounds, parsed.optional
    kind = MODELS.get(name)
    if kind is None:
        start = re.match(r"([A-Z0-9_]+)\s*([\[(])", name)
        if start and start[1] in MODELS:
            raise ModelError(f"its {start[2]!r} is not closed at the end")
        raise ModelError(f"there is no such model. {did_you_mean(name[:100], MODELS)}".strip())
    if kind.argument is not None and kind.argument != (argument is not None):
        raise ModelError(f"{name} needs its argument in parentheses" if kind.argument else f"{name} has no argument")
    if bounds is not None and not kind.ranged:
        raise ModelError(f"{name} has no range")
    if optional and not kind.optional:
        raise ModelError(f"{name} cannot be optional, because it rejects the empty value")
    if optional and not value:
        return
    validation = _Validation(
        value=value, argument=argument, bounds=bounds, hidden=hidden, scope=scope, lookups=lookups, urls=urls
    )
    try:
        with deadline(_SECONDS):
            kind.check(validation)
    except DeadlineExceeded as error:
        raise ModelError(str(error)) from error


def _one_of(*values: str) -> Callable[[_Validation], None]:
    def check(validation: _Validation) -> None:
        if validation.value.lower() not in values:
            raise ModelError(f"{_shown(validation.value)} is none of {', '.join(values)}")

    return check


def _reading(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of values whose errors are those of the model."""

    def run(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise ModelError(str(error)) from error

    return run


def _whole(bits: int) -> Callable[[_Validation], None]:
    """Java's Short, Integer and Long."""
    read = _reading(lambda text: parse_whole(text, bits))
    return lambda validation: _in_range(validation, read)


def _real(parse: Callable[[str], float], bits: int) -> Callable[[_Validation], None]:
    """Java's Float and Double; a server takes no NaN, and nothing beyond the largest number of the type."""

    def finite(text: str) -> float:
        value = parse(text)
        if not math.isfinite(value):
            raise ValueError(f"{text[:60]!r} is not a finite number of {bits} bits")
        return value

    return lambda validation: _in_range(validation, _reading(finite))


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
        raise ModelError(f"{_shown(validation.value)} is not in the range [{validation.bounds}]")


def _date(validation: _Validation) -> None:
    layout = validation.argument or ""
    _in_range(validation, _reading(lambda text: parse_date(text, layout)))


def _list(validation: _Validation) -> None:
    items = [item.strip() for item in (validation.argument or "").split(",")]
    if ")" in (validation.argument or ""):
        raise ModelError("an item of a list cannot hold a parenthesis")
    doubles = [item for item, count in Counter(items).items() if count > 1]
    if doubles:
        raise ModelError(f"the list names {doubles[0]!r} twice")
    if validation.value not in items:
        hint = did_you_mean(validation.value, filter(None, items))
        raise ModelError(f"{_shown(validation.value)} is not one of the items. {hint}".strip())


def _regexp(validation: _Validation) -> None:
    try:
        pattern = compile_java(validation.argument or "")
    except ValueError as error:
        raise ModelError(str(error)) from error
    if not pattern.fullmatch(validation.value):
        raise ModelError(f"{_shown(validation.value)} does not match the regular expression")


def _not_empty(validation: _Validation) -> None:
    if not validation.value.strip():
        raise ModelError("the value is empty or blank")


def _cron(validation: _Validation) -> None:
    try:
        cron.parse(validation.value)
    except ValueError as error:
        raise ModelError(f"this is not a cron expression: {error}") from error


_URL_SCHEMES = ("http", "https", "ftp", "file", "jar", "mailto")


def _uri(validation: _Validation) -> None:
    if not is_uri(validation.value):
        raise ModelError(f"{_shown(validation.value)} is not a URI")


def _url(validation: _Validation) -> None:
    scheme, colon, _ = validation.value.strip().partition(":")
    if not colon or scheme.lower() not in _URL_SCHEMES:
        raise ModelError(
            f"{_shown(validation.value)} is not a URL: it must start with one of {', '.join(_URL_SCHEMES)} and ':'"
        )


def _json(validation: _Validation) -> None:
    """An empty value has no content and is accepted, as on a server."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not valid JSON")

    if not validation.value.strip():
        return
    try:
        # Numbers stay texts: converting a long one takes quadratic time.
        json.loads(validation.value, parse_constant=refuse, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise ModelError("this JSON is nested too deep") from error
    except ValueError as error:
        raise ModelError(f"this is not valid JSON: {error}") from error


def _anything(validation: _Validation) -> None:
    """Every value passes."""


def _credential(validation: _Validation) -> None:
    known = validation.lookups.credential
    if known is not None and not known(validation.value):
        raise ModelError(
            f"there is no third-party credential {_shown(validation.value)}; add it to the scheduler first"
        )


def _path(space: str, folder: bool) -> Callable[[_Validation], None]:
    def check(validation: _Validation) -> None:
        if validation.hidden or validation.lookups.file is None:
            return
        what = "folder" if folder else "file"
        if folder and validation.value.endswith("/"):
            raise ModelError(f"{_shown(validation.value)} must not end with '/'")
        if not validation.lookups.file(space, validation.value, folder):
            raise ModelError(f"there is no {what} {_shown(validation.value)} in the {space.lower()} space")

    return check


def _catalog(validation: _Validation) -> None:
    bucket, *rest = validation.value.split("/", 3)
    if not bucket or not rest or not rest[0] or (rest[1:] and not re.fullmatch("[0-9]{13}", "/".join(rest[1:]))):
        form = "bucket/object or bucket/object/revision, the revision of 13 digits"
        raise ModelError(f"{_shown(validation.value)} must have the form {form}")
    arguments = tuple(part.strip() for part in (validation.argument or "").split(",")) if validation.argument else ()
    if len(arguments) > 4:
        raise ModelError("there are at most four arguments: kind, content type, bucket, object")
    if validation.lookups.catalog is not None and not validation.lookups.catalog(validation.value, arguments):
        raise ModelError(f"the catalog has no such object {_shown(validation.value)}")


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
    _expression(validation, validation.argument or "", f"the expression is false for {_shown(validation.value)}")


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


def _shown(value: str) -> str:
    """A value in a message."""
    return repr(value) if len(value) <= 200 else repr(value[:199] + "…")


MODELS: Mapping[str, _Type] = {
    "BOOLEAN": _Type(check=_one_of("true", "false", "0", "1")),
    "INTEGER": _Type(check=_whole(32), ranged=True),
    "LONG": _Type(check=_whole(64), ranged=True),
    "SHORT": _Type(check=_whole(16), ranged=True),
    "FLOAT": _Type(check=_real(parse_float, 32), ranged=True),
    "DOUBLE": _Type(check=_real(parse_double, 64), ranged=True),
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
