"""`submit --input-path --output-path`: files there and back from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Shell

TASK = """
<task name="T">
  <inputFiles><files includes="*.csv" accessMode="transferFromInputSpace"/></inputFiles>
  <scriptExecutable><script><code language="bash">mkdir out; cat *.csv > out/all.csv</code></script></scriptExecutable>
  <outputFiles><files includes="out/*" accessMode="transferToOutputSpace"/></outputFiles>
</task>"""


def test_files_go_and_come_back(shell: Shell) -> None:
    """Matching files are sent, output files lie in the folder when the command ends, and both are told."""
    (shell.home / "in").mkdir()
    for name in ("a.csv", "b.txt"):
        (shell.home / "in" / name).write_text(name)
    path = shell.write("files.xml", TASK)
    done = shell(
        "submit", path, "--wait", "--input-path", str(shell.home / "in"), "--output-path", f"{shell.home}/back"
    )
    assert done.returncode == 0, done.stderr
    assert (shell.home / "back/out/all.csv").read_text() == "a.csv"
    assert f"1 file of {shell.home}/in sent." in done.stderr
    assert f"1 output file in {shell.home}/back\n  out/all.csv" in done.stderr


def test_output_needs_waiting(shell: Shell) -> None:
    """Files that nobody waits for cannot be brought."""
    done = shell("submit", shell.write("files.xml", TASK), "--output-path", "back")
    assert (done.returncode, "--output-path needs --wait" in done.stderr) == (2, True)


def test_missing_input_folder_is_named(shell: Shell) -> None:
    """A folder that does not exist is an error before anything is submitted."""
    done = shell("submit", shell.write("files.xml", TASK), "--wait", "--input-path", f"{shell.home}/no")
    assert done.returncode != 0
    assert f"The input folder {shell.home}/no does not exist." in done.stderr
