"""Channels of keys and values that running tasks share: the store behind ``synchronizationapi``.

The operations are few: read a channel, change it unless it has changed in the meantime, wait for a change. What a
script may ask for (``compute``, ``merge``, ``waitUntil`` with a closure) its harness makes of these, for a closure
can only run where its language is. Channels are for all tasks of all jobs, as on a ProActive server; a persistent one
outlives the scheduler's process.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.service.changes import Changes
from proactive_jupyter_kernel.scheduler.service.errors import UnknownChannel, Unstorable

__all__ = ["MOST_BYTES", "Channel", "Channels"]

#: How large a channel may get, its values as JSON.
MOST_BYTES = 16 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Channel:
    """Some keys and their values."""

    persistent: bool = False
    #: Another one after every change; no two channels ever have the same.
    revision: int
    entries: dict[str, Wire] = field(default_factory=dict)


class Channels:
    """All channels. Everything runs in the loop's thread, so that no operation sees half of another."""

    def __init__(
        self,
        stored: Mapping[str, Mapping[str, Wire]],
        save: Callable[[str, Mapping[str, Wire] | None], Awaitable[None]],
    ) -> None:
        """`stored` are the persistent channels of an earlier run; `save` keeps one, or forgets it for None."""
        self._revisions = itertools.count(1)
        self._channels = {
            name: Channel(persistent=True, revision=next(self._revisions), entries=dict(each))
            for name, each in stored.items()
        }
        self._save = save
        self._changes = Changes()

    def names(self) -> list[str]:
        """All channels, in alphabetical order."""
        return sorted(self._channels)

    def read(self, name: str) -> Channel:
        """A channel; `UnknownChannel` if there is none."""
        try:
            return self._channels[name]
        except KeyError:
            known = ", ".join(map(repr, self.names()[:10])) or "none"
            raise UnknownChannel(
                f"There is no channel {name!r}.",
                hint=f"Create it first: synchronizationapi.createChannelIfAbsent({name!r}, false). Channels: {known}.",
            ) from None

    async def create(self, name: str, *, persistent: bool) -> bool:
        """Make an empty channel; False if there is one of that name, which stays as it is."""
        if name in self._channels:
            return False
        self._channels[name] = Channel(persistent=persistent, revision=next(self._revisions))
        try:
            await self._stored(name)
        except Unstorable:
            del self._channels[name]
            raise
        return True

    async def delete(self, name: str) -> bool:
        """Remove a channel with all that is in it; False if there is none. Requests that wait for it fail."""
        channel = self._channels.pop(name, None)
        if channel is None:
            return False
        self._changes.tell()
        if channel.persistent:
            await self._save(name, None)
        return True

    async def change(self, name: str, revision: object, put: Mapping[str, Wire], removed: Iterable[str]) -> bool:
        """Put and remove entries if the channel has still that revision; False, and nothing changed, if not."""
        channel = self.read(name)
        if channel.revision != revision:
            return False
        gone = set(removed)
        entries = {key: value for key, value in channel.entries.items() if key not in gone} | dict(put)
        size = len(json.dumps(entries))
        if size > MOST_BYTES:
            raise ProActiveError(
                f"The channel {name!r} would have {size:,} bytes; it may have {MOST_BYTES:,}.",
                hint="Keep large data in a file of a data space, and its name in the channel.",
            )
        channel.entries = entries
        channel.revision = next(self._revisions)
        await self._stored(name)
        return True

    async def wait(self, name: str, revision: object, seconds: float) -> Channel:
        """The channel as soon as it has another revision, at the latest after `seconds`."""
        await self._changes.until(lambda: self.read(name).revision != revision, seconds)
        return self.read(name)

    async def _stored(self, name: str) -> None:
        """Store the channel, and only then wake the waiters: a crash must not undo what they saw."""
        channel = self._channels[name]
        try:
            if channel.persistent:
                await self._save(name, channel.entries)
        finally:
            self._changes.tell()
