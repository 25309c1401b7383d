"""Java libraries that a ProActive server has on the class path of its tasks, and many workflows import.

They are large and few people need them, so they are fetched on demand, with Groovy's own package manager (Grape), which
knows the user's mirrors and proxies. A folder of archives beside them does as well: `VARIABLE` names it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.errors import SetupError

__all__ = [
    "FOLDER",
    "LIBRARIES",
    "VARIABLE",
    "Library",
    "archives",
    "folder_of",
    "install",
    "missing",
    "without_unused_imports",
]

#: In the data folder, unless the environment variable names another place.
FOLDER, VARIABLE = "java-libraries", "PROACTIVE_KERNEL_JAVA_LIBRARIES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One archive, by its coordinates on Maven Central."""

    group: str
    name: str
    version: str
    sha256: str
    #: What scripts import from it; empty: only another library needs it.
    package: str = ""

    @property
    def file(self) -> str:
        """The name of the archive."""
        return f"{self.name}-{self.version}.jar"


LIBRARIES = (
    Library(
        group="commons-io",
        name="commons-io",
        version="2.16.1",
        sha256="f41f7baacd716896447ace9758621f62c1c6b0a91d89acee488da26fc477c84f",
        package="org.apache.commons.io",
    ),
    Library(
        group="com.google.guava",
        name="guava",
        version="33.2.1-jre",
        sha256="452b2d9787b7d366fa8cf5ed9a1c40404542d05effa7a598da03bbbbb76d9f31",
        package="com.google.common",
    ),
    Library(
        group="com.google.guava",
        name="failureaccess",
        version="1.0.2",
        sha256="8a8f81cf9b359e3f6dfa691a1e776985c061ef2f223c9b2c80753e1b458e8064",
    ),
)

_GRAPE = """
def wanted = [%s]
groovy.grape.Grape.resolve([classLoader: new GroovyClassLoader()], *wanted).each { println new File(it).path }
"""
_IMPORT = re.compile(r"(?m)^[ \t]*import[ \t]+(?:\w+\.)+(\w+)[ \t]*;?[ \t]*$")
#: Seconds that a download may take.
_TIMEOUT = 300


def folder_of(data_dir: Path) -> Path:
    """Where the archives lie."""
    return Path(os.environ.get(VARIABLE, "").strip() or data_dir / FOLDER)


def archives(folder: Path) -> list[Path]:
    """All archives of the folder; it may hold others than ours."""
    return sorted(folder.glob("*.jar"))


def missing(code: str, folder: Path) -> Iterator[Library]:
    """The libraries that a script imports, or names in full, and that no archive of the folder seems to be."""
    text = _uncommented(code)
    present = [path.name for path in archives(folder)]
    for library in LIBRARIES:
        named = library.package and re.search(rf"(?<![\w.]){re.escape(library.package)}\.[\w*]", text)
        if named and not any(name.startswith(library.name) for name in present):
            yield library


def without_unused_imports(code: str) -> str:
    """Groovy code without the imports whose name it does not use: they need no library (`Imports.java` drops them)."""
    counted = Counter(re.findall(r"\w+", code))
    return _IMPORT.sub(lambda found: found[0] if counted[found[1]] > 1 else "", code)


def _uncommented(code: str) -> str:
    return re.sub(r"//[^\n]*|/\*.*?(?:\*/|\Z)", "", code, flags=re.DOTALL)


def install(folder: Path, say: Callable[[str], None]) -> None:
    """Fetch what is not there yet and tell each archive to `say`; raises `SetupError`. Nothing is left half done."""
    wanted = [library for library in LIBRARIES if not _is_right(folder / library.file, library)]
    found = _resolved(wanted) if wanted else {}
    for library in wanted:
        source = found.get(library.file)
        if source is None or not _is_right(source, library):
            raise SetupError(
                f"What was fetched as {library.group}:{library.name}:{library.version} is not that archive: its SHA-256"
                " is another one. Nothing was installed.",
                hint="Check the repository in ~/.groovy/grapeConfig.xml, if there is one.",
            )
    folder.mkdir(parents=True, exist_ok=True)
    for library in LIBRARIES:
        target = folder / library.file
        if library in wanted:
            half = target.with_suffix(".part")
            shutil.copyfile(found[library.file], half)
            os.replace(half, target)
        say(f"{library.group}:{library.name}:{library.version}")


def _is_right(path: Path, library: Library) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == library.sha256


def _resolved(libraries: list[Library]) -> dict[str, Path]:
    """The archives in Grape's cache, by file name."""
    groovy = shutil.which("groovy")
    if groovy is None:
        raise SetupError(
            "Groovy, which fetches Java libraries, is not on this machine.",
            hint="Install Groovy (Debian: apt install groovy), or put the archives into the folder that "
            f"{VARIABLE} names.",
        )
    wanted = ", ".join(
        f"[group: '{each.group}', module: '{each.name}', version: '{each.version}', transitive: false]"
        for each in libraries
    )
    with tempfile.TemporaryDirectory() as place:
        script = Path(place, "fetch.groovy")
        script.write_text(_GRAPE % wanted, encoding="ascii")
        try:
            done = subprocess.run(
                [groovy, str(script)], capture_output=True, text=True, timeout=_TIMEOUT, check=False, cwd=place
            )
        except subprocess.TimeoutExpired:
            raise SetupError(f"The Java libraries were not there after {_TIMEOUT} seconds.") from None
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
        raise SetupError(
            f"Groovy could not fetch the Java libraries: {reason.strip()}",
            hint="It needs a way to Maven Central, or a mirror of it in ~/.groovy/grapeConfig.xml.",
        )
    paths = (Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".jar"))
    return {path.name: path for path in paths}
