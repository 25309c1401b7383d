"""What the scheduler answers when variables are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.service.lookups import lookups_for, resource_model
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.workflow.model_types import Lookups
from proactive_jupyter_kernel.workflow.variable_models import ModelError, check_value

SLOTS = (Slot(name="local-0", host="mars"), Slot(name="local-1", host="mars", source="big", tokens=("gpu",)))
URL = "http://127.0.0.1:8080"


@pytest.fixture
def lookups(tmp_path: Path) -> Lookups:
    for name in ("user/ana/data/a.csv", "user/bob/b.csv", "global/g.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    spaces = {kind: str(tmp_path / kind) for kind in ("user", "global")}
    (tmp_path / "catalog/tools").mkdir(parents=True)
    (tmp_path / "catalog/tools/sort.xml").touch()
    site = Site(user="ana", home="/", url=URL, spaces=spaces)
    return lookups_for(site, SLOTS, "ana", {"db"}, Catalog(tmp_path / "catalog"))


@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        ("PA:USER_FILE", "data/a.csv", ["b.csv", "../bob/b.csv", "/etc/passwd", "data"]),
        ("PA:USER_FOLDER", "data", ["data/a.csv", "../bob", "no"]),
        ("PA:GLOBAL_FILE", "g.csv", ["data/a.csv", "../user/ana/data/a.csv"]),
        (f"PA:MODEL_FROM_URL({URL}/rest/rm/model/hosts)", "mars", ["venus"]),
        (f"PA:MODEL_FROM_URL({URL}/rest/rm/model/nodesources?name=b.*&noEmpty=true)", "big", ["", "Default"]),
        ("PA:CREDENTIAL", "db", ["other"]),
        ("PA:CATALOG_OBJECT", "tools/sort", ["tools/other", "other/sort"]),
    ],
)
def test_values_are_held_against_what_there_is(lookups: Lookups, model: str, good: str, bad: list[str]) -> None:
    """Files and folders of the owner's and the global space, hosts and node sources of the slots."""
    check_value(model, good, lookups=lookups)
    for value in bad:
        with pytest.raises(ModelError):
            check_value(model, value, lookups=lookups)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", f"{URL}/rest/rm/model/other"])
def test_only_the_web_is_asked_for_models(lookups: Lookups, url: str) -> None:
    """A file of the machine, or an unknown model of the scheduler's own, refuses the value."""
    with pytest.raises(ModelError, match="cannot be fetched"):
        check_value(f"PA:MODEL_FROM_URL({url})", "x", lookups=lookups)


def test_models_of_resources() -> None:
    """They list each name once, with an empty choice in front unless that is not wanted."""
    assert [resource_model(SLOTS, kind) for kind in ("hosts", "nodesources", "tokens")] == [
        "PA:LIST(,mars)",
        "PA:LIST(,Default,big)",
        "PA:LIST(,gpu)",
    ]
    assert resource_model(SLOTS, "nodesources", name="b.*", no_empty=True) == "PA:LIST(big)"
    assert resource_model(SLOTS[:1], "tokens") == "PA:LIST()"


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a+)+b", "(a{1,9}){9}b", ".*.*.*.*.*b", "a" * 201])
def test_patterns_that_may_take_long_are_refused(pattern: str) -> None:
    """Anybody may ask for a model, and a match cannot be interrupted."""
    with pytest.raises(ValueError, match="may take too long"):
        resource_model(SLOTS, "hosts", name=pattern)
