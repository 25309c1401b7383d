"""Channels: shared keys and values, changed by whoever knows the newest revision."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.service.channels import MOST_BYTES, Channels
from proactive_jupyter_kernel.scheduler.service.errors import UnknownChannel


class Kept:
    """What was saved, in order."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, Any]] = []

    async def save(self, name: str, entries: Mapping[str, Any] | None) -> None:
        self.saved.append((name, None if entries is None else dict(entries)))


def test_a_change_counts_only_with_the_newest_revision() -> None:
    """Whoever read before another one wrote changes nothing, and learns it."""

    async def scenario() -> None:
        channels = Channels({}, Kept().save)
        assert await channels.create("c", persistent=False)
        assert not await channels.create("c", persistent=False)
        seen = channels.read("c").revision
        assert await channels.change("c", seen, {"a": 1, "b": 2}, [])
        assert not await channels.change("c", seen, {"a": 5}, [])
        assert await channels.change("c", channels.read("c").revision, {"c": 3}, ["a", "absent"])
        assert channels.read("c").entries == {"b": 2, "c": 3}

    asyncio.run(scenario())


def test_a_channel_of_the_same_name_is_another_one() -> None:
    """A revision of a channel that was removed fits no later one, so that nothing is written by mistake."""

    async def scenario() -> None:
        channels = Channels({}, Kept().save)
        await channels.create("c", persistent=False)
        seen = channels.read("c").revision
        assert await channels.delete("c")
        assert not await channels.delete("c")
        await channels.create("c", persistent=False)
        assert not await channels.change("c", seen, {"a": 1}, [])

    asyncio.run(scenario())


def test_waiting_ends_with_a_change_with_the_channel_or_with_the_time() -> None:
    """Whoever waits sees the next change; a removed channel is an error; patience has an end."""

    async def scenario() -> None:
        channels = Channels({}, Kept().save)
        await channels.create("c", persistent=False)
        first = channels.read("c").revision
        waiting = asyncio.create_task(channels.wait("c", first, 30))
        await asyncio.sleep(0)
        await channels.change("c", first, {"a": 1}, [])
        assert (await waiting).entries == {"a": 1}
        last = channels.read("c").revision
        assert (await channels.wait("c", last, 0.01)).revision == last
        waiting = asyncio.create_task(channels.wait("c", last, 30))
        await asyncio.sleep(0)
        await channels.delete("c")
        with pytest.raises(UnknownChannel):
            await waiting

    asyncio.run(scenario())


def test_a_persistent_channel_is_saved_with_every_change() -> None:
    """Others are not."""

    async def scenario() -> list[tuple[str, Any]]:
        kept = Kept()
        channels = Channels({"old": {"x": 1}}, kept.save)
        await channels.create("c", persistent=True)
        await channels.create("brief", persistent=False)
        await channels.change("c", channels.read("c").revision, {"a": 1}, [])
        await channels.change("brief", channels.read("brief").revision, {"a": 1}, [])
        await channels.change("old", channels.read("old").revision, {"y": 2}, [])
        await channels.delete("c")
        await channels.delete("brief")
        return kept.saved

    assert asyncio.run(scenario()) == [("c", {}), ("c", {"a": 1}), ("old", {"x": 1, "y": 2}), ("c", None)]


def test_a_channel_has_a_limit() -> None:
    """What is too large is refused, with what to do, and changes nothing."""

    async def scenario() -> Mapping[str, Any]:
        channels = Channels({}, Kept().save)
        await channels.create("c", persistent=False)
        with pytest.raises(ProActiveError, match="Keep large data in a file") as error:
            await channels.change("c", channels.read("c").revision, {"a": "x" * MOST_BYTES}, [])
        assert "the channel 'c' would have" in str(error.value).lower()
        return channels.read("c").entries

    assert asyncio.run(scenario()) == {}


def test_a_change_is_reported_after_it_was_saved() -> None:
    """Who waits on a persistent channel sees nothing that a crash could undo."""

    async def scenario() -> list[str]:
        happened: list[str] = []

        async def save(name: str, entries: Mapping[str, Any] | None) -> None:
            await asyncio.sleep(0.01)
            happened.append("saved")

        async def wait() -> None:
            await channels.wait("c", channels.read("c").revision, 30)
            happened.append("told")

        channels = Channels({"c": {}}, save)
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        await channels.change("c", channels.read("c").revision, {"a": 1}, [])
        await waiting
        return happened

    assert asyncio.run(scenario()) == ["saved", "told"]
