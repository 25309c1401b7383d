"""What all tests share: surroundings that are the same whoever runs them."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings as hypothesis_settings

# How long an example takes says nothing on a machine that runs other things, too.
hypothesis_settings.register_profile("tests", deadline=None)
hypothesis_settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Interrupts and hang-ups work, in the processes that tests start, too.

    A shell starts what runs in the background with interrupts ignored, `nohup` ignores hang-ups; children inherit both.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
