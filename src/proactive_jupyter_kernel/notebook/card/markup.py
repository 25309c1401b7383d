"""A card as HTML: no script, nothing loaded from elsewhere, every text escaped.

Structure stands in attributes `style`, with colours that suit a light and a dark page; see `styles.py` for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from html import escape

from proactive_jupyter_kernel.notebook.card.model import Card
from proactive_jupyter_kernel.notebook.card.styles import scope, style_sheet
from proactive_jupyter_kernel.workflow.display.marks import GLYPHS, TONES, Mark
from proactive_jupyter_kernel.workflow.display.records import Count, ErrorGroup, Notice, Row, Segment
from proactive_jupyter_kernel.workflow.display.squares import squares_uri
from proactive_jupyter_kernel.workflow.display.tokens import SHAPES

__all__ = ["MAX_RUNNING", "html_of"]

#: Characters of a card that is updated: a watched job must not flood a browser.
MAX_RUNNING = 60_000
#: Characters of a task's name in a table.
MAX_NAME = 40
#: Lines of output that are shown unfolded; a running card has fewer.
UNFOLDED_LINES = 15
_LINE = "border-top:1px solid #88888840"
_PAD = "padding:10px 14px"
_CELL = "text-align:left;padding:2px 14px 2px 0;vertical-align:top;border:none"
_NO_ROW = "background-color:transparent;border:none"
_MONO = "font-family:monospace;font-size:12px;line-height:18px"
_CODE = re.compile(r"`([^`]+)`")


def html_of(card: Card) -> str:
    """The card. One that is updated is kept below `MAX_RUNNING`, at the cost of the parts that can be missed."""
    for reduced in _reductions(card):
        html = style_sheet() + _card(reduced)
        if card.fold or not (card.live or card.stopped) or len(html) < MAX_RUNNING:
            break
    return html


def _reductions(card: Card) -> Iterable[Card]:
    yield card
    yield replace(card, squares=())
    yield replace(card, squares=(), picture=None)
    yield replace(card, squares=(), picture=None, output=card.output[-5:], rows=card.rows[:15])
    errors = tuple(replace(group, trace="", code=()) for group in card.errors)
    yield replace(card, squares=(), picture=None, output=(), rows=card.rows[:8], results=(), errors=errors)


def _card(card: Card) -> str:
    label = f"Job {card.job_id} {card.name}: {card.state}"
    body = [_head(card), *map(_error, card.errors)]
    if card.more_errors:
        body.append(
            _section(f'<span class="t-bad">{_text(card.more_errors)}</span>', "f", "background-color:#d9434f1f")
        )
    body += map(_notice, card.notices)
    details = [_picture(card), _rows(card), _families(card), _squares(card), _output(card)]
    inner = "".join(part for part in details if part)
    body.append(_results(card))
    if card.fold and inner:
        fold = f"<details><summary>{_text(card.fold)}</summary>{inner}</details>"
        body.append(f'<div class="s" style="{_PAD};{_LINE}">{fold}</div>')
    else:
        body.append(inner)
    body += [_stale(card), _foot(card)]
    style = (
        "border:1px solid #88888866;border-radius:8px;max-width:960px;overflow:hidden;"
        "font-size:13px;line-height:20px;margin:2px 0 6px"
    )
    return f'<div class="{scope()}" style="{style}" role="group" aria-label="{escape(label)}">{"".join(body)}</div>'


def _section(inner: str, name: str = "", style: str = "") -> str:
    names = f"s {name}".strip()
    return f'<div class="{names}" style="{_PAD};{_LINE}{";" + style if style else ""}">{inner}</div>'


def _icon(mark: Mark) -> str:
    tone = TONES[mark]
    colour = "" if tone == "off" else f"color:{SHAPES[tone]};"
    return f'<i class="i i-{mark.value} t-{tone}" style="{colour}font-style:normal">{GLYPHS[mark]}</i>'


def _text(text: str) -> str:
    """Escaped text; what stands between backquotes is code."""
    return _CODE.sub(lambda match: f"<code>{match[1]}</code>", escape(text))


def _soft(text: str) -> str:
    return f'<span class="q" style="opacity:0.78">{text}</span>'


def _head(card: Card) -> str:
    tone = TONES[card.mark]
    as_of = ""
    if card.as_of:
        dot = "· " if card.aside else ""
        as_of = f'<span class="live">{dot}<span class="lv">{escape(card.as_of)}</span></span>' if card.live else ""
        as_of = as_of or f"{dot}{escape(card.as_of)}"
    title = (
        f'<div class="h">{_icon(card.mark)} <b style="font-size:14px">{escape(card.name)}</b> '
        f"{_soft(f'job {card.job_id}')} "
        f'<span class="t-{tone}" style="font-weight:600">{escape(card.state)}</span> '
        f'<span class="g q" style="float:right;opacity:0.78">{escape(card.aside)} {as_of}</span></div>'
    )
    parts = [title]
    if card.counts:
        parts.append(_bar(card.bar, "b", 6, "margin:8px 0 6px;"))
        parts.append(f'<div class="n">{"".join(_count(count, 14) for count in card.counts)}</div>')
    return f'<div class="s" style="{_PAD}">{"".join(parts)}</div>'


def _count(count: Count, gap: int) -> str:
    tone = f' class="t-{count.tone}"' if count.tone else ""
    weight = ";font-weight:600" if count.tone == "bad" else ""
    style = f"display:inline-block;white-space:nowrap;margin-right:{gap}px{weight}"
    return f'<span{tone} style="{style}">{escape(count.text)}</span> '


def _bar(pieces: Iterable[Segment], name: str, height: int, style: str = "") -> str:
    inner = "".join(_piece(piece, height, piece.width) for piece in pieces)
    return (
        f'<div class="{name}" style="display:flex;height:{height}px;border-radius:3px;overflow:hidden;'
        f'background-color:#88888830;{style}">{inner}</div>'
    )


def _piece(piece: Segment, height: int, width: float, left: float = 0) -> str:
    margin = f"margin-left:{left:g}%;" if left else ""
    colour = SHAPES[piece.tone]
    return (
        f'<i class="c-{piece.tone}" style="display:block;height:{height}px;{margin}width:{width:g}%;'
        f'background-color:{colour}"></i>'
    )


def _error(group: ErrorGroup) -> str:
    tone = TONES[group.mark]
    place = f'<span class="g q" style="float:right;opacity:0.78">{escape(group.place)}</span>' if group.place else ""
    parts = [
        f'<div class="h">{_icon(group.mark)} <span style="font-weight:600">{escape(group.tasks)}</span> '
        f'<span class="t-{tone}">{escape(group.how)}</span> {place}</div>'
    ]
    if group.line:
        parts.append(
            '<div class="e" style="font-family:monospace;font-weight:600;word-wrap:break-word">'
            f"{escape(group.line)}</div>"
        )
    if group.code:
        parts.append(_code(group.code))
    if group.effects:
        parts.append(f"<div>{_text(' '.join(group.effects))}</div>")
    parts += [f'<div class="q" style="opacity:0.78">{_text(advice)}</div>' for advice in group.advice]
    if group.trace:
        parts.append(
            f'<details style="margin-top:6px"><summary>Whole traceback</summary>{_mono(escape(group.trace))}</details>'
        )
    return _section("".join(parts), "f", "background-color:#d9434f1f")


def _code(lines: tuple[tuple[int, str], ...]) -> str:
    """The lines up to the faulty one, which is marked."""
    width = max(len(str(number)) for number, _ in lines)
    last = len(lines) - 1
    shown = [
        f"{_soft(f'{number:>{width}}')} {'▸' if index == last else ' '} {escape(text)}"
        for index, (number, text) in enumerate(lines)
    ]
    return _mono("\n".join(shown))


def _mono(markup: str) -> str:
    return f'<div class="x" style="{_MONO};white-space:pre-wrap;margin:4px 0;word-wrap:break-word">{markup}</div>'


def _notice(notice: Notice) -> str:
    tone = TONES[notice.mark]
    head = f'{_icon(notice.mark)} <span class="t-{tone}" style="font-weight:600">{escape(notice.head)}</span>'
    return _section(f"{head} {_text(notice.text)}", "a", "background-color:#bd7d1022")


def _picture(card: Card) -> str:
    if card.picture is None:
        return ""
    inside = f"padding:6px {0 if card.fold else 14}px;overflow-x:auto;line-height:0"
    return f'<div class="s" style="{inside}{"" if card.fold else ";" + _LINE}">{card.picture.html}</div>'


def _part(card: Card, inner: str) -> str:
    """A part of the card, or of what is folded in it."""
    return f'<div style="margin-top:6px">{inner}</div>' if card.fold else _section(inner)


def _table(rows: Iterable[str], head: str = "", name: str = "") -> str:
    names = f"l {name}".strip()
    top = f'<thead><tr style="{_NO_ROW}">{head}</tr></thead>' if head else ""
    return (
        f'<table class="{names}" style="table-layout:auto;width:100%;margin:0;border:none">{top}'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _rows(card: Card) -> str:
    if not card.rows:
        return ""
    plain = f"{_CELL};font-weight:400"
    head = (
        f'<th style="{plain}">Task</th><th style="{plain}">State</th>'
        f'<th class="y" style="{plain};text-align:right">Time</th>'
        f'<th class="wide" style="{plain};white-space:nowrap">{escape(card.scale)}</th>'
    )
    more = f'<div class="q" style="opacity:0.78">{escape(card.more_rows)}</div>' if card.more_rows else ""
    return _part(card, _table(map(_row, card.rows), head) + more)


def _name(name: str) -> str:
    """A name; of a long one the middle is left out, since names differ at their ends."""
    if len(name) <= MAX_NAME:
        return escape(name)
    half = MAX_NAME // 2
    return f'<span title="{escape(name)}">{escape(name[:half])}…{escape(name[-half:])}</span>'


def _row(row: Row) -> str:
    one_line = f"{_CELL};white-space:nowrap"
    bar = ""
    if row.bar:
        inner = _piece(row.bar, 8, row.bar.width, row.bar.start)
        bar = f'<div class="tl" style="height:8px;background-color:#88888822">{inner}</div>'
    return (
        f'<tr style="{_NO_ROW}"><td style="{one_line}">{_icon(row.mark)} {_name(row.task)}</td>'
        f'<td class="t-{TONES[row.mark]}" style="{one_line if len(row.word) < 40 else _CELL}">{escape(row.word)}</td>'
        f'<td class="y" style="{one_line};text-align:right">{row.time}</td>'
        f'<td class="z wide" style="{_CELL};vertical-align:middle;width:100%">{bar}</td></tr>'
    )


def _families(card: Card) -> str:
    if not card.families:
        return ""
    one_line = f"{_CELL};white-space:nowrap"
    rows = []
    for family in card.families:
        size = f" {_soft(f'× {family.size:,}')}" if family.size > 1 else ""
        counts = "".join(_count(count, 10) for count in family.counts)
        bar = _bar(family.bar, "mb", 6)
        rows.append(
            f'<tr style="{_NO_ROW}"><td style="{one_line}">{_icon(family.mark)} {_name(family.name)}{size}</td>'
            f'<td class="z" style="{_CELL};vertical-align:middle;width:100%;min-width:48px">{bar}</td>'
            f'<td class="y n" style="{_CELL};min-width:190px">{counts}</td></tr>'
        )
    more = f'<div class="q" style="opacity:0.78">{escape(card.more_rows)}</div>' if card.more_rows else ""
    return _part(card, _table(rows) + more)


def _squares(card: Card) -> str:
    if not card.squares:
        return ""
    uri, width = squares_uri(card.squares)
    words = ", ".join(
        f"{card.squares.count(mark):,} {mark.name.lower().replace('_', ' ')}" for mark in Mark if mark in card.squares
    )
    image = f'<img alt="One square for each task: {escape(words)}" style="width:100%;max-width:{width}px" src="{uri}">'
    pad = "margin-top:6px" if card.fold else "padding:0 14px 10px"
    return f'<div style="{pad};line-height:0">{image}</div>'


def _output(card: Card) -> str:
    if not card.output:
        return ""
    rows = []
    before = None
    for line in card.output:
        name = ""
        if card.named_output:
            shown = _name(line.task) if line.task != before else ""
            name = (
                f'<td class="q" style="{_CELL};white-space:nowrap;{_MONO};padding:0 14px 0 0;opacity:0.78">{shown}</td>'
            )
        before = line.task
        tone = ' t-bad" title="standard error' if line.error else ""
        rows.append(
            f'<tr style="{_NO_ROW}">{name}<td class="z{tone}" style="{_CELL};width:100%;{_MONO};padding:0;'
            f'white-space:pre-wrap;word-break:break-word">{escape(line.text)}</td></tr>'
        )
    table = _table(rows, name="o")
    if not card.fold and len(rows) > UNFOLDED_LINES:
        return _part(card, f"<details><summary>{escape(card.output_head)}</summary>{table}</details>")
    head = f'<div class="q" style="font-size:12px;opacity:0.78">{escape(card.output_head)}</div>'
    return _part(card, head + table)


def _results(card: Card) -> str:
    parts = []
    for result in card.results:
        shown = result.html or f'<pre style="{_MONO};white-space:pre-wrap;margin:0">{escape(result.text)}</pre>'
        parts.append(
            f'<div style="font-weight:600;margin:4px 0 2px">{escape(result.task)}</div>'
            f'<div class="r" style="overflow-x:auto;margin-bottom:8px">{shown}</div>'
        )
    if card.without_result:
        parts.append(f'<div class="q" style="opacity:0.78">{escape(card.without_result)}</div>')
    return _section("".join(parts)) if parts else ""


def _stale(card: Card) -> str:
    """Why the card may not say how things are. Styles hide it for as long as updates come."""
    if not card.stale_head or not (card.live or card.stopped):
        return ""
    text = (
        f'{_icon(Mark.HELD)} <span class="t-attention" style="font-weight:600">{escape(card.stale_head)}</span>: '
        f"{_text(card.stale_text)}"
    )
    names = f"old{' now' if card.stopped else ''}"
    return f'<div class="{names}">{_section(text, "a", "background-color:#bd7d1022")}</div>'


def _foot(card: Card) -> str:
    parts = [f'<code style="margin-right:18px">{escape(command)}</code>' for command in card.commands]
    if card.link:
        parts.append(f'<a href="{escape(card.link)}" target="_blank" rel="noopener">{escape(card.link_text)}</a>')
    if not parts:
        return ""
    return _section(" ".join(parts), "k", "background-color:#88888814;padding-top:7px;padding-bottom:7px")
