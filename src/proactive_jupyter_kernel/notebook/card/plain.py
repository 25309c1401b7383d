"""A card as plain text, for consoles, logs and front ends without HTML."""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.notebook.card.model import Card
from proactive_jupyter_kernel.workflow.display.marks import GLYPHS
from proactive_jupyter_kernel.workflow.display.records import ErrorGroup

__all__ = ["text_of"]


def text_of(card: Card) -> str:
    """The card as lines of text, in the same order as its HTML."""
    return "\n".join(line.rstrip() for line in _lines(card))


def _lines(card: Card) -> Iterator[str]:
    aside = " · ".join(part for part in (card.aside, card.as_of) if part)
    yield f"{GLYPHS[card.mark]} {card.name}  job {card.job_id}  {card.state}{f' ({aside})' if aside else ''}"
    if card.counts:
        yield f"  {', '.join(count.text for count in card.counts)}"
    for group in card.errors:
        yield from _error(group)
    if card.more_errors:
        yield f"  {card.more_errors}"
    for notice in card.notices:
        yield f"  {GLYPHS[notice.mark]} {notice.head} {_bare(notice.text)}"
    if card.picture and not card.fold:
        yield from (f"  {line}" for line in card.picture.text.splitlines())
    yield from _table(card)
    yield from _output(card)
    for result in card.results:
        lines = result.text.splitlines()
        if len(lines) == 1:
            yield f"{result.task}: {lines[0]}"
        else:
            yield f"{result.task}:"
            yield from lines
    if card.without_result:
        yield f"  {card.without_result}"
    if card.stopped:
        yield f"  {card.stale_head}: {_bare(card.stale_text)}"
    for command in card.commands:
        yield f"  {command}"


def _bare(text: str) -> str:
    return text.replace("`", "")


def _error(group: ErrorGroup) -> Iterator[str]:
    place = f", {group.place}" if group.place else ""
    yield f"  {GLYPHS[group.mark]} {group.tasks}: {group.how}{place}"
    if group.line:
        yield f"    {group.line}"
    last = len(group.code) - 1
    width = max((len(str(number)) for number, _ in group.code), default=0)
    for index, (number, text) in enumerate(group.code):
        yield f"    {number:>{width}} {'▸' if index == last else ' '} {text}"
    for sentence in (*group.effects, *group.advice):
        yield f"    {_bare(sentence)}"


def _table(card: Card) -> Iterator[str]:
    name = max((len(row.task) for row in card.rows), default=0)
    word = max((len(row.word) for row in card.rows), default=0)
    time = max((len(row.time) for row in card.rows), default=0)
    for row in card.rows:
        yield f"  {GLYPHS[row.mark]} {row.task:<{name}}  {row.word:<{word}}  {row.time:>{time}}"
    labels = [f"{family.name} × {family.size:,}" if family.size > 1 else family.name for family in card.families]
    width = max(map(len, labels), default=0)
    for label, family in zip(labels, card.families, strict=True):
        counts = ", ".join(count.text for count in family.counts)
        yield f"  {GLYPHS[family.mark]} {label:<{width}}  {counts}"
    if card.more_rows:
        yield f"  {card.more_rows}"


def _output(card: Card) -> Iterator[str]:
    if not card.output:
        return
    yield f"  {card.output_head}:"
    width = max(len(line.task) for line in card.output)
    for line in card.output:
        name = f"{line.task:<{width}}  " if card.named_output else ""
        yield f"    {name}{line.text}"
