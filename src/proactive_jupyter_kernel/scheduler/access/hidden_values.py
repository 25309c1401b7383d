"""Values of variables with the model ``PA:HIDDEN``: readers of a job see ``ENC(...)``, its tasks see the value.

As on a ProActive server, what was shown can be submitted again: the scheduler that showed it reads the value from it
as the value of a hidden variable. The cipher is deterministic (a synthetic nonce, RFC 5297's idea, with HMAC-SHA-256 as
the pseudorandom function), so that the same value looks the same in every answer. It protects values in listings, saved
notebooks and files from being read; the key lies in the data folder beside the jobs themselves.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.workflow.model import Task, Variable, Workflow

__all__ = ["HiddenValues", "is_hidden", "is_hidden_model"]

_V = TypeVar("_V", bound=Variable)

_KEY, _NONCE = 32, 16
#: A shorter value occurs in any text and cannot be a secret.
_SHORTEST = 4
_SHOWN = re.compile(r"ENC\(([A-Za-z0-9+/=]+)\)")
_MODEL = re.compile(r"\s*PA:\s*HIDDEN\s*", re.I)


def is_hidden(variable: Variable) -> bool:
    """Whether its value is not to be shown."""
    return is_hidden_model(variable.model or "")


def is_hidden_model(model: str) -> bool:
    """Whether values with this model are not to be shown."""
    return _MODEL.fullmatch(model) is not None


class HiddenValues:
    """Makes ``ENC(...)`` of values, and values of it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, data_dir: Path) -> HiddenValues:
        """With the key of a data folder, which is made on first use, for this user alone."""
        path = data_dir / "hidden.key"
        with contextlib.suppress(OSError):
            key = path.read_bytes()
            if len(key) == _KEY:
                return cls(key)
        key = secrets.token_bytes(_KEY)
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        return cls(key)

    @classmethod
    def for_one_run(cls) -> HiddenValues:
        """With a key that is not stored."""
        return cls(secrets.token_bytes(_KEY))

    # --- one value -----------------------------------------------------------------------------------------------

    def shown(self, value: str) -> str:
        """What others see in place of the value."""
        content = value.encode("utf-8", "surrogatepass")
        nonce = self._nonce(content)
        return f"ENC({base64.b64encode(nonce + self._crypted(nonce, content)).decode('ascii')})"

    def opened(self, text: str) -> str:
        """The value that `shown` was made of; any other text, one with another key included, stays what it is."""
        match = _SHOWN.fullmatch(text.strip())
        if match is None:
            return text
        try:
            content = base64.b64decode(match[1], validate=True)
            nonce, crypted = content[:_NONCE], content[_NONCE:]
            value = self._crypted(nonce, crypted)
            if hmac.compare_digest(self._nonce(value), nonce):
                return value.decode("utf-8", "surrogatepass")
        except (binascii.Error, UnicodeDecodeError):
            pass
        return text

    def _nonce(self, content: bytes) -> bytes:
        return hmac.digest(self._key, b"nonce" + content, "sha256")[:_NONCE]

    def _crypted(self, nonce: bytes, content: bytes) -> bytes:
        """The content with the key stream applied, which also reverts it."""
        blocks = range((len(content) + 31) // 32)
        stream = b"".join(hmac.digest(self._key, b"stream" + nonce + block.to_bytes(8), "sha256") for block in blocks)
        return bytes(one ^ other for one, other in zip(content, stream, strict=False))

    # --- many ----------------------------------------------------------------------------------------------------

    def shown_variables(self, variables: Iterable[_V]) -> tuple[_V, ...]:
        """The variables as others see them."""
        return _changed_variables(variables, self.shown)

    def opened_variables(self, variables: Iterable[_V]) -> tuple[_V, ...]:
        """The variables with the values that were shown so."""
        return _changed_variables(variables, self.opened)

    def shown_values(self, values: Mapping[str, Wire], workflow: Workflow, task: Task) -> dict[str, Any]:
        """Values of the variables that a task reads or passes on, as other users see them."""
        declared = (*workflow.variables, *task.variables)
        names = {variable.name for variable in declared if is_hidden(variable)}
        if not names:
            return dict(values)
        plain = {variable.name for variable in declared} - names

        def seen(name: str, value: Wire) -> Wire:
            if not isinstance(value, str):
                return value
            return self.shown(value) if name in names else self._without(value, declared) if name in plain else value

        return {name: seen(name, value) for name, value in values.items()}

    def without(self, texts: Mapping[str, str], workflow: Workflow, task: Task | None = None) -> dict[str, str]:
        """Texts that refer to variables, such as generic information, with no value of a hidden one in them."""
        declared = (*workflow.variables, *task.variables) if task else _all_variables(workflow)
        return {name: self._without(text, declared) for name, text in texts.items()}

    def _without(self, text: str, declared: Iterable[Variable]) -> str:
        return _with_value(text, {value: shown for shown, value in self._shown_of(declared).items()})

    def shown_workflow(self, workflow: Workflow) -> Workflow:
        """The workflow as others see it."""
        known = self._shown_of(_all_variables(workflow))
        workflow = _changed(workflow, self.shown)
        return _replaced(workflow, {value: shown for shown, value in known.items()}) if known else workflow

    def opened_workflow(self, workflow: Workflow) -> Workflow:
        """With the values of hidden variables that were submitted as they are shown, in what refers to them, too."""
        workflow = _changed(workflow, self.opened)
        known = self._shown_of(_all_variables(workflow))
        return _replaced(workflow, known) if known else workflow

    def opened_values(self, values: Mapping[str, str], workflow: Workflow) -> dict[str, str]:
        """The same for values that replace those of the job's variables."""
        names = {variable.name for variable in workflow.variables if is_hidden(variable)}
        opened = {name: self.opened(value) if name in names else value for name, value in values.items()}
        hidden = [replace(each, value=opened.get(each.name, each.value)) for each in workflow.variables]
        return _with(opened, self._shown_of(hidden))

    def _shown_of(self, variables: Iterable[Variable]) -> dict[str, str]:
        """What is shown of the hidden ones among the variables -> their values, the longest first."""
        values = {each.value for each in variables if is_hidden(each) and len(each.value) >= _SHORTEST}
        return {self.shown(value): value for value in sorted(values, key=len, reverse=True)}


def _all_variables(workflow: Workflow) -> list[Variable]:
    found: list[Variable] = list(workflow.variables)
    for task in workflow.tasks:
        found += task.variables
    return found


def _replaced(workflow: Workflow, known: Mapping[str, str]) -> Workflow:
    """With other texts in the place of some, in all that may refer to variables and that others see."""
    tasks = tuple(
        replace(
            task,
            description=_with_value(task.description, known),
            variables=_with_values(task.variables, known),
            generic_information=_with(task.generic_information, known),
        )
        for task in workflow.tasks
    )
    return replace(
        workflow,
        description=_with_value(workflow.description, known),
        variables=_with_values(workflow.variables, known),
        generic_information=_with(workflow.generic_information, known),
        tasks=tasks,
    )


def _with(texts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    return {name: _with_value(text, known) for name, text in texts.items()}


def _with_values(variables: Iterable[_V], known: Mapping[str, str]) -> tuple[_V, ...]:
    return tuple(
        variable if is_hidden(variable) else replace(variable, value=_with_value(variable.value, known))
        for variable in variables
    )


def _with_value(text: str, known: Mapping[str, str]) -> str:
    for old, new in known.items():
        text = text.replace(old, new)
    return text


def _changed(workflow: Workflow, change: Callable[[str], str]) -> Workflow:
    tasks = tuple(
        replace(task, variables=_changed_variables(task.variables, change))
        if any(map(is_hidden, task.variables))
        else task
        for task in workflow.tasks
    )
    return replace(workflow, variables=_changed_variables(workflow.variables, change), tasks=tasks)


def _changed_variables(variables: Iterable[_V], change: Callable[[str], str]) -> tuple[_V, ...]:
    return tuple(
        replace(variable, value=change(variable.value)) if is_hidden(variable) else variable for variable in variables
    )
