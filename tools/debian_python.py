"""Get a Python that this Debian does not have from a newer Debian, without changing the system.

    python tools/debian_python.py 3.14 sid

The packages are unpacked into build/pythons/3.14. `build/pythons/3.14/run python3.14` runs that Python, with its usr
in the place of /usr; tools/test_wheel.py finds it. Needs apt and bubblewrap.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

PYTHONS = Path(__file__).resolve().parents[1] / "build" / "pythons"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
#: What wheels and the demo need besides Python.
TOOLS = ("libstdc++6", "bash", "coreutils", "dash", "findutils", "grep", "gawk", "procps", "sed", "tar")


def main() -> None:
    version, suite = sys.argv[1:]
    home = PYTHONS / version
    if (home / "run").exists():
        return
    shutil.rmtree(home, ignore_errors=True)
    apt = _own_apt(home / "apt", suite)
    _quiet("apt-get", "update", configuration=apt)
    _quiet(
        *("apt-get", "install", "--download-only", "--yes", "--no-install-recommends"),
        *(f"python{version}-venv", *TOOLS),
        configuration=apt,
    )
    for package in sorted((home / "apt" / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, home / "root"], check=True)
    shutil.rmtree(home / "apt")
    _complete(home / "root")
    command = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(home / "root" / "usr"), "/usr"]
    command += ["--setenv", "PATH", "/usr/bin", "--"]
    launcher = home / "run.new"
    launcher.write_text(f'#!/bin/bash\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    subprocess.run([launcher, f"python{version}", "-c", "import ssl, venv"], check=True)
    launcher.rename(home / "run")


def _complete(root: Path) -> None:
    """What the scripts of the packages would do, and files in place of links into /etc, which stays this machine's."""
    (root / "usr" / "bin" / "awk").symlink_to("gawk")
    for path in (root / "usr" / "lib").rglob("*.py"):
        if path.is_symlink() and path.readlink().is_relative_to("/etc"):
            content = root / path.readlink().relative_to("/")
            path.unlink()
            shutil.copyfile(content, path)


def _mirror() -> str:
    """Where this machine gets its Debian from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(CREATED_BY)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines():
        address, release, target = line.split(" ", 2)
        if target == "Packages" and "-" not in release:
            return address
    raise SystemExit("apt names no archive of Debian. Run `apt-get update` first.")


def _own_apt(folder: Path, suite: str) -> Path:
    """A configuration with which apt knows that suite alone and believes that nothing is installed."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n"
    (folder / "sources.list").write_text(source, encoding="utf-8")
    configuration = folder / "apt.conf"
    configuration.write_text(
        f"""Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
APT::Sandbox::User "root";
""",
        encoding="utf-8",
    )
    return configuration


def _quiet(*command: str, configuration: Path) -> None:
    subprocess.run(command, env={**os.environ, "APT_CONFIG": str(configuration)}, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
