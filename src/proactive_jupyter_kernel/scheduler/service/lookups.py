"""What only a scheduler can answer when it checks variables: files in its spaces, models behind URLs.

The models of the resource manager (``/rm/model/hosts`` and its kin, which many workflows name) are answered from the
slots at hand, without a request to oneself. Variables that name objects of the catalog pass while it is empty.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Container, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from proactive_jupyter_kernel.scheduler.attempt import DEFAULT_SOURCE, Slot
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder, LeavesSpace
from proactive_jupyter_kernel.workflow.java.regex import JavaPattern, compile_java
from proactive_jupyter_kernel.workflow.model_types import Lookups

__all__ = ["lookups_for", "resource_model"]

#: Seconds for a model behind a URL; somebody waits for the submission's answer.
_TIMEOUT = 10.0
#: Bytes of a model; it is one line.
_LARGEST = 1024 * 1024
_OWN = "/rest/rm/model/"
#: What makes matching exponential, or a high power of the length of a name.
_REPEATED_GROUP, _REPETITION = re.compile(r"\)[*+{]"), re.compile(r"[*+{]")
_REPETITIONS, _LONGEST_PATTERN = 4, 200


def lookups_for(
    site: Site, slots: Sequence[Slot], owner: str, credentials: Container[str], catalog: Catalog
) -> Lookups:
    """The answers for a submission of `owner`, who has credentials of these names. They block: not for the loop."""
    folders = {
        "USER": Folder(Path(site.spaces.get("user", ""), owner), "user space"),
        "GLOBAL": Folder(Path(site.spaces.get("global", "")), "global space"),
    }

    def file(space: str, path: str, is_folder: bool) -> bool:
        try:
            place = folders[space].at(path)
        except LeavesSpace:
            return False
        return bool(path) and (place.is_dir() if is_folder else place.is_file())

    def in_catalog(value: str, arguments: tuple[str, ...]) -> bool:
        bucket, name = value.split("/")[:2]
        return catalog.has(bucket, name)

    def fetch(url: str) -> str:
        if url.startswith(f"{site.url}{_OWN}"):
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query))
            return resource_model(
                slots,
                parts.path.removeprefix(_OWN),
                name=query.get("name", ""),
                no_empty=query.get("noEmpty") == "true",
            )
        return _fetched(url)

    return Lookups(
        fetch=fetch,
        file=file if site.spaces else None,
        credential=lambda name: name in credentials,
        catalog=in_catalog,
    )


def _simple_pattern(text: str) -> JavaPattern:
    """A pattern that cannot take long: `/rm/model` is asked without a session, and a match cannot be interrupted."""
    if len(text) > _LONGEST_PATTERN or _REPEATED_GROUP.search(text) or len(_REPETITION.findall(text)) > _REPETITIONS:
        raise ValueError(
            f"the pattern {text[:40]!r} may take too long; it must not repeat groups, repeat at most {_REPETITIONS} "
            f"parts, and have at most {_LONGEST_PATTERN} characters"
        )
    return compile_java(text)


def resource_model(slots: Sequence[Slot], kind: str, *, name: str = "", no_empty: bool = False) -> str:
    """The model that lists ``hosts``, ``nodesources`` or ``tokens``; `name` is a regular expression.

    An empty item, which stands for no choice, comes first unless `no_empty`. Raises ValueError for another kind, and
    for a `name` that is not a regular expression of Java.
    """
    names = {
        "hosts": sorted({slot.host for slot in slots}),
        "nodesources": [DEFAULT_SOURCE, *sorted({slot.source for slot in slots})],
        "tokens": sorted({token for slot in slots for token in slot.tokens}),
    }.get(kind.strip("/"))
    if names is None:
        raise ValueError(f"there is no model {kind!r}; the models are hosts, nodesources and tokens")
    pattern = _simple_pattern(name) if name else None
    found = [one for one in dict.fromkeys(names) if pattern is None or pattern.fullmatch(one)]
    if not found:
        return "PA:LIST()"
    return f"PA:LIST({'' if no_empty else ','}{','.join(found)})"


def _fetched(url: str) -> str:
    """The text behind an address of the web; raises OSError and ValueError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("only http: and https: are asked for a model")
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
        content: bytes = answer.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is longer than {_LARGEST} bytes")
    return content.decode("utf-8", "replace").strip()
