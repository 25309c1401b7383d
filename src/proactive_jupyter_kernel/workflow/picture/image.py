"""The picture as the HTML of a notebook: one image, which survives an untrusted notebook, GitHub and nbconvert. Pure.

There is one ``<img>`` with the light drawing. A ``<style>`` beside it puts the dark one in its place under a dark theme
of JupyterLab or VS Code; where styles are removed, the light one stays, on its own ground.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

__all__ = ["image", "uri"]

#: What tells a dark page: the theme of JupyterLab and Notebook, of VS Code, of a page of ours; never the system's.
_DARK = ("body[data-jp-theme-light=false]", "body.vscode-dark", "[data-theme=dark]")
#: An image shrinks to this share of its width; a narrower page scrolls.
_NARROWEST = 0.85


def uri(svg: str) -> str:
    """The drawing as an address."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def image(light: str, dark: str, alternative: str, width: float) -> str:
    """The HTML for the two drawings of one picture."""
    address = uri(dark)
    name = "pak-" + hashlib.sha256(address.encode()).hexdigest()[:10]
    selectors = ",".join(f"{one} .{name}" for one in _DARK)
    style = f"width:100%;max-width:{width:.0f}px;min-width:{width * _NARROWEST:.0f}px;height:auto"
    return (
        f"<style>{selectors}{{content:url({address})}}</style>"
        f'<div style="overflow-x:auto"><img class="{name}" alt="{escape(alternative)}" style="{style}" '
        f'src="{uri(light)}"></div>'
    )
