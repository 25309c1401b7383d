"""The settings: one table, read from the environment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.settings import (
    PREFIX,
    SETTINGS,
    NodeSource,
    Settings,
    load,
    misspelt,
    reference,
    shown,
)


def test_every_field_has_its_row() -> None:
    """The table and the record name the same things."""
    assert [setting.field for setting in SETTINGS] == [field.name for field in dataclasses.fields(Settings)]


def test_defaults_need_no_environment() -> None:
    """Blank variables count as absent."""
    assert load({"PROACTIVE_KERNEL_SLOTS": " "}) == load({})
    assert load({}).slots >= 1


def test_the_environment_wins() -> None:
    """Each kind of value is read."""
    read = load({"PROACTIVE_KERNEL_SLOTS": "3", "PROACTIVE_KERNEL_IDLE_STOP": "1.5", "PROACTIVE_KERNEL_WARM": "Off"})
    assert (read.slots, read.idle_stop, read.warm) == (3, 1.5, False)


def test_node_sources_have_nodes_and_tokens() -> None:
    """Several stand side by side; tokens are optional."""
    read = load({"PROACTIVE_KERNEL_NODE_SOURCES": "gpu=2:cuda,team  big.mem=1"})
    assert read.node_sources == (
        NodeSource(name="gpu", nodes=2, tokens=("cuda", "team")),
        NodeSource(name="big.mem", nodes=1),
    )


def test_the_reference_is_current() -> None:
    """docs/reference/settings.md is what the table says, a row for each setting."""
    page = (Path(__file__).parents[4] / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert page == reference(), "run: make reference"
    assert [setting.name for setting in SETTINGS if f"| `{PREFIX}{setting.name}` |" not in page] == []


def test_defaults_are_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown as the value of a setting may be written into the environment."""
    chosen = load({})
    written = {setting.variable: shown(getattr(chosen, setting.field)) for setting in SETTINGS}
    assert load(written) == chosen


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("2k", 2048), ("64 MiB", 64 << 20), ("1.5GB", 3 << 29), ("0.5 t", 1 << 39)]
)
def test_sizes_have_units(text: str, size: int) -> None:
    """In powers of 1,024, with or without B."""
    assert load({"PROACTIVE_KERNEL_BODY_LIMIT": text}).body_limit == size


WRONG = [
    ("SLOTS", "0"),
    ("SLOTS", "many"),
    ("IDLE_STOP", "-1"),
    ("IDLE_STOP", "nan"),
    ("LOG_BYTES", "10"),
    ("LOG_BYTES", "1e400"),
    ("UPLOAD_LIMIT", "-1"),
    ("UPLOAD_LIMIT", "100"),
    ("UPLOAD_LIMIT", "5 apples"),
    ("UPLOAD_LIMIT", "9" * 400),
    ("JOBS_KEPT", "-1"),
    ("JOBS_DAYS", "1e9"),
    ("IDLE_STOP", "inf"),
    ("TASK_MEMORY", "1M"),
    ("WARM", "maybe"),
    ("NODE_SOURCES", "gpu"),
    ("NODE_SOURCES", "gpu=0"),
    ("NODE_SOURCES", "gpu=1 gpu=2"),
    ("NODE_SOURCES", "Default=2"),
    ("NODE_SOURCES", "gpu=1:"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_is_named(name: str, text: str) -> None:
    """With the variable and what it must be."""
    with pytest.raises(EmbeddedSchedulerError, match=f"PROACTIVE_KERNEL_{name} is '{text}', but it must be"):
        load({f"PROACTIVE_KERNEL_{name}": text})


def test_a_misspelt_name_is_found() -> None:
    """It would be ignored without a word; variables that others read are none of these."""
    others = ("SLOTS", "SLOT", "JOBS_KEEP", "DATA_DIR", "JAVA_LIBRARIES")
    found = misspelt({**{f"{PREFIX}{name}": "3" for name in others}, "PATH": "/bin"})
    assert found == {f"{PREFIX}SLOT": f"{PREFIX}SLOTS", f"{PREFIX}JOBS_KEEP": f"{PREFIX}JOBS_KEPT"}
