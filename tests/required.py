"""What a test needs besides this package: without it the test is skipped, or fails where nothing may be left out.

A test says so with ``@pytest.mark.needs("bwrap", modules=["numpy"])``, or calls `need` where it knows only then.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterable
from types import ModuleType
from typing import NoReturn

import pytest

__all__ = ["need", "need_marked", "need_module", "skip_or_fail", "skip_without_recordings"]


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test; with ``PAJK_REQUIRE_ALL=1``, as in CI, fail."""
    if os.environ.get("PAJK_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def skip_without_recordings(reason: str) -> NoReturn:
    """The same for what is no part of the project, which ``PAJK_WITHOUT_RECORDINGS=1`` allows to be missing."""
    if os.environ.get("PAJK_WITHOUT_RECORDINGS") == "1":
        pytest.skip(reason)
    skip_or_fail(reason)


def need(*programs: str, modules: Iterable[str] = ()) -> None:
    """Skip or fail where a program is not on the path, or a module is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    missing += [f"the module {name}" for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        skip_or_fail(f"not installed: {', '.join(missing)}")


def need_marked(item: pytest.Item) -> None:
    """The same for what the marks of a test name."""
    for mark in item.iter_markers("needs"):
        need(*mark.args, **mark.kwargs)


def need_module(name: str) -> ModuleType:
    """A module that is not there everywhere."""
    need(modules=[name.partition(".")[0]])
    return importlib.import_module(name)
