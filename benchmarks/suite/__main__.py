"""`python -m benchmarks.suite`: measure, print, write `build/bench`, judge."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.suite import peers, report, runs, scripts
from benchmarks.suite.machine import Machine
from benchmarks.suite.targets import BARE, FIXED, TARGETS, WORKLOADS
from benchmarks.suite.verdicts import Figure, Run, Verdict, passed, rows

_BEGIN = time.monotonic()
_TEMPLATE = Path(__file__).with_name("page.md")


def say(text: str) -> None:
    print(f"[{time.monotonic() - _BEGIN:6.0f} s] {text}", flush=True)


class Suite:
    """One run, whose raw results are on disk after each step."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._sizes = runs.QUICK if options.quick else runs.FULL
        if options.rounds:
            self._sizes = runs.Sizes(**{**asdict(self._sizes), "rounds": options.rounds})
        self._out = Path(options.out)
        self._out.mkdir(parents=True, exist_ok=True)
        self._venv = peers.PeerVenv(self._out / "peers")
        self.figures: dict[str, Figure] = {}
        self._result: dict[str, Any] = {
            "machine": Machine.here().as_json(),
            "quick": options.quick,
            "figures": {},
            "peers": {},
            "scripts": [],
        }

    def load(self) -> None:
        """Take the results of the run that the folder has, instead of measuring."""
        self._result = json.loads((self._out / "results.json").read_text(encoding="utf-8"))
        self.figures = {case: Figure.of_json(data) for case, data in self._result["figures"].items()}

    def run(self) -> None:
        ready = self._install()
        with tempfile.TemporaryDirectory(prefix="bench-", dir=self._options.tmp) as name:
            root = Path(name)
            self._turns(ready, root)
            for case in FIXED:
                if case in self._options.only:
                    say(f"{case} ...")
                    self._measured(case, root)
        for script in scripts.SCRIPTS:
            if script.name in self._options.scripts:
                say(f"{script.name}.py ...")
                self._result["scripts"].append(asdict(scripts.run(script, quick=self._options.quick)))
                self._save()

    # --- ours and peers in turns ---------------------------------------------------------------------------------

    def _install(self) -> list[peers.Peer]:
        ready = []
        for peer in peers.chosen(self._options.peers):
            trouble = self._venv.install(peer.packages)
            self._result["peers"][peer.name] = {
                "version": "" if trouble else self._venv.version(peer.package),
                "trouble": f"it cannot be installed here: {trouble}" if trouble else "",
                "runs": [],
            }
            if trouble:
                say(f"{peer.title} cannot be installed here: {trouble}")
            else:
                ready.append(peer)
        return ready

    def _turns(self, ready: Sequence[peers.Peer], root: Path) -> None:
        cases = [load.case for load in WORKLOADS if load.case in self._options.only]
        measured: dict[str, list[Run]] = {case: [] for case in cases}
        used: dict[str, list[float]] = {case: [] for case in cases}
        for number in range(self._sizes.rounds if cases or ready else 0):
            say(f"round {number + 1} of {self._sizes.rounds}")
            for case, run, processor in runs.workloads(cases, self._sizes, runs.fresh_folder(root)) if cases else ():
                measured[case].append(run)
                used[case].append(processor)
                self._note(runs.figures_of({case: measured[case]}, used))
                say(f"  {case}: {run.seconds:.2f} s, {self.figures[case].runs[-1]:g} {BARE} ({run.bare[0]:.2f} ms)")
            for peer in ready:
                self._peer(peer, root)
        if cases:
            plain = runs.bare(self._sizes.forks)
            self._result["captured"] = runs.bare(self._sizes.forks, captured=True) / plain

    def _peer(self, peer: peers.Peer, root: Path) -> None:
        entry = self._result["peers"][peer.name]
        before = runs.bare(self._sizes.forks)
        try:
            folder = runs.fresh_folder(root)
            seconds = self._venv.run(peer, peers.work_of(peer), folder, self._sizes.peer_limit)
        except peers.PeerFailed as error:
            entry["trouble"] = str(error)
            say(f"  {peer.title}: {error}")
        else:
            bare = (before + runs.bare(self._sizes.forks)) / 2
            entry["runs"].append({"seconds": seconds, "bare": bare})
            work = peers.work_of(peer)
            shown = ", ".join(f"{case} {spent * 1000 / work[case] / bare:.1f}" for case, spent in seconds.items())
            say(f"  {peer.title}: {shown} {BARE}")
        self._save()

    def _measured(self, case: str, root: Path) -> None:
        folder = runs.fresh_folder(root)
        try:
            figure = runs.MEASURES[case](self._sizes, folder, say)
        except Exception as error:
            # The other cases are worth having; this one stays "not measured", and the exit status tells.
            say(f"  {case} failed: {error!r}")
            self._result.setdefault("failed", {})[case] = repr(error)
        else:
            self._note({case: figure})
            say(f"  {case}: {figure.value:g}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # --- files ---------------------------------------------------------------------------------------------------

    def _note(self, found: dict[str, Figure]) -> None:
        self.figures.update({case: figure for case, figure in found.items() if case in self._options.only})
        self._save()

    def _save(self) -> None:
        self._result["figures"] = {case: figure.as_json() for case, figure in self.figures.items()}
        (self._out / "results.json").write_text(json.dumps(self._result, indent=1), encoding="utf-8")

    @property
    def scripts(self) -> list[dict[str, Any]]:
        """What the scripts said."""
        return list(self._result["scripts"])

    def write(self) -> None:
        """The table, the page and the plot."""
        self._save()
        text = report.page(self._result, _TEMPLATE.read_text(encoding="utf-8"))
        (self._out / "performance.md").write_text(text, encoding="utf-8")
        (self._out / "table.txt").write_text(report.table(rows(self.figures)) + "\n", encoding="utf-8")
        drawn = self._draw()
        if self._options.page:
            Path(self._options.page).write_text(text, encoding="utf-8")
            if drawn:
                shutil.copy(self._out / "plot.svg", Path(self._options.page).parent / "images" / "performance.svg")

    def _draw(self) -> bool:
        drawing = report.drawing(self._result)
        source = self._out / "drawing.json"
        source.write_text(json.dumps(drawing), encoding="utf-8")
        trouble = self._venv.install(["matplotlib"])
        if trouble:
            say(f"no plot: matplotlib cannot be installed here: {trouble}")
            return False
        files = [str((self._out / f"plot.{kind}").absolute()) for kind in ("svg", "png")]
        command = [str(self._venv.python), str(Path(__file__).with_name("plot.py")), str(source.absolute()), *files]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            say(f"no plot: {done.stderr.strip().splitlines()[-1]}")
        return not done.returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every wanted target is met, and every wanted script is within its limits; 1: one is missed or not measured."""
    options = _options(arguments)
    suite = Suite(options)
    suite.load() if options.render else suite.run()
    suite.write()
    judged = [row for row in rows(suite.figures) if row.target.case in options.only]
    print(report.table(judged))
    missed = sum(row.verdict is Verdict.MISSED for row in judged)
    unknown = sum(row.verdict is Verdict.NOT_MEASURED for row in judged)
    print(f"{len(judged) - missed - unknown} met, {missed} missed, {unknown} not measured; see {options.out}")
    beyond = scripts.beyond_limits(suite.scripts)
    if beyond:
        print(f"beyond their limits, or without figures: {', '.join(f'{name}.py' for name in beyond)}")
    return 0 if passed(judged) and not beyond else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.suite", description=__doc__)

    def names(known: Sequence[str]) -> Any:
        def read(text: str) -> list[str]:
            found = [] if text == "none" else [name.strip() for name in text.split(",") if name.strip()]
            if unknown := sorted(set(found) - set(known)):
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}, none")
            return found

        return read

    cases = [row.case for row in TARGETS]
    programs = [peer.name for peer in peers.PEERS]
    files = [script.name for script in scripts.SCRIPTS]
    parser.add_argument("--quick", action="store_true", help="fewer runs and smaller jobs: minutes, not an hour")
    parser.add_argument("--only", type=names(cases), metavar="CASES", help=f"of {', '.join(cases)}; then no peers")
    parser.add_argument("--peers", type=names(programs), metavar="NAMES", help=f"of {', '.join(programs)}; or none")
    parser.add_argument("--scripts", type=names(files), metavar="NAMES", help=f"of {', '.join(files)}; or none")
    parser.add_argument("--rounds", type=int, default=0, help="runs of each job and peer, in turns")
    parser.add_argument("--out", default="build/bench", help="the folder for the results")
    parser.add_argument("--tmp", default=None, help="where the schedulers have their folders; by default the system's")
    parser.add_argument("--render", action="store_true", help="measure nothing: write table, page and plot anew")
    parser.add_argument("--page", default="", help="also write the page to this file")
    options = parser.parse_args(arguments)
    single = options.only is not None
    options.only = options.only if single else cases
    if "step" in options.only and "chain" not in options.only:
        options.only.append("chain")  # whose runs it comes from
    options.peers = options.peers if options.peers is not None else ([] if single else programs)
    options.scripts = options.scripts if options.scripts is not None else ([] if single else files)
    return options


if __name__ == "__main__":
    sys.exit(main())
