"""Logs: prefixes off, streams fitted together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.client.logs import merge, parse
from proactive_jupyter_kernel.client.records import LogLine


def prefixed(*lines: str) -> str:
    return "".join(f"[7t0@host;14:05:09] {line} \n" for line in lines)


def streams(lines: list[LogLine]) -> list[tuple[str, bool]]:
    return [(line.text, line.error) for line in lines]


def test_a_line_loses_prefix_and_one_blank() -> None:
    """The scheduler's own additions go, what the task wrote stays."""
    assert parse(prefixed("  a  ", "")) == [
        LogLine(text="  a  ", time="14:05:09", task="7t0", host="host"),
        LogLine(text="", time="14:05:09", task="7t0", host="host"),
    ]


def test_trailing_blanks_may_have_been_cut() -> None:
    """A server that cuts blanks gives the same lines."""
    assert [line.text for line in parse("[7t0@host;14:05:09] a\n[7t0@host;14:05:09]\n")] == ["a", ""]


@pytest.mark.parametrize("host", ["host", "my host", "10.0.0.1:8080", "host (node-1)"])
@pytest.mark.parametrize("name", ["T", "Load data", "T#1*2", "a[1", "14:05:09", "a]; b]"])
def test_servers_since_14_name_the_task(host: str, name: str) -> None:
    """A name may hold anything, a host all but a closing bracket and a semicolon; no blank follows the text."""
    assert parse(f"[7t0@{host};{name};14:05:09]   a \n[7t0@{host};{name};14:05:10] [b] c; d\n\tat x\n") == [
        LogLine(text="  a ", time="14:05:09", task="7t0", host=host),
        LogLine(text="[b] c; d", time="14:05:10", task="7t0", host=host),
        LogLine(text="\tat x", time="14:05:10", task="7t0", host=host),
    ]


def test_the_blank_line_after_each_record_of_a_live_log_is_none() -> None:
    """A server from 14.0 on writes it; before, a blank line was one of the task's."""
    assert [line.text for line in parse("[7t0@h;T;14:05:09] a\n \n[7t0@h;T;14:05:09] b\n \n")] == ["a", "b"]
    assert [line.text for line in parse("[7t0@h;14:05:09] a \n\n")] == ["a", ""]


def test_a_server_writes_an_empty_log_as_one_line_feed() -> None:
    """A task without output has no lines, and one without errors only those of its output."""
    assert parse("\n") == []
    assert streams(merge("[7t0@h;T;14:05:09] a\n", "[7t0@h;T;14:05:09] a\n", "\n")) == [("a", False)]
    assert streams(merge("[7t0@h;T;14:05:09] a\n", "\n", "[7t0@h;T;14:05:09] a\n")) == [("a", True)]


def test_only_line_feeds_end_lines() -> None:
    """Other separators of Unicode, and a progress bar's carriage returns, belong to the line."""
    assert [line.text for line in parse(prefixed("a\x0bb\u2028c", "10%\r20%"))] == ["a\x0bb\u2028c", "10%\r20%"]


def test_a_line_without_prefix_belongs_to_the_one_before() -> None:
    """A record of several lines keeps them all."""
    lines = parse("[7t0@host;14:05:09] a\nb\nc \n")
    assert [(line.text, line.time) for line in lines] == [("a", "14:05:09"), ("b", "14:05:09"), ("c ", "14:05:09")]


def test_another_pattern_is_left_alone() -> None:
    """Where the server is configured otherwise, lines are shown as they come."""
    assert parse("12:00 hello\n") == [LogLine(text="12:00 hello")]


def test_no_log_has_no_lines() -> None:
    """Nothing gives nothing."""
    assert (parse(""), merge("", "", "")) == ([], [])


def test_streams_are_separated_in_order() -> None:
    """The whole gives the order, the two parts the streams."""
    whole, out, err = prefixed("a", "b", "c", "d"), prefixed("a", "c"), prefixed("b", "d")
    assert streams(merge(whole, out, err)) == [("a", False), ("b", True), ("c", False), ("d", True)]


def test_equal_lines_are_fitted_by_what_follows() -> None:
    """A line that both streams have is given to the one that leaves the rest in order."""
    whole, out, err = prefixed("a", "y", "a", "x"), prefixed("a", "x"), prefixed("a", "y")
    assert streams(merge(whole, out, err)) == [("a", True), ("y", True), ("a", False), ("x", False)]


def test_a_log_that_grew_meanwhile_is_fitted() -> None:
    """The parts may know more than the whole, for they were asked later."""
    assert streams(merge(prefixed("a", "b"), prefixed("a", "c"), prefixed("b", "d"))) == [("a", False), ("b", True)]


def test_a_log_that_was_cut_is_recognized_by_its_content() -> None:
    """Where the parts cannot be fitted, a line that only standard error has is an error."""
    lines = merge(prefixed("lost", "a", "b"), prefixed("a"), prefixed("b"))
    assert streams(lines) == [("lost", False), ("a", False), ("b", True)]


def test_many_equal_lines_are_quick() -> None:
    """Thousands of equal lines in both streams are fitted without trying every way."""
    whole, out, err = prefixed(*["x"] * 6000), prefixed(*["x"] * 4000), prefixed(*["x"] * 2000)
    assert sum(line.error for line in merge(whole, out, err)) <= 2000


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_every_interleaving_fits(lines: list[tuple[str, bool]]) -> None:
    """However two streams interleave, each keeps its own lines in its own order."""
    whole = prefixed(*(text for text, _ in lines))
    out = prefixed(*(text for text, error in lines if not error))
    err = prefixed(*(text for text, error in lines if error))
    found = streams(merge(whole, out, err))
    assert [text for text, _ in found] == [text for text, _ in lines]
    assert [text for text, error in found if error] == [text for text, error in lines if error]
    assert [text for text, error in found if not error] == [text for text, error in lines if not error]
