"""The settings: one table, read from the environment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.settings import PREFIX, SETTINGS, NodeSource, Settings, load


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


def test_the_guide_tells_every_setting() -> None:
    """Each row of the table is a row of the guide."""
    guide = Path(__file__).parents[3] / "docs" / "guides" / "scheduler.md"
    rows = "\n".join(line for line in guide.read_text("utf-8").splitlines() if line.startswith("| `"))
    assert [setting.name for setting in SETTINGS if f"`{PREFIX}{setting.name}`" not in rows] == []


WRONG = [
    ("SLOTS", "0"),
    ("SLOTS", "many"),
    ("IDLE_STOP", "-1"),
    ("IDLE_STOP", "nan"),
    ("LOG_BYTES", "10"),
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
