"""Style sheets, scripts and pictures of the portals: the files of ``static/``, and the style sheet of the tokens.

Their paths hold a hash of all of them, so that a browser keeps them and still gets new ones, and a script can import
another one by its name. They hold nothing of any job, and are the only answers without a session: the page that says
how to log in needs them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ASSETS_PATH", "Asset", "asset", "asset_path"]

ASSETS_PATH = "/portal/static"
_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str


def _variables(theme: Mapping[str, str], page: str, track: str, scheme: str) -> str:
    from proactive_jupyter_kernel.workflow.display.tokens import SHAPES

    shapes = {f"{name}-s": colour for name, colour in SHAPES.items()}
    values = {**theme, **shapes, "page": page, "track": track}
    return "".join(f"--{name}:{value};" for name, value in values.items()) + f"color-scheme:{scheme};"


def _tokens() -> str:
    """The colours of both themes; without a choice the theme is the operating system's."""
    from proactive_jupyter_kernel.workflow.display.tokens import DARK, LIGHT

    light = _variables(LIGHT, page="#f6f7f9", track="#e9ebef", scheme="light")
    dark = _variables(DARK, page="#0f1114", track="#2b3037", scheme="dark")
    return (
        f":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
    )


@functools.cache
def _assets() -> tuple[str, Mapping[str, Asset]]:
    """The hash of all files, and each by its name."""
    contents = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    contents["tokens.css"] = _tokens().encode("ascii")
    whole = hashlib.sha256(b"\0".join(content for pair in contents.items() for content in (pair[0].encode(), pair[1])))
    found = {name: Asset(content=content, media_type=_TYPES[Path(name).suffix]) for name, content in contents.items()}
    return whole.hexdigest()[:16], found


def asset(path: str) -> Asset | None:
    """The file of a path below `ASSETS_PATH`; None if there is none."""
    given, _, name = path.partition("/")
    known, files = _assets()
    return files.get(name) if given == known else None


def asset_path(name: str) -> str:
    """Where the file is; KeyError if there is none."""
    known, files = _assets()
    if name not in files:
        raise KeyError(name)
    return f"{ASSETS_PATH}/{known}/{name}"
