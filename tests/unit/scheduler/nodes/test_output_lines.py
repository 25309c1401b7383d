"""From bytes to lines of a log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.nodes.output import LineStream, OutputLimits, merged

WIDE = OutputLimits()
NARROW = OutputLimits(line=20, lines=3, size=10_000, lines_per_second=1, size_per_second=1000, held=10)


def test_lines_are_complete() -> None:
    """A line comes when its line feed has come, unless it is blank; the last one comes at the end without."""
    stream = LineStream(WIDE, 0.0)
    assert stream.feed(b"one\ntw", 0.0) == ["one\n"]
    assert stream.feed(b"o\r\n\nthree", 0.0) == ["two\n"]
    assert stream.finish() == ["three"]


def test_characters_are_not_torn() -> None:
    """A character whose bytes come one by one is one character."""
    stream = LineStream(WIDE, 0.0)
    lines = [line for byte in "é日\n".encode() for line in stream.feed(bytes([byte]), 0.0)]
    assert lines == ["é日\n"]


def test_only_line_feeds_end_lines() -> None:
    """Characters that Python takes for ends of lines, and the returns of a bar of progress, are none here."""
    assert LineStream(WIDE, 0.0).feed("a\x0bb\u2028c\rd\n".encode(), 0.0) == ["a\x0bb\u2028c\rd\n"]


def test_long_lines_are_cut_between_characters() -> None:
    """A line that is too long is cut in pieces of whole characters."""
    stream = LineStream(OutputLimits(line=5), 0.0)
    assert stream.feed("ééé".encode(), 0.0) == ["éé\n"]
    assert stream.finish() == ["é"]


def test_flood() -> None:
    """Over the allowance only the newest is kept, and handed out with time and a line that says what is missing."""
    stream = LineStream(NARROW, 0.0)
    assert stream.feed(b"1\n2\n3\n4\n5\n", 0.0) == ["1\n", "2\n", "3\n"]
    assert stream.holds
    assert stream.feed(b"6\n7\n8\n9\n0\n", 0.0) == []
    assert stream.tick(0.5) == []
    assert stream.tick(1.0) == [
        "[2 lines (4 bytes) of output were left out here: they came too fast for the log]\n",
        "6\n",
    ]
    assert stream.finish() == ["7\n", "8\n", "9\n", "0\n"]
    assert not stream.holds


def test_patience_is_rewarded() -> None:
    """A stream that rests has its full allowance again, and no more than that."""
    stream = LineStream(NARROW, 0.0)
    stream.feed(b"1\n2\n3\n", 0.0)
    assert stream.feed(b"4\n5\n6\n7\n", 1000.0) == ["4\n", "5\n", "6\n"]


def test_masks() -> None:
    """Texts that mean nothing to the reader are replaced, the longer one first."""
    stream = LineStream(WIDE, 0.0)
    stream.masks = merged({"/tmp/x": "<folder>"}, {"/tmp/x/T.sh": "<task T>"})
    assert stream.feed(b"/tmp/x/T.sh: line 1 in /tmp/x\n", 0.0) == ["<task T>: line 1 in <folder>\n"]


@given(chunks=st.lists(st.binary(max_size=60)), line=st.integers(8, 40))
def test_nothing_is_lost(chunks: list[bytes], line: int) -> None:
    """However the bytes come, and whatever they are, the lines are those of the whole, but for blank ones and cuts."""
    data = b"".join(chunks)
    stream = LineStream(OutputLimits(line=line), 0.0)
    lines = [text for chunk in chunks for text in stream.feed(chunk, 0.0)] + stream.finish()
    assert all(text.endswith("\n") for text in lines[:-1])
    parts = data.split(b"\n")
    if max(map(len, parts)) <= line:
        expected = [part.decode("utf-8", "replace").rstrip() for part in parts]
        assert [text.removesuffix("\n") for text in lines] == [text for text in expected if text]


@given(sizes=st.lists(st.integers(0, 30), max_size=40))
def test_every_line_is_shown_or_counted(sizes: list[int]) -> None:
    """In a flood, lines shown and lines reported missing add up to the lines written."""
    limits = OutputLimits(line=100, lines=5, size=100, lines_per_second=2, size_per_second=20, held=40, held_lines=12)
    stream = LineStream(limits, 0.0)
    shown: list[str] = []
    for now, size in enumerate(sizes):
        shown += stream.feed(b"x\n" * size, now / 10)
        shown += stream.tick(now / 10)
    shown += stream.finish()
    missing = sum(int(line[1:].split()[0]) for line in shown if line.startswith("["))
    assert sum(line == "x\n" for line in shown) + missing == sum(sizes)


def test_held_lines_are_few() -> None:
    """Of a flood of short lines no more are held back than are worth their time at the end."""
    stream = LineStream(OutputLimits(lines=2, held_lines=3), 0.0)
    stream.feed(b"1\n2\n3\n4\n5\n6\n7\n", 0.0)
    assert stream.finish() == [
        "[2 lines (4 bytes) of output were left out here: they came too fast for the log]\n",
        "5\n",
        "6\n",
        "7\n",
    ]


def test_output_without_line_ends_is_bounded() -> None:
    """A stream without a line feed is thinned like any other, however small the pieces in which it is read."""
    limits = OutputLimits(line=1000, size=10_000, size_per_second=1000, held=5000)
    stream = LineStream(limits, 0.0)
    let_out = [line for turn in range(2000) for line in stream.feed(b"x" * 500, turn / 1000)]
    let_out += stream.finish()
    notices = [line for line in let_out if line.startswith("[")]
    shown = sum(map(len, let_out)) - sum(map(len, notices))
    assert (len(notices), 14_000 < shown < 20_000) == (1, True)
