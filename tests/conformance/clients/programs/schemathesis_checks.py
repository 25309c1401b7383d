"""A check for schemathesis: whatever fails says so in the form of ProActive's errors, and nothing fails inside."""

import json

import schemathesis

SHAPE = {"httpErrorCode", "errorMessage", "stackTrace", "exception", "exceptionClass"}


@schemathesis.check
def errors_are_well_formed(context, response, case):
    if response.status_code < 500:
        return
    text = response.content.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except ValueError:
        raise AssertionError(f"status {response.status_code} without a reason: {text[:300]!r}") from None
    assert isinstance(found, dict), f"not the form of an error: {text[:300]}"
    assert set(found) == SHAPE, f"not the form of an error: {text[:300]}"
    assert "The scheduler failed at this request" not in (found["errorMessage"] or ""), text[:500]
