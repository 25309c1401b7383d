"""`#%help` as HTML: all pragmas in columns, or one in full, on a light and a dark page. Pure."""

from __future__ import annotations

import re
from functools import cache
from html import escape

from proactive_jupyter_kernel.notebook.card.styles import scope, style_sheet
from proactive_jupyter_kernel.pragmas.outputs import HelpIndex, HelpPage

__all__ = ["index_html", "page_html"]

_LINE = "border-top:1px solid #88888840"
_FRAME = (
    "border:1px solid #88888866;border-radius:8px;max-width:960px;overflow:hidden;"
    "font-size:13px;line-height:20px;margin:2px 0 6px"
)
_CELL = "text-align:left;vertical-align:top;border:none;padding:0 14px 0 0;line-height:20px"
_MONO = "font-family:monospace;font-size:12px;line-height:18px"
_GROUND = "background-color:#88888814"
#: A word in capitals stands for what one types.
_PLACEHOLDER = re.compile(r"(?<==)([A-Z][A-Z_]+)")


@cache
def _rules() -> str:
    """What `style` cannot say; the rest comes from the style sheet of cards."""
    name = scope()
    return (
        f"<style>.{name} .hg{{columns:2 285px;column-gap:24px}}.{name} .hb{{break-inside:avoid}}"
        f".{name}.{name} .hb code,.{name}.{name}.{name} td>code{{font-weight:600;color:var(--pak-run)}}"
        f".{name} .ex i{{color:var(--pak-ok)}}.{name}.{name} table.hp>*>tr+tr>td,"
        f".{name}.{name} table.hp>tbody>tr>td{{border-top:1px solid var(--pak-line)!important;"
        f"padding-top:4px!important;padding-bottom:4px!important}}</style>"
    )


def index_html(index: HelpIndex) -> str:
    """All pragmas, by family, each with its summary."""
    families = "".join(
        f'<div class="hb"><div class="q" style="font-weight:600;margin:8px 0 2px;font-size:12px">{escape(title)}</div>'
        f'<table class="l" style="border:none;margin:0"><tbody>{"".join(_short(*row) for row in rows)}</tbody></table>'
        "</div>"
        for title, rows in index.families.items()
    )
    head = (
        '<b style="font-size:14px">Pragmas</b> <span class="q" style="opacity:0.78">write '
        "<code>#%name(key=value, ...)</code> at the start of a line; the lines below are its code</span>"
    )
    foot = "<code>#%help(pragma=task)</code> explains one pragma. Tab completes names and values, Shift+Tab explains."
    body = (
        _band(head, first=True)
        + _band(f'<div class="hg">{families}</div>', style="padding-top:2px")
        + _example(index.example)
        + _band(foot, "k", _GROUND)
    )
    return _whole("All pragmas", body)


def page_html(page: HelpPage) -> str:
    """One pragma: usage, parameters and example."""
    usage = _PLACEHOLDER.sub(r'<span class="q" style="opacity:0.78">\1</span>', escape(page.usage))
    also = ""
    if page.aliases:
        names = ", ".join(f"<code>#%{escape(alias)}</code>" for alias in page.aliases)
        also = f'<div class="q" style="opacity:0.78">Also called {names}</div>'
    head = (
        f'<b style="font-size:14px">#%{escape(page.name)}</b> '
        f'<span class="q" style="opacity:0.78">{escape(page.summary)}</span>'
        f'<div class="x" style="{_MONO};overflow-wrap:anywhere">{usage}</div>{also}'
    )
    body = _band(head, first=True)
    if page.parameters:
        titles = "".join(
            f'<th class="{names}" style="{_CELL};font-weight:400">{title}</th>'
            for title, names in (("Parameter", ""), ("Value", "wide"), ("Default", ""), ("", ""))
        )
        rows = "".join(map(_parameter, page.parameters))
        body += _band(
            f'<table class="l hp" style="width:100%;border:none;margin:0"><thead><tr>{titles}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
    return _whole(f"#%{page.name}", body + _example(page.example))


def _whole(label: str, body: str) -> str:
    return (
        f'{style_sheet()}{_rules()}<div class="{scope()}" style="{_FRAME}" role="group" '
        f'aria-label="{escape(label)}">{body}</div>'
    )


def _band(inner: str, name: str = "", style: str = "", *, first: bool = False) -> str:
    styles = ";".join(part for part in ("padding:10px 14px", "" if first else _LINE, style) if part)
    return f'<div class="{f"s {name}".strip()}" style="{styles}">{inner}</div>'


def _short(name: str, summary: str) -> str:
    return (
        f'<tr style="border:none;background-color:transparent"><td style="{_CELL};white-space:nowrap">'
        f'<code>{escape(name)}</code></td><td style="{_CELL}">{escape(summary.rstrip("."))}</td></tr>'
    )


def _parameter(row: tuple[str, str, str, str]) -> str:
    name, kind, default, meaning = (escape(text) for text in row)
    shown = f'<span class="q" style="opacity:0.78">{default or "none"}</span>'
    if default == "required":
        shown = '<span class="t-bad" style="font-weight:600">required</span>'
    return (
        f'<tr style="border:none;background-color:transparent"><td style="{_CELL};white-space:nowrap">'
        f'<code>{name}</code></td><td class="wide q" style="{_CELL};opacity:0.78;width:28%">{kind}</td>'
        f'<td style="{_CELL};white-space:nowrap">{shown}</td><td style="{_CELL}">{meaning}</td></tr>'
    )


def _example(code: str) -> str:
    lines = [
        f'<i style="font-style:normal">{escape(line)}</i>' if line.startswith("#%") else escape(line)
        for line in code.split("\n")
    ]
    inner = f'<div class="x" style="{_MONO};white-space:pre-wrap">{"<br>".join(lines)}</div>'
    return _band(inner, "k ex", _GROUND)
