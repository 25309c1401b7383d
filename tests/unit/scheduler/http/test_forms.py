"""Forms as clients send them."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.http.forms import BadForm, Part, read

BODY = (
    b"--B\r\n"
    b'Content-Disposition: form-data; name="variables"\r\n'
    b"Content-Type: application/json; charset=utf-8\r\n\r\n"
    b'{"A":"\xc3\xa9&="}\r\n'
    b"--B\r\n"
    b'Content-Disposition: form-data; name="job.xml"; filename="f.xml"\r\n'
    b"content-type: text/XML\r\n\r\n"
    b"<job/>\r\n--BB\r\n\r\n"
    b"--B\r\n"
    b'Content-Disposition: form-data; name="plain"\r\n\r\n'
    b"\r\n--B--\r\n"
)


def test_a_multipart_body_keeps_types_order_and_bytes() -> None:
    """Media types of parts without file name are known; content is what was between the boundaries."""
    assert read("multipart/form-data; boundary=B", BODY) == [
        Part(name="variables", content='{"A":"é&="}'.encode(), media_type="application/json"),
        Part(name="job.xml", content=b"<job/>\r\n--BB\r\n", media_type="text/xml", file_name="f.xml"),
        Part(name="plain", content=b""),
    ]


def test_a_quoted_boundary_is_understood() -> None:
    """As some clients write it."""
    assert len(read('multipart/form-data; charset=x; boundary="B"', BODY)) == 3


def test_an_urlencoded_body_is_a_form_too() -> None:
    """Blank values stay."""
    parts = read("application/x-www-form-urlencoded; charset=UTF-8", b"username=a%40b&password=+%C3%A9&x=")
    assert parts == [
        Part(name="username", content=b"a@b"),
        Part(name="password", content=" é".encode()),
        Part(name="x", content=b""),
    ]


BAD = [
    ("application/octet-stream", b"", "must be a form"),
    ("multipart/form-data", b"", "has no boundary"),
    ("multipart/form-data; boundary=B", b"nonsense", "cannot be read"),
    ("multipart/form-data; boundary=B", BODY[:60], "cannot be read"),
]


@pytest.mark.parametrize(("content_type", "body", "message"), BAD)
def test_a_broken_form_says_what_is_wrong(content_type: str, body: bytes, message: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(BadForm, match=message):
        read(content_type, body)
