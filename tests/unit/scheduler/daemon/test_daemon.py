"""The process of the scheduler, as far as it needs no process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from proactive_jupyter_kernel.scheduler.daemon.signals import Signals


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Those of the test's process come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_at_any_time() -> None:
    """Before the loop runs they end the process in order; later the first one asks for the end, and none ends it."""
    found: list[str] = []

    async def run(signals: Signals) -> None:
        stopping = asyncio.Event()
        signals.ask(stopping.set)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(stopping.wait(), 10)
        found.append("stopping")
        signal.raise_signal(signal.SIGTERM)

    with Signals() as signals:
        with pytest.raises(SystemExit) as early:
            signal.raise_signal(signal.SIGTERM)
        asyncio.run(run(signals))
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGHUP)
    assert (early.value.code, found) == (128 + signal.SIGTERM, ["stopping"])
