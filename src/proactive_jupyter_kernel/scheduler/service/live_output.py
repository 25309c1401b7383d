"""The output of a job's tasks as it comes, for each client that follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from proactive_jupyter_kernel.scheduler.service.logs import Logs
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.writer import Writer
from proactive_jupyter_kernel.scheduler.store.reader import Reader

__all__ = ["LiveOutput"]


class LiveOutput:
    """For the loop's thread."""

    def __init__(self, *, logs: Logs, reader: Reader[Questions], writer: Writer) -> None:
        self._logs = logs
        self._reader = reader
        self._writer = writer

    async def since_last(self, job_id: int, listener: str, *, everything: bool = False) -> str:
        """What the job's tasks wrote since this listener asked last.

        The first call begins the capture; with `everything`, the lines before it come, too. A job that has ended has
        nothing more once all is read. Raises `UnknownJob`.
        """
        _, ended = await self._reader.query(lambda ask: ask.ended(job_id))
        if not self._logs.is_captured(job_id, listener):
            if ended and not everything:
                return ""
            if everything:
                await self._capture_everything(job_id, listener)
            else:
                self._logs.capture(job_id, listener)
        return self._logs.read(job_id, listener)

    async def _capture_everything(self, job_id: int, listener: str) -> None:
        """All lines up to a moment when nothing is being written, then those that come: none twice, none left out."""
        moment: asyncio.Future[Awaitable[list[str]]] = asyncio.get_running_loop().create_future()

        def begin() -> None:
            if moment.done():
                return  # the caller no longer waits
            unstored = self._writer.unstored_output(job_id)
            try:
                earlier = self._reader.begin(lambda ask: ask.whole_log(job_id, unstored))
            except Exception as error:
                moment.set_exception(error)
                return
            self._logs.capture(job_id, listener, complete=False)
            moment.set_result(earlier)

        self._writer.when_idle(begin)
        try:
            self._logs.prepend(job_id, listener, await (await moment))
        except BaseException:
            self._logs.release(job_id, listener)
            raise
