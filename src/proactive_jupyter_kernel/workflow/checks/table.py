"""The table of checks: one row for each possible problem of a workflow, with a code that never changes.

The first digit of a code is the group: 1 names and values, 2 variables and references, 3 flow, 4 what only some
schedulers refuse, 5 what is allowed but probably not intended, 6 what only a notebook can contain. A retired code is
not used again.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CHECKS", "Check", "Severity"]


class Severity(enum.Enum):
    """What a problem means for the submission."""

    #: The workflow is refused.
    ERROR = "error"
    #: The workflow runs, but probably not as intended.
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row."""

    code: str
    #: The group: ``NAME``, ``STRUCTURE``, ``DEPENDENCE``, ``VARIABLE``, ``REFERENCE``, ``WARNING``, ``NOTEBOOK``, or
    #: the server's kind of flow error: ``IF``, ``RECURSION``, ``UNREACHABLE``, ``BLOCK``, ``REPLICATE``, ``LOOP``.
    kind: str
    #: What is wrong, in a few words.
    title: str
    #: Why it is wrong; one or two sentences.
    meaning: str
    #: What to change.
    fix: str
    severity: Severity = Severity.ERROR


def _error(code: str, kind: str, title: str, meaning: str, fix: str) -> Check:
    return Check(code=code, kind=kind, title=title, meaning=meaning, fix=fix)


def _warning(code: str, title: str, meaning: str, fix: str) -> Check:
    return Check(code=code, kind="WARNING", title=title, meaning=meaning, fix=fix, severity=Severity.WARNING)


_ROWS = (
    # --- names and values ---
    _error(
        "PA101",
        "NAME",
        "Two tasks have the same name",
        "Dependencies, results and logs find a task by its name.",
        "Rename one of the tasks.",
    ),
    _error(
        "PA102",
        "NAME",
        "A task's name contains # or *",
        "The scheduler marks the iterations of a loop with # and the copies of a replication with *.",
        "Rename the task.",
    ),
    _error(
        "PA103",
        "NAME",
        "A name contains a character that is not allowed",
        "Names of tasks, variables and generic information start with a letter or _ and hold letters, digits, '.', '-' "
        "and '_' only.",
        "Rename it.",
    ),
    _error(
        "PA104",
        "NAME",
        "A name is too long",
        "The server's database stores at most 255 characters.",
        "Shorten the name.",
    ),
    _error(
        "PA105",
        "STRUCTURE",
        "A value does not have the type of its attribute",
        "The schema of workflows gives each attribute a type, such as a time for walltime.",
        "Write a value of that type; the message says which.",
    ),
    _error(
        "PA106",
        "STRUCTURE",
        "A text contains a character that XML cannot carry",
        "Control characters such as U+0000 cannot be written in XML, not even escaped.",
        "Remove the character, or write it as an escape of the script's language.",
    ),
    _error(
        "PA107",
        "STRUCTURE",
        "The workflow has no task",
        "A scheduler accepts only workflows with at least one task.",
        "Define a task.",
    ),
    _error(
        "PA108",
        "DEPENDENCE",
        "A task depends on a task that does not exist",
        "No task has the name that the dependency gives.",
        "Correct the name, or define the task.",
    ),
    _error(
        "PA109",
        "STRUCTURE",
        "A threshold without thresholdProximity",
        "The threshold is the distance that the topology thresholdProximity allows between nodes.",
        "Remove the threshold, or choose that topology.",
    ),
    _error(
        "PA110",
        "STRUCTURE",
        "A script has no language",
        "The scheduler chooses the script engine by the language.",
        "Name a language, such as cpython or bash.",
    ),
    _error(
        "PA111",
        "STRUCTURE",
        "A script has both code and a URL",
        "The code of a script is either in the workflow or behind the URL.",
        "Keep one of the two.",
    ),
    _error(
        "PA112",
        "STRUCTURE",
        "A metadata key cannot be the name of an XML element",
        "The metadata of a task is written as XML elements, one for each key.",
        "Rename the key.",
    ),
    _error(
        "PA113",
        "STRUCTURE",
        "runAsMe together with fork=false",
        "A task that runs under the user's account needs a process of its own.",
        "Remove fork=false, or remove runAsMe.",
    ),
    _error(
        "PA114",
        "STRUCTURE",
        "The schema version does not have an attribute",
        "Older versions of the schema do not have every attribute.",
        "Write a newer version, or remove the attribute.",
    ),
    _error(
        "PA115",
        "STRUCTURE",
        "A workflow file does not follow its format",
        "The file is well-formed, but an element, attribute or value is not one that the format defines.",
        "Correct the line that the message names.",
    ),
    Check(
        code="PA116",
        kind="STRUCTURE",
        title="A part of a workflow file was left out or changed",
        meaning="The file contains something that the workflow cannot represent, or that means something else than it "
        "seems to.",
        fix="Compare the imported workflow with the file.",
        severity=Severity.WARNING,
    ),
    _error(
        "PA117",
        "STRUCTURE",
        "A number is too large",
        "A scheduler keeps times and numbers of jobs as integers of 64 bits; a larger number can never be stored.",
        "Write a smaller number. To keep a job, remove REMOVE_DELAY.",
    ),
    # --- variables and references ---
    _error(
        "PA201",
        "VARIABLE",
        "A value does not fit the model of its variable",
        "A model such as PA:INTEGER[1,10] says which values a variable may have.",
        "Change the value, or the model.",
    ),
    _error(
        "PA202",
        "REFERENCE",
        "A reference cannot be replaced",
        "References such as ${X} refer to each other in a cycle, or the value does not have the type of the attribute.",
        "Change the value of the variable.",
    ),
    # --- flow ---
    _error(
        "PA301",
        "IF",
        "The target of a branch does not exist",
        "A branch chooses one of two tasks, by their names.",
        "Correct the name, or define the task.",
    ),
    _error(
        "PA302",
        "IF",
        "A task is the target of several branches",
        "The branch that leads to a task decides whether the task runs; there can be only one.",
        "Give each branch targets of its own.",
    ),
    _error(
        "PA303",
        "RECURSION",
        "Tasks depend on each other in a cycle",
        "None of them can start.",
        "Remove one of the dependencies.",
    ),
    _error(
        "PA304",
        "UNREACHABLE",
        "A task can never start",
        "No task without dependencies leads to it.",
        "Remove one of the dependencies.",
    ),
    _error(
        "PA305",
        "BLOCK",
        "A block ends without a start",
        "A task is marked as the end of a block, and no task before it is marked as start.",
        "Mark a task before it as the start.",
    ),
    _error(
        "PA306",
        "BLOCK",
        "A block starts without an end",
        "A task is marked as the start of a block, and no task after it is marked as end.",
        "Mark a task after it as the end.",
    ),
    _error(
        "PA307",
        "BLOCK",
        "A path out of a block misses its end",
        "Every path from the start of a block leads to its end.",
        "Let the end depend on the last task of that path.",
    ),
    _error(
        "PA308",
        "BLOCK",
        "A block depends on a task outside of it",
        "Only the start of a block depends on tasks outside of the block.",
        "Move the dependency to the start of the block.",
    ),
    _error(
        "PA309",
        "REPLICATE",
        "A replicated task has several dependencies",
        "A replicated task depends on the task that replicates it, and on no other.",
        "Move the other dependencies to the task that replicates.",
    ),
    _error(
        "PA310",
        "REPLICATE",
        "The end of a block is replicated",
        "The scheduler replicates tasks or whole blocks.",
        "Add a task between the two.",
    ),
    _error(
        "PA311",
        "REPLICATE",
        "A replication has no merge",
        "A task that depends on the replicated task collects the results of the copies.",
        "Add a task that depends on it.",
    ),
    _error(
        "PA312",
        "REPLICATE",
        "A replicated task branches or replicates itself",
        "The instances of a single task cannot have a control; the instances of a block can.",
        "Move the inner control into a block.",
    ),
    _error(
        "PA313",
        "LOOP",
        "The target of a loop does not exist",
        "A loop goes back to a task, by its name.",
        "Correct the name, or define the task.",
    ),
    _error(
        "PA314",
        "LOOP",
        "A loop does not span a block",
        "A loop goes from the end of a block to its start, or from a task to itself.",
        "Mark the two tasks as the start and the end of a block.",
    ),
    _error(
        "PA315",
        "LOOP",
        "The target of a loop has several dependencies",
        "The first task of a loop depends on one task at most.",
        "Add a task before the loop, and move the dependencies to it.",
    ),
    _error(
        "PA316",
        "IF",
        "The target of a branch has dependencies",
        "The branch starts its target; the target does not wait for any other task.",
        "Remove the dependencies of the target.",
    ),
    _error(
        "PA317",
        "IF",
        "A branch without continuation depends on a task outside of it",
        "What follows the target of a branch depends only on tasks of the same branch.",
        "Remove the dependency, or give the branch a continuation.",
    ),
    _error(
        "PA318",
        "IF",
        "A branch with continuation is not a block",
        "Each side of a branch with a continuation is a single task or a block.",
        "Mark the first and the last task of the side as a block.",
    ),
    _error(
        "PA319",
        "IF",
        "A task is the continuation of several branches",
        "A continuation belongs to one branch.",
        "Give each branch a continuation of its own.",
    ),
    _error(
        "PA320",
        "IF",
        "A task depends on the end of a branch's block",
        "Only the continuation follows the two sides of a branch.",
        "Let the task depend on the continuation.",
    ),
    _error(
        "PA321",
        "IF",
        "A side or the continuation of a branch has dependencies",
        "The branch starts its sides and its continuation; they do not wait for any other task.",
        "Remove the dependencies.",
    ),
    # --- what only some schedulers refuse ---
    _error(
        "PA401",
        "STRUCTURE",
        "The embedded scheduler does not run Java classes",
        "Only a ProActive server has the Java classes of its users.",
        "Submit the workflow to a ProActive server, or write the task as a script.",
    ),
    _error(
        "PA402",
        "STRUCTURE",
        "The embedded scheduler has no user accounts",
        "It runs every task as the user who started it.",
        "Remove runAsMe, or submit the workflow to a ProActive server.",
    ),
    _error(
        "PA403",
        "STRUCTURE",
        "A Java library is not installed",
        "A ProActive server has some libraries on the class path of its tasks; the embedded scheduler fetches them on "
        "demand.",
        "Run `proactive-kernel scheduler java-libraries`, then submit the workflow again.",
    ),
    _error(
        "PA404",
        "STRUCTURE",
        "A script uses a Java client of a ProActive server",
        "Only a ProActive server has the Java objects `schedulerapi`, `rmapi`, `userspaceapi` and `globalspaceapi`, "
        "and `synchronizationapi` and `signalapi` in languages other than Groovy, Jython, Scala and Python.",
        "Read and write the folders `userspace` and `globalspace`, or submit the workflow to a ProActive server.",
    ),
    # --- allowed, but probably not intended ---
    _warning(
        "PA501",
        "A variable is never used",
        "No script, reference or model of the workflow names it.",
        "Remove the variable, or correct its name.",
    ),
    _warning(
        "PA502",
        "A reference names no variable",
        "A reference such as ${X} that nothing defines stays as it is.",
        "Define the variable, or correct the name.",
    ),
    _warning(
        "PA503",
        "A task's variable hides the job's",
        "The task sees its own value, whatever value the job's variable gets at submission.",
        "Remove the task's variable, or give it another name.",
    ),
    _warning(
        "PA504",
        "A script that decides does not set its variable",
        "A branch script sets branch, a loop script loop, a replicate script runs, a selection script selected. "
        "Without an answer the task fails, or the node is refused.",
        "Set the variable in the script.",
    ),
    _warning(
        "PA505",
        "A loop never ends",
        "Its script always sets true.",
        "Let the script set false at some point, for example when variables.get('PA_TASK_ITERATION') reaches a limit.",
    ),
    _warning(
        "PA506",
        "A task reads results and depends on no task",
        "results holds the results of the tasks that a task depends on; here it is empty.",
        "Let the task depend on the task whose result it reads.",
    ),
    _warning(
        "PA507",
        "The language of a script is not known",
        "Neither the embedded scheduler nor a standard ProActive server has a script engine of that name.",
        "Correct the name of the language.",
    ),
    _warning(
        "PA508",
        "A task does nothing",
        "It has no code, no other scripts and no files, and no task follows it.",
        "Give it code, or remove it.",
    ),
    # --- what only a notebook can have ---
    _error(
        "PA601",
        "NOTEBOOK",
        "A cell of the notebook was refused",
        "The job would lack what the cell defines.",
        "Correct the cell and run it, or delete it.",
    ),
    _error(
        "PA602",
        "NOTEBOOK",
        "A control is unfinished",
        "A branch, a loop or a replication needs all of its steps.",
        "Add the step that the message names, or remove the control's first task with #%delete_task.",
    ),
    _error(
        "PA603",
        "NOTEBOOK",
        "A single task cannot be replicated as written",
        "Its only parent starts the replication, and the task that depends on it merges the results.",
        "Let the task depend on exactly one task, which controls nothing else.",
    ),
    _error(
        "PA604",
        "NOTEBOOK",
        "A task imports a variable that nothing exports",
        "Imports come from the job's variables, the task's own, or the exports of tasks before it.",
        "Export the variable in a task before it, or correct the name.",
    ),
    _error(
        "PA605",
        "NOTEBOOK",
        "The sides of a block end in several tasks",
        "A block ends with exactly one task.",
        "Let one task that depends on all of them follow.",
    ),
    _error(
        "PA606",
        "NOTEBOOK",
        "A parameter of the notebook cannot be a variable of the job",
        "Variables are texts: a parameter must be a text, a number, or a list or dict of these.",
        "Convert the value to one of these, or compute it in a task.",
    ),
    _warning(
        "PA651",
        "A task reads a name that nothing provides",
        "A task runs in its own process. It does not see the variables of the notebook or of other tasks.",
        "Set the name in the task, import a variable, or pass a value from the notebook: variables=[(NAME, =NAME)].",
    ),
    _warning(
        "PA652",
        "A task reads a variable of a task before it without importing it",
        "Variables travel between tasks only by export and import.",
        "Add export=[NAME] there and import=[NAME] here, or let #%configure(propagate=auto) do it.",
    ),
    _warning(
        "PA653",
        "A task uses a module, function or class of a task before it",
        "Modules, functions and classes do not travel between tasks.",
        "Move the import or the definition into a cell with #%import(), or let #%configure(propagate=auto) repeat it.",
    ),
)

#: Code -> row, in the order of the codes.
CHECKS: Mapping[str, Check] = MappingProxyType({row.code: row for row in _ROWS})
