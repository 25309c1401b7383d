"""What a forge reads: workflows of CI, issue templates, the citation; and what pages of the root link to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.required import need_module

from proactive_jupyter_kernel.version import __version__

ROOT = Path(__file__).parents[3]
FORGE = ROOT / ".github"
CLASSIFIER = "Programming Language :: Python :: 3."
#: The keys of the Citation File Format 1.2.0 that are used here; the first four are required.
CITATION_KEYS = ("cff-version", "message", "title", "authors", "type", "abstract", "version", "license", "keywords")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    found: dict[str, Any] = loaded(FORGE / "workflows" / "ci.yml")["jobs"]
    return found


def test_ci_runs_the_commands_of_a_developer(jobs: dict[str, Any]) -> None:
    """Every command is a target of the Makefile, or .ci/run, which is there."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    used = [command.split() for command in commands if not command.startswith("apt-get")]
    assert {command[0] for command in used} == {"bash", "make"}
    assert {command[1] for command in used if command[0] == "make"} - {*targets} == set()
    assert all((ROOT / command[1]).is_file() for command in used if command[0] == "bash")


def test_ci_tests_every_system_and_every_python_that_the_project_promises(jobs: dict[str, Any]) -> None:
    """Linux, macOS and Windows; the Pythons of the classifiers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = [f"3.{each.removeprefix(CLASSIFIER)}" for each in project["classifiers"] if each.startswith(CLASSIFIER)]
    matrix = jobs["tests"]["strategy"]["matrix"]
    systems = {*matrix["os"], *(each["os"] for each in matrix["include"])}
    assert (matrix["python"], systems) == (promised, {"ubuntu-latest", "macos-latest", "windows-latest"})


@pytest.mark.parametrize("path", sorted((FORGE / "ISSUE_TEMPLATE").glob("*_*.yml")), ids=lambda path: path.stem)
def test_issue_template_is_a_form(path: Path) -> None:
    """A form has a name, a description and fields with labels; a forge shows none that lacks one of these."""
    form = loaded(path)
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = [(field["type"], bool(field["attributes"]["label"])) for field in form["body"]]
    assert {kind for kind, _ in fields} <= {"textarea", "input", "dropdown", "checkboxes"}
    assert all(labelled for _, labelled in fields)
    names = [field["id"] for field in form["body"]]
    assert len(names) == len({*names})


def test_citation_is_valid_and_of_this_version() -> None:
    """The keys of the format, with authors, and the version of the package."""
    citation = loaded(ROOT / "CITATION.cff")
    assert {*CITATION_KEYS[:4]} <= citation.keys() <= {*CITATION_KEYS}
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert (str(citation["version"]), citation["license"]) == (__version__, "BSD-3-Clause")
    assert all(author.keys() == {"name"} for author in citation["authors"])


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda path: path.stem)
def test_links_of_the_root_pages_lead_somewhere(page: Path) -> None:
    """Relative links and pictures exist."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert missing == []


def test_picture_of_the_readme_moves_and_is_small() -> None:
    """An animated WebP with several frames, below 1 MB."""
    image = need_module("PIL.Image")
    path = ROOT / "docs" / "images" / "notebook.webp"
    with image.open(path) as picture:
        assert picture.n_frames > 20
    assert path.stat().st_size < 1_000_000
    assert f"({path.relative_to(ROOT)})" in (ROOT / "README.md").read_text("utf-8")
