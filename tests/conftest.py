"""What all tests share: surroundings that are the same whoever runs them."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings as hypothesis_settings

# How long an example takes says nothing on a machine that runs other things, too.
hypothesis_settings.register_profile("tests", deadline=None)
# In CI the same examples every time: a run shall say something about the change, not about luck.
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
#: `--hypothesis-profile=thorough` searches long.
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=2500)
hypothesis_settings.load_profile("ci" if os.environ.get("PAJK_REQUIRE_ALL") == "1" else "tests")


def pytest_configure(config: pytest.Config) -> None:
    """Interrupts and hang-ups work, in the processes that tests start, too.

    A shell starts what runs in the background with interrupts ignored, `nohup` ignores hang-ups; children inherit both.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
