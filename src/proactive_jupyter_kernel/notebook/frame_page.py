"""A page of a scheduler in a frame, with the text beside it, as HTML. Pure.

An untrusted notebook loses the frame and keeps the rest. A browser tells the page in a frame the `color-scheme` of the
frame instead of the operating system's, so the portal has the theme of the notebook, also when that changes later.
"""

from __future__ import annotations

from html import escape

from proactive_jupyter_kernel.notebook.card.styles import DARK_PAGES
from proactive_jupyter_kernel.pragmas.outputs import Frame

__all__ = ["frame_html"]

_CLASS = "pak-portal"
_IN_DARK = ",".join(f"{page} .{_CLASS}" for page in DARK_PAGES)
_THEME = f"<style>.{_CLASS}{{color-scheme:light}}{_IN_DARK}{{color-scheme:dark}}</style>"
_SOFT = "opacity:0.78;font-size:12px"


def frame_html(frame: Frame) -> str:
    """What the page is, a plain link to it, how to see it again, and the frame."""
    page, source, title = escape(frame.page), escape(frame.source), escape(frame.heading)
    in_a_terminal = f", or <code>{escape(frame.command)}</code> in a terminal" if frame.command else ""
    width = f"{frame.width}px" if frame.width.isdigit() else frame.width
    height = f"{frame.height}px" if frame.height.isdigit() else frame.height
    return (
        f'{_THEME}<div style="line-height:20px;margin:2px 0 6px"><div><b>{escape(frame.title)}</b> of '
        f'{escape(frame.scheduler)}: <a href="{page}" target="_blank" rel="noopener">{page}</a></div>'
        f'<div style="{_SOFT}">Shown in a frame on {escape(frame.shown)}; a saved notebook does not hold it. To see it '
        f"again, run <code>{escape(frame.pragma)}</code>{in_a_terminal}.</div>"
        f'<iframe class="{_CLASS}" src="{source}" title="{title}" width="{frame.width}" height="{frame.height}" '
        f'style="width:{width};height:{height};max-width:100%;border:1px solid #88888866;border-radius:8px;'
        'margin-top:6px;box-sizing:border-box" allow="clipboard-write"></iframe></div>'
    )
