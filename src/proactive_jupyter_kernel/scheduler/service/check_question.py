"""A workflow that is to be checked, with all that its checks need to know, and what its checks may lead to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.service.site import Site, rest_urls
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog

__all__ = ["Question", "arguments_of", "asks_addresses", "is_harmless"]

#: Bytes of a workflow whose checks take a few milliseconds at most.
_SMALL = 16 * 1024
#: What the checks evaluate, or what could hide it.
_EVALUATED = (b"model", b"$", b"files", b"&#", b"<!D", b"\0")
_OTHER_ENCODING = re.compile(rb"""encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
#: Bytes in which UTF-16 and UTF-32 show.
_HEAD = 200
#: The beginning of the address of a model, and how workflows name the scheduler they run on.
_MODEL_ADDRESS = re.compile(rb"MODEL_FROM_URL\s*\(\s*([^)\s]{0,80})", re.IGNORECASE)
_OWN_ADDRESSES = (b"${PA_",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A workflow, and all that its checks need to know of the scheduler."""

    xml: str | bytes
    #: Of the submission; they replace those of the workflow.
    variables: Mapping[str, str] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    site: Site
    owner: str
    #: How the submission came (generic information ``submission.mode``); empty: not said.
    mode: str = ""
    slots: tuple[Slot, ...] = ()
    #: Names of the owner's third-party credentials.
    credentials: frozenset[str] = frozenset()
    catalog: Catalog
    hidden: HiddenValues
    #: The folder of the Java libraries that are installed.
    libraries: Path = Path()


def is_harmless(question: Question) -> bool:
    """Whether the checks of a workflow are short, whatever it says: it is small, and says nothing that they evaluate.

    That are models of variables, references, patterns of files, and texts that could hide one: references to
    characters, documents with entities, and encodings other than UTF-8.
    """
    xml = question.xml.encode() if isinstance(question.xml, str) else question.xml
    return (
        len(xml) <= _SMALL
        and not any("$" in text for text in (*question.variables.values(), *question.generic_information.values()))
        and not any(word in xml for word in _EVALUATED)
        and not _OTHER_ENCODING.search(xml[:_HEAD])
    )


def asks_addresses(question: Question) -> bool:
    """Whether a check may wait for an answer of another server: for a model behind an address (``PA:MODEL_FROM_URL``).

    The scheduler's own models are answered without a request. Where the encoding hides the text, it may.
    """
    xml = question.xml.encode() if isinstance(question.xml, str) else question.xml
    own = question.site.url.encode()
    return b"\0" in xml[:_HEAD] or any(
        not address.startswith((own, *_OWN_ADDRESSES)) for address in _MODEL_ADDRESS.findall(xml)
    )


def arguments_of(question: Question) -> dict[str, Any]:
    """What `submission.prepare` and `submission.validate` take beside the text and how it came."""
    from proactive_jupyter_kernel.scheduler.service.lookups import lookups_for

    return {
        "lookups": lookups_for(question.site, question.slots, question.owner, question.credentials, question.catalog),
        "variables": question.variables,
        "generic_information": question.generic_information,
        "site": rest_urls(question.site.url),
        "hidden": question.hidden,
        "libraries": question.libraries,
    }
