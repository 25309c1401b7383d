"""What every script language with bindings promises, in its own idiom; one table, the same expectations for all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, FlowScript, ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import Script


@dataclass(frozen=True, kw_only=True)
class Snippets:
    """One language's way to do what the tests want."""

    engine: str
    programs: tuple[str, ...] = ()
    #: Reads everything, writes everything, prints ``é|local space ok|two|🐍``.
    everything: str
    #: Fails in its third line, with the word ``unheard``.
    error: str
    #: Ends the process with exit code 3.
    exit: str = ""
    #: What the failure of `exit` says.
    exit_message: str = "Script failed with exit code 3"
    #: The value 42 as the script's own value; empty: the language has none.
    value: str = ""
    #: Sets ``loop`` to whether PA_TASK_ITERATION is under 2.
    flow: str = ""
    #: Adds 1 to ``result``.
    post: str = ""
    #: Reads the value of a parent that failed.
    failed_parent: str = ""
    #: What cannot travel as ``result``, and the beginning of what is said about it.
    strange: tuple[str, ...] = ()


JAVASCRIPT = Snippets(
    engine="javascript",
    everything="""
variables.put("PUT", [1, {"ä": 2.5}, null, true]);
variables["IN_PLACE"].push(3);
variables.remove("GONE");
resultMap.put("m", "é");
resultMetadata.put("content.type", "text/plain");
var here = java.lang.System.getProperty("user.dir") == localspace;
print([variables.get("X"), here ? "local space ok" : localspace, args[1], "🐍"].join("|"));
result = [results[0].value(), String(results[1]), genericInformation.get("G"), variables.get("ABSENT"),
          results[0].getMetadata().get("k"), results.length];
""",
    error='var a = 1;\nfunction f() {\n  throw new Error("unheard"); }\nf()',
    exit="quit(3)",
    exit_message="process ended with exit code 3",
    value="6 * 7",
    flow='loop = variables.get("PA_TASK_ITERATION") < 2;',
    post="result = result + 1",
    failed_parent="results[0].value()",
    strange=("result = {a: [new Date()]}", "result['a'][0] (Date) cannot travel between tasks"),
)
GROOVY = Snippets(
    engine="groovy",
    programs=("groovy", "java"),
    everything="""
variables.put("PUT", [1, ["ä": 2.5d], null, true])
variables["IN_PLACE"] << 3
variables.remove("GONE")
resultMap["m"] = "${'é'}"
resultMetadata.put("content.type", "text/plain")
def here = new File(".").canonicalPath == new File(localspace).canonicalPath
println([variables.get("X"), here ? "local space ok" : localspace, args[1], "🐍"].join("|"))
result = [results[0].value(), results[1].toString(), genericInformation.G, variables.ABSENT,
          results[0].metadata["k"], results.length]
""",
    error='def a = 1\ndef f() {\n  throw new RuntimeException("unheard") }\nf()',
    exit="System.exit(3)",
    exit_message="process ended with exit code 3",
    value="6 * 7",
    flow='loop = variables.get("PA_TASK_ITERATION") < 2',
    post="result = result + 1",
    failed_parent="results[0].value()",
    strange=("result = [a: [new Object()]]", "result['a'][0] (java.lang.Object) cannot travel between tasks"),
)
JYTHON = Snippets(
    engine="python",
    programs=("jython", "java"),
    everything="""
import os
variables.put("PUT", [1, {"ä": 2.5}, None, True])
variables["IN_PLACE"].append(3)
variables.remove("GONE")
resultMap["m"] = u"é"
resultMetadata.put("content.type", "text/plain")
here = os.path.realpath(os.getcwd()) == os.path.realpath(localspace)
print "|".join([variables.get("X"), "local space ok" if here else localspace, args[1], u"\\U0001F40D"])
result = [results[0].value(), results[1].toString(), genericInformation["G"], variables.get("ABSENT"),
          results[0].getMetadata().get("k"), len(results)]
""",
    error='a = 1\ndef f():\n  raise ValueError("unheard")\nf()',
    exit="import sys\nsys.exit(3)",
    value="6 * 7",
    flow='loop = variables.get("PA_TASK_ITERATION") < 2',
    post="result = result + 1",
    failed_parent="results[0].value()",
    strange=(
        "class A(object): pass\nresult = {'a': [A()]}",
        "result['a'][0] (org.python.core.PyObjectDerived) cannot travel between tasks",
    ),
)
RUBY = Snippets(
    engine="ruby",
    programs=("ruby",),
    everything="""
variables.put("PUT", [1, {"ä" => 2.5}, nil, true])
variables["IN_PLACE"] << 3
variables.remove("GONE")
resultMap["m"] = "é"
resultMetadata.put("content.type", "text/plain")
here = File.realpath(".") == File.realpath(localspace)
puts [variables.get("X"), here ? "local space ok" : localspace, args[1], "🐍"].join("|")
result = [results[0].value, results[1].to_s, genericInformation["G"], variables.get("ABSENT"),
           results[0].getMetadata["k"], results.length]
""",
    error='a = 1\ndef f\n  raise "unheard" end\nf',
    value="6 * 7",
    flow='loop = variables.get("PA_TASK_ITERATION") < 2',
    post="result = result + 1",
    failed_parent="results[0].value()",
    strange=('result = {"a" => [Time.now]}', "result['a'][0] (Time) cannot travel between tasks"),
)
R = Snippets(
    engine="R",
    programs=("Rscript",),
    everything="""
variables[["PUT"]] <- list(1L, list("ä" = 2.5), NULL, TRUE)
variables[["IN_PLACE"]] <- c(variables[["IN_PLACE"]], 3L)
variables[["GONE"]] <- NULL
resultMap[["m"]] <- "é"
resultMetadata[["content.type"]] <- "text/plain"
here <- normalizePath(".") == normalizePath(localspace)
shown <- c(variables[["X"]], if (here) "local space ok" else localspace, args[2], "\\U0001F40D")
writeLines(paste(shown, collapse = "|"))
result <- list(results[["A"]], "[1, é]", genericInformation$G, variables$ABSENT, "v", length(results))
""",
    error='a <- 1\nf <- function() {\n  stop("unheard") }\nf()',
    exit="quit(status = 3)",
    exit_message="process ended with exit code 3",
    value="6L * 7L",
    flow='loop <- variables[["PA_TASK_ITERATION"]] < 2',
    post="result <- result + 1L",
    strange=("result <- list(a = list(Sys.Date()))", "result$a[[1]] (Date) cannot travel between tasks"),
)
SCALA = Snippets(
    engine="scalaw",
    programs=("scala", "java"),
    everything="""
variables.put("PUT", List(1, Map("ä" -> 2.5), null, true))
variables.get("IN_PLACE").asInstanceOf[java.util.List[Any]].add(3)
variables.remove("GONE")
resultMap.put("m", "é")
resultMetadata.put("content.type", "text/plain")
val here = new java.io.File(".").getCanonicalPath == new java.io.File(localspace).getCanonicalPath
println(List(variables.get("X"), if (here) "local space ok" else localspace, args(1), "🐍").mkString("|"))
result = Seq(results(0).value(), results(1).toString, genericInformation.get("G"), variables.get("ABSENT"),
             results(0).getMetadata.get("k"), results.length)
""",
    error='val a = 1\ndef f() = {\n  sys.error("unheard") }\nf()',
)
PYTHON = Snippets(
    engine="cpython",
    everything="""
variables.put("PUT", [1, {"ä": 2.5}, None, True])
variables["IN_PLACE"].append(3)
variables.remove("GONE")
resultMap["m"] = "é"
resultMetadata.put("content.type", "text/plain")
here = os.path.realpath(os.getcwd()) == os.path.realpath(localspace)
print("|".join([variables.get("X"), "local space ok" if here else localspace, args[1], "🐍"]))
result = [results[0].value(), str(results[1]), genericInformation["G"], variables.get("ABSENT"),
          results[0].getMetadata().get("k"), len(results)]
""",
    error='a = 1\ndef f():\n  raise ValueError("unheard")\nf()',
)

LANGUAGES = (JAVASCRIPT, GROOVY, JYTHON, RUBY, R, SCALA, PYTHON)


def having(*fields: str) -> Any:
    """Parametrize over the languages that have all these snippets."""
    chosen = [language for language in LANGUAGES if all(getattr(language, name) for name in fields)]
    return pytest.mark.parametrize("language", chosen, ids=lambda language: language.engine)


@having("everything")
def test_everything(bench: Any, require: Any, language: Snippets) -> None:
    """A script reads every binding and writes every one that can be written, with texts of any script intact."""
    require(*language.programs)
    run = bench.run(
        language.engine,
        language.everything,
        "one",
        "two",
        inherited={"X": "é", "IN_PLACE": [1, 2], "GONE": "soon", "D": {"k": "v"}},
        generic_information={"G": "g"},
        results=(
            ParentResult(task_name="A", task_id=1, value=RawValue.of({"a": [1, 1.5, "ü"]}), metadata={"k": "v"}),
            ParentResult(task_name="B", task_id=2, value=RawValue.of([1, "é"])),
        ),
    )
    outcome = run.outcome
    assert outcome.failure is None, run.err
    assert run.out == "é|local space ok|two|🐍\n"
    assert outcome.value == [{"a": [1, 1.5, "ü"]}, "[1, é]", "g", None, "v", 2]
    assert outcome.variables_set == {"PUT": [1, {"ä": 2.5}, None, True], "IN_PLACE": [1, 2, 3]}
    assert (outcome.variables_removed, outcome.result_map) == (("GONE",), {"m": "é"})
    assert outcome.metadata == {"content.type": "text/plain"}


@having("error")
def test_error_with_line(bench: Any, require: Any, language: Snippets) -> None:
    """An error tells what it is and its lines in the script, the innermost too, and nothing of our files."""
    require(*language.programs)
    run = bench.run(language.engine, language.error)
    assert run.message.startswith("Failed to execute task: ")
    assert "unheard" in run.message
    assert "unheard" in run.err
    assert {3, 4} <= {int(line) for line in re.findall(r'<task T1>"?(?::|, line )(\d+)', run.err)}
    # The failure in one line comes last, as on a server.
    assert run.err.strip() == f"{run.outcome.failure.stack_trace.strip()}\n{run.message}"
    assert "harness" not in run.err


def test_ruby_ends_well_whatever_its_exit_code(bench: Any, require: Any) -> None:
    """As on a server: the code is the result."""
    require("ruby")
    runs = [bench.run("ruby", code) for code in ("variables.put('V', 1)\nexit 3", "exit", "abort 'no'")]
    assert [(run.outcome.failure, run.outcome.value) for run in runs] == [(None, 3), (None, 0), (None, 1)]
    assert runs[0].outcome.variables_set == {"V": 1}


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        ("cpython", "result = 'args' in globals()"),
        ("javascript", "result = typeof args !== 'undefined'"),
        ("groovy", "result = binding.hasVariable('args')"),
        ("python", "result = 'args' in globals()"),
        ("ruby", "result = defined?(args) != nil"),
        ("R", "result <- exists('args', inherits = FALSE)"),
    ],
)
def test_without_arguments_there_are_no_args(bench: Any, require: Any, engine: str, code: str) -> None:
    """As on a server."""
    require(*next(language.programs for language in LANGUAGES if language.engine == engine))
    assert [bench.run(engine, code, *arguments).outcome.value for arguments in ((), ("a",))] == [False, True]


@having("exit")
def test_exit_code(bench: Any, require: Any, language: Snippets) -> None:
    """A script that leaves with an exit code fails, and the code is told."""
    require(*language.programs)
    run = bench.run(language.engine, language.exit)
    assert language.exit_message in run.message
    assert run.outcome.exit_code == 3


@having("value", "flow", "post")
def test_scripts_around_the_task(bench: Any, require: Any, language: Snippets) -> None:
    """The script's own value is the result; a post script reads and changes it; a flow script sets its variable."""
    require(*language.programs)
    run = bench.run(
        language.engine,
        language.value,
        post=Script(language=language.engine, code=language.post),
        flow=FlowScript(script=Script(language=language.engine, code=language.flow), variable="loop"),
        inherited={"PA_TASK_ITERATION": 1},
    )
    assert run.outcome.failure is None, run.err
    assert (run.outcome.value, run.outcome.flow_decided, run.outcome.flow) == (43, True, True)


@having("failed_parent")
def test_parent_that_failed(bench: Any, require: Any, language: Snippets) -> None:
    """To read the value of a parent that failed is an error that tells what failed and why."""
    require(*language.programs)
    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no disk")
    parent = ParentResult(task_name="A", task_id=1, failure=failure)
    run = bench.run(language.engine, language.failed_parent, results=(parent,))
    assert "TaskFailed: task A failed: no disk" in run.message


@having("strange")
def test_value_that_cannot_travel(bench: Any, require: Any, language: Snippets) -> None:
    """A value that has no form in other languages fails the task with a message that names its place and class."""
    require(*language.programs)
    code, message = language.strange
    run = bench.run(language.engine, code)
    assert run.message.startswith(f"Failed to execute task: {message}")
