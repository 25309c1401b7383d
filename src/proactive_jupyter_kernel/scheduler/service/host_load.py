"""The load of this machine under the names of the MBeans that a node of a ProActive server has (Sigar, Java).

Samples of processor and memory are kept for a history. No timer takes them, so that an idle scheduler sleeps: one is
taken with each question, and when a task starts or ends, but not more often than every few seconds.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, TypeAlias

import psutil

__all__ = ["CPU", "MEMORY", "RANGES", "HostLoad", "UnknownMBean"]

#: Attribute -> value.
Attributes: TypeAlias = Mapping[str, Any]

CPU, MEMORY = "sigar:Type=CpuUsage", "sigar:Type=Mem"
#: What a letter of ``range`` means, in seconds.
RANGES: Mapping[str, float] = MappingProxyType(
    {
        "a": 60,
        "n": 300,
        "m": 600,
        "t": 1_800,
        "h": 3_600,
        "j": 2 * 3_600,
        "k": 4 * 3_600,
        "H": 8 * 3_600,
        "d": 86_400,
        "w": 7 * 86_400,
        "M": 30 * 86_400,
        "y": 365 * 86_400,
    }
)
#: Seconds between two samples at least, and how many are kept.
_PERIOD, _KEPT = 5.0, 5_000
#: Seconds over which the processor's usage is measured at least.
_SHORTEST = 0.2


class UnknownMBean(LookupError):
    """There is no MBean of this name; its text is the name."""


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    values: Mapping[str, Attributes]


class HostLoad:
    """Reads the machine's load. Questions may block for some milliseconds, the first one longer: ask in a thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._samples: deque[_Sample] = deque(maxlen=_KEPT)
        self._times = psutil.cpu_times()
        self._times_at = time.monotonic()
        #: Shares of the time; None: not measured yet.
        self._cpu: Attributes | None = None
        self._lock = threading.Lock()

    def read(self, pattern: str) -> dict[str, Attributes]:
        """The MBeans of a name, which may hold ``*``; raises `UnknownMBean`."""
        found: dict[str, Attributes] = {}
        with self._lock:
            for family, make in _FAMILIES.items():
                if family.partition("Name=")[0] == pattern.partition("Name=")[0]:
                    found |= {name: values for name, values in make(self) if fnmatchcase(name, pattern)}
        if not found:
            raise UnknownMBean(pattern)
        return found

    def sample(self) -> None:
        """Note processor and memory, if the last time is long enough ago. Does not block."""
        if self._cpu is None or not self._lock.acquire(blocking=False):
            return
        try:
            self._sample()
        finally:
            self._lock.release()

    def _sample(self) -> None:
        at = self._clock()
        if not self._samples or not 0 <= at - self._samples[-1].at < _PERIOD:
            self._samples.append(_Sample(at, {CPU: self.cpu_usage(), MEMORY: _memory()}))

    def history(self, name: str, attribute: str, letter: str) -> list[float]:
        """The samples of an attribute over a range, the oldest first; raises `UnknownMBean`."""
        with self._lock:
            self._sample()
            since = self._clock() - RANGES.get(letter, RANGES["a"])
            if name not in (CPU, MEMORY) or attribute not in self._samples[-1].values[name]:
                raise UnknownMBean(name)
            return [sample.values[name][attribute] for sample in self._samples if sample.at >= since]

    def cpu_usage(self) -> Attributes:
        """Shares of the time since the last question; of a very short time they would mean nothing."""
        if self._cpu is None:
            time.sleep(max(0.0, self._times_at + _SHORTEST - time.monotonic()))
        now = time.monotonic()
        if now - self._times_at >= _SHORTEST:
            times = psutil.cpu_times()
            spent = {name: _share(times, self._times, field) for name, field in _CPU_FIELDS.items()}
            total = sum(spent.values())
            if total > 0:
                shares = {name: value / total for name, value in spent.items()}
                self._cpu = {**shares, "Combined": 1 - shares["Idle"] - shares["Wait"]}
                self._times, self._times_at = times, now
        return self._cpu or dict.fromkeys((*_CPU_FIELDS, "Combined"), 0.0)


#: Sigar's names -> psutil's, which not every system has.
_CPU_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "User": "user",
        "Sys": "system",
        "Nice": "nice",
        "Idle": "idle",
        "Wait": "iowait",
        "Irq": "irq",
        "SoftIrq": "softirq",
        "Stolen": "steal",
    }
)


def _share(now: Any, before: Any, field: str) -> float:
    return max(0.0, float(getattr(now, field, 0.0)) - float(getattr(before, field, 0.0)))


def _memory() -> Attributes:
    memory = psutil.virtual_memory()
    actual = memory.total - memory.available
    return {
        "Total": memory.total,
        "Used": memory.total - memory.free,
        "Free": memory.free,
        "ActualUsed": actual,
        "ActualFree": memory.available,
        "UsedPercent": 100.0 * actual / memory.total,
        "FreePercent": 100.0 * memory.available / memory.total,
        "Ram": memory.total // 2**20,
    }


_Pairs: TypeAlias = Iterator[tuple[str, Attributes]]


def _cpu(load: HostLoad) -> _Pairs:
    yield CPU, load.cpu_usage()


def _mem(load: HostLoad) -> _Pairs:
    yield MEMORY, _memory()


def _swap(load: HostLoad) -> _Pairs:
    swap = psutil.swap_memory()
    yield "sigar:Type=Swap", {"Total": swap.total, "Used": swap.used, "Free": swap.free}


def _cores(load: HostLoad) -> _Pairs:
    for number, percent in enumerate(psutil.cpu_percent(percpu=True)):
        yield f"sigar:Type=CpuCoreUsage,Name=core{number}", {"Combined": percent / 100}


def _disks(load: HostLoad) -> _Pairs:
    for part in psutil.disk_partitions():
        try:
            usage = psutil.disk_usage(part.mountpoint)
        except OSError:
            continue  # an empty drive, or one that this user may not see
        yield (
            f"sigar:Type=FileSystem,Name={part.mountpoint}",
            {
                "DevName": part.device,
                "DirName": part.mountpoint,
                # Sigar counts kilobytes here.
                "Total": usage.total // 1024,
                "Used": usage.used // 1024,
                "Free": usage.free // 1024,
                "UsePercent": usage.percent / 100,
            },
        )


def _networks(load: HostLoad) -> _Pairs:
    for name, counts in psutil.net_io_counters(pernic=True).items():
        yield (
            f"sigar:Type=NetInterface,Name={name}",
            {
                "Name": name,
                "RxBytes": counts.bytes_recv,
                "TxBytes": counts.bytes_sent,
                "RxPackets": counts.packets_recv,
                "TxPackets": counts.packets_sent,
                "RxErrors": counts.errin,
                "TxErrors": counts.errout,
            },
        )


def _system(load: HostLoad) -> _Pairs:
    yield (
        "java.lang:type=OperatingSystem",
        {
            "Name": platform.system(),
            "Arch": platform.machine(),
            "Version": platform.release(),
            "AvailableProcessors": os.cpu_count() or 1,
            "SystemLoadAverage": psutil.getloadavg()[0],
        },
    )


_FAMILIES: Mapping[str, Callable[[HostLoad], _Pairs]] = MappingProxyType(
    {
        CPU: _cpu,
        MEMORY: _mem,
        "sigar:Type=Swap": _swap,
        "sigar:Type=CpuCoreUsage,Name=*": _cores,
        "sigar:Type=FileSystem,Name=*": _disks,
        "sigar:Type=NetInterface,Name=*": _networks,
        "java.lang:type=OperatingSystem": _system,
    }
)
