"""The catalog that a folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog, UnknownObject

URL = "http://127.0.0.1:8080"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bucket of files, and a folder of ProActive's public examples."""
    root = tmp_path / "catalog"
    for name in ("tools/sort.py", "tools/my flow.xml", "Basic/resources/catalog/first.xml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    objects = [
        {"name": "First_Workflow", "file": "resources/catalog/first.xml"},
        {"name": "gone", "file": "resources/catalog/gone.xml"},
        {"name": "outside", "file": "../../outside.txt"},
    ]
    metadata = {"catalog": {"bucket": ["basic-examples", "more"], "objects": objects}}
    (root / "Basic/METADATA.json").write_text(json.dumps(metadata))
    (tmp_path / "outside.txt").write_text("secret")
    (root / "broken").mkdir()
    (root / "broken/METADATA.json").write_text("[5]")
    return root


def test_objects_are_found_by_their_names(folder: Path) -> None:
    """A file with or without its extension; what METADATA.json names, inside the folder alone."""
    catalog = Catalog(folder)
    assert catalog.buckets() == {"Basic": 1, "basic-examples": 1, "more": 1, "tools": 2}
    assert set(catalog.objects("tools")) == {"sort", "sort.py", "my flow", "my flow.xml"}
    assert catalog.find("tools", "sort") == catalog.find("tools", "sort.py") == folder / "tools/sort.py"
    assert catalog.find("basic-examples", "First_Workflow").read_text() == "Basic/resources/catalog/first.xml"
    assert [catalog.has(*each) for each in (("tools", "sort"), ("tools", "x"), ("x", "sort"))] == [True, False, False]


def test_each_file_is_listed_once(folder: Path) -> None:
    """By the name of METADATA.json, else without its extension where that names no other file."""
    (folder / "tools/sort.sh").write_text("sort")
    catalog = Catalog(folder)
    listed = {bucket: sorted(catalog.listed(bucket)) for bucket in catalog.buckets()}
    assert listed == {
        "Basic": ["first"],
        "basic-examples": ["First_Workflow"],
        "more": ["First_Workflow"],
        "tools": ["my flow", "sort", "sort.py"],
    }


@pytest.mark.parametrize(
    ("bucket", "name", "message"),
    [
        ("tool", "sort", "The catalog has no bucket 'tool'."),
        ("tools", "sorted", "The bucket 'tools' has no object 'sorted'."),
        ("..", "outside", "The catalog has no bucket '..'."),
        ("tools", "../../outside.txt", "has no object"),
        ("more", "outside", "has no object 'outside'"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, bucket: str, name: str, message: str) -> None:
    """Paths that lead elsewhere are names that nothing has."""
    with pytest.raises(UnknownObject) as caught:
        Catalog(folder).find(bucket, name)
    assert message in str(caught.value)


def test_links_to_files_elsewhere_are_not_objects(folder: Path) -> None:
    """A symbolic link out of the folder is left out."""
    (folder / "tools/link").symlink_to(folder.parent / "outside.txt")
    assert "link" not in Catalog(folder).objects("tools")


def test_an_empty_catalog_rules_nothing_out(tmp_path: Path) -> None:
    """Whoever has none can still submit workflows that name objects of a server's; the error says where to put them."""
    catalog = Catalog(tmp_path / "none")
    assert (catalog.has("a", "b"), catalog.buckets()) == (True, {})
    with pytest.raises(UnknownObject, match="It is empty: put folders"):
        catalog.find("a", "b")
