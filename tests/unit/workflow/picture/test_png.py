"""PNG: made with fonts of the package."""

from __future__ import annotations

import importlib
import re
import struct
import sys
import zlib
from pathlib import Path

import pytest
from tests.required import need_module

sys.path.insert(0, str(Path(__file__).parent))

import shapes

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.workflow import picture

#: The module, whose name in the package is that of its function.
module = importlib.import_module("proactive_jupyter_kernel.workflow.picture.png")


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def pixels(png: bytes) -> bytes:
    """The data of a PNG, without its compression."""
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    return zlib.decompress(data)


def test_a_png_is_twice_as_large_as_its_drawing() -> None:
    """For screens with small pixels; a scale can be given."""
    svg = picture.draw(shapes.SIMPLE)
    (found,) = re.findall(r'^<svg [^>]*width="(\d+)" height="(\d+)"', svg)
    width, height = map(int, found)
    assert [size_of(picture.png(svg, scale)) for scale in (1, 2)] == [(width, height), (2 * width, 2 * height)]


def test_letters_are_drawn_without_a_font_of_the_system() -> None:
    """The same picture without its name has other pixels: the name was drawn with the package's own font."""
    named, nameless = (picture.draw(shapes.workflow("x", shapes.task(name))) for name in ("Überprüfung", "_"))
    assert pixels(picture.png(named)) != pixels(picture.png(named.replace(">Überprüfung</text>", "></text>")))
    assert pixels(picture.png(nameless))


def test_the_fonts_cover_what_they_are_used_for() -> None:
    """A letter beyond the fonts of the package makes the system's fonts be asked, and none within."""
    fonts = need_module("fontTools.ttLib")
    covered = fonts.TTFont(module._font_files()[0]).getBestCmap()
    wanted = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA), *range(0x400, 0x460), 0x2026, 0xB7, 0xD7]
    wanted.remove(0x3A2)
    assert [hex(code) for code in wanted if code not in covered] == []
    assert [bool(module._COVERED.fullmatch(text)) for text in ("Überprüfung", "отчёт", "気象")] == [True, True, False]


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(
        SetupError, match=r"^A PNG cannot be made: the package resvg_py is not installed here\."
    ) as caught:
        picture.png("<svg/>")
    assert caught.value.hint == "Install it with: pip install resvg_py"


def test_a_huge_picture_is_made_smaller() -> None:
    """No viewer opens a PNG of 60,000 pixels."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="10" viewBox="0 0 30000 10"></svg>'
    assert size_of(picture.png(svg))[0] == 16_000


def test_the_licence_of_the_fonts_is_shipped() -> None:
    """Beside them, as it asks for."""
    folder = Path(module._font_files()[0]).parent
    assert "Bitstream Vera Fonts Copyright" in (folder / "LICENSE_DEJAVU").read_text(encoding="utf-8")
