"""A job is run again with other values of its variables."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

Rest = Callable[..., None]
Write = Callable[..., str]

HEAD = (
    '<variables><variable name="RUNS" value="3" model="PA:INTEGER[1,10]" description="how many"/>'
    '<variable name="TOKEN" value="geheimnis" model="PA:HIDDEN"/>'
    '<variable name="ON" value="true" model="PA:BOOLEAN"/></variables>'
)


def test_the_form_has_the_values_of_the_job(rest: Rest, workflow: Write) -> None:
    """A field for each variable, with its model; a hidden value is not sent to the page."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", head=HEAD))
        form = await scene.page(f"/scheduler/jobs/{job}/again")
        assert re.search(r'<input type="text" value="3"[^>]*name="variable:RUNS"', form)
        assert re.search(r'<input type="password"[^>]*name="variable:TOKEN"[^>]*>', form)
        assert re.search(r'<input type="checkbox"[^>]* checked [^>]*name="variable:ON"', form)
        assert "how many" in form
        assert "geheimnis" not in form
        assert "ENC(" not in form

    rest(scenario)


def test_a_changed_value_is_submitted_and_the_others_stay(rest: Rest, workflow: Write) -> None:
    """The new job has the secret of the old one, though the form never had it."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", head=HEAD))
        form = {"variable:RUNS": "7", "variable:TOKEN": "", "variable:ON": "true"}
        answer = await scene.act(f"/scheduler/jobs/{job}/again", **form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/scheduler/jobs/{job + 1}")
        assert f"Submitted job {job + 1}, which is job {job} again." in await scene.page(f"/scheduler/jobs/{job + 1}")
        before, after = (
            {each.name: each.value for each in scene.service.ask.job(number).facts.variables}
            for number in (job, job + 1)
        )
        assert after == before | {"RUNS": "7"}

    rest(scenario)


def test_a_value_that_does_not_pass_is_said_beside_its_field(rest: Rest, workflow: Write) -> None:
    """While one types, and when the form is sent: then nothing is submitted, and the values stay in the form."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", head=HEAD))
        wrong = {"variable:RUNS": "77", "variable:TOKEN": "", "variable:ON": "true"}
        checked = (await scene.act(f"/scheduler/jobs/{job}/again/check", **wrong)).json()
        right = (await scene.act(f"/scheduler/jobs/{job}/again/check", **wrong | {"variable:RUNS": "8"})).json()
        sent = await scene.act(f"/scheduler/jobs/{job}/again", **wrong)
        assert list(checked["problems"]) == ["RUNS"]
        assert "77" in checked["problems"]["RUNS"]
        assert right == {"problems": {}, "message": ""}
        assert sent.status_code == 409
        assert re.search(r'value="77"[^>]*name="variable:RUNS"[^>]*aria-invalid="true"', sent.text)
        assert not scene.service.ask.knows(job + 1)

    rest(scenario)


def test_a_form_that_is_sent_twice_submits_one_job(rest: Rest, workflow: Write) -> None:
    """A double click leads to one job, whose page says once that it was submitted; later it is a new job."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", head=HEAD))
        path = f"/scheduler/jobs/{job}/again"
        form = {"variable:RUNS": "7", "variable:TOKEN": "", "variable:ON": "true"}
        both = await asyncio.gather(scene.act(path, **form), scene.act(path, **form))
        other = await scene.act(path, **form | {"variable:RUNS": "8"})
        next(iter(scene.portals._sessions._sessions.values())).sent = None
        later = await scene.act(path, **form | {"variable:RUNS": "8"})
        assert [answer.headers["location"] for answer in (*both, other, later)] == [
            f"/scheduler/jobs/{job + number}" for number in (1, 1, 2, 3)
        ]
        page = await scene.page(f"/scheduler/jobs/{job + 1}")
        assert page.count(f"Submitted job {job + 1}, which is job {job} again.") == 1

    rest(scenario)
