"""Java's regular expressions and date formats, and cron4j's expressions, as ProActive's models use them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.service.local_zone import LocalZone
from proactive_jupyter_kernel.workflow.cron import next_date, parse
from proactive_jupyter_kernel.workflow.java.dates import parse_date
from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded, deadline
from proactive_jupyter_kernel.workflow.java.regex import UnsupportedRegex, compile_java


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"(?<year>\d{4})-\k<year>", "2024-2024", True),
        (r"\p{Alpha}+\p{Digit}*", "ab12", True),
        (r"\p{Alpha}+", "é", False),
        (r"\P{Upper}", "a", True),
        (r"[\p{Lower}_\-]+", "a_-b", True),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\d", "٣", False),
        (r"a++b", "aab", True),
        (r"a++a", "aa", False),
        (r"(?>ab?)b", "ab", False),
        (r"(?i)abc", "ABC", True),
        (r"(?s).", "\n", True),
        (r".", "\r", False),
        (r"a\Rb", "a\r\nb", True),
        (r"\Aab\z", "ab", True),
        (r"[|&~-]", "-", True),
        (r"[a\-z]", "-", True),
        (r"[\h]x", "\u00a0x", True),
        (r"[^\]]+", "ab", True),
        (r"(?<=a)b|(?<!c)d", "d", True),
        (r"x{2,3}", "xx", True),
        (r"\x41\u0042", "AB", True),
        (r"\$\{a\}", "${a}", True),
        (r"\p{L}+", "żółw", True),
        (r"\pL\p{IsLatin}\p{javaLowerCase}\p{IsAlphabetic}\p{InGreek}", "aéßxα", True),
        (r"[\p{L}&&[^b]]+", "acé", True),
        (r"[a-z&&[^b]]+", "ab", False),
        (r"[a[0-9]]+", "a5", True),
        (r"[^\D]+", "12", True),
        (r"[[:alpha:]]+", "alph:", True),
        (r"(a)(b)\2\1", "abba", True),
        (r"^a$", "a\n", False),
        (r"(?m)^a$\n^b$", "a\nb", True),
        (r"(?x) a b # c", "ab", True),
        (r"(?i:ß)", "ss", False),
        (r"\0101\cA\x{42}", "A\x01B", True),
        (r"\Ga", "a", True),
        (r"(?u)a", "a", True),
        (r"[]a]+}", "]a}", True),
    ],
)
def test_patterns_match_as_in_java(pattern: str, text: str, matches: bool) -> None:
    """The whole text is matched, by Java's meaning of each construct."""
    assert (compile_java(pattern).fullmatch(text) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "'(' is not a regular expression: a parenthesis is not closed"),
        ("a)", "'a)' is not a regular expression: a closing parenthesis has no opening one"),
        ("a{", "'a{' is not a regular expression: illegal repetition {"),
        ("a{2,1}", "'a{2,1}' is not a regular expression: illegal repetition range {2,1}"),
        ("a**", "'a**' is not a regular expression: there is nothing to repeat before '*'"),
        ("[a", "'[a' is not a regular expression: a character class is not closed"),
        ("[z-a]", "'[z-a]' is not a regular expression: a range of characters is in the wrong order"),
        ("a\\", "'a\\\\' is not a regular expression: it ends with a backslash"),
        (r"\k", r"'\\k' is not a regular expression: \k needs a group's name"),
        (r"\p{Foo}", r"'\\p{Foo}' uses the class \p{Foo}, which is not supported here"),
        (r"\y", r"'\\y' uses \y, which is not supported here"),
        ("(?q)a", "'(?q)a' uses the flags (?q), which is not supported here"),
        ("(?P<a>b)", "'(?P<a>b)' is not a regular expression: unknown group '(?P<'"),
        ("(?1)", "'(?1)' is not a regular expression: unknown group '(?1)'"),
        ("(*FAIL)", "'(*FAIL)' is not a regular expression: unknown group '(*FA'"),
        ("(?:a){e<=1}", "'(?:a){e<=1}' is not a regular expression: illegal repetition {"),
        (
            "(?:(?:a{1000}){1000}){1000}",
            "'(?:(?:a{1000}){1000}){1000}' is not a regular expression: its counted repetitions expand to more than "
            "10,000 elements",
        ),
        ("(" * 90 + ")" * 90, f"'{'(' * 79}…' is not a regular expression: it is nested too deep"),
        ("x" * 5001, f"'{'x' * 79}…' has 5,001 characters; a regular expression has at most 5,000"),
    ],
)
def test_patterns_without_a_python_form_are_named(pattern: str, message: str) -> None:
    """A pattern that is wrong, or that Python cannot express, is refused with the construct."""
    with pytest.raises(UnsupportedRegex) as caught:
        compile_java(pattern)

    assert str(caught.value) == message


@given(st.text(r"\[](){}a-z&|~^$.?*+:<>=!pkQERhdw0,#", max_size=12), st.text("ab-&#", max_size=20))
def test_any_pattern_is_compiled_or_refused(pattern: str, text: str) -> None:
    """Nothing but UnsupportedRegex comes of a pattern and its matches, and no warning."""
    with contextlib.suppress(UnsupportedRegex):
        compiled = compile_java(pattern)
        compiled.fullmatch(text)
        compiled.split(text)
        compiled.replace(text, "b")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?:a{0,50}){0,50}[bc]", "a" * 60),
        ("(?:(?:a|ab|abc|b|c)+)+[xy]", "abc" * 30),
        (".*.*.*.*.*[xy]", "a" * 10_000),
    ],
)
@pytest.mark.parametrize("method", ["fullmatch", "search", "split"])
def test_no_match_takes_longer_than_its_deadline(pattern: str, text: str, method: str) -> None:
    """The computing time of a match is bounded, and several matches share the time of the block around them."""
    compiled = compile_java(pattern)
    start = time.thread_time()

    with deadline(0.2):
        for _ in range(20):
            with pytest.raises(DeadlineExceeded):
                getattr(compiled, method)(text)

    assert time.thread_time() - start < 2


def test_repeated_matches_are_those_of_java() -> None:
    """Splits and replacements: empty matches, limits, texts at the end, references to groups."""
    seen = [
        *(compile_java(",").split(text) for text in ("a,b,,", "", ",", ",a")),
        compile_java("").split("abc"),
        compile_java("b").split("abc", 1),
        compile_java(",").split("a,b,,", -1),
        compile_java("(a)(b)?").replace("xaby", r"<$2$1\$>"),
        compile_java("").replace("ab", "-"),
        compile_java("(?<n>a)").replace("aa", "${n}!"),
        compile_java("a").replace("aa", "b", first=True),
        compile_java("a").search("ba").start(),
    ]

    assert seen == [
        *(["a", "b"], [""], [], ["", "a"]),
        ["a", "b", "c"],
        ["abc"],
        ["a", "b", "", ""],
        "x<ba$>y",
        "-a-b-",
        "a!a!",
        "ba",
        1,
    ]


@pytest.mark.parametrize(
    ("text", "layout", "expected"),
    [
        ("2024-02-29", "yyyy-MM-dd", datetime(2024, 2, 29)),
        ("29/2/24", "dd/MM/yy", datetime(2024, 2, 29)),
        ("20240229T235958", "yyyyMMdd'T'HHmmss", datetime(2024, 2, 29, 23, 59, 58)),
        ("12 Jan 2024 11:30 PM", "dd MMM yyyy hh:mm a", datetime(2024, 1, 12, 23, 30)),
        ("Friday, January 12", "EEEE, MMMM d", datetime(1970, 1, 12)),
        ("12:00 am", "hh:mm a", datetime(1970, 1, 1)),
        (
            "2024-01-12 10:00:00.250 +0130",
            "yyyy-MM-dd HH:mm:ss.SSS Z",
            datetime(2024, 1, 12, 10, 0, 0, 250_000, timezone(timedelta(hours=1, minutes=30))),
        ),
        ("2024-01-12Z", "yyyy-MM-ddX", datetime(2024, 1, 12, tzinfo=UTC)),
        ("o'clock 5", "'o''clock' H", datetime(1970, 1, 1, 5)),
        ("2024 60", "yyyy D", datetime(2024, 2, 29)),
        ("2023-02-29", "yyyy-MM-dd", datetime(2023, 3, 1)),
        ("2023-14-00", "yyyy-MM-dd", datetime(2024, 1, 31)),
        ("25:00", "HH:mm", datetime(1970, 1, 2, 1)),
        ("24:00", "kk:mm", datetime(1970, 1, 1)),
        ("13 pm", "hh a", datetime(1970, 1, 2, 1)),
        ("  5 h", " H 'h'", datetime(1970, 1, 1, 5)),
        ("2024-01-12, noon", "yyyy-MM-dd", datetime(2024, 1, 12)),
        ("10:00 CET", "HH:mm z", datetime(1970, 1, 1, 10, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_dates_are_read_in_java_formats(text: str, layout: str, expected: datetime) -> None:
    """The letters of SimpleDateFormat that people use."""
    assert parse_date(text, layout) == expected


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("x", "yyyy", "'x' is not a date in the format 'yyyy'"),
        ("1" * 50_000, "y", f"'{'1' * 99}…' is not a date in the format 'y'"),
        ("1", "y" * 300, "the date format has 300 characters; at most 200 are read"),
        ("1", "'open", 'the date format "\'open" has a quote that is not closed'),
        ("1", "w", "the letter 'w' of a date format is not supported here"),
        ("999999999", "y", "'999999999' is not a date in the format 'y': year 999999999 is out of range"),
    ],
)
def test_what_is_not_a_date_is_reported(text: str, layout: str, message: str) -> None:
    """Wrong texts and unknown letters are refused, with the format."""
    with pytest.raises(ValueError, match="date") as caught:
        parse_date(text, layout)

    assert str(caught.value) == message


@pytest.fixture
def berlin() -> Iterator[None]:
    """A time zone with summer time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def after(text: str, moment: str) -> str | None:
    found = next_date(text, round(datetime.fromisoformat(moment).timestamp() * 1000), LocalZone())
    return None if found is None else datetime.fromtimestamp(found / 1000).isoformat(" ", "minutes")


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("* * * * *", "2024-01-12 10:00:30", "2024-01-12 10:01"),
        ("*/15 * * * *", "2024-01-12 10:45", "2024-01-12 11:00"),
        ("0 8-17/3 * * mon-fri", "2024-01-12 17:30", "2024-01-15 08:00"),
        ("30 22-1 * * *", "2024-01-12 23:45", "2024-01-13 00:30"),
        ("0 0 L feb *", "2024-01-12 00:00", "2024-02-29 00:00"),
        ("0 0 29 2 *", "2024-03-01 00:00", "2028-02-29 00:00"),
        ("0 0 13 * 5", "2024-01-12 00:00", "2024-09-13 00:00"),
        ("0 0 * * 7", "2024-01-12 00:00", "2024-01-14 00:00"),
        ("0 12 * * *|0 6 * * *", "2024-01-12 05:00", "2024-01-12 06:00"),
        ("1,2,59 * * * *", "2024-01-12 05:02", "2024-01-12 05:59"),
        ("0 0 30 2 *", "2024-01-12 05:00", None),
        ("30 2 * * *", "2024-03-30 12:00", "2024-03-31 03:30"),
    ],
)
def test_the_next_date_of_a_cron_expression(text: str, moment: str, expected: str | None) -> None:
    """Lists, ranges, steps, names, the last day, several expressions, leap years, the hour that does not exist."""
    assert after(text, moment) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' has 0 fields; a cron expression has 5"),
        ("* * * * * *", "'* * * * * *' has 6 fields; a cron expression has 5"),
        ("60 * * * *", "'60' is not a valid minute; the range is 0 to 59"),
        ("* * 0 * *", "'0' is not a valid day of the month; the range is 1 to 31"),
        ("* * * foo *", "'foo' is not a valid month; the range is 1 to 12"),
        ("*/0 * * * *", "'0' is not a valid step for the minute"),
        ("* * * * *|", "'' has 0 fields; a cron expression has 5"),
    ],
)
def test_what_is_not_a_cron_expression_is_reported(text: str, message: str) -> None:
    """The message names the field and what it may hold."""
    with pytest.raises(ValueError, match=r"field|range|step") as caught:
        parse(text)

    assert str(caught.value) == message
