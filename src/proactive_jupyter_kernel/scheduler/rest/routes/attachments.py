"""``/scheduler/job/{j}/signals`` and ``externalendpointurl``: what is attached to a job."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto.validation import validation
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Route
from proactive_jupyter_kernel.scheduler.service.attachments import SignalVerdict
from proactive_jupyter_kernel.scheduler.store.base import Endpoint

__all__ = ["ROUTES"]

# --- signals -----------------------------------------------------------------------------------------------------


async def signal(call: Call) -> Response:
    """Send a signal that a task waits for, with values for its variables; answers the job's signals."""
    name, values = await _signal(call)
    return json_answer(list(await call.service.attachments.send_signal(call.job_id, name, values)))


async def validate_signal(call: Call) -> Response:
    """Whether the values fit the models of the signal's variables; nothing is sent."""
    name, values = await _signal(call)
    return json_answer(_validation(await call.service.attachments.validate_signal(call.job_id, name, values)))


async def _signal(call: Call) -> tuple[str, dict[str, str]]:
    """The signal that the query names and the values in the body: a JSON object, or nothing."""
    name = call.text("signal").strip()
    if not name:
        raise ValueError("The query parameter 'signal' must name a signal.")
    values = await call.json()
    if values is None:
        return name, {}
    if not isinstance(values, dict):
        raise ValueError('The body must be a JSON object of variables, such as {"name": "value"}.')
    return name, {key: _text(key, value) for key, value in values.items()}


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise ValueError(f"The value of the variable {name!r} must be a text, not {value!r}.")
    return str(value)


def _validation(verdict: SignalVerdict) -> dict[str, Any]:
    """The maps are null for a signal without variables."""
    variables = {variable.name: variable for variable in verdict.variables}
    return validation(valid=verdict.valid, message=verdict.message or None, variables=variables or None)


# --- external endpoints ------------------------------------------------------------------------------------------


async def add_endpoint(call: Call) -> Response:
    """Attach a web address to the job."""
    fields = await call.form()
    for name in ("endpointName", "externalEndpointUrl"):
        if not fields.get(name):
            raise ValueError(f"{name} cannot be null: the form must have the fields endpointName, externalEndpointUrl.")
    endpoint = Endpoint(
        name=fields["endpointName"], url=fields["externalEndpointUrl"], icon=fields.get("endpointIconUri", "")
    )
    await call.service.attachments.add_endpoint(call.job_id, endpoint)
    return no_content()


async def remove_endpoint(call: Call) -> Response:
    """Detach a web address; the body is its bare name."""
    name = (await call.body()).decode("utf-8", "replace").strip()
    await call.service.attachments.remove_endpoint(call.job_id, name)
    return no_content()


_SIGNALS = "/scheduler/job/{job}/signals"
_ENDPOINT = "/scheduler/jobs/{job}/externalendpointurl"

ROUTES = (
    Route("POST", _SIGNALS, signal, "Send a signal that a task waits for."),
    Route("POST", _SIGNALS + "/validate", validate_signal, "Check the variables of a signal."),
    Route("POST", _ENDPOINT, add_endpoint, "Attach a web address.", gives=ANYTHING),
    Route("DELETE", _ENDPOINT, remove_endpoint, "Detach a web address.", gives=ANYTHING),
)
