"""Spring expressions: what they give, what they set, and what is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow.spel import Scope, SpelError, evaluate


def scope() -> Scope:
    return Scope(value="abc", variables={"X": "5", "Y": "text"}, models={"X": "PA:INTEGER"})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7.0 / 2", 3.5),
        ("2 ^ 10", 1024),
        ("0x1F + 1L", 32),
        ("1.5e1f", 15.0),
        ("'it''s'", "it's"),
        ('"x" + 1 + true + null', "x1truenull"),
        ("true and not false", True),
        ("false || !(1 > 2)", True),
        ("1 lt 2 && 2 GE 2", True),
        ("1 == 1.0", True),
        ("true == 1", False),
        ("'a' < 'b'", True),
        ("'a' == 'a' ? 'yes' : 'no'", "yes"),
        ("variables['Z'] ?: 'default'", "default"),
        ("'' ?: 'default'", "default"),
        ("#value", "abc"),
        ("#value.length()", 3),
        ("#value.toUpperCase().substring(1).contains('BC')", True),
        ("#value.charAt(0)", "a"),
        ("#value[1]", "b"),
        ("#value matches '[a-c]+'", True),
        ("#value.matches('[0-9]+')", False),
        ("5 between {1, 10}", True),
        ("{1, 2, 3}.size()", 3),
        ("{'a', 'b'}.contains(#value)", False),
        ("'a,b,,'.split(',').size()", 2),
        ("variables['X'].equals('5')", True),
        ("variables.X", "5"),
        ("variables.containsKey('Q')", False),
        ("variables['Q']?.length()", None),
        ("models['X']", "PA:INTEGER"),
        ("T(Integer).parseInt(variables['X']) + 1", 6),
        ("T(java.lang.Double).parseDouble('1.5')", 1.5),
        ("T(Boolean).parseBoolean('TRUE')", True),
        ("T(Integer).MAX_VALUE", 2147483647),
        ("T(Math).max(1, 2) == T(Math).round(1.5)", True),
        ("5.toString().concat('x')", "5x"),
    ],
)
def test_expressions_give_what_spring_gives(expression: str, expected: Any) -> None:
    """Literals, operators, methods and static methods of the supported part."""
    result = evaluate(expression, scope())

    assert (result, type(result)) == (expected, type(expected))


def test_assignments_change_the_scope_alone() -> None:
    """valid, variables, models and temp may be set; hide and show are remembered."""
    seen = scope()

    evaluate(
        "(variables['NEW'] = 1 + 1) == 2 and (models['X'] = 'PA:LONG') == 'PA:LONG' and (temp['t'] = true) "
        "and hideVar('A') and showVar('B') and hideGroup('G') and (valid = temp['t'])",
        seen,
    )

    assert seen == Scope(
        value="abc",
        variables={"X": "5", "Y": "text", "NEW": "2"},
        models={"X": "PA:LONG"},
        hidden={"A": True, "B": False},
        hidden_groups={"G": True},
        temp={"t": True},
        valid=True,
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 +", "a name expected at character 4, not 'the end'"),
        ("(1", "')' expected at character 3, not 'the end'"),
        ("1 2", "the end of the expression expected at character 3, not '2'"),
        ("a ~ b", "unexpected '~' at character 3 of the expression"),
        ("nothing", "'nothing' is not known."),
        ("variable['X']", "'variable' is not known. Did you mean 'variables'?"),
        ("#other", "#other is not known; use #value for the value"),
        (
            "T(java.lang.Runtime).getRuntime()",
            "class 'java.lang.Runtime' is not supported here; supported are Integer, "
            "Long, Double, Float, Boolean, String, Math",
        ),
        ("T(Math).random()", "T(Math).random is not supported here."),
        ("T(Math).abs", "T(Math).abs is a method and needs its arguments"),
        ("T(Integer).MAX_VALUE()", "T(Integer).MAX_VALUE is not a method"),
        ("''.getClass()", "method 'getClass' of a text is not supported here."),
        ("''.class", "'class' is not a property of a text that is supported here"),
        ("#value.startWith('a')", "method 'startWith' of a text is not supported here. Did you mean 'startsWith'?"),
        ("new String('a')", "'new' is not known."),
        ("exec('ls')", "function 'exec' is not supported here."),
        ("1 instanceof T(Integer)", "'instanceof' is not supported here"),
        ("1 = 2", "only valid, variables['…'], models['…'] and temp['…'] can be assigned to"),
        ("({1}[0] = 2) == 2", "only valid, variables['…'], models['…'] and temp['…'] can be assigned to"),
        ("1 / 0", "the expression failed: integer division or modulo by zero"),
        ("'a' - 1", "'a' is not a number"),
        ("1 and true", "'1' is neither true nor false"),
        ("9 ^ 99999", "the numbers are too large for a power"),
        ("'abc'.substring(9)", "substring 9 to 3 is out of range"),
        ("{1}[3]", "index 3 is out of range"),
        ("'a'.length(1)", "'length' failed with these arguments"),
        ("variables['Q'].length()", "method 'length' is called on null"),
        ("T(Integer).parseInt('x')", "'x' is not an integer"),
        ("'a' matches '['", "the expression failed: '[' is not a regular expression: a character class is not closed"),
        ("(" * 50 + "1" + ")" * 50, "the expression is nested too deep"),
        ("!" * 50 + "true", "the expression is nested too deep"),
        ("'" + "x" * 20_000 + "'", "the expression has more than 20,000 characters"),
        (
            "('x' + '" + "y" * 9000 + "').replace('y', '" + "z" * 5000 + "')",
            "the texts are too long for a replacement",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(expression: str, message: str) -> None:
    """Syntax errors have a position; errors for unknown names propose the nearest known one."""
    with pytest.raises(SpelError) as caught:
        evaluate(expression, scope())

    assert str(caught.value).startswith(message)


WORDS = ["1", "2.5", "'a'", *"()[]{}.,+-*/%^<?:!=", "==", "?:", "and", "#value", "variables", "valid", "T"]


@given(st.lists(st.sampled_from(WORDS)))
def test_any_text_ends_in_a_value_or_a_spel_error(words: list[str]) -> None:
    """No expression raises anything else."""
    with contextlib.suppress(SpelError):
        evaluate(" ".join(words), scope())
