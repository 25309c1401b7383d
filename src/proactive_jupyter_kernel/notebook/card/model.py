"""The content of a card, as records of display texts. They are not escaped; the writers do that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.notebook.card.facts import OutputLine, Result
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Count, ErrorGroup, Family, Notice, Row, Segment

__all__ = ["Card", "Picture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The drawn workflow."""

    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card shows, from top to bottom."""

    job_id: int
    name: str
    mark: Mark
    #: ``Running``, or ``Finished, 1 task failed``.
    state: str
    #: ``14 s · ended 22:07:40``; without the part that says whether the card is live.
    aside: str
    #: ``as of 22:05:12``; empty for a job that has ended. Styles put ``live`` before it, for as long as updates come.
    as_of: str = ""
    #: Whether updates follow, so that the card marks itself as not followed when none comes.
    live: bool = False
    #: True: the card is not followed and shows so from the start; False: styles reveal it after a while.
    stopped: bool = False
    bar: tuple[Segment, ...] = ()
    counts: tuple[Count, ...] = ()
    errors: tuple[ErrorGroup, ...] = ()
    #: ``and 7 more kinds of errors in 12 tasks``.
    more_errors: str = ""
    notices: tuple[Notice, ...] = ()
    picture: Picture | None = None
    rows: tuple[Row, ...] = ()
    #: ``0 to 12 s``, above the bars.
    scale: str = ""
    #: ``and 12 more tasks: 9 finished, 3 waiting``.
    more_rows: str = ""
    families: tuple[Family, ...] = ()
    #: The mark of each task, where they are too many for rows.
    squares: tuple[Mark, ...] = ()
    output_head: str = ""
    output: tuple[OutputLine, ...] = ()
    #: Whether more than one task wrote, so that each line has its task's name.
    named_output: bool = True
    results: tuple[Result, ...] = ()
    #: ``load, check and mail returned nothing.``
    without_result: str = ""
    #: What is folded below the results of a finished job; empty: nothing is folded.
    fold: str = ""
    #: ``Last seen at 22:05:12`` and what follows; for a card that is not final.
    stale_head: str = ""
    stale_text: str = ""
    #: Pragmas to copy.
    commands: Sequence[str] = ()
    link: str = ""
    link_text: str = ""
