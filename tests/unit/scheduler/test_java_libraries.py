"""Java libraries: where they lie, and that only the right archives are installed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.scheduler import java_libraries
from proactive_jupyter_kernel.scheduler.java_libraries import LIBRARIES, VARIABLE, folder_of, install


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Groovy's package manager finds an archive of a few bytes for each library; their digests are those expected."""
    cache = tmp_path / "cache"
    cache.mkdir()
    libraries = tuple(replace(each, sha256=hashlib.sha256(each.file.encode()).hexdigest()) for each in LIBRARIES)
    for each in libraries:
        (cache / each.file).write_text(each.file)
    monkeypatch.setattr(java_libraries, "LIBRARIES", libraries)
    monkeypatch.setattr(java_libraries, "_resolved", lambda wanted: {each.file: cache / each.file for each in wanted})
    return cache


def test_the_folder_is_in_the_data_folder_or_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as none."""
    monkeypatch.setenv(VARIABLE, " ")
    assert folder_of(Path("/data")) == Path("/data/java-libraries")
    monkeypatch.setenv(VARIABLE, "/jars")
    assert folder_of(Path("/data")) == Path("/jars")


def test_installing_twice_fetches_once(fetched: Path, tmp_path: Path) -> None:
    """What is there and right is kept; what was damaged is fetched again."""
    folder, said = tmp_path / "libraries", list[str]()
    install(folder, said.append)
    first = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / LIBRARIES[0].file).write_text("damaged")
    install(folder, said.append)
    again = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert set(first) == set(again) == {each.file for each in LIBRARIES}
    assert [name for name in first if first[name] != again[name]] == [LIBRARIES[0].file]
    assert (folder / LIBRARIES[0].file).read_text() == LIBRARIES[0].file
    assert said[:3] == [f"{each.group}:{each.name}:{each.version}" for each in LIBRARIES]


def test_another_archive_is_refused(fetched: Path, tmp_path: Path) -> None:
    """Nothing is installed, not even those that are right."""
    (fetched / LIBRARIES[1].file).write_text("something else")
    with pytest.raises(SetupError, match="SHA-256 is another one"):
        install(tmp_path / "libraries", print)
    assert not (tmp_path / "libraries").exists()


def test_without_groovy_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives of one's own do as well."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=f"put the archives into the folder that {VARIABLE} names"):
        install(tmp_path / "libraries", print)
