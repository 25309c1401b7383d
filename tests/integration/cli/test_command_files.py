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
    """Matching files are sent, output files are in the folder when the command ends, and both are reported."""
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


def test_files_are_fetched_later(shell: Shell) -> None:
    """Without --wait, or after a timeout, `wait` and `fetch` know where the output belongs; then it is fetched once."""
    (shell.home / "in").mkdir(exist_ok=True)
    (shell.home / "in" / "a.csv").write_text("a.csv")
    path = shell.write("files.xml", TASK)
    for number, command in enumerate(("wait", "fetch")):
        folder = f"{shell.home}/later{number}"
        done = shell("submit", path, "--input-path", str(shell.home / "in"), "--output-path", folder)
        job = done.stdout.split()[1]
        assert f"`proactive-kernel wait {job}` or `fetch {job}` writes the output files to {folder}." in done.stderr
        if command == "fetch":
            shell("logs", job, "--follow")
        fetched = shell(command, job)
        assert (fetched.returncode, f"1 output file in {folder}\n  out/all.csv" in fetched.stderr) == (0, True)
        again = shell("fetch", job)
        assert (again.returncode, f"There are no output files of job {job} to fetch." in again.stderr) == (1, True)


def test_a_refusal_leaves_no_files_behind(shell: Shell) -> None:
    """What was sent for a workflow that the scheduler refuses is removed from the user space."""
    (shell.home / "in").mkdir(exist_ok=True)
    (shell.home / "in" / "a.csv").write_text("a.csv")
    head = '<variables><variable name="N" value="x" model="PA:INTEGER"/></variables>'
    path = shell.write("refused.xml", TASK, head=head)
    done = shell("submit", path, "--input-path", str(shell.home / "in"), "--output-path", "back")
    assert done.returncode == 2, done.stderr
    data = shell.home / "data"
    left = [file for file in data.rglob("*_????-??-??_*") if "user" in file.parts]
    assert (left, list(data.glob("file-transfers/*"))) == ([], [])


def test_missing_input_folder_is_named(shell: Shell) -> None:
    """A folder that does not exist is an error before anything is submitted."""
    done = shell("submit", shell.write("files.xml", TASK), "--wait", "--input-path", f"{shell.home}/no")
    assert done.returncode != 0
    assert f"The input folder {shell.home}/no does not exist." in done.stderr
