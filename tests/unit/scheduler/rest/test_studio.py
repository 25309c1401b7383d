"""The studio's store of workflows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PATH = "/studio/workflows"


def test_workflows_are_kept_as_files_of_the_user_space(rest: Callable[..., None]) -> None:
    """Created, read, changed, deleted by number or by name; ids are not used twice while there is a later one."""

    async def scenario(scene: Any) -> None:
        assert await scene.json(PATH) == []
        first = await scene.json(PATH, "POST", json={"name": "wf", "xml": "<job/>", "metadata": "{}"})
        assert {**first, "modifyDate": ""} == {
            "id": 1,
            "name": "wf",
            "xml": "<job/>",
            "metadata": "{}",
            "modifyDate": "",
        }
        second = await scene.json(PATH, "POST", json={"name": "é", "xml": None})
        assert (second["id"], second["xml"]) == (2, "")
        changed = await scene.json(f"{PATH}/1", "PUT", json={"name": "new"})
        assert (changed["name"], changed["xml"]) == ("new", "<job/>")
        answer = await scene.client.get(f"{PATH}/1/xml")
        assert (answer.text, answer.headers["content-type"]) == ("<job/>", "application/xml")
        assert [each["id"] for each in await scene.json(PATH)] == [1, 2]
        assert (await scene.client.get("/data/user/workflows/1/name?encoding=identity")).text == "new"
        assert (await scene.client.delete(f"{PATH}/1")).status_code == 204
        assert (await scene.client.delete(PATH, params={"workflowName": "é"})).status_code == 204
        assert await scene.json(PATH) == []

    rest(scenario)


def test_wrong_requests_change_nothing(rest: Callable[..., None]) -> None:
    """A number that is none or not there is 404, another shape 400; no name deletes no workflow."""

    async def scenario(scene: Any) -> None:
        await scene.json(PATH, "POST", json={"name": "wf"})
        for number in ("2", "..", "abc", "1" * 30):
            answer = await scene.json(f"{PATH}/{number}".replace("..", "%2E%2E"), status=404)
            assert answer["exceptionClass"] == "java.io.IOException"
        for body in (5, [1], {"name": 5}):
            await scene.json(PATH, "POST", 400, json=body)
        await scene.json(PATH, "DELETE", 400)
        assert len(await scene.json(PATH)) == 1
        assert [await scene.json(f"/studio/{kind}") for kind in ("scripts", "classes")] == [[], []]

    rest(scenario)
