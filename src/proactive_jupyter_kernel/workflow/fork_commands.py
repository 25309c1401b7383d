"""``preJavaHomeCmd``, the words in front of the command that starts a task's process, in the form that servers read.

Fork environment scripts set the variable, as ProActive's documents say; servers since July 2021 ignore it and take
``forkEnvironment.addPreJavaCommand`` alone. A server gets lines behind such a script that hand the words on:
split at blanks, quotes kept together, a list as its words, as on the embedded scheduler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

__all__ = ["VARIABLE", "with_commands_added"]

VARIABLE = "preJavaHomeCmd"

_PYTHON = """
if globals().get("preJavaHomeCmd"):
    import shlex as _shlex
    for _word in preJavaHomeCmd if isinstance(preJavaHomeCmd, (list, tuple)) else _shlex.split(str(preJavaHomeCmd)):
        forkEnvironment.addPreJavaCommand(str(_word))
"""

#: Language -> the lines. A script in another language cannot set the variable.
LINES: Mapping[str, str] = {
    "Groovy": r"""
def preJavaWords = []
try { preJavaWords = preJavaHomeCmd ?: [] } catch (MissingPropertyException missing) {}
if (!(preJavaWords instanceof Collection)) {
    preJavaWords = ("" + preJavaWords).findAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/)
    preJavaWords = preJavaWords.collect { it.replaceAll(/"([^"]*)"|'([^']*)'/, '$1$2') }
}
preJavaWords.each { forkEnvironment.addPreJavaCommand("" + it) }
""",
    "Javascript": r"""
;(function (words) {
    if (!Array.isArray(words)) {
        words = (String(words).match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) || []).map(function (word) {
            return word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2");
        });
    }
    words.forEach(function (word) { forkEnvironment.addPreJavaCommand(String(word)); });
})(typeof preJavaHomeCmd === "undefined" ? [] : preJavaHomeCmd || []);
""",
    "Ruby": r"""
if defined?(preJavaHomeCmd) && preJavaHomeCmd
  words = preJavaHomeCmd
  unless words.is_a?(Array)
    words = words.to_s.scan(/(?:[^\s"']|"[^"]*"|'[^']*')+/)
    words = words.map { |word| word.gsub(/"([^"]*)"|'([^']*)'/) { $1 || $2 } }
  end
  words.each { |word| forkEnvironment.addPreJavaCommand(word.to_s) }
end
""",
    "Python": _PYTHON,
    "Jython": _PYTHON,
}
_NAMED = re.compile(rf"\b{VARIABLE}\b")


def with_commands_added(workflow: Workflow) -> Workflow:
    """The workflow for a server; the same object where no script sets the variable."""
    tasks = tuple(_changed(task) for task in workflow.tasks)
    if all(new is old for new, old in zip(tasks, workflow.tasks, strict=True)):
        return workflow
    return replace(workflow, tasks=tasks)


def _changed(task: Task) -> Task:
    environment = task.fork_environment
    script = environment.script if environment is not None else None
    if environment is None or script is None or not _NAMED.search(script.code):
        return task
    lines = _lines(script)
    if not lines or lines in script.code:
        return task
    changed = replace(script, code=script.code.removesuffix("\n") + lines)
    return replace(task, fork_environment=replace(environment, script=changed))


def _lines(script: Script) -> str:
    language = by_engine(script.language)
    return LINES.get(language.name, "") if language is not None else ""
