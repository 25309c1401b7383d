"""Links and sessions of portals: what several browsers may do at the same moment."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from proactive_jupyter_kernel.scheduler.access.portal_sessions import LinkRefused, PortalSessions


def sessions(stands: bool = True) -> tuple[PortalSessions, list[str]]:
    store = PortalSessions(clock=lambda: 0.0, timeout=60.0)
    return store, store.links(path="/rm/", origins=(), user="ana", stands=lambda: stands, count=20)


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as the interpreter lets them."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_of_two_who_follow_a_link_at_once_one_gets_in(eager_threads: None) -> None:
    """Whenever the threads take turns: the others get the error that it was used."""
    # The check of the login, between the look at the link and its use, is where another thread comes first.
    turn = threading.Barrier(4, timeout=60)

    def stands() -> bool:
        threading.Event().wait(0.001)
        return True

    store = PortalSessions(clock=lambda: 0.0, timeout=60.0)
    links = store.links(path="/rm/", origins=(), user="ana", stands=stands, count=20)

    def follow(link: str) -> str:
        turn.wait()
        try:
            return store.enter(link, framed=False)[1]
        except LinkRefused as refused:
            return refused.reason

    with ThreadPoolExecutor(4) as pool:
        for link in links:
            found = Counter(pool.map(follow, [link] * 4))
            assert found == {"/rm/": 1, "This link was used already. Each link is good once.": 3}


def test_secrets_cannot_be_guessed() -> None:
    """Tokens of links have 192 random bits, keys of sessions 256, and nothing that is kept contains either."""
    store, links = sessions()
    keys = [store.enter(link, framed=False)[0].key for link in links]
    assert {len(link) for link in links} | {len(key) for key in keys} == {192 // 6, -(-256 // 6)}
    assert len({*links, *keys}) == 40
    kept = {name for table in (store._links, store._sessions) for name in table}
    assert {type(name) for name in kept} == {bytes}
    assert [store.find(key[:-1], framed=False) for key in keys] == [None] * 20


def test_users_do_not_share_a_session() -> None:
    """Each key finds the session of its own user, in a tab or in a frame alone, and its end ends no other."""
    store, _ = sessions()
    found = {}
    for user in ("ana", "bob"):
        (link,) = store.links(path="/rm/", origins=(), user=user, stands=lambda: True)
        found[user] = store.enter(link, framed=user == "bob")[0]
    store.end(found["ana"])
    seen = [
        session and session.user
        for framed in (False, True)
        for key in (found["ana"].key, found["bob"].key)
        for session in [store.find(key, framed=framed)]
    ]
    assert seen == [None, None, None, "bob"]
