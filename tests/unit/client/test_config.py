"""Which scheduler is meant: arguments, file, environment."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client.config import (
    EMBEDDED,
    TRIAL_URL,
    Settings,
    completed,
    discover,
    from_environment,
    read_config,
    url_of,
)
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import SetupError


def written(folder: Path, text: str, *, name: str = "proactive_config.ini") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ""),
        ({"host": "local"}, ""),
        ({"host": "Local", "port": 99}, ""),
        ({"host": "h"}, "http://h:8080"),
        ({"host": "h", "port": 9090}, "http://h:9090"),
        ({"host": "h", "port": "8443"}, "https://h:8443"),
        ({"host": "h", "port": 443}, "https://h:443"),
        ({"host": "h", "port": 8443, "protocol": "http"}, "http://h:8443"),
        ({"host": "h", "port": 8080, "protocol": "HTTPS"}, "https://h:8080"),
        ({"host": "::1", "port": 8080}, "http://[::1]:8080"),
        ({"url": "https://h:8443/"}, "https://h:8443"),
        ({"url": " http://h:8080/rest/ "}, "http://h:8080"),
        ({"url": "https://h/sub/rest"}, "https://h/sub"),
    ],
)
def test_an_address_is_made_of_what_is_given(given: dict[str, Any], expected: str) -> None:
    """Host and port make an address, with https where the port says so; a url stands as given."""
    assert url_of(**given) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "h", "url": "http://h"}, "Both"),
        ({"host": "h", "port": "eighty"}, "'eighty' is not a port"),
        ({"host": "h", "port": 0}, "'0' is not a port"),
        ({"host": "h", "port": 70000}, "not a port"),
        ({"url": "h:8080"}, "'h:8080' is not the address of a scheduler"),
        ({"url": "ftp://h"}, "not the address"),
        ({"host": "h", "protocol": "gopher"}, "not the address"),
        ({"url": "http://h/?password=x"}, r"^The address of 'h' has a '\?' or '#' in it"),
    ],
)
def test_what_is_not_an_address_is_refused(given: dict[str, Any], said: str) -> None:
    """A mistake is reported before any request."""
    with pytest.raises(SetupError, match=said):
        url_of(**given)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"url": "h:8080"}, "Write url=http://h:8080."),
        ({"url": "h.example:8443/sub"}, "Write url=https://h.example:8443/sub."),
        ({"url": "htp://h"}, "An address looks like https://HOST:8443."),
        ({"host": "http://h", "port": 9090}, "Write url=http://h:9090."),
        ({"host": "http://h:8080/sub", "port": 9090}, "Write url=http://h:8080/sub."),
        ({"host": "https://h/sub", "port": "8443"}, "Write url=https://h:8443/sub."),
        (
            {"url": "http://h:8080/studio/#/login"},
            "Write url=http://h:8080. An address ends after the port, or a gateway's path.",
        ),
    ],
)
def test_a_refused_address_says_what_to_write(given: dict[str, Any], hint: str) -> None:
    """Nothing that was given is lost in it."""
    with pytest.raises(SetupError) as refused:
        url_of(**given)
    assert refused.value.hint == hint


def test_a_password_in_an_address_is_refused_without_quoting_it() -> None:
    """An address is shown in many places; a password has none there."""
    with pytest.raises(SetupError) as caught:
        url_of(url="https://me:hunter2@h:8443")
    assert "hunter2" not in str(caught.value)


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    """Percent signs, equals signs, hashes and quotes belong to the value."""
    path = written(
        tmp_path,
        '# ours\n[proactive_server]\nhost = h\nport: 8443\n\n[user]\nlogin = DOM\\me@x\npassword = 50%&=;#"p%(x)s" é\n',
    )
    assert read_config(path) == Settings(
        url="https://h:8443", login="DOM\\me@x", password=Secret('50%&=;#"p%(x)s" é'), source=str(path)
    )


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("[proactive_server]\nurl = http://h:1/rest\n", "http://h:1"),
        ("[proactive_server]\nhost = h\nprotocol = https\nport = 1\n", "https://h:1"),
        ("[proactive_server]\nhost = local\n[user]\nlogin = me\n", ""),
        ("[user]\nlogin = me\n", TRIAL_URL),
        ("", ""),
    ],
)
def test_a_file_names_a_server(tmp_path: Path, text: str, url: str) -> None:
    """A url, or host, port and protocol; a login alone means the trial platform."""
    assert read_config(written(tmp_path, text)).url == url


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """Files written by Windows editors are read."""
    path = tmp_path / "x.ini"
    path.write_bytes(b"\xef\xbb\xbf[proactive_server]\nhost = h\n")
    assert read_config(path).url == "http://h:8080"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("password = hunter2\n", "line 1 comes before the first [section]"),
        ("[user]\nlogin = a\nhunter2\n", "line 3 is neither"),
        ("[user]\npassword = a\npassword = hunter2\n", "line 3 repeats"),
        ("[user]\n[user]\n", "line 2 repeats"),
        ("[proactive_server]\nhost = h\nport = hunter2x\n", "not a port"),
    ],
)
def test_a_broken_file_is_one_message_without_its_text(tmp_path: Path, text: str, said: str) -> None:
    """The message names file and line, never the line's content, which may be the password."""
    path = written(tmp_path, text)
    with pytest.raises(SetupError) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    if "port" not in said:
        shown = "".join(traceback.TracebackException.from_exception(caught.value).format())
        assert "hunter2" not in shown


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and one that is not text are errors of ours."""
    with pytest.raises(SetupError, match="No such file"):
        read_config(tmp_path / "none.ini")
    path = tmp_path / "x.ini"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match="not UTF-8"):
        read_config(path)


def test_the_environment_is_for_headless_runs() -> None:
    """Address, login and password from three variables."""
    environ = {"PROACTIVE_URL": "https://h:8443", "PROACTIVE_LOGIN": "me", "PROACTIVE_PASSWORD": "p"}
    found = from_environment(environ)
    assert found is not None
    assert (found.url, found.login, found.password.reveal(), found.complete) == ("https://h:8443", "me", "p", True)
    assert from_environment({"PROACTIVE_LOGIN": "me"}) is None
    assert from_environment({"PROACTIVE_URL": "local"}) == Settings(source="the environment variable PROACTIVE_URL")


def test_a_password_goes_only_with_its_login() -> None:
    """The environment's password is not sent for another login."""
    environ = {"PROACTIVE_LOGIN": "me", "PROACTIVE_PASSWORD": "p"}
    assert completed(Settings(url="http://h"), environ).password.reveal() == "p"
    assert completed(Settings(url="http://h", login="me"), environ).complete
    assert not completed(Settings(url="http://h", login="you"), environ).password
    assert completed(EMBEDDED, environ) == EMBEDDED


def test_nothing_said_means_the_embedded_scheduler(tmp_path: Path) -> None:
    """The environment before the folder's file before the default."""
    assert discover(tmp_path, {}) == EMBEDDED
    path = written(tmp_path, "[proactive_server]\nhost = h\n")
    environ = {"PROACTIVE_LOGIN": "me", "PROACTIVE_PASSWORD": "p"}
    assert discover(tmp_path, environ) == Settings(
        url="http://h:8080", login="me", password=Secret("p"), source=str(path)
    )
    assert discover(tmp_path, {"PROACTIVE_URL": "http://other"}).url == "http://other"


def test_settings_never_show_the_password() -> None:
    """Not in their repr either."""
    assert "hunter2" not in repr(Settings(url="http://h", login="me", password=Secret("hunter2")))
