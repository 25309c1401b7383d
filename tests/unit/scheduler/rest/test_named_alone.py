"""No verb of the REST API touches what was not named: lists, filters, patterns and paths that are empty or wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rest = Callable[..., None]
Workflow = Callable[..., str]

NO_NUMBER = "java.lang.NumberFormatException"


async def job_ids(scene: Any) -> list[str]:
    return sorted((await scene.json("/scheduler/jobs"))["list"], key=int)


@pytest.mark.parametrize(
    ("query", "answer", "left"),
    [
        ("jobsid=1&olderThan=0", True, ["2", "3"]),  # removeJobs([1]) of the official clients
        ("jobsid=1&olderThan=1", True, ["2", "3"]),
        ("olderThan=0&jobsid=3&jobsid=1", True, ["2"]),
        ("olderThan=0", False, ["1", "2", "3"]),  # removeJobs([]) of the official clients
        ("olderThan=-1000", False, ["1", "2", "3"]),
        ("olderThan=", False, ["1", "2", "3"]),
        ("", False, ["1", "2", "3"]),
        ("jobid=1", False, ["1", "2", "3"]),
        ("jobsid=999&jobsid=1", False, ["2", "3"]),
        ("jobsid=-1", False, ["1", "2", "3"]),
        ("olderThan=3600000", False, ["1", "2", "3"]),
        ("olderThan=1", True, []),
    ],
)
def test_removal_of_several_jobs(rest: Rest, workflow: Workflow, query: str, answer: bool, left: list[str]) -> None:
    """Named jobs alone, or those of an age where none is named; the rest stays."""

    async def scenario(scene: Any) -> None:
        for _ in range(3):
            await scene.run(workflow("T"))
        await asyncio.sleep(0.01)
        assert await scene.json(f"/scheduler/jobs?{query}", "DELETE") is answer
        assert await job_ids(scene) == left

    rest(scenario)


@pytest.mark.parametrize(
    ("query", "status", "exception"),
    [
        ("jobsid=", 400, NO_NUMBER),
        ("jobsid=1&jobsid=abc", 400, NO_NUMBER),
        ("jobsid=1,2", 400, NO_NUMBER),
        ("jobsid=1&olderThan=abc", 404, "javax.ws.rs.NotFoundException"),
    ],
)
def test_one_wrong_number_removes_nothing(
    rest: Rest, workflow: Workflow, query: str, status: int, exception: str
) -> None:
    """The request is refused before anything is done."""

    async def scenario(scene: Any) -> None:
        for _ in range(2):
            await scene.run(workflow("T"))
        answer = await scene.json(f"/scheduler/jobs?{query}", "DELETE", status=status)
        assert answer["exceptionClass"] == exception
        assert await job_ids(scene) == ["1", "2"]

    rest(scenario)


@pytest.mark.parametrize(
    ("query", "status", "alive"),
    [
        ("", 200, [1, 2]),
        ("jobsid=1", 200, [2]),
        ("jobsid=999&jobsid=2", 200, [1]),
        ("jobsid=1&jobsid=abc", 400, [1, 2]),
        ("jobsid=", 400, [1, 2]),
        ("jobid=1", 200, [1, 2]),
    ],
)
def test_kill_of_several_jobs(rest: Rest, workflow: Workflow, query: str, status: int, alive: list[int]) -> None:
    """An unknown job keeps the kill from none of the others; a wrong number from all."""
    gate = asyncio.Event()

    async def wait(attempt: Any) -> Any:
        await gate.wait()

    async def scenario(scene: Any) -> None:
        jobs = [await scene.submit(workflow("G")) for _ in range(2)]
        await scene.json(f"/scheduler/jobs/kill?{query}", "PUT", status=status)
        assert [job_id for job_id in jobs if not scene.service.ask.ended(job_id)] == alive

    rest(scenario, scripted={"G": wait})


@pytest.mark.parametrize(
    ("query", "status", "submitted"),
    [
        ("", 200, []),
        ("jobsid=999&jobsid=1", 200, [2]),
        ("jobsid=1&jobsid=abc", 400, None),
        ("jobsid=", 400, None),
    ],
)
def test_resubmission_of_several_jobs(
    rest: Rest, workflow: Workflow, query: str, status: int, submitted: list[int] | None
) -> None:
    """Of the named ones that are known; of none where a number is wrong."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("T"))
        answer = await scene.json(f"/scheduler/jobs/resubmit?{query}", "POST", status=status)
        if submitted is not None:
            assert [job["id"] for job in answer] == submitted
        assert await job_ids(scene) == [str(number) for number in [1, *(submitted or [])]]

    rest(scenario)


@pytest.mark.parametrize(
    "body", [b'"12"', b"12", b'{"1": 2}', b"[1.0]", b"[true]", b"[null]", b"[[1]]", b'["abc"]', b"["]
)
def test_wrong_list_of_jobs_puts_nothing_off(rest: Rest, workflow: Workflow, body: bytes) -> None:
    """A text is no list of its digits, an object none of its keys."""

    async def scenario(scene: Any) -> None:
        far = "START_AT=2090-01-01T00:00:00%2B00:00"
        for _ in range(2):
            await scene.post_xml(workflow("T"), path=f"/scheduler/submit?{far}")
        before = [(await scene.json(f"/scheduler/jobs/{number}/info"))["startAt"] for number in (1, 2)]
        for path in ("/scheduler/jobs/startat/2095-01-01", "/scheduler/jobsinfolist"):
            method = "PUT" if "startat" in path else "POST"
            assert (await scene.json(path, method, status=400, content=body))["errorMessage"]
        after = [(await scene.json(f"/scheduler/jobs/{number}/info"))["startAt"] for number in (1, 2)]
        assert after == before

    rest(scenario)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/data/user/.", 404),
        ("/data/user/./.", 404),
        ("/data/user/", 404),
        ("/data/user//", 404),
        ("/data/user/%2F", 403),
        ("/data/user/{uri}", 400),
        ("/data/user/{uri}/", 400),
        ("/scheduler/dataspace/USERSPACE", 400),
        ("/scheduler/dataspace/USERSPACE%2F", 400),
        ("/scheduler/dataspace/USERSPACE/.", 400),
        ("/data/user/F?includes=", 400),
        ("/data/user/F?excludes=", 400),
        ("/data/user/F?includes=&excludes=", 400),
        ("/data/user/F?includes=%5Bab", 400),
        ("/data/user/F?includes=../G/**", 400),
        ("/data/user/F;v=1", 400),
        ("/data/user/F/a.txt;1.txt", 400),
        ("/data/user/*", 204),
        ("/data/user/F/*.txt", 204),
        ("/data/user/F?includes=*.csv", 204),
        ("/data/user/F/%2E%2E?includes=**", 403),
        ("/data/user/F/%2E%2E/%2E%2E", 403),
    ],
)
def test_removal_of_files(rest: Rest, tmp_path: Path, path: str, status: int) -> None:
    """The space itself, an empty pattern, a name cut at its semicolon, a pattern in a path: nothing goes."""
    space = tmp_path / "user/ana"
    for name in ("F/a.txt", "F/b/c.txt", "G/d"):
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_text("x")

    async def scenario(scene: Any) -> None:
        uri = (await scene.json("/scheduler/userspace"))[0]
        answer = await scene.client.delete(path.format(uri=uri))
        assert answer.status_code == status, answer.text
        left = [str(place.relative_to(space)) for place in sorted(space.rglob("*")) if place.is_file()]
        assert left == ["F/a.txt", "F/b/c.txt", "G/d"]

    rest(scenario)


def test_patterns_remove_nothing_behind_a_link(rest: Rest, tmp_path: Path) -> None:
    """Files of another folder that a link leads to stay, whether the folder is removed or what matches in it."""
    space = tmp_path / "user/ana"
    for name in ("F/a", "G/b"):
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_text("x")
    (space / "F/link").symlink_to(space / "G")

    async def scenario(scene: Any) -> None:
        for query, left in (("?includes=**", ["G/b"]), ("", ["G/b"])):
            assert (await scene.client.delete(f"/data/user/F{query}")).status_code == 204
            found = [str(place.relative_to(space)) for place in sorted(space.rglob("*")) if place.is_file()]
            assert found == left

    rest(scenario)


def test_an_empty_file_is_made_of_nothing_that_is_there(rest: Rest, tmp_path: Path) -> None:
    """Asked for an empty file where one is, it keeps its text."""

    async def scenario(scene: Any) -> None:
        await scene.client.put("/data/user/a.txt", content=b"text")
        answer = await scene.client.post("/data/user/a.txt", data={"mimetype": "application/file"})
        assert (answer.status_code, (tmp_path / "user/ana/a.txt").read_text()) == (200, "text")

    rest(scenario)
