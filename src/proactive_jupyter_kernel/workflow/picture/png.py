"""A picture as PNG, rendered from its SVG with the fonts of the package, so that it is the same on every machine.

The only file of this package that reads files: the fonts, and, only for characters that they do not have (Chinese,
Japanese, Korean and others), the fonts of the system.
"""

from __future__ import annotations

import functools
import html
import re
from importlib import resources

from proactive_jupyter_kernel.errors import SetupError

__all__ = ["png"]

_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf")
_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")
#: Maximum number of pixels; a picture is scaled down to it. A larger one fills the memory, and no viewer opens it.
_LONGEST_SIDE = 16_000
_SIZE = re.compile(r'width="([0-9.]+)" height="([0-9.]+)"')
#: The characters in the fonts of the package; see `tests/unit/workflow/picture/test_png.py`.
_COVERED = re.compile(
    "[\u0020-\u024f\u0250-\u036f\u0370-\u03ff\u0400-\u052f\u0531-\u0589\u05d0-\u05f4\u0600-\u06ff\u10a0-\u10ff"
    "\u1e00-\u1fff\u2000-\u22ff\u2460-\u2473\u25a0-\u25ff\ufb50-\ufdff\ufe70-\ufefc\ufffd]*"
)


def png(svg: str, scale: float = 2) -> bytes:
    """The picture as PNG, `scale` times the size of the SVG; a very large one is scaled down.

    Raises SetupError if the package ``resvg_py`` is missing.
    """
    try:
        import resvg_py
    except ImportError:
        raise SetupError(
            "A PNG cannot be made: the package resvg_py is not installed here.",
            hint="Install it with: pip install resvg_py",
        ) from None
    size = _SIZE.search(svg)
    longest = max(map(float, size.groups())) if size else 1.0
    own = all(_COVERED.fullmatch(html.unescape(text)) for text in _TEXT.findall(svg))
    made = resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=min(scale, _LONGEST_SIDE / longest),
        skip_system_fonts=own,
        font_files=list(_font_files()),
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
        monospace_family="DejaVu Sans Mono",
    )
    return bytes(made)


@functools.cache
def _font_files() -> tuple[str, ...]:
    """The folder of the fonts. The package is always installed as files."""
    folder = resources.files(__package__) / "fonts"
    return tuple(str(folder / name) for name in _FONTS)
