"""Opened workflows are kept for a while, and not without limit."""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.scheduler.service import drafts
from proactive_jupyter_kernel.scheduler.service.drafts import Drafts
from proactive_jupyter_kernel.scheduler.service.workflow_files import Outline, ReadWorkflow


def add(kept: Drafts, size: int = 10, user: str = "ana") -> Any:
    read = ReadWorkflow(xml=b" " * size, outline=Outline(name="x", tasks=1))
    return kept.add(user=user, name="x.xml", size=size, read=read, drawing=None)


def test_draft_is_for_its_user_alone() -> None:
    """Its key cannot be guessed, and does not help another user."""
    kept = Drafts()
    draft = add(kept)

    assert (kept.find(draft.key, "ana"), kept.find(draft.key, "bob"), kept.find("", "ana")) == (draft, None, None)


def test_unused_draft_expires() -> None:
    """Hours after its last use."""
    now = [0.0]
    kept = Drafts(lambda: now[0])
    old, used = add(kept), add(kept)
    now[0] = drafts.KEPT_SECONDS / 2
    kept.find(used.key, "ana")
    now[0] = drafts.KEPT_SECONDS + 1

    assert (kept.find(old.key, "ana"), kept.find(used.key, "ana")) == (None, used)


def test_number_and_bytes_are_bounded() -> None:
    """The one that was not used for longest goes first; the newest stays, however large."""
    kept = Drafts()
    first = add(kept)
    many = [add(kept) for _ in range(drafts._MOST)]
    large = add(kept, drafts._MOST_BYTES + 1)

    assert [kept.find(draft.key, "ana") for draft in (first, many[-1], large)] == [None, None, large]
