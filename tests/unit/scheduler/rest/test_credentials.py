"""Third-party credentials over REST, in tasks and in a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.access.credentials import Credentials

PATH = "/scheduler/credentials/"


def test_credentials_come_and_go(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Only their names are shown; a variable of model PA:CREDENTIAL must name one."""
    head = '<variables><variable name="C" value="db" model="PA:CREDENTIAL"/></variables>'

    async def scenario(scene: Any) -> None:
        client = scene.client
        assert (await scene.post_xml(workflow("T", head=head))).status_code == 400
        answers = [
            await client.post(PATH, data={"key": "db", "value": "secret-1"}),
            await client.post(PATH, data={"key": "empty"}),
            await client.post("/scheduler/credentials/old", data={"value": "x"}),
        ]
        assert [answer.status_code for answer in answers] == [204, 204, 204]
        assert await scene.json(PATH) == ["db", "empty", "old"]
        await scene.submit(workflow("T", head=head))
        for _ in range(2):
            assert (await client.delete(PATH, params={"key": "old"})).status_code == 204
        assert (await client.delete(PATH)).status_code == 204
        assert await scene.json("/scheduler/credentials") == ["db", "empty"]
        for form in ({}, {"key": "", "value": "x"}, {"key": "k" * 2000, "value": ""}):
            assert (await client.post(PATH, data={"other": "", **form})).status_code == 400

    rest(scenario)


def test_a_task_reads_its_owners_credentials(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """They travel with the attempt."""

    async def scenario(scene: Any) -> None:
        await scene.client.post(PATH, data={"key": "db", "value": "secret-1"})
        await scene.run(workflow("T"))
        (attempt,) = scene.executor.attempts
        assert attempt.credentials == {"db": "secret-1"}

    rest(scenario)


def test_the_file_is_the_owners_alone_and_survives(tmp_path: Path) -> None:
    """A new scheduler finds what was there; no other user can read it."""
    path = tmp_path / "credentials.json"
    Credentials(path).put("ana", "db", "s")
    Credentials(path).put("bo", "db", "t")
    Credentials(path).remove("bo", "db")
    assert (Credentials(path).of("ana"), Credentials(path).of("bo")) == ({"db": "s"}, {})
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """It is not overwritten."""
    path = tmp_path / "credentials.json"
    path.write_text("{")
    with pytest.raises(EmbeddedSchedulerError, match="cannot be read"):
        Credentials(path).put("ana", "db", "s")
    assert path.read_text() == "{"
