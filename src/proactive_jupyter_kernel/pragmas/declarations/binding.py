"""A call as typed to values that fit its declaration, or the first reason why they do not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from proactive_jupyter_kernel.errors import BadValue, UnknownParameter
from proactive_jupyter_kernel.pragmas.declarations.kinds import InvalidValue
from proactive_jupyter_kernel.pragmas.declarations.proposals import PARAMETER_SYNONYMS, propose
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, BoundCall, Parameter, Pragma, Registry
from proactive_jupyter_kernel.pragmas.declarations.values import Switch
from proactive_jupyter_kernel.pragmas.grammar.parser import write_value
from proactive_jupyter_kernel.pragmas.grammar.syntax import Argument, Call, ListNode, MapNode, Node, TextNode

__all__ = ["bind"]

#: What neither a workflow's XML nor a path can hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def bind(call: Call, registry: Registry = PRAGMAS) -> BoundCall:
    """Give every argument to its parameter and read its value; `PragmaError` for the first that does not fit."""
    found = registry.of(call)
    arguments: dict[str, Argument] = {}
    for index, argument in enumerate(call.arguments):
        parameter = _parameter_of(found, call, argument)
        listed = "" if argument.name else _listed(found, call, index)
        first = arguments.get(parameter.name)
        if first is not None:
            raise argument.span.fault(
                UnknownParameter,
                _given_twice(parameter, first, argument),
                hint=f"Did you mean {listed}?" if listed else "",
                pragma=call.name,
            )
        if listed and listed.partition("=")[0] in _lists(found):
            # It would silently become the name of something.
            raise argument.span.fault(
                UnknownParameter,
                "a value without a name follows a list of one.",
                hint=f"Did you mean {listed}? Else write {parameter.name}={write_value(argument.value)}.",
                pragma=call.name,
            )
        arguments[parameter.name] = argument
    missing = [one.name for one in found.parameters if one.required and one.name not in arguments]
    if missing:
        raise call.span.fault(
            UnknownParameter,
            f"{' and '.join(missing)} must be given.",
            hint=f"Usage: {found.usage}",
            pragma=call.name,
        )
    values = {
        parameter.name: _read(call, parameter, arguments[parameter.name])
        if parameter.name in arguments
        else parameter.default
        for parameter in found.parameters
    }
    for parameter in found.parameters:
        if parameter.derive is not None and parameter.name not in arguments:
            values[parameter.name] = parameter.derive(values)
    spans = {name: argument.value.span for name, argument in arguments.items()}
    nodes = {name: argument.value for name, argument in arguments.items()}
    bound = BoundCall(pragma=found, call=call, values=values, spans=spans, nodes=nodes)
    if found.check:
        found.check(bound)
    return bound


def _parameter_of(found: Pragma, call: Call, argument: Argument) -> Parameter:
    if not argument.name:
        nameless = found.nameless(argument.value)
        if nameless is None:
            raise argument.span.fault(
                UnknownParameter,
                "takes no value without a name." if found.parameters else "takes no parameters.",
                hint=f"Write its code on the lines below it.\nUsage: {found.usage}"
                if found.takes_code
                else f"Usage: {found.usage}",
                pragma=call.name,
            )
        _refuse_forgotten_value(found, call, nameless, argument)
        return nameless
    parameter = found.parameter(argument.name)
    if parameter is None:
        known = [one.name for one in found.parameters]
        meant = propose(argument.name, known, PARAMETER_SYNONYMS)
        raise argument.span.fault(
            UnknownParameter,
            f"there is no parameter {argument.name}.",
            hint="\n".join((*([f"Did you mean {meant!r}?"] if meant else []), f"Usage: {found.usage}")),
            pragma=call.name,
        )
    return parameter


def _refuse_forgotten_value(found: Pragma, call: Call, nameless: Parameter, argument: Argument) -> None:
    """`submit_job(wait)` means `wait=on`; it must not silently become a job of the name wait."""
    node = argument.value
    switch = found.parameter(node.text) if isinstance(node, TextNode) and not nameless.kind.secret else None
    if switch is not None and isinstance(switch.kind, Switch):
        raise argument.span.fault(
            UnknownParameter,
            f"the value of {switch.name} is missing.",
            hint=f"Did you mean {switch.name}=on? Else write {nameless.name}={write_value(node)}.",
            pragma=call.name,
        )


def _given_twice(parameter: Parameter, first: Argument, second: Argument) -> str:
    if second.name and first.name:
        return f"{parameter.name} is given twice."
    if parameter.kind.secret:
        return f"{parameter.name} is given twice: once without its name."
    values = " and as ".join(write_value(one.value) for one in (first, second))
    return f"{parameter.name} is given twice: as {values}."


def _lists(found: Pragma) -> set[str]:
    return {one.name for one in found.parameters if one.kind.many}


def _listed(found: Pragma, call: Call, index: int) -> str:
    """How an argument and the nameless values behind it would be written as the one value that they look like."""
    start = next((back for back in range(index - 1, -1, -1) if call.arguments[back].name), None)
    if start is None:
        return ""
    end = next((one for one in range(index, len(call.arguments)) if call.arguments[one].name), len(call.arguments))
    first = call.arguments[start]
    parameter = found.parameter(first.name)
    nodes = [one.value for one in call.arguments[start:end]]
    if parameter is None or parameter.kind.secret or not all(isinstance(node, TextNode) for node in nodes):
        return ""
    texts = [write_value(node) for node in nodes]
    if parameter.kind.many:
        return f"{parameter.name}=[{', '.join(texts)}]"
    joined = TextNode(text=", ".join(node.text for node in nodes if isinstance(node, TextNode)), span=first.span)
    return f"{parameter.name}={write_value(joined)}" if parameter.kind.free_text else ""


def _read(call: Call, parameter: Parameter, argument: Argument) -> Any:
    for node in _texts(argument.value):
        if not parameter.kind.secret and (found := _CONTROL.search(node.text)):
            message = f"{parameter.name} holds the control character {found.group()!a}, which no value may hold."
            raise node.span.fault(BadValue, message, hint="Remove it.", pragma=call.name)
    try:
        return parameter.kind.parse(argument.value)
    except InvalidValue as unfit:
        raise unfit.node.span.fault(
            BadValue, f"{parameter.name} {unfit.reason}", hint=unfit.hint, pragma=call.name
        ) from None


def _texts(node: Node) -> Iterator[TextNode]:
    if isinstance(node, TextNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, MapNode):
        for key, value in node.rows:
            yield key
            yield from _texts(value)
