"""What is written for other languages to read: R and PowerShell source, the archive for Java."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.runtimes import powershell, registry, rsource
from proactive_jupyter_kernel.workflow.languages import LANGUAGES

ROOT = Path(__file__).parents[4]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("jvm_harness", ROOT / "tools" / "jvm_harness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_archive_is_current() -> None:
    """The archive with the harness for Java was built from the sources that lie beside it."""
    tool = _tool()
    with zipfile.ZipFile(tool.ARCHIVE) as archive:
        manifest = archive.read("META-INF/MANIFEST.MF").decode("ascii")
    assert f"Sources-SHA-256: {tool.digest()[:32]}" in manifest, "build it anew: python tools/jvm_harness.py"


def test_languages_with_a_runtime() -> None:
    """Every language of the pragmas has a runtime; of the others all but those that only build or drive containers."""
    assert {language.engine for language in LANGUAGES} - set(registry.table()) == {"dockerfile", "kubernetes"}
    assert all(language.engine in registry.table() for language in LANGUAGES if language.in_pragmas)


def test_archive_runs_on_old_java() -> None:
    """The archive's classes are of the format of Java 8."""
    with zipfile.ZipFile(_tool().ARCHIVE) as archive:
        classes = [archive.read(name) for name in archive.namelist() if name.endswith(".class")]
    assert {int.from_bytes(content[6:8], "big") for content in classes} == {52}


@pytest.mark.parametrize(
    ("wire", "source"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (2**31 - 1, "2147483647L"),
        (2**31, "2147483648.0"),
        (1.5, "1.5"),
        ({"$type": "float", "value": "-inf"}, "-Inf"),
        ('a"\\\n\0é😀', '"a\\"\\\\\\n\\u00e9\\U0001f600"'),
        ([1, 2], "c(1L, 2L)"),
        ([1], "I(1L)"),
        ([1, 2**40], "list(1L, 1099511627776.0)"),
        ([], "list()"),
        ({}, "structure(list(), names = character(0))"),
        ({"a b": [True, "x"]}, 'structure(list(list(TRUE, "x")), names = c("a b"))'),
        ({"$type": "bytes", "value": "AP8="}, 'bytes("00ff")'),
        ({"$type": "set", "value": ["b", "a"]}, 'c("b", "a")'),
    ],
)
def test_r_source(wire: object, source: str) -> None:
    """R gets vectors where they change nothing, lists elsewhere, and ASCII alone."""
    assert rsource.Writer().literal(wire) == source


def test_deep_r_source() -> None:
    """Brackets deeper than R's parser takes are put together from parts."""
    wire: object = 1
    for _ in range(80):
        wire = [wire]
    writer = rsource.Writer()
    source = [*writer.statements, writer.literal(wire)]
    assert max(_depth(text) for text in (*source, *writer.statements)) < 40
    assert len(writer.statements) == 5


def _depth(text: str) -> int:
    depth = deepest = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest


@given(st.text())
def test_powershell_text(text: str) -> None:
    """A text becomes one string of PowerShell in ASCII, whatever quotes are in it."""
    source = powershell.text(text.replace("\ud800", ""))
    assert source.isascii()
    assert re.fullmatch(
        r"'[^'\n]*'|\(\[Text\.Encoding\]::UTF8\.GetString\(.*FromBase64String\('[\w+/=]*'\)\)\)", source
    )
