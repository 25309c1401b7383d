"""The variables of a workflow as fields of a form: which control a model asks for, and what its answer means.

A field never changes a value that the user does not edit: a value that a control cannot show exactly (a reference such
as ``${X}``, a date in an unknown format) gets a text field. `posted_value` is the inverse of `field_of`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from proactive_jupyter_kernel.workflow.java.dates import layout_letters, parse_date, write_date
from proactive_jupyter_kernel.workflow.model import Variable
from proactive_jupyter_kernel.workflow.model_syntax import ParsedModel, is_model, parse_model
from proactive_jupyter_kernel.workflow.substitution import InfiniteReference, Substitutor

__all__ = ["Choice", "Control", "FieldGroup", "FormField", "field_of", "groups_of", "posted_value", "visible_values"]


#: Characters of a regular expression that a hint shows.
_LONGEST_HINT = 200


class Control(enum.Enum):
    """The control of a form; the value is used in templates."""

    TEXT = "text"
    #: Several lines.
    AREA = "area"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    #: A date and a time of day, and a date alone.
    MOMENT = "moment"
    DATE = "date"
    #: The value is never sent to the page; an empty answer keeps it.
    SECRET = "secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One item of a choice."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One variable in a form."""

    name: str
    control: Control = Control.TEXT
    #: What the control shows: of a switch ``true`` or empty, of a date in the format of HTML.
    value: str = ""
    #: As the workflow declares it; empty: none.
    model: str = ""
    description: str = ""
    group: str = ""
    #: What is valid, in a few words; empty: anything.
    hint: str = ""
    advanced: bool = False
    #: The empty value does not pass.
    required: bool = False
    choices: tuple[Choice, ...] = ()
    #: The limits of a number or date in the format of the control; empty: none.
    lowest: str = ""
    highest: str = ""
    #: Whether the time of a `Control.MOMENT` has seconds.
    seconds: bool = False
    #: The keyboard that small screens show (``inputmode``); empty: the usual one.
    keyboard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """Fields below one heading."""

    #: Empty: variables without a group.
    title: str
    fields: tuple[FormField, ...] = ()
    #: Fields that the workflow declares as advanced.
    advanced: tuple[FormField, ...] = ()


def groups_of(variables: Iterable[Variable]) -> tuple[FieldGroup, ...]:
    """The fields of the variables that a form shows, by group, in the order of the workflow. Hidden ones are left
    out."""
    shown = tuple(variables)
    values = visible_values(shown)
    groups: dict[str, tuple[list[FormField], list[FormField]]] = {}
    for variable in shown:
        if not variable.hidden:
            plain, advanced = groups.setdefault(variable.group.strip(), ([], []))
            (advanced if variable.advanced else plain).append(field_of(variable, values))
    return tuple(
        FieldGroup(title=title, fields=tuple(plain), advanced=tuple(advanced))
        for title, (plain, advanced) in groups.items()
    )


def visible_values(variables: Iterable[Variable]) -> dict[str, str]:
    """The values to which models may refer in a form: not those of secrets, for hints show what a model resolves to."""
    return {
        variable.name: variable.value
        for variable in variables
        if not (is_model(variable.model) and parse_model(variable.model).name == "HIDDEN")
    }


def field_of(variable: Variable, values: Mapping[str, str] | None = None) -> FormField:
    """The field of a variable; `values` are those of all variables, to which its model may refer."""
    field = FormField(
        name=variable.name,
        value=variable.value,
        model=variable.model.strip(),
        description=variable.description.strip(),
        group=variable.group.strip(),
        advanced=variable.advanced,
    )
    if "\n" in variable.value or "\r" in variable.value:
        field = replace(field, control=Control.AREA)
    parsed = _parsed(variable.model, values or {})
    if parsed is None:
        return field
    form = _FORMS.get(parsed.name, _Form())
    made = form.make(replace(field, required=form.required and not parsed.optional, hint=form.hint), parsed)
    # A reference is text, whatever the model; a secret stays one.
    if "${" in variable.value and made.control not in (Control.SECRET, Control.AREA):
        made = replace(made, control=Control.TEXT, value=variable.value, choices=(), keyboard="")
    return made


def posted_value(variable: Variable, posted: str | None, values: Mapping[str, str] | None = None) -> str:
    """The value of a variable after a form was sent; `posted` is what came for its field, None: nothing did."""
    field = field_of(variable, values)
    if field.control is Control.SWITCH:
        if (posted is not None) == bool(field.value):
            return variable.value
        on, off = _switch_words(variable.value)
        return on if posted is not None else off
    if posted is None or (field.control is Control.SECRET and not posted):
        return variable.value
    # Browsers end the lines of a form with CR LF.
    text = posted.replace("\r\n", "\n")
    if text == variable.value.replace("\r\n", "\n").replace("\r", "\n") or posted == field.value:
        return variable.value
    if field.control in (Control.MOMENT, Control.DATE) and text:
        parsed = _parsed(variable.model, values or {})
        try:
            return write_date(datetime.fromisoformat(text), parsed.argument or "" if parsed else "")
        except ValueError:
            return text
    return text


def _parsed(model: str, values: Mapping[str, str]) -> ParsedModel | None:
    """The model with its references resolved; None where it restricts nothing or cannot be resolved."""
    if not is_model(model):
        return None
    if "$" in model:
        try:
            model = Substitutor(values)(model)
        except InfiniteReference:
            return None
    return parse_model(model) if is_model(model) else None


# --- the controls of the models --------------------------------------------------------------------------------------


def _as_text(field: FormField, parsed: ParsedModel) -> FormField:
    return field


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a type of model looks in a form."""

    make: Callable[[FormField, ParsedModel], FormField] = _as_text
    #: Whether the empty value does not match, unless the model is optional.
    required: bool = False
    hint: str = ""


def _number(words: str, keyboard: str) -> Callable[[FormField, ParsedModel], FormField]:
    def make(field: FormField, parsed: ParsedModel) -> FormField:
        lowest, highest = _bounds(parsed)
        limits = _limits(lowest, highest)
        hint = f"{words} {limits}".rstrip()
        return replace(field, control=Control.NUMBER, lowest=lowest, highest=highest, hint=hint, keyboard=keyboard)

    return make


def _bounds(parsed: ParsedModel) -> tuple[str, str]:
    parts = [part.strip() for part in (parsed.bounds or "").split(",")]
    return parts[0], parts[1] if len(parts) == 2 else ""


def _limits(lowest: str, highest: str) -> str:
    if lowest and highest:
        return f"from {lowest} to {highest}"
    return f"of {lowest} or more" if lowest else f"of {highest} or less" if highest else ""


def _switch(field: FormField, parsed: ParsedModel) -> FormField:
    """A switch where the value is one of its two; where it may be empty, or is something else, a choice."""
    word = field.value.strip().lower()
    if field.value.lower() not in _BOOLEANS or parsed.optional:
        words = ("true", "false")
        if word in words:
            field = replace(field, value=word)
        return _chosen(field, words, empty=parsed.optional)
    return replace(field, control=Control.SWITCH, value="true" if word in ("true", "1") else "", required=False)


_BOOLEANS = ("true", "false", "0", "1")


def _switch_words(value: str) -> tuple[str, str]:
    """The words for on and off, as the workflow writes them."""
    return ("1", "0") if value.strip() in ("0", "1") else ("true", "false")


def _list(field: FormField, parsed: ParsedModel) -> FormField:
    return _chosen(field, tuple(item.strip() for item in (parsed.argument or "").split(",")), empty=parsed.optional)


def _chosen(field: FormField, items: Iterable[str], *, empty: bool) -> FormField:
    """A choice; a value that is not one of the items stands first, so that it can be seen."""
    known = list(dict.fromkeys(items))
    if empty and "" not in known:
        known.insert(0, "")
    choices = [Choice(value=item, label=item or "(none)") for item in known]
    if field.value not in known:
        label = f"{field.value} (not one of the items)" if field.value else "(choose one)"
        choices.insert(0, Choice(value=field.value, label=label))
    return replace(field, control=Control.CHOICE, choices=tuple(choices))


def _date(field: FormField, parsed: ParsedModel) -> FormField:
    """A date control where the browser's answer can be written in the model's format, and the value read from it."""
    layout = parsed.argument or ""
    field = replace(field, hint=f"in the format {layout}")
    try:
        letters = layout_letters(layout)
    except ValueError:
        return field
    if not letters >= _DATE_LETTERS or letters - _DATE_LETTERS - _TIME_LETTERS:
        return field
    control = Control.MOMENT if letters & _TIME_LETTERS else Control.DATE
    if control is Control.MOMENT and not {"H", "m"} <= letters:
        return field
    seconds = "s" in letters
    lowest, highest = (_in_html(text, layout, control, seconds) for text in _bounds(parsed))
    shown = _in_html(field.value, layout, control, seconds)
    if field.value and not shown:
        return field
    limits = _limits(*_bounds(parsed))
    return replace(field, control=control, value=shown, lowest=lowest, highest=highest, seconds=seconds, hint=limits)


_DATE_LETTERS = frozenset("yMd")
_TIME_LETTERS = frozenset("Hms")


def _in_html(text: str, layout: str, control: Control, seconds: bool) -> str:
    """A date as HTML writes it; empty if it is not a date, or if that would lose information."""
    if not text:
        return ""
    try:
        moment = parse_date(text, layout)
        if write_date(moment, layout) != text:
            return ""
    except ValueError:
        return ""
    if control is Control.DATE:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds" if seconds else "minutes")


def _secret(field: FormField, parsed: ParsedModel) -> FormField:
    return replace(field, control=Control.SECRET, value="", required=False)


def _json(field: FormField, parsed: ParsedModel) -> FormField:
    return replace(field, control=Control.AREA)


def _pattern(field: FormField, parsed: ParsedModel) -> FormField:
    pattern = parsed.argument or ""
    return replace(
        field, hint=f"matches {pattern if len(pattern) <= _LONGEST_HINT else pattern[: _LONGEST_HINT - 1] + '…'}"
    )


def _keyboard(kind: str) -> Callable[[FormField, ParsedModel], FormField]:
    return lambda field, parsed: replace(field, keyboard=kind)


_INTEGER = _Form(make=_number("an integer", "numeric"), required=True)
_REAL = _Form(make=_number("a number", "decimal"), required=True)

#: Type of model -> how it looks. A type without a row is a text field without a hint.
_FORMS: Mapping[str, _Form] = {
    "BOOLEAN": _Form(make=_switch, required=True),
    "INTEGER": _INTEGER,
    "LONG": _INTEGER,
    "SHORT": _INTEGER,
    "FLOAT": _REAL,
    "DOUBLE": _REAL,
    "DATETIME": _Form(make=_date, required=True),
    "LIST": _Form(make=_list),
    "REGEXP": _Form(make=_pattern),
    "NOT_EMPTY_STRING": _Form(required=True),
    "CRON": _Form(required=True, hint="minute, hour, day, month, weekday: 0 6 * * 1"),
    "URI": _Form(make=_keyboard("url"), hint="a URI"),
    "URL": _Form(make=_keyboard("url"), required=True, hint="a URL, such as https://..."),
    "JSON": _Form(make=_json, hint="JSON"),
    "HIDDEN": _Form(make=_secret, hint="stored encrypted and shown nowhere; empty keeps the value of the workflow"),
    "CREDENTIAL": _Form(required=True, hint="the name of a third-party credential"),
    "CATALOG_OBJECT": _Form(required=True, hint="bucket/object or bucket/object/revision"),
    "USER_FILE": _Form(required=True, hint="a file in your user space"),
    "GLOBAL_FILE": _Form(required=True, hint="a file in the global space"),
    "USER_FOLDER": _Form(required=True, hint="a folder in your user space"),
    "GLOBAL_FOLDER": _Form(required=True, hint="a folder in the global space"),
}
