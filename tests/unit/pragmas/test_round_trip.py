"""Whatever can be called can be written, and whatever is written reads back the same."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.errors import PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.declarations.kinds import NOWHERE, Formula
from proactive_jupyter_kernel.pragmas.declarations.parameters import (
    INFO_PAIRS,
    SWITCH,
    TASK_NAME,
    TASK_NAMES,
    TIMEOUT,
    VARIABLE_PAIRS,
)
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.declarations.values import Duration, Expression, Integer, LanguageName, Plain
from proactive_jupyter_kernel.pragmas.grammar.parser import parse, write
from proactive_jupyter_kernel.pragmas.grammar.syntax import Argument, Call, ListNode, MapNode, Node, TextNode
from proactive_jupyter_kernel.pragmas.grammar.tokens import Scanner, quote
from proactive_jupyter_kernel.workflow.languages import LANGUAGES

#: Machines may be busy.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: Everything that JSON, and so a notebook, can hold; with a liking for what has a meaning in pragmas.
TEXTS = st.one_of(
    st.text(alphabet="ab =,:()[]{}'\"#%\\\n\t", max_size=12),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
NAMES = st.from_regex(r"[a-z_é][a-z0-9_é]{0,8}", fullmatch=True)
XML_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.\-]{0,8}", fullmatch=True)


def texts() -> st.SearchStrategy[TextNode]:
    return st.builds(lambda text: TextNode(text=text, span=NOWHERE), TEXTS)


def longer(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(
            lambda items, bracket: ListNode(items=tuple(items), bracket=bracket, span=NOWHERE),
            st.lists(inner, max_size=3),
            st.sampled_from("[("),
        ),
        st.builds(
            lambda rows: MapNode(rows=tuple(rows), span=NOWHERE), st.lists(st.tuples(texts(), inner), max_size=3)
        ),
    )


NODES: st.SearchStrategy[Node] = st.recursive(texts(), longer, max_leaves=8)
ARGUMENTS = st.builds(lambda name, value: Argument(name=name, value=value, span=NOWHERE), NAMES, NODES)
CODE = st.one_of(st.just(""), TEXTS.filter(lambda text: text.strip() and "#%" not in text and "\r" not in text))
CALLS = st.builds(
    lambda name, arguments, code: Call(name=name, arguments=tuple(arguments), code=code, span=NOWHERE),
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.lists(ARGUMENTS, max_size=4),
    CODE,
)


@patient
@given(CALLS)
def test_a_call_reads_back_as_written(call: Call) -> None:
    """Call to text to call changes nothing."""
    assert parse(write(call)).calls == (call,)


@patient
@given(CALLS)
def test_writing_what_was_read_changes_nothing_any_more(call: Call) -> None:
    """Text to call to text is stable once it is in the writer's form."""
    text = write(call)
    assert write(parse(text).calls[0]) == text


@patient
@given(st.lists(CALLS, min_size=1, max_size=3))
def test_several_pragmas_of_a_cell_stay_apart(calls: list[Call]) -> None:
    """Each pragma of a cell keeps its own arguments and code."""
    found = parse("".join(write(call).rstrip("\n") + "\n" for call in calls)).calls
    assert [(one.name, one.arguments, one.code.rstrip("\n")) for one in found] == [
        (one.name, one.arguments, one.code.rstrip("\n")) for one in calls
    ]


@patient
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_survives_quotes(text: str) -> None:
    """Quoting is undone by reading, whatever the text."""
    assert Scanner(quote(text)).quoted() == text


@patient
@given(TEXTS)
def test_any_cell_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in any other way than with its own error."""
    with suppress(PragmaSyntaxError):
        parse("#%p(" + text)


KINDS: dict[Any, st.SearchStrategy[Any]] = {
    Plain(minimum=0): TEXTS,
    TASK_NAME: XML_NAMES,
    TASK_NAMES: st.lists(XML_NAMES, unique=True, max_size=4).map(tuple),
    VARIABLE_PAIRS: st.dictionaries(XML_NAMES, st.one_of(TEXTS, NAMES.map(lambda name: Formula(text=name)))),
    INFO_PAIRS: st.dictionaries(XML_NAMES, TEXTS),
    SWITCH: st.booleans(),
    Integer(minimum=-5, maximum=10**9): st.integers(-5, 10**9),
    TIMEOUT.kind: st.one_of(st.integers(0, 10**8), st.integers(0, 10**6).map(lambda number: number / 1000)),
    Duration(): st.integers(1, 10**8),
    LanguageName(): st.sampled_from([language for language in LANGUAGES if language.in_pragmas]),
    Expression(): st.sampled_from(["3", "nb+1", "(a + b) * 2"]),
}


@patient
@given(st.data())
def test_every_kind_reads_back_what_it_writes(data: st.DataObject) -> None:
    """Value to text to value changes nothing, for every kind of value."""
    kind = data.draw(st.sampled_from(list(KINDS)))
    value = data.draw(KINDS[kind])
    (argument,) = parse(f"#%p(x={kind.unparse(value)})").calls[0].arguments
    assert kind.parse(argument.value) == value


def test_every_default_reads_back() -> None:
    """The usage line of every pragma shows defaults that mean what they say."""
    for pragma in PRAGMAS.values():
        for parameter in pragma.parameters:
            if parameter.shown_default:
                (argument,) = parse(f"#%p(x={parameter.shown_default})").calls[0].arguments
                assert parameter.kind.parse(argument.value) == parameter.default
