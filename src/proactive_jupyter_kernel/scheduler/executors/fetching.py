"""Scripts that stand at a URL: fetched when a task first needs them, and kept for a while."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path, PurePosixPath

from proactive_jupyter_kernel.scheduler.catalog import Catalog, UnknownObject
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["ScriptFetcher"]

_SCHEMES = ("http", "https", "file")
#: Bytes; a larger text is not a script.
_LARGEST = 8 * 1024 * 1024
#: Seconds.
_TIMEOUT = 30.0
_KEPT_FOR = 300.0
_MOST_KEPT = 200


class ScriptFetcher:
    """Fetches and remembers. Called from several threads."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        """`catalog` is the scheduler's own: its files are read, for a task has no session."""
        self._catalog = catalog
        self._known: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def complete(self, script: Script) -> Script:
        """The script with its code, and its language where only the URL tells it. Raises `CannotStart`."""
        if not script.url or script.code:
            return script
        if (path := self._in_catalog(script.url)) is not None:
            script = replace(script, url=path.as_uri())
        parts = urllib.parse.urlsplit(script.url)
        if parts.scheme not in _SCHEMES:
            raise CannotStart(f"its script is at {script.url}, and only http, https and file addresses are fetched")
        language = script.language or PurePosixPath(parts.path).suffix.removeprefix(".")
        return replace(script, code=self._text(script.url), language=language)

    def _in_catalog(self, url: str) -> Path | None:
        try:
            return self._catalog.at(url) if self._catalog else None
        except (UnknownObject, OSError) as error:
            raise CannotStart(f"its script is at {url}: {error}") from error

    def _text(self, url: str) -> str:
        now = time.monotonic()
        with self._lock:
            at, text = self._known.get(url, (0.0, ""))
        if at and now - at < _KEPT_FOR:
            return text
        text = _fetch(url)
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[url] = (now, text)
        return text


def _fetch(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            data = answer.read(_LARGEST + 1)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise CannotStart(f"its script cannot be fetched from {url}: {error}") from error
    if len(data) > _LARGEST:
        raise CannotStart(f"what is at {url} is too large for a script")
    text: str = data.decode("utf-8-sig", "replace")
    return text
