"""The picture as the HTML of a notebook: one image, which survives an untrusted notebook, GitHub and nbconvert. Pure.

There is one ``<img>`` with the light drawing. A ``<style>`` element replaces it by the dark one in a dark theme of
JupyterLab or VS Code; if styles are removed, the light one remains, on its own background.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

__all__ = ["image", "uri"]

#: Selectors of dark pages: the themes of JupyterLab and Notebook, of VS Code, and of own pages; not of the system.
_DARK = ("body[data-jp-theme-light=false]", "body.vscode-dark", "[data-theme=dark]")
#: An image shrinks to this fraction of its width; a narrower page scrolls.
_NARROWEST = 0.85


def uri(svg: str) -> str:
    """The drawing as a data URL."""
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
