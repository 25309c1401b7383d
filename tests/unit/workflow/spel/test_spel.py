"""Spring expressions: what they give, what they set, and what is refused."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow.spel import Scope, SpelError, evaluate
from proactive_jupyter_kernel.workflow.spel.values import MAX_STEPS, State


def scope() -> Scope:
    return Scope(value="abc", variables={"X": "5", "Y": "text", "L": "a;b,c"}, models={"X": "PA:INTEGER"})


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
        ("0x1F + 1L == 32", True),
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
        ("{1, 2, #value}.size()", 3),
        ("{'a', #value}.contains('abc')", True),
        ("'a,b,,'.split(',').length", 2),
        ("variables['L'].split('[;,]').length", 3),
        ("t(variables['X'])", True),
        ("f(variables['X'])", False),
        ("s(variables['X'])", ""),
        ("#value instanceof T(String)", True),
        ("5 instanceof T(Long) or null instanceof T(Object)", False),
        ("5L instanceof T(Long) and 5.0 instanceof T(Double) and 5 instanceof T(Number)", True),
        ("'' + {1, 2, 3, 4}.?[#this > 2]", "[3, 4]"),
        ("{1, 2, 3, 4}.^[#this > 2]", 3),
        ("{1, 2, 3, 4}.$[#this < 3]", 2),
        ("{1}.^[#this > 2]", None),
        ("'' + {'a', 'bb'}.![length()]", "[1, 2]"),
        ("'' + {'a', 'bb'}.![#this.toUpperCase()]", "[A, BB]"),
        ("'' + {a: 1, 'b': 2}.?[value > 1]", "{b=2}"),
        ("'' + {a: 1, 'b': 2}.![key + value]", "[a1, b2]"),
        ("variables['Q']?.![#this]", None),
        ("{{name: 'a', age: 3}, {name: 'b', age: 5}}.^[age > 4].name", "b"),
        ("{a: {1, {b: 'deep'}}}['a'][1]['b']", "deep"),
        ("'' + {:} + {}", "{}[]"),
        ("'' + {(temp): 1}", "{{}=1}"),
        ("new String('a') + new Integer('5')", "a5"),
        ("new int[]{1, 2, 3}.length + new int[4].length", 7),
        ("new java.util.ArrayList({1, 2}).contains(2)", True),
        ("T(String).format('%s-%05d-%.2f|%-3s|%3s|%x%%', 'a', 42, 1.005, 'l', 'r', 255)", "a-00042-1.01|l  |  r|ff%"),
        ("T(String).join(',', {'a', 'b'})", "a,b"),
        ("T(com.google.common.collect.ImmutableList).of(1, 2).contains(2)", True),
        ("T(com.google.common.collect.ImmutableMap).of('a', 1, 'b', 2).get('b')", 2),
        ("T(com.google.common.collect.ImmutableSet).of(1, 1).size()", 1),
        ("1 ?: 2 ?: 3", 1),
        ("false ? 1 : true ? 2 : 3", 2),
        ("1 EQ 1 AND 2 Gt 1 && 7 MOD 4 div 2 == 1 and not (1 ne 1)", True),
        ("'b' between {'a', 'c'}", True),
        ("5 matches '[0-9]'", True),
        ("variables[X]", "5"),
        ("#root.variables['X']", "5"),
        ("'ab' * 2", "abab"),
        ("2147483647 + 1", -2147483648),
        ("9223372036854775807L + 1 < 0", True),
        ("null < 1 and null == null", True),
        ("true && 'yes'", True),
        ("1.0 / 0", math.inf),
        ("'a1b2'.replaceAll('([a-z])([0-9])', '$2$1')", "1a2b"),
        ("'a.b'.replaceAll('.', '\\$')", "$$$"),
        ("'aa'.replaceFirst('a', '')", "a"),
        ("'boo:and:foo'.split('o', 2)[1]", "o:and:foo"),
        ("'boo:and:foo'.split('o', -1).length", 5),
        ("''.split(',').length", 1),
        ("','.split(',').length", 0),
        ("T(Double).parseDouble(' 0x1p3 ')", 8.0),
        ("T(Double).parseDouble('1e3d') + T(Double).parseDouble('.5')", 1000.5),
        ("T(Float).parseFloat('1e50')", math.inf),
        ("tempMap.put('a', 1) == null ? tempMap['a'] : 0", 1),
        ("(#x = 5) + #x", 10),
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
        ("T(Math).round(0.49999999999999994) == 0 and T(Math).round(-2.5) == -2", True),
        ("T(Math).round(4503599627370497.0) == 4503599627370497L", True),
        ("T(Math).pow(0, -1) == T(Double).POSITIVE_INFINITY", True),
        ("T(Math).pow(-0.0, -3) == T(Double).NEGATIVE_INFINITY and 0.0 ^ -2 > 1e300", True),
        ("T(Math).pow(-10, 401) == T(Double).NEGATIVE_INFINITY and (-2) ^ 2001 < 0", True),
        ("T(Math).pow(1, T(Double).NaN).isNaN() and T(Math).pow(-1, T(Double).POSITIVE_INFINITY).isNaN()", True),
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
        variables={"X": "5", "Y": "text", "L": "a;b,c", "NEW": "2"},
        models={"X": "PA:LONG"},
        hidden={"A": True, "B": False},
        hidden_groups={"G": True},
        temp={"t": True},
        valid=True,
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 +", "a value expected at character 4, where the expression ends"),
        ("(1", "')' expected at character 3, where the expression ends"),
        ("()", "a value expected at character 2, not ')'"),
        (" ", "the expression is empty; write one such as #value == '1'"),
        ("1 2", "the end of the expression expected at character 3, not '2'"),
        ("a ~ b", "unexpected '~' at character 3 of the expression"),
        ("nothing", "'nothing' is not known."),
        ("variable['X']", "'variable' is not known. Did you mean 'variables'?"),
        ("#other", "#other is not known; use #value for the value"),
        (
            "T(java.lang.Runtime).getRuntime()",
            "class 'java.lang.Runtime' is not supported here; supported are Integer, ",
        ),
        (
            "T(ImmutableMap).of()",
            "class 'ImmutableMap' is not supported here; write com.google.common.collect.Immutable",
        ),
        (
            "{1, 2}.contains(2)",
            "method 'contains' of a constant list is refused by ProActive. Use matches, a selection such as",
        ),
        ("#value.length", "'length' is not a property of a text that is supported here. Write length() to call"),
        ("'a,b'.split(',').size()", "method 'size' of an array is not supported here. Write .length"),
        ("hideVar('missing')", "there is no variable 'missing'. Known: X, Y."),
        ("showVar('missing')", "there is no variable 'missing'. Known: X, Y."),
        ("hideGroup('missing')", "there is no group 'missing'. Known: G."),
        ("showGroup('missing')", "there is no group 'missing'. Known: G."),
        (
            "valid = 1 > 2 ? true : false",
            "the end of the expression expected at character 15, not '?'; put the assigned",
        ),
        ("1 == 1 == true", "the end of the expression expected at character 8, not '=='"),
        ("@bean", "a bean reference ('@' at character 1) is not available"),
        ("'abc", "the text that starts at character 1 of the expression is not closed"),
        ("1 < 'a'", "'1' and 'a' have no order: they are a number and a text"),
        ("{1}.?[#this]", "the condition of a selection gives '1', neither true nor false"),
        ("'x'.replaceAll('x', '$5')", "'replaceAll' failed with these arguments: the replacement '$5' names a group"),
        ("T(String).format('%d', 'a')", "%d needs an integer, not 'a'"),
        ("2147483648", "2147483648 is not an integer of 32 bits; write L behind an integer of 64 bits"),
        ("9" * 5000, "99999999999999999999… is not an integer of 32 bits"),
        ("9" * 5000 + "L", "99999999999999999999… is not an integer of 64 bits"),
        ("T(Integer).parseInt('" + "9" * 5000 + "')", "'9999"),
        ("T(Math).random()", "T(Math).random is not supported here."),
        ("T(Math).abs", "T(Math).abs is a method and needs its arguments"),
        ("T(Integer).MAX_VALUE()", "T(Integer).MAX_VALUE is not a method"),
        ("''.getClass()", "method 'getClass' of a text is not supported here."),
        ("''.class", "'class' is not a property of a text that is supported here"),
        ("#value.startWith('a')", "method 'startWith' of a text is not supported here. Did you mean 'startsWith'?"),
        ("new java.io.File('a')", "class 'java.io.File' is not supported here; supported are"),
        ("exec('ls')", "function 'exec' is not supported here."),
        ("1 instanceof 'Integer'", "'instanceof' needs a class, such as T(String)"),
        ("1 = 2", "only valid, variables['…'], models['…'] and temp['…'] can be assigned to"),
        ("({1}[0] = 2) == 2", "only valid, variables['…'], models['…'] and temp['…'] can be assigned to"),
        ("1 / 0", "an integer is divided by zero"),
        ("'ab' - 1", "'ab' is not a number"),
        ("1 and true", "'1' is neither true nor false"),
        ("'abc'.substring(9)", "substring 9 to 3 is out of range"),
        ("{1}[3]", "index 3 is out of range"),
        ("'a'.length(1)", "'length' has 0 arguments, not 1"),
        ("variables['Q'].length()", "method 'length' is called on null"),
        ("T(Integer).parseInt('x')", "'x' is not an integer"),
        ("'a' matches '['", "the expression failed: '[' is not a regular expression: a character class is not closed"),
        ("(" * 50 + "1" + ")" * 50, "the expression is nested too deep"),
        ("!" * 50 + "true", "the expression is nested too deep"),
        ("'" + "x" * 20_000 + "'", "the expression has more than 20,000 characters"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(expression: str, message: str) -> None:
    """Syntax errors have a position; errors for unknown names propose the nearest known one."""
    seen = scope()
    seen.names, seen.groups = ["X", "Y"], ["G"]

    with pytest.raises(SpelError) as caught:
        evaluate(expression, seen)

    assert str(caught.value).startswith(message)


DOUBLED = " and ".join(["t(temp['a'] = temp['a'] + temp['a'])"] * 30)
NESTED = " and ".join(["t(temp['a'] = {temp['a'], temp['a'], #value})"] * 30)
LOOPS = "temp['a'].![#root.temp['a'].![#root.temp['a'].![#this + '']]]"
GROWING = [
    (f"t(temp['a'] = 'x') and {DOUBLED}", "a text grows beyond 1,000,000 characters"),
    (f"t(temp['a'] = 'x') and {NESTED}", "a map grows beyond 1,000,000 characters and items"),
    (
        "t(tempMap.put('a', tempMap)) and t(tempMap.put('b', tempMap)) and " * 20 + "true",
        "a map grows beyond 1,000,000 characters and items",
    ),
    (f"t(temp['a'] = ('x,' * 400).split(',')) and {LOOPS} == null", "the expression takes more than 500,000 steps"),
    ("('x' * 900000).replace('x', 'yyyy')", "a text grows beyond 1,000,000 characters"),
    (
        "('x' * 900000).replaceAll('', 'yyyy')",
        "'replaceAll' failed with these arguments: the text after the replacement",
    ),
    ("'x' * 2000000", "a text grows beyond 1,000,000 characters"),
    ("'x'.repeat(2000000)", "a text cannot be repeated 2000000 times: at most 1,000,000 characters"),
    ("new int[2000000]", "'2000000' is not the size of an array (0 to 100,000)"),
    ("T(String).format('%999999d', 1)", "the format '%999999d' has a width or precision above 10,000"),
    (
        "('x,' * 200000).split(',')",
        "'split' failed with these arguments: ',' splits a text into more than 100,000 parts",
    ),
    ("('a' * 60) matches '(?:a{0,50}){0,50}[bc]'", "the regular expression '(?:a{0,50}){0,50}[bc]' takes too long"),
    ("('a' * 60).replaceAll('(?:a{0,50}){0,50}[bc]', '')", "the regular expression '(?:a{0,50}){0,50}[bc]' takes too"),
]


@pytest.mark.parametrize(("expression", "message"), GROWING)
def test_what_grows_or_takes_too_long_is_stopped(expression: str, message: str) -> None:
    """Texts, lists, maps, steps and regular expressions have limits, whose message says which one it is."""
    with pytest.raises(SpelError) as caught:
        evaluate(expression, scope())

    assert str(caught.value).removeprefix("the expression failed: ").startswith(message)


@pytest.mark.parametrize(
    "expression",
    [
        "1" + " + 1" * 4000,
        "'a'" + ".toString()" * 1500,
        "true ? 1 : " * 1500 + "2",
        "null ?: " * 2000 + "1",
        "#value" + "[0]" * 6000,
        "true" + " and true" * 2000,
    ],
)
def test_long_expressions_are_not_deep_ones(expression: str) -> None:
    """Chains of operators, calls and conditions are evaluated in a loop."""
    assert evaluate(expression, scope()) is not None


WORDS = [
    *("1", "2.5", "3L", "'a'", "'(a+)+b'", "* 99999", "#value", "#this", "variables", "valid", "temp", ".length()"),
    *("T(", "t(", "new", "String", "instanceof", "matches", "and", "==", "?:", "?.", "?[", "![", "^[", "$["),
    *"()[]{}.,+-*/%^<?:!=#",
]


@given(st.lists(st.sampled_from(WORDS)))
def test_any_text_ends_in_a_value_or_a_spel_error(words: list[str]) -> None:
    """No expression raises anything else."""
    with contextlib.suppress(SpelError):
        evaluate(" ".join(words), scope())


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_twice_the_expression_takes_twice_the_steps(words: list[str]) -> None:
    """Repeating an expression in a chain of `and` costs in proportion: nothing is evaluated more often than written."""
    one = f"t({' '.join(words)})"
    steps = []
    for count in (8, 16):
        counted: list[State] = []
        with contextlib.suppress(SpelError):
            evaluate(" and ".join([one] * count), scope(), started=counted.append)
            steps.append(sum(MAX_STEPS - state.steps for state in counted))

    assert len(steps) < 2 or steps[1] <= 2.2 * steps[0]
