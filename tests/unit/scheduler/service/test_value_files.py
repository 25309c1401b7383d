"""Forms of large values are made in a process of its own, within limits, and leave no file."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.dto import value_forms
from proactive_jupyter_kernel.scheduler.service.value_files import InProcess, ValueTooLarge

VALUE = RawValue.of([1, 2.5, "é"])


def made(files: InProcess, *writes: Any) -> list[tuple[bytes, Any]]:
    """What each of them wrote and returned."""

    async def run() -> list[tuple[bytes, Any]]:
        try:
            found = [await files.make(VALUE, write) for write in writes]
            return [(b"".join(file.pieces()), file.said) for file in found]
        finally:
            await files.close()

    return asyncio.run(run())


def test_a_process_makes_the_forms(tmp_path: Path) -> None:
    """The files are gone before they are sent, and what a killed scheduler has left goes with them."""
    (tmp_path / "values" / "left").mkdir(parents=True)
    found = made(InProcess(tmp_path / "values"), value_forms.text, value_forms.json_text, value_forms.stream)
    texts = [content for content, _ in found[:2]]
    assert texts == ["[1, 2.5, é]".encode(), json.dumps("[1, 2.5, é]").encode()]
    assert (found[2][0][:4], found[2][1]) == (bytes.fromhex("aced0005"), False)
    assert list((tmp_path / "values").iterdir()) == []


BROKEN = """
import os

def takes_memory(value, target):
    bytearray(2**40)

def ends(value, target):
    os.kill(os.getpid(), 9)

def fails(value, target):
    raise LookupError("none")
"""
TOO_LARGE = "The value is too large to be given in this form: it takes more than 2 GiB of memory or 120 seconds."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("takes_memory", TOO_LARGE),
        ("ends", TOO_LARGE),
        ("fails", "The value cannot be given in this form: LookupError('none')"),
    ],
)
def test_a_form_beyond_the_limits_is_refused(
    tmp_path: Path, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and the next one is made."""
    (tmp_path / "broken_forms.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken_forms", raising=False)
    write = getattr(importlib.import_module("broken_forms"), name)
    files = InProcess(tmp_path / "values")

    async def run() -> tuple[str, bytes]:
        try:
            with pytest.raises(ValueTooLarge) as caught:
                await files.make(VALUE, write)
            return caught.value.message, b"".join((await files.make(VALUE, value_forms.text)).pieces())
        finally:
            await files.close()

    said, after = asyncio.run(run())
    assert (said, after) == (message, "[1, 2.5, é]".encode())
    assert list((tmp_path / "values").iterdir()) == []


def test_a_process_that_the_system_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    """The value is not to blame for that: the next form is made by another process."""
    files = InProcess(tmp_path / "values", idle=300.0)

    async def run() -> bytes:
        try:
            (await files.make(VALUE, value_forms.text)).file.close()
            ((worker, _),) = files._free
            worker._process.kill()
            while not worker.has_ended:
                await asyncio.sleep(0.01)
            return b"".join((await files.make(VALUE, value_forms.text)).pieces())
        finally:
            await files.close()

    assert asyncio.run(run()) == "[1, 2.5, é]".encode()
