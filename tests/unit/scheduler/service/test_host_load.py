"""The load of the machine under the names of a server's MBeans."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.service.host_load import CPU, MEMORY, HostLoad, UnknownMBean


def times(user: float, system: float, idle: float) -> SimpleNamespace:
    return SimpleNamespace(user=user, system=system, idle=idle)


def test_processor_usage_is_that_since_the_last_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first answer is measured; all shares add up, and what a system does not count is 0."""
    found = iter([times(10, 5, 100), times(12, 6, 101)])
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(found))
    values = HostLoad().read(CPU)[CPU]
    assert values == {
        "User": 0.5,
        "Sys": 0.25,
        "Nice": 0.0,
        "Idle": 0.25,
        "Wait": 0.0,
        "Irq": 0.0,
        "SoftIrq": 0.0,
        "Stolen": 0.0,
        "Combined": 0.75,
    }


def test_samples_are_taken_every_few_seconds_and_chosen_by_range() -> None:
    """A question takes one, and so does an end of a task, but none before somebody asked."""
    seconds = [1_000.0]
    load = HostLoad(clock=lambda: seconds[-1])
    load.sample()
    load.read(CPU)
    for at in (1_000.0, 1_001.0, 1_010.0, 1_100.0):
        seconds.append(at)
        load.sample()
    assert [len(load.history(MEMORY, "UsedPercent", letter)) for letter in ("a", "n", "?")] == [1, 3, 1]


@pytest.mark.parametrize(("name", "attribute"), [("sigar:Type=Swap", "Total"), (CPU, "Nothing")])
def test_there_is_no_history_of_anything_else(name: str, attribute: str) -> None:
    """Neither of other MBeans nor of unknown attributes."""
    with pytest.raises(UnknownMBean):
        HostLoad().history(name, attribute, "a")


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("sigar:Type=Swap", "sigar:Type=Swap"),
        ("sigar:Type=CpuCoreUsage,Name=*", "sigar:Type=CpuCoreUsage,Name=core0"),
        ("sigar:Type=CpuCoreUsage,Name=core0", "sigar:Type=CpuCoreUsage,Name=core0"),
        ("java.lang:type=OperatingSystem", "java.lang:type=OperatingSystem"),
    ],
)
def test_names_may_be_patterns(pattern: str, first: str) -> None:
    """Each MBean that fits has its attributes."""
    assert next(iter(HostLoad().read(pattern))) == first


def test_an_unknown_name_is_refused() -> None:
    """It is the text of the error."""
    with pytest.raises(UnknownMBean, match=r"java\.lang:type=Memory"):
        HostLoad().read("java.lang:type=Memory")
