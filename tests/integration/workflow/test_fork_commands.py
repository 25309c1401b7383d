"""The lines behind fork environment scripts, run by the languages themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.required import need

from proactive_jupyter_kernel.workflow.fork_commands import LINES

#: Language -> its program, what defines `forkEnvironment` and what writes its words as JSON.
LANGUAGES = {
    "Javascript": (
        "node",
        "var found = []; var forkEnvironment = {addPreJavaCommand: function (word) { found.push(word); }};",
        "console.log(JSON.stringify(found));",
    ),
    "Ruby": (
        "ruby",
        "require 'json'\nclass Fork\n  attr_reader :words\n  def addPreJavaCommand(word)\n    (@words ||= []) << word\n"
        "  end\nend\nforkEnvironment = Fork.new",
        "puts((forkEnvironment.words || []).to_json)",
    ),
    "Groovy": (
        "groovy",
        "class Fork { def words = []; void addPreJavaCommand(String word) { words << word } }\n"
        "forkEnvironment = new Fork()",
        "println groovy.json.JsonOutput.toJson(forkEnvironment.words)",
    ),
}
WORDS = [
    ("preJavaHomeCmd = 'nice -n 10'", ["nice", "-n", "10"]),
    ("""preJavaHomeCmd = 'env "a b=c d"  x'""", ["env", "a b=c d", "x"]),
    ("preJavaHomeCmd = ['env', 'a b']", ["env", "a b"]),
    ("preJavaHomeCmd = ''", []),
    ("", []),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_words(language: str, tmp_path: Path) -> None:
    """As the embedded scheduler splits them; nothing where the script sets none."""
    program, before, after = LANGUAGES[language]
    need(program)
    said = []
    for number, (code, _) in enumerate(WORDS):
        script = tmp_path / f"script{number}"
        script.write_text(f"{before}\n{code}{LINES[language]}{after}\n", encoding="utf-8")
        done = subprocess.run([program, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said == [words for _, words in WORDS]
