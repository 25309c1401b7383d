"""Models of variables: what each accepts and refuses, and what expressions may do."""

from __future__ import annotations

import time

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.checks import accept, check_variables
from proactive_jupyter_kernel.workflow.java.deadlines import deadline
from proactive_jupyter_kernel.workflow.model import Loop, Script, Task, TaskVariable, Variable, Workflow
from proactive_jupyter_kernel.workflow.variable_models import MODELS, Lookups, ModelError, apply_models, check_value

CODE = Script(language="bash", code="true")

GOOD = [
    ("anything", "at all"),
    ("", ""),
    ("PA:BOOLEAN", "true"),
    ("pa:boolean", "FALSE"),
    ("PA:BOOLEAN", "0"),
    ("PA:BOOLEAN?", ""),
    ("PA:INTEGER", "-12"),
    ("PA:INTEGER", "+12"),
    ("PA:INTEGER[1,10]", "10"),
    ("PA:INTEGER[1,10]?", ""),
    ("PA:INTEGER[5]", "500"),
    ("PA:SHORT", "32767"),
    ("PA:LONG", "9223372036854775807"),
    ("PA:FLOAT[0,1]", "0.5"),
    ("PA:DOUBLE", "1e3"),
    ("PA:DOUBLE[-1.5, 2.5]", "-1.5"),
    ("PA:DOUBLE", ".5"),
    ("PA:DATETIME(yyyy-MM-dd)", "2024-02-29"),
    ("PA:DATETIME(yyyy-MM-dd HH:mm:ss)[2020-01-01 00:00:00,2020-12-31 23:59:59]", "2020-06-01 12:00:00"),
    ("PA:DATETIME(dd/MM/yy)?", ""),
    ("PA:LIST(a,b, c )", "c"),
    ("PA:LIST(,h1,h2)", ""),
    ("PA:LIST()", ""),
    ("PA:REGEXP([a-z]+)", "abc"),
    ("PA:REGEXP((a|b){2})?", ""),
    ("PA:REGEXP(^\\d+$)", "12"),
    ("PA:NOT_EMPTY_STRING", "x"),
    ("PA:CRON", "*/5 8-17 * * mon-fri"),
    ("PA:CRON", "0 0 L * * | 5 * * * *"),
    ("PA:URI", "a/b?c=%20#d"),
    ("PA:URI", "mailto:someone"),
    ("PA:URL", "https://example.org/a b"),
    ("PA:JSON", '{"a": [1, 2.5, null]}'),
    ("PA:JSON?", ""),
    ("PA:JSON", ""),
    ("PA:JSON", "1" * 5000),
    ("PA:DOUBLE", " 0x1p3 "),
    ("PA:DOUBLE", "1e3d"),
    ("PA:FLOAT", "3.4e38"),
    ("PA:REGEXP(\\p{L}+)", "żółw"),
    ("PA:REGEXP([\\p{L}&&[^ó]]+)", "żłw"),
    ("PA:DATETIME(yyyy-MM-dd)", "2023-02-29"),
    ("PA:DATETIME(yyyy-MM-dd)", "2023-13-45 and more"),
    ("PA:DATETIME(HH:mm)", "25:61"),
    ("PA:URI", "http://bob@[::1]:80/a?b=[c]#d"),
    ("PA:URI", "file:///a"),
    ("PA:LIST(" + ",".join(map(str, range(10_000))) + ")", "9999"),
    ("PA:SPEL(variables['a'] == null and {1, 2}[0] == 1)", ""),
    ("PA:CATALOG_OBJECT", "bucket/object"),
    ("PA:CATALOG_OBJECT(Workflow/standard,,bucket)", "bucket/object/1234567890123"),
    ("PA:MODEL_FROM_URL(http://nowhere)", "anything"),
    ("PA:MODEL_FROM_URL(${UNKNOWN}/hosts)", "anything"),
    ("PA:HIDDEN", "secret"),
    ("PA:CREDENTIAL", "key"),
    ("PA:USER_FILE", "a/b"),
    ("PA:GLOBAL_FILE?", ""),
    ("PA:USER_FOLDER", "a"),
    ("PA:GLOBAL_FOLDER", "a"),
    ("PA:SPEL(#value == 'x')", "x"),
    ("PA:SPEL2(must be even, T(Integer).parseInt(#value) % 2 == 0)", "4"),
]

BAD = [
    ("PA:BOOLEAN", "yes", "'yes' is none of true, false, 0, 1"),
    ("PA:BOOLEAN", "", "'' is none of true, false, 0, 1"),
    ("PA:INTEGER", "1.5", "'1.5' is not an integer"),
    ("PA:INTEGER", "2147483648", "'2147483648' is not an integer of 32 bits"),
    ("PA:INTEGER[1,10]", "11", "'11' is not in the range [1,10]"),
    ("PA:INTEGER[5]", "4", "'4' is not in the range [5]"),
    ("PA:INTEGER[10,1]", "4", "the range [10,1] is empty"),
    ("PA:INTEGER[1,2,3]", "4", "the range [1,2,3] must be [min] or [min,max]"),
    ("PA:INTEGER[a]", "4", "the range [a] is wrong: 'a' is not an integer"),
    ("PA:SHORT", "40000", "'40000' is not an integer of 16 bits"),
    ("PA:LONG", "9223372036854775808", "'9223372036854775808' is not an integer of 64 bits"),
    ("PA:DOUBLE", "one", "'one' is not a number"),
    ("PA:FLOAT[0,1]", "NaN", "'NaN' is not a finite number of 32 bits"),
    ("PA:DOUBLE", "Infinity", "'Infinity' is not a finite number of 64 bits"),
    ("PA:DOUBLE", "-1e400", "'-1e400' is not a finite number of 64 bits"),
    ("PA:FLOAT", "1e50", "'1e50' is not a finite number of 32 bits"),
    ("PA:DOUBLE", "0x1.8", "'0x1.8' is not a number"),
    ("PA:DOUBLE", "1" * 100_000 + "x", f"'{'1' * 59}…' is not a number"),
    ("PA:INTEGER", "1" * 100_000, f"'{'1' * 59}…' is not an integer"),
    ("PA:URI", "http://[bad", "'http://[bad' is not a URI"),
    ("PA:URI", "http://", "'http://' is not a URI"),
    ("PA:URI", "a[b", "'a[b' is not a URI"),
    ("PA:JSON", "[" * 100_000, "this JSON is nested too deep"),
    ("PA:X" + " " * 50_000 + "!", "1", "there is no such model."),
    ("PA:LIST(" + "a," * 60_000 + ")", "1", "the model has 120,009 characters; at most 100,000 are checked"),
    ("PA:URL", "x" * 1_000_001, "the value has 1,000,001 characters; at most 1,000,000 are checked against a model"),
    (
        "PA:REGEXP((?:a{0,50}){0,50}[bc])",
        "a" * 60,
        "the regular expression '(?:a{0,50}){0,50}[bc]' takes too long on a text of 60 characters; "
        "write it without repetitions inside of repetitions",
    ),
    ("PA:DATETIME(yyyy-MM-dd)", "tomorrow", "'tomorrow' is not a date in the format 'yyyy-MM-dd'"),
    ("PA:DATETIME(yyyy)[2020,2021]", "2019", "'2019' is not in the range [2020,2021]"),
    ("PA:DATETIME(QQQ)", "x", "the letter 'Q' of a date format is not supported here"),
    ("PA:DATETIME", "x", "DATETIME needs its argument in parentheses"),
    ("PA:LIST(alpha,beta)", "betta", "'betta' is not one of the items. Did you mean 'beta'?"),
    ("PA:LIST(a,a)", "a", "the list names 'a' twice"),
    ("PA:LIST(a),b)", "b", "an item of a list cannot hold a parenthesis"),
    ("PA:REGEXP([a-z]+)", "ABC", "'ABC' does not match the regular expression"),
    ("PA:REGEXP([a-z)", "a", "'[a-z' is not a regular expression: a character class is not closed"),
    ("PA:NOT_EMPTY_STRING", "  ", "the value is empty or blank"),
    ("PA:NOT_EMPTY_STRING?", "", "NOT_EMPTY_STRING cannot be optional, because it rejects the empty value"),
    ("PA:CRON", "* * *", "this is not a cron expression: '* * *' has 3 fields; a cron expression has 5"),
    ("PA:URI", "a b", "'a b' is not a URI"),
    (
        "PA:URL",
        "example.org",
        "'example.org' is not a URL: it must start with one of http, https, ftp, file, jar, mailto and ':'",
    ),
    (
        "PA:JSON",
        "{",
        "this is not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    ("PA:JSON", "NaN", "this is not valid JSON: NaN is not valid JSON"),
    (
        "PA:CATALOG_OBJECT",
        "bucket",
        "'bucket' must have the form bucket/object or bucket/object/revision, the revision of 13 digits",
    ),
    ("PA:INTEGR", "1", "there is no such model. Did you mean 'INTEGER'?"),
    ("PA:", "1", "there is no such model."),
    ("PA:BOOLEAN[1,2]", "1", "BOOLEAN has no range"),
    ("PA:BOOLEAN(x)", "1", "BOOLEAN has no argument"),
    ("PA:SPEL(#value == 'x')", "y", "the expression is false for 'y'"),
    (
        "PA:SPEL(#value ==)",
        "y",
        "the expression cannot be evaluated: a value expected at character 10, where the expression ends",
    ),
    ("PA:INTEGER[1", "1", "its '[' is not closed at the end"),
    ("PA:SPEL(true", "1", "its '(' is not closed at the end"),
    ("PA:INTEGR[1", "1", "there is no such model. Did you mean 'INTEGER'?"),
    ("PA:SPEL2('even, please', T(Integer).parseInt(#value) % 2 == 0)", "3", "even, please"),
    ("PA:SPEL2(no expression)", "3", "SPEL2 needs a message and an expression"),
]


@pytest.mark.parametrize(("model", "value"), GOOD)
def test_values_that_fit_pass(model: str, value: str) -> None:
    """Each model accepts what ProActive accepts."""
    check_value(model, value)


@pytest.mark.parametrize(("model", "value", "message"), BAD)
def test_values_that_do_not_fit_are_refused(model: str, value: str, message: str) -> None:
    """Each model says what is wrong with the value, or with itself."""
    with pytest.raises(ModelError) as caught:
        check_value(model, value)

    assert str(caught.value).strip() == message


def test_every_model_has_its_test() -> None:
    """No model of the table is forgotten here."""
    tested = {model.partition(":")[2].upper().split("(")[0].split("[")[0].rstrip("?") for model, _ in GOOD}

    assert set(MODELS) <= tested


LOOKUPS = Lookups(
    fetch=lambda url: {"http://list": "PA:LIST(,h1,h2)", "http://loop": "PA:MODEL_FROM_URL(http://loop)"}[url],
    file=lambda space, path, folder: (space, path, folder) in {("USER", "a.txt", False), ("GLOBAL", "d", True)},
    credential=lambda name: name == "known",
    catalog=lambda name, arguments: name == "b/o" and arguments in ((), ("Workflow",)),
)


def unreachable(url: str) -> str:
    raise OSError("no route")


@pytest.mark.parametrize(
    ("model", "value", "message"),
    [
        ("PA:MODEL_FROM_URL(http://list)", "h1", ""),
        ("PA:MODEL_FROM_URL(http://list)", "h3", "'h3' is not one of the items. Known: h1, h2."),
        ("PA:MODEL_FROM_URL(http://loop)", "h3", "the URLs refer to each other in a cycle"),
        ("PA:USER_FILE", "a.txt", ""),
        ("PA:USER_FILE", "b.txt", "there is no file 'b.txt' in the user space"),
        ("PA:GLOBAL_FOLDER", "d", ""),
        ("PA:GLOBAL_FOLDER", "d/", "'d/' must not end with '/'"),
        ("PA:GLOBAL_FOLDER", "e", "there is no folder 'e' in the global space"),
        ("PA:CREDENTIAL", "known", ""),
        ("PA:CREDENTIAL", "x", "there is no third-party credential 'x'; add it to the scheduler first"),
        ("PA:CATALOG_OBJECT(Workflow)", "b/o", ""),
        ("PA:CATALOG_OBJECT", "b/p", "the catalog has no such object 'b/p'"),
    ],
)
def test_what_only_the_scheduler_knows_is_asked(model: str, value: str, message: str) -> None:
    """Files, credentials, the catalog and models behind URLs are looked up where somebody can."""
    said = ""
    try:
        check_value(model, value, lookups=LOOKUPS)
    except ModelError as error:
        said = str(error)

    assert said == message


def test_a_model_that_cannot_be_fetched_refuses() -> None:
    """As on a server, an unreachable model is a refusal; files of hidden variables are not looked for."""
    with pytest.raises(ModelError, match="the model behind http://x cannot be fetched: no route"):
        check_value("PA:MODEL_FROM_URL(http://x)", "v", lookups=Lookups(fetch=unreachable))

    check_value("PA:USER_FILE", "missing", hidden=True, lookups=LOOKUPS)


def test_problems_name_variable_model_and_task() -> None:
    """The message has ProActive's form, with the task in front; models may come from other variables."""
    workflow = Workflow(
        name="models",
        variables=(
            Variable(name="X", value="no", model="PA:BOOLEAN"),
            Variable(name="M", value="PA:INTEGER[1,3]"),
            Variable(name="Y", value="9", model="$M"),
        ),
        tasks=(
            Task(
                name="T",
                executable=CODE,
                variables=(
                    TaskVariable(name="Z", value="", model="PA:NOT_EMPTY_STRING"),
                    TaskVariable(name="X", value="yes", model="PA:BOOLEAN", inherited=True),
                ),
            ),
        ),
    )

    assert [str(problem) for problem in check_variables(workflow)] == [
        "Variable 'X': Model PA:BOOLEAN: 'no' is none of true, false, 0, 1",
        "Task 'T': Variable 'Z': Model PA:NOT_EMPTY_STRING: the value is empty or blank",
        "Task 'T': Variable 'X': Model PA:BOOLEAN: 'no' is none of true, false, 0, 1",
    ]


def test_expressions_may_change_variables_models_and_visibility() -> None:
    """What a Spring expression sets comes back in the workflow."""
    workflow = Workflow(
        name="spel",
        variables=(
            Variable(name="SIZE", value="big", model="PA:SPEL(valid = (variables['COUNT'] = '100') == '100')"),
            Variable(name="COUNT", value="1"),
            Variable(name="SECRET", value="s", model="PA:SPEL(hideVar('SECRET') && hideGroup('more'))"),
            Variable(name="OTHER", value="o", group="more"),
        ),
    )

    changed, problems = apply_models(workflow)

    assert problems == []
    assert [(variable.value, variable.hidden) for variable in changed.variables] == [
        ("big", False),
        ("100", False),
        ("s", True),
        ("o", True),
    ]


def test_accept_puts_models_before_the_flow() -> None:
    """A server checks variables first, then accounts and flow; all problems are reported."""
    workflow = Workflow(
        name="n" * 256,
        variables=(Variable(name="X", value="no", model="PA:BOOLEAN"),),
        generic_information={"k" * 256: "v"},
        tasks=(Task(name="T", executable=CODE, run_as_me=True, fork=False, flow=Loop(script=CODE, target="nobody")),),
    )

    with pytest.raises(InvalidWorkflow) as caught:
        accept(workflow)

    assert [str(problem) for problem in caught.value.problems] == [
        "Variable 'X': Model PA:BOOLEAN: 'no' is none of true, false, 0, 1",
        "The name has 256 characters; at most 255 fit",
        "Task 'T': runAsMe and fork=false exclude each other. Another account needs its own process.",
        "Task 'T': LOOP action has no target. 'T' loops back to 'nobody', and no task has that name. Known: T.",
    ]


def test_accept_gives_the_workflow_with_what_expressions_set() -> None:
    """A valid workflow comes back, changed only by its own expressions."""
    workflow = Workflow(name="ok", tasks=(Task(name="T", executable=CODE),))

    assert accept(workflow) == workflow


def test_many_variables_are_checked_in_linear_time() -> None:
    """Twenty thousand models, some with references, are checked against each other's values within seconds."""
    numbers = tuple(Variable(name=f"V{number}", value="5", model="PA:INTEGER[1,$MOST]") for number in range(20_000))
    workflow = Workflow(name="many", variables=(Variable(name="MOST", value="9"), *numbers))
    start = time.thread_time()

    _, problems = apply_models(workflow)

    assert (problems, time.thread_time() - start < 4) == ([], True)


def test_all_slow_models_share_one_deadline() -> None:
    """A thousand slow expressions do not take a thousand times as long; each is refused with the reason."""
    slow = "PA:SPEL(#value matches '(?:a{0,50}){0,50}[bc]')"
    variables = tuple(Variable(name=f"V{number}", value="a" * 60, model=slow) for number in range(1_000))
    start = time.thread_time()

    with deadline(0.5):
        _, problems = apply_models(Workflow(name="slow", variables=variables))

    assert (len(problems), time.thread_time() - start < 3) == (1_000, True)
    assert "the time for the check of all variables is over" in str(problems[-1])


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("hideVar('missing')", "there is no variable 'missing'. Known: A, B."),
        ("showVar('missing')", "there is no variable 'missing'. Known: A, B."),
        ("hideGroup('other')", "there is no group 'other'. Known: main."),
        ("showGroup('other')", "there is no group 'other'. Known: main."),
    ],
)
def test_only_what_is_there_is_hidden_and_shown(expression: str, message: str) -> None:
    """As on a server, an expression that names a variable or a group which the workflow lacks is refused."""
    variables = (
        Variable(name="A", value="1", model=f"PA:SPEL({expression})"),
        Variable(name="B", value="2", group="main"),
    )

    _, problems = apply_models(Workflow(name="w", variables=variables))

    assert [str(problem).partition("evaluated: ")[2].partition("  ")[0] for problem in problems] == [message]


def test_the_value_of_a_hidden_variable_is_not_in_a_refusal() -> None:
    """Neither its own, nor one that stands in the model of another variable."""
    workflow = Workflow(
        name="demo",
        variables=(
            Variable(name="KEY", value="S3CRET", model="PA:INTEGER", hidden=True),
            Variable(name="WORD", value="x", model="PA:LIST(${KEY},b)"),
        ),
        tasks=(
            Task(
                name="A",
                executable=CODE,
                variables=(
                    TaskVariable(name="LOCAL", value="S3CRET", model="PA:REGEXP(y)", hidden=True),
                    TaskVariable(name="OTHER", value="x", model="PA:LIST(${KEY},b)"),
                ),
            ),
        ),
    )
    shown = [problem.message for problem in check_variables(workflow)]
    assert [message.partition(":")[0] for message in shown] == [
        "Variable 'KEY'",
        "Variable 'WORD'",
        "Variable 'LOCAL'",
        "Variable 'OTHER'",
    ]
    assert "S3CRET" not in " ".join(shown)
