"""Patterns of files: Java's globs, regular expressions, and what they choose from a tree."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from proactive_jupyter_kernel.workflow.globs import InvalidPattern, choose, compile_pattern

#: Pattern, paths that Java's PathMatcher takes, paths that it does not.
CASES = [
    ("a.txt", ["a.txt"], ["b/a.txt", "axtxt", "a.txt.gz"]),
    ("*.txt", ["a.txt", ".txt", ".hidden.txt"], ["b/a.txt", "a.txt.gz"]),
    ("**.txt", ["a.txt", "b/a.txt"], ["a.csv"]),
    ("**/*.txt", ["b/a.txt", "c/b/a.txt"], ["a.txt"]),
    ("**", ["a", "b/a"], []),
    ("data/**", ["data/a", "data/b/a"], ["data", "other/a"]),
    ("?.txt", ["a.txt", "é.txt"], ["ab.txt", "/.txt"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
    ("[!a-c]x", ["dx"], ["ax", "/x"]),
    ("[^a]x", ["^x", "ax"], ["bx"]),
    ("[]]", ["]"], []),
    ("*.{csv,json}", ["a.csv", "a.json"], ["a.c"]),
    ("{in,out}/*", ["in/a", "out/b"], ["x/a"]),
    ("a}b", ["a}b"], []),
    ("a,b", ["a,b"], ["a"]),
    (r"a\*b", ["a*b"], ["axb"]),
    ("a+(b).txt", ["a+(b).txt"], ["aab.txt"]),
    ("./a.txt", ["a.txt"], ["./a.txt"]),
    ("glob:*.txt", ["a.txt"], ["b/a.txt"]),
    (r"regex:.*\.txt", ["a.txt", "b/a.txt"], ["a.txt.gz"]),
    (r"regex:\d+/\p{Alpha}+", ["12/ab"], ["12/3"]),
    ("line\n*", ["line\nx"], []),
]


@pytest.mark.parametrize(("text", "good", "bad"), CASES, ids=[case[0] for case in CASES])
def test_pattern_matches_as_java_does(text: str, good: list[str], bad: list[str]) -> None:
    """A pattern takes the paths that Java's path matcher takes, and no others."""
    pattern = compile_pattern(text)
    assert ([path for path in good if not pattern.matches(path)], [path for path in bad if pattern.matches(path)]) == (
        [],
        [],
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("../a", "may not go up"),
        ("a/../../b", "may not go up"),
        ("{..,a}/b", "may not go up"),
        ("/etc/passwd", "must be relative"),
        ("glob:/etc/*", "must be relative"),
        ("C:/a", "must be relative"),
        ("a{b", "a brace is not closed"),
        ("{a,{b}}", "braces cannot stand in braces"),
        ("[a", "a bracket is not closed"),
        ("[z-a]", "is not a range"),
        ("[a/b]", "holds a slash"),
        ("a\\", "ends with a backslash"),
        ("regex:(", "cannot be used"),
        ("regex:(?:a{999}){999}", "more than 10,000 elements"),
        ("regex:a**", "nothing to repeat"),
    ],
)
def test_bad_pattern_says_what_is_wrong(text: str, why: str) -> None:
    """A text that is not a pattern, or leaves the space, is refused with the pattern and the reason."""
    with pytest.raises(InvalidPattern) as caught:
        compile_pattern(text)
    message = str(caught.value)
    assert (why in message, repr(text) in message) == (True, True)


def test_long_pattern_is_refused() -> None:
    """The message names the length and a way out."""
    with pytest.raises(InvalidPattern, match="has 6,000 characters; at most 5,000 are read"):
        compile_pattern("a" * 6_000)


@pytest.mark.parametrize("text", ["**a" * 30 + "b", "regex:(?:(?:a|ab|abc|b|c)+)+[xy]"])
def test_pattern_that_takes_too_long_is_stopped(text: str) -> None:
    """A pattern with many wildcards is given up with a message, not after minutes."""
    with pytest.raises(InvalidPattern, match="takes too long on 'abc"):
        compile_pattern(text).matches("abc" * 1_000)


class Tree:
    """Folders in memory that remember who was asked."""

    def __init__(self, *files: str) -> None:
        self.files = files
        self.asked: list[str] = []

    def children(self, folder: str) -> Iterable[tuple[str, bool]]:
        self.asked.append(folder)
        start = f"{folder}/" if folder else ""
        rest = [file.removeprefix(start) for file in self.files if file.startswith(start)]
        return {(path.split("/")[0], "/" in path) for path in rest}

    def choose(self, *includes: str, without: str = "") -> list[str]:
        excludes = [compile_pattern(without)] if without else []
        return list(choose(self.children, [compile_pattern(text) for text in includes], excludes))


def test_choice_is_include_without_exclude() -> None:
    """A file is taken if an include matches it and the exclude does not; without includes every file is."""
    tree = Tree("a.txt", "b/c.txt", "b/d.txt", "e.csv")
    assert tree.choose("**.txt", without="**/d.*") == ["a.txt", "b/c.txt"]
    assert tree.choose("*.csv", "b/c*") == ["b/c.txt", "e.csv"]
    assert tree.choose() == ["a.txt", "b/c.txt", "b/d.txt", "e.csv"]


def test_tree_deeper_than_the_stack() -> None:
    """A file is found however many folders lie above it."""

    def children(folder: str) -> list[tuple[str, bool]]:
        return [("d", True)] if folder.count("d") < 1500 else [("f", False)]

    assert list(choose(children, [compile_pattern("**")])) == ["d/" * 1500 + "f"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("*.txt", [""]),
        ("big/one/*.txt", ["", "big", "big/one"]),
        ("big/*/x", ["", "big", "big/one", "big/two"]),
        ("big/two/**", ["", "big", "big/two", "big/two/deep"]),
    ],
)
def test_only_folders_that_may_hold_a_match_are_read(text: str, asked: list[str]) -> None:
    """A pattern does not make anybody read folders in which it cannot match."""
    tree = Tree("a.txt", "big/one/a.txt", "big/two/deep/x", "other/a.txt")
    tree.choose(text)
    assert tree.asked == asked
