"""Whose link it is: the session's id goes to this scheduler alone."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.rest.routes.workflow_source import is_own

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("link", "own"),
    [
        (URL + "/catalog/buckets/b/resources/o/raw", True),
        (URL + "//catalog/buckets/b/resources/o/raw", True),
        ("http://localhost:8080/catalog", True),
        ("http://localhost:8081/catalog", False),
        ("https://127.0.0.1:8080/", False),
        ("http://127.0.0.1:8080@evil.example/", False),
        ("http://127.0.0.1:8080.evil.example/", False),
        ("http://evil.example:8080/", False),
        ("http://127.0.0.1:99999999/", False),
        ("http://[", False),
        ("file:///127.0.0.1:8080/", False),
    ],
)
def test_a_link_is_the_schedulers_own_by_host_and_port(link: str, own: bool) -> None:
    """Addresses that only look like it are others'."""
    assert is_own(link, URL) is own
