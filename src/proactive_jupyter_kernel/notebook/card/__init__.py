"""The card of a job: what it shows, and that as HTML and as plain text. Pure: the clock time is given.

`Facts` is the known state of a job. `card_of` converts it to a `Card`, records of display texts. `html_of` and
`text_of` write a card down.
"""

from __future__ import annotations

from proactive_jupyter_kernel.notebook.card.assembly import card_of
from proactive_jupyter_kernel.notebook.card.facts import Facts, FollowState, OutputLine, Result
from proactive_jupyter_kernel.notebook.card.markup import html_of
from proactive_jupyter_kernel.notebook.card.model import Card
from proactive_jupyter_kernel.notebook.card.plain import text_of

__all__ = ["Card", "Facts", "FollowState", "OutputLine", "Result", "card_of", "html_of", "text_of"]
