"""The time zone of this machine, for rooms that do not read it themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["LocalZone"]


class LocalZone(tzinfo):
    """What the system says of local time, daylight saving included. Follows the system when its zone changes."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else _local(moment).utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Not known, and not needed by `fromutc` below."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else _local(moment).tzname()

    def fromutc(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None).astimezone()
