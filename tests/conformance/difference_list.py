"""The list of differences: where the embedded scheduler's answers differ from those of a ProActive server, and why.

Each scenario of the recordings has a file ``differences/NN-name.toml``; ``differences/every.toml`` holds what is the
same in all of them, and ``differences/unrecorded.toml`` what no recording shows. A file looks like this::

    title = "Logging in"                            # the heading in docs/reference/fidelity.md

    [[difference]]
    exchanges = ["wrong password, *"]               # globs: the exchange's name, or name and request as the comparer
                                                    # prints them ("NAME: GET /scheduler/x?y=z"); "frames of NAME" for
                                                    # a WebSocket, 'wait {"job": ...}' for the outcome of a wait
    differs = ["status"]                            # the comparer's words for it (first column of its report)
    place = ["$.errorMessage"]                      # globs: place in the JSON ("[]" for any item), name of a header;
                                                    # left out where the comparer gives no place (status, text, ...)
    found = "404 LoginException -> 200"             # glob: the comparer's detail; required for a status
    kind = "kinder"                                 # or "fault of the server", "not offered", "environment"
    what = "A wrong password"                       # subject, for the page; words for users in these four
    server = "is answered with 404"
    ours = "is answered with 404 and says where the token is"
    reason = "..."

In globs only ``*`` is special. `every.toml` adds ``seen_in = "05-unknown"``: the scenario that must show the row.
`unrecorded.toml` has ``test = "tests/unit/x/test_y.py::test_z"`` instead of the first four: the test that holds it.
``sometimes = true`` is for what depends on timing: such a row is not stale when it matches nothing.

``python -m tests.conformance.recordings 06-listings`` plays scenarios and prints the differences that no row explains
and the rows (or single globs of them) that match nothing; ``make reference`` writes the page from this list.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "KINDS", "Difference", "DifferenceFile", "Row", "Verdict", "judge", "load", "page", "scenarios"]

FOLDER = Path(__file__).parent / "differences"
#: Kinds of reasons, with their headings on the page and a sentence about each.
KINDS = {
    "kinder": ("Kinder than a server", "A server's behavior hurts its user here, and no client depends on it."),
    "fault of the server": ("Faults of a server that are not imitated", "A later version of the server may mend them."),
    "not offered": ("Not offered", "What one user on one machine does not need; the answer is a well-formed error."),
    "environment": ("Due to the environment", "The two run in different places, with other accounts and programs."),
}
_EVERY, _UNRECORDED = "every", "unrecorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One line of the comparer."""

    #: The comparer's word: "status", "null", "key-missing", "message", ...
    differs: str
    #: The exchange's name, then its method, path and query.
    exchange: str
    #: Place in the JSON or name of a header; may be empty.
    place: str
    #: What the server said, and what ours said instead.
    detail: str

    def __str__(self) -> str:
        return f"{self.differs}\t{self.place}\t{self.detail}\t| {self.exchange}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference that is meant, and its reason."""

    kind: str
    what: str
    server: str
    ours: str
    reason: str
    exchanges: Sequence[str] = ()
    differs: Sequence[str] = ()
    place: Sequence[str] = ("*",)
    found: str = "*"
    #: Depends on timing: need not be seen in every run.
    sometimes: bool = False
    #: The scenario that must show a row of `every.toml`.
    seen_in: str = ""
    #: The test that holds a row which no recording shows.
    test: str = ""

    def explains(self, difference: Difference) -> bool:
        """Whether this row is about a difference."""
        return (
            difference.differs in self.differs
            and any(_matches_exchange(glob, difference.exchange) for glob in self.exchanges)
            and any(_matches_place(glob, difference.place) for glob in self.place)
            and _matches(self.found, difference.detail)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceFile:
    """One file of the list."""

    name: str
    title: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with the list, for one scenario."""

    #: Differences that no row explains.
    unexplained: Sequence[Difference]
    #: Rows, or single globs of them, that match nothing any more.
    stale: Sequence[str]

    def __str__(self) -> str:
        lines = [f"{len(self.unexplained)} differences that no row explains:", *map(str, self.unexplained)]
        return (
            "\n  ".join(lines)
            + "\n"
            + "\n  ".join([f"{len(self.stale)} rows or globs that match nothing:", *self.stale])
        )


def scenarios() -> list[str]:
    """The scenarios that have a file, in order."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.toml"))


@functools.cache
def load(name: str) -> DifferenceFile:
    """A file of the list; raises ValueError that names the row at fault."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    rows = tuple(_row(name, number, entry) for number, entry in enumerate(content.pop("difference", ()), 1))
    title = content.pop("title", "")
    if content or not title:
        raise ValueError(f"{name}.toml must have a title and [[difference]] alone; found also: {sorted(content)}")
    return DifferenceFile(name=name, title=title, rows=rows)


def _row(name: str, number: int, entry: dict[str, Any]) -> Row:
    where = f"{name}.toml, difference {number} ({entry.get('what', '?')!r})"
    unknown = set(entry) - {each.name for each in fields(Row)}
    missing = {"kind", "what", "server", "ours", "reason"} - set(entry)
    missing |= {"test"} - set(entry) if name == _UNRECORDED else {"exchanges", "differs"} - set(entry)
    missing |= {"seen_in"} - set(entry) if name == _EVERY else set()
    if unknown or missing:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    if entry["kind"] not in KINDS:
        raise ValueError(f"{where}: kind must be one of {', '.join(KINDS)}, not {entry['kind']!r}")
    if "status" in entry.get("differs", ()) and not entry.get("found", "*").strip("*"):
        raise ValueError(f"{where}: a row about a status says which, in 'found'")
    for key in ("exchanges", "differs", "place"):
        if not isinstance(entry.get(key, []), list):
            raise ValueError(f"{where}: {key!r} must be a list")
    return Row(**entry)


# --- judging -----------------------------------------------------------------------------------------------------


def judge(scenario: str, found: Iterable[Difference]) -> Verdict:
    """What the list has too little and too much for the differences of one scenario."""
    found = list(found)
    own, every = load(scenario).rows, load(_EVERY).rows
    here = [*own, *(row for row in every if row.seen_in == scenario)]
    return Verdict(
        unexplained=[each for each in found if not any(row.explains(each) for row in (*own, *every))],
        stale=[text for row in here for text in _stale(row, found)],
    )


def _stale(row: Row, found: Sequence[Difference]) -> Iterator[str]:
    if row.sometimes:
        return
    explained = [each for each in found if row.explains(each)]
    if not explained:
        yield f"{row.what!r} matches nothing"
        return
    for glob in row.exchanges:
        if not any(_matches_exchange(glob, each.exchange) for each in explained):
            yield f"{row.what!r}: exchange {glob!r} matches nothing"
    for glob in row.place:
        if not any(_matches_place(glob, each.place) for each in explained):
            yield f"{row.what!r}: place {glob!r} matches nothing"
    for word in row.differs:
        if not any(each.differs == word for each in explained):
            yield f"{row.what!r}: no difference of the sort {word!r}"


def _matches_exchange(glob: str, label: str) -> bool:
    name = re.sub(r": (?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|WS) \S*$", "", label)
    return _matches(glob, label) or _matches(glob, name)


def _matches_place(glob: str, place: str) -> bool:
    return _matches(glob, re.sub(r"\[\d+\]", "[]", place))


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", ".*"), re.DOTALL)


def _matches(glob: str, text: str) -> bool:
    return _pattern(glob).fullmatch(text) is not None


# --- the page ----------------------------------------------------------------------------------------------------

_HEAD = """# Differences from a ProActive server

<!-- Written by `python -m tests.conformance.difference_list`; edit tests/conformance/differences, not this page. -->

The embedded scheduler answers the same REST API as a ProActive server, so that the notebook and clients that others
wrote work with both. The tests play recorded exchanges of a ProActive server (version 14.2.0) against it and compare
every answer field by field. They fail if an answer differs in a way that this page does not list, and if this page
lists a difference that is gone.
"""


def page() -> str:
    """docs/reference/fidelity.md: the list in words, by kind of reason."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    files = [load(name) for name in (_EVERY, *scenarios(), _UNRECORDED)]
    for kind, (heading, sentence) in KINDS.items():
        tables = [(file, [row for row in file.rows if row.kind == kind]) for file in files]
        if not any(rows for _, rows in tables):
            continue
        yield f"## {heading}\n"
        yield f"{sentence}\n"
        for file, rows in tables:
            if rows:
                yield f"### {file.title}\n"
                yield "| what | a ProActive server | the embedded scheduler | why |\n| --- | --- | --- | --- |"
                yield from (f"| {' | '.join(map(_cell, _words(row)))} |" for row in rows)
                yield ""


def _words(row: Row) -> tuple[str, ...]:
    return row.what, row.server, row.ours, row.reason


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
