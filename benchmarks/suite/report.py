"""A run in words: the table for the terminal, and the page `docs/performance.md`. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from benchmarks.suite.peers import PEERS, Peer, work_of
from benchmarks.suite.targets import BARE
from benchmarks.suite.verdicts import Figure, Row, Verdict, rows

__all__ = ["drawing", "page", "peer_table", "table"]

#: The jobs that peers run, too, and what stands above their columns.
_SHARED = {"python": "independent functions", "chain": "chain", "fan": "fan"}

#: The load of a machine that does nothing else, at most.
_QUIET = 0.5
_BUSY = (
    "**The machine was busy with other work: these figures are no verdict about the scheduler, and say little even as "
    "ratios. Run `make bench` on a quiet machine.** "
)


def table(judged: Sequence[Row]) -> str:
    """The targets, one line each."""
    lines = [f"{'case':<56} {'figure':>12} {'bar':>7} {'moonshot':>9} {'before':>7}  verdict"]
    lines += [
        f"{_title(row):<56} {_value(row):>12} {row.target.bar:>7g} {_number(row.target.moonshot):>9} "
        f"{_number(row.target.before):>7}  {row.verdict.value}"
        for row in judged
    ]
    return "\n".join(lines)


def _title(row: Row) -> str:
    size = row.figure.size if row.figure else None
    if size is None or f"{size:,}" in row.target.title:
        return row.target.title
    return f"{row.target.title} (here {size:,})"


def _value(row: Row) -> str:
    return "-" if row.figure is None else f"{row.figure.value:g} {row.target.unit}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def peer_ratios(result: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Name of a peer -> case -> the median of its runs, a task, in times of bare fork and wait."""
    found: dict[str, dict[str, float]] = {}
    for peer in PEERS:
        runs = result.get("peers", {}).get(peer.name, {}).get("runs", [])
        ratios = {
            case: [run["seconds"][case] * 1000 / tasks / run["bare"] for run in runs if case in run["seconds"]]
            for case, tasks in work_of(peer).items()
        }
        found[peer.name] = {case: round(statistics.median(values), 2) for case, values in ratios.items() if values}
    return found


def peer_table(result: Mapping[str, Any]) -> list[list[str]]:
    """Ours and the peers, as rows of cells: name, version, a ratio for each shared job, note."""
    figures = {case: Figure.of_json(data) for case, data in result.get("figures", {}).items()}
    ours = [f"{figures[case].value:g}" if case in figures else "-" for case in _SHARED]
    cells = [["this scheduler", result["machine"]["revision"], *ours, ""]]
    ratios = peer_ratios(result)
    for peer in PEERS:
        measured = result.get("peers", {}).get(peer.name)
        if measured is None:
            continue
        values = [f"{ratios[peer.name][case]:g}" if case in ratios[peer.name] else "-" for case in _SHARED]
        cells.append([peer.title, measured.get("version", ""), *values, _note(peer, measured)])
    return cells


def drawing(result: Mapping[str, Any]) -> dict[str, Any]:
    """What `plot.py` draws."""
    machine = result["machine"]
    judged = rows({case: Figure.of_json(data) for case, data in result["figures"].items()})
    ratios = peer_ratios(result)
    ours = {row.target.case: row.figure.value for row in judged if row.figure and row.target.case in _SHARED}
    return {
        "title": f"{machine['when']}, {machine['cores']} cores, {machine['system']}, {machine['python']}",
        "targets": [
            {
                "title": _title(row),
                "value": row.figure.value,
                "bar": row.target.bar,
                "moonshot": row.target.moonshot,
                "before": row.target.before,
                "met": row.verdict is not Verdict.MISSED,
            }
            for row in judged
            if row.figure is not None and row.target.unit == BARE
        ],
        "cases": _SHARED,
        "peers": [
            {"name": "this scheduler", "ratios": ours},
            *({"name": peer.title, "ratios": ratios[peer.name]} for peer in PEERS if ratios[peer.name]),
        ],
    }


def _note(peer: Peer, measured: Mapping[str, Any]) -> str:
    if measured.get("trouble"):
        return f"{'not measured' if not measured.get('runs') else 'a run failed'}: {measured['trouble']}"
    return (
        ""
        if peer.tasks == 1_000
        else f"measured with {peer.tasks} tasks, a chain of {peer.chain}, a fan of {peer.fan - 2}"
    )


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(one) + " |" for one in (head, ["---"] * len(head), *body))


def page(result: Mapping[str, Any], template: str) -> str:
    """`docs/performance.md` of a run; `template` is the text of `page.md`."""
    machine = result["machine"]
    judged = rows({case: Figure.of_json(data) for case, data in result["figures"].items()})
    return Template(template).substitute(
        machine,
        busy=_BUSY if machine["load"] > _QUIET else "",
        quick="This was a quick run: fewer runs, smaller jobs. " if result["quick"] else "",
        met=sum(row.verdict in (Verdict.MET, Verdict.MOONSHOT) for row in judged),
        all=len(judged),
        bare=_bare(result),
        many=_many(judged),
        finished=_finished(judged),
        targets=_markdown(
            ["case", "figure", "bar", "moonshot", "before", "verdict", "a task, ms", "runs"],
            list(map(_target_cells, judged)),
        ),
        peers=_markdown(
            ["program", "version", *_SHARED.values(), "isolated and kept", "note"],
            [[*row[:-1], _isolation(row[0]), row[-1]] for row in peer_table(result)],
        ),
        dask=_dask(result),
        dask_most=f"{_dask_most(result):g}",
        dask_rate=f"{1000 / most:,.0f}" if (most := _dask_most(result)) else "unknown",
        scripts=_markdown(["script", "within its limits", "figures"], list(map(_script_cells, result["scripts"]))),
    )


def _bare(result: Mapping[str, Any]) -> str:
    values = [data["detail"]["bare_ms"] for data in result["figures"].values() if "bare_ms" in data["detail"]]
    captured = result.get("captured")
    if not values:
        return ""
    measured = f" (here {statistics.median(values):.2f} ms"
    return measured + (f"; with output captured in a pipe {captured:.2f} times that)" if captured else ")")


def _target_cells(row: Row) -> list[str]:
    figure = row.figure
    cost = figure.detail.get("ms_a_task") if figure else None
    runs = figure.runs if figure else ()
    measured = f"{min(runs):g} to {max(runs):g} in {len(runs)}" if len(runs) > 1 else f"{len(runs)}"
    return [
        _title(row),
        f"**{_value(row)}**",
        _number(row.target.bar),
        _number(row.target.moonshot),
        _number(row.target.before),
        row.verdict.value,
        "" if cost is None else f"{cost:.2f}",
        measured,
    ]


def _of(judged: Sequence[Row], case: str) -> Figure | None:
    return next(row.figure for row in judged if row.target.case == case)


def _many(judged: Sequence[Row]) -> str:
    figure = _of(judged, "many")
    return "" if figure is None else f" This job took {figure.detail['seconds']:,.0f} s."


def _finished(judged: Sequence[Row]) -> str:
    figure = _of(judged, "finished")
    if figure is None:
        return ""
    return " Here: " + ", ".join(f"{respect} {value:g}" for respect, value in figure.detail.items()) + "."


def _isolation(title: str) -> str:
    if title == "this scheduler":
        return (
            "a forked process and a folder for each task; output captured, with its stream and time; results, output "
            "and states stored durably"
        )
    return next(peer.isolation for peer in PEERS if peer.title == title)


#: What stands above the figures of a row, and what `benchmarks/dask_workers.py` calls them.
_DASK = {
    "one task alone, ms": "one",
    "empty tasks, ms a task": "empty",
    "processor of the scheduler, ms a task": "processor",
    "waiting tasks, ms a task": "waiting",
    "of these at a time": "at a time",
}


def _dask(result: Mapping[str, Any]) -> str:
    """What a task costs on some Dask workers, beside as many local nodes."""
    found = next((one["figures"] for one in result["scripts"] if one["name"] == "dask_workers"), None)
    if not found:
        return "Not measured in this run."
    cells = [
        [number, name, *(f"{found[f'{number}: {executor}: {figure}']:g}" for figure in _DASK.values())]
        for number in dict.fromkeys(key.partition(":")[0] for key in found)
        for executor, name in (("dask", "Dask workers"), ("local", "local nodes"))
    ]
    return _markdown(["number", "of", *_DASK], cells)


def _dask_most(result: Mapping[str, Any]) -> float:
    """What a task on a Dask worker costs the process of the scheduler at most, in milliseconds."""
    found = next((one["figures"] for one in result["scripts"] if one["name"] == "dask_workers"), None) or {}
    return max((value for key, value in found.items() if key.endswith("dask: processor")), default=0.0)


def _script_cells(one: Mapping[str, Any]) -> list[str]:
    name = f"`{one['name']}.py`"
    if one["figures"] is None:
        return [name, "not measured", one["trouble"].replace("|", "\\|")]
    figures = "; ".join(f"{key} {value:g}" for key, value in one["figures"].items())
    return [name, "yes" if one["within_limits"] else "**no**", figures.replace("|", "\\|")]
