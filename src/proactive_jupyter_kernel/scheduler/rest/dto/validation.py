"""Whether a workflow or a signal would be accepted, and what its variables become (JobValidationData)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.workflow.model import Variable

__all__ = ["validation"]

#: Field of the answer -> what of a variable it shows.
_SHOWN = {
    "updatedVariables": "value",
    "updatedModels": "model",
    "updatedDescriptions": "description",
    "updatedGroups": "group",
    "updatedAdvanced": "advanced",
    "updatedHidden": "hidden",
}
#: What is null where the workflow does not say it.
_OR_NULL = frozenset({"model", "description", "group"})


def validation(
    *, valid: bool, message: str | None, task_name: str | None = None, variables: Mapping[str, Variable] | None
) -> Json:
    """JobValidationData; the maps are null without `variables`."""

    def shown(attribute: str) -> dict[str, Any] | None:
        if variables is None:
            return None
        values = {name: getattr(variable, attribute) for name, variable in variables.items()}
        return {name: value or None for name, value in values.items()} if attribute in _OR_NULL else values

    return {
        "valid": valid,
        "taskName": task_name,
        "errorMessage": message,
        "stackTrace": message,
        **{field: shown(attribute) for field, attribute in _SHOWN.items()},
    }
