"""The logic of `make bench`: ratios, verdicts, the table and the page. Nothing is timed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.suite import report, runs, scripts, workflows
from benchmarks.suite.__main__ import _options
from benchmarks.suite.peers import PEERS
from benchmarks.suite.targets import FIXED, TARGETS, WORKLOADS, Target
from benchmarks.suite.verdicts import Figure, Run, Verdict, figure_of_runs, passed, ratio, rows, verdict

_PAGE = Path(report.__file__).with_name("page.md")
_ROW = Target(case="python", title="1,000 Python tasks", unit="× bare", bar=6, moonshot=4, before=24)


def _run(seconds: float, tasks: int = 1_000, bare: tuple[float, float] = (0.3, 0.3)) -> Run:
    return Run(seconds=seconds, tasks=tasks, bare=bare)


def test_ratio_is_the_cost_of_a_task_in_bare_processes_of_the_same_minute() -> None:
    """Milliseconds a task, divided by the mean of the two bare measurements around the run."""
    assert ratio(_run(2.0, tasks=1_000, bare=(0.3, 0.5))) == pytest.approx(5.0)


def test_figure_is_the_median_of_the_runs() -> None:
    """One slow run does not change the figure; every run is kept."""
    figure = figure_of_runs([_run(1.5), _run(9.0), _run(1.8)], scheduler_processor_ms=0.7)
    assert figure == Figure(
        value=6.0, runs=(5.0, 30.0, 6.0), detail={"ms_a_task": 1.8, "bare_ms": 0.3, "scheduler_processor_ms": 0.7}
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.9, Verdict.MOONSHOT),
        (4.0, Verdict.MOONSHOT),
        (4.1, Verdict.MET),
        (6.0, Verdict.MET),
        (6.01, Verdict.MISSED),
    ],
)
def test_verdict_at_the_bars(value: float, expected: Verdict) -> None:
    """A figure on the bar meets it."""
    assert verdict(_ROW, Figure(value=value)) is expected


def test_a_case_that_was_not_measured_fails_only_where_it_was_asked_for() -> None:
    """No verdict is good without a figure."""
    judged = rows({"python": Figure(value=5.0)})
    verdicts = {row.target.case: row.verdict for row in judged if row.target.case in ("python", "bash")}
    assert (verdicts, passed(judged), passed(judged, wanted=["python"]), passed(judged, wanted=["bash"])) == (
        {"python": Verdict.MET, "bash": Verdict.NOT_MEASURED},
        False,
        True,
        False,
    )


def test_every_case_of_the_table_is_measured_by_something() -> None:
    """Each target is a workload, has a measurement of its own, or comes from the chain."""
    measured = {load.case for load in WORKLOADS} | set(FIXED) | {"step"}
    assert ({row.case for row in TARGETS}, set(runs.MEASURES), set(workflows.TEXTS)) == (
        measured,
        set(FIXED),
        {load.case for load in WORKLOADS},
    )


def test_the_step_of_the_chain_comes_from_the_runs_of_the_chain() -> None:
    """A chain of 100 in 0.25 s has steps of 2.5 ms."""
    found = runs.figures_of({"chain": [_run(0.25, tasks=100), _run(0.35, tasks=100)]}, {"chain": [0.05, 0.07]})
    assert {case: (figure.value, figure.runs) for case, figure in found.items()} == {
        "chain": (10.0, (8.33, 11.67)),
        "step": (3.0, (2.5, 3.5)),
    }


def test_table_has_a_line_for_each_target_with_figure_and_verdict() -> None:
    """A smaller size than the title's is told, and so is what was not measured."""
    figures = {"python": Figure(value=7.5), "many": Figure(value=310, size=5_000)}
    judged = [row for row in rows(figures) if row.target.case in ("python", "bash", "many")]
    assert [" ".join(line.split()) for line in report.table(judged).splitlines()[1:]] == [
        "1,000 Python tasks 7.5 × bare 6 4 24 MISSED",
        "1,000 bash tasks - 12 8 18 not measured",
        "100,000 tasks in one job, peak memory of the scheduler (here 5,000) 310 MB 1000 met",
    ]


def _result() -> dict[str, object]:
    """A run as `results.json` has it."""
    figures = {
        "python": figure_of_runs([_run(1.5), _run(1.8)]),
        "chain": figure_of_runs([_run(0.25, tasks=100)]),
        "finished": Figure(value=1.04, runs=(1.04, 0.98), size=10_000, detail={"latency": 1.04, "tasks": 0.98}),
    }
    result = {
        "machine": {
            "when": "2026-01-02 03:04 UTC",
            "revision": "abc1234",
            "system": "Linux",
            "python": "CPython 3.12.0",
            "cores": 2,
            "processor": "a processor",
            "memory_gb": 8,
            "load": 0.1,
        },
        "quick": False,
        "figures": {case: figure.as_json() for case, figure in figures.items()},
        "peers": {
            "dask": {
                "version": "2026.1",
                "trouble": "",
                "runs": [
                    {"seconds": {"python": 3.0, "chain": 0.6, "fan": 1.506}, "bare": 0.3},
                    {"seconds": {"python": 6.0, "chain": 0.6, "fan": 1.506}, "bare": 0.3},
                ],
            },
            "sos": {"version": "", "trouble": "it cannot be installed here: no wheel", "runs": []},
        },
        "scripts": [
            {"name": "idle", "figures": {"scheduler_mb": 61.5}, "within_limits": True, "trouble": ""},
            {"name": "card", "figures": None, "within_limits": False, "trouble": "no kernel"},
        ],
    }
    return dict(json.loads(json.dumps(result)))


def test_peers_are_compared_by_the_same_ratio_and_one_that_failed_says_why() -> None:
    """Medians of the runs of each; no figure is invented for one that cannot be installed."""
    assert report.peer_table(_result()) == [
        ["this scheduler", "abc1234", "5.5", "8.33", "-", ""],
        ["Dask", "2026.1", "15", "20", "10", ""],
        ["SoS", "", "-", "-", "-", "not measured: it cannot be installed here: no wheel"],
    ]


def test_page_says_on_what_it_was_measured_and_has_every_row() -> None:
    """All placeholders are filled, and all tables are there."""
    text = report.page(_result(), _PAGE.read_text(encoding="utf-8"))
    parts = (
        "Measured 2026-01-02 03:04 UTC at revision abc1234, on 2 cores (a processor, 8 GB), Linux, CPython 3.12.0.",
        "3 of 11 targets are met.",
        "| 1,000 Python tasks | **5.5 × bare** | 6 | 4 | 24 | met | 1.65 | 5 to 6 in 2 |",
        "| 1,000 bash tasks | **-** | 12 | 8 | 18 | not measured |  | 0 |",
        "| SoS |  | - | - | - | worker processes",
        "| `idle.py` | yes | scheduler_mb 61.5 |",
        "| `card.py` | not measured | no kernel |",
        "Here: latency 1.04, tasks 0.98.",
    )
    assert [part for part in parts if part not in text] == []
    assert "$" not in text


def test_drawing_has_what_was_measured_alone() -> None:
    """The plot shows neither targets nor peers without figures."""
    drawing = report.drawing(_result())
    assert (
        [(row["title"], row["value"], row["met"]) for row in drawing["targets"]],
        [(row["name"], row["ratios"]) for row in drawing["peers"]],
    ) == (
        [("1,000 Python tasks", 5.5, True), ("chain of 100", 8.33, True)],
        [("this scheduler", {"python": 5.5, "chain": 8.33}), ("Dask", {"python": 15, "chain": 20, "fan": 10})],
    )


def test_figures_survive_the_file() -> None:
    """What `results.json` keeps of a figure gives the same figure."""
    figure = figure_of_runs([_run(1.5)], size=500)
    assert Figure.of_json(json.loads(json.dumps(figure.as_json()))) == figure


def test_numbers_of_a_script_are_named_by_the_way_to_them() -> None:
    """Nested objects, lists of runs, and no flags."""
    value = {"ms": {"100": [3.0, 1.0, 2.0]}, "ratio": 1.1, "good": True, "name": "x"}
    assert dict(scripts.flat(value)) == {"ms: 100": 2.0, "ratio": 1.1}


def test_a_script_beyond_its_limits_fails_the_run() -> None:
    """So does one without figures: it says nothing about its limits."""
    found = [*_result()["scripts"], {"name": "latency", "figures": {"warm": 120.0}, "within_limits": False}]  # type: ignore[misc]
    assert scripts.beyond_limits(found) == ["card", "latency"]


def test_there_is_a_file_for_each_row() -> None:
    """Peers and scripts of the tables exist, and no script of the folder is forgotten."""
    folder = Path(report.__file__).parents[1]
    tools = {"__init__", "trace_task"}
    assert (
        {path.stem for path in (folder / "peers").glob("run_*.py")},
        {path.stem for path in folder.glob("*.py")} - tools,
    ) == ({f"run_{peer.name}" for peer in PEERS}, {script.name for script in scripts.SCRIPTS})


def test_single_cases_run_without_peers_and_scripts_unless_they_are_named() -> None:
    """`ONLY` is for looking at one figure again."""
    single, all_of_it = _options(["--only", "chain", "--peers", "dask"]), _options(["--quick"])
    assert (single.only, single.peers, single.scripts, len(all_of_it.only), len(all_of_it.peers)) == (
        ["chain"],
        ["dask"],
        [],
        len(TARGETS),
        len(PEERS),
    )


def test_the_step_of_the_chain_brings_the_chain() -> None:
    """Whoever asks for the step alone gets the chain, whose runs it comes from, with its verdict."""
    assert _options(["--only", "step,growth"]).only == ["step", "growth", "chain"]


def test_an_unknown_case_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelled name measures nothing."""
    with pytest.raises(SystemExit):
        _options(["--only", "chian"])
    assert "chian: not one of python, bash, chain" in capsys.readouterr().err


def test_results_of_a_timed_job_are_compared() -> None:
    """A job that gives wrong results has no time."""

    class Result:
        value = 7

    with pytest.raises(AssertionError, match="chain: wrong results"):
        workflows.check("chain", 2, {"T0": Result(), "T1": Result()})
    with pytest.raises(AssertionError, match="bash: wrong results"):
        workflows.check("bash", 2, {"T0": Result(), "T1": Result()})
