"""Draws a run: a bar for each target beside its bar and moonshot, and the peers. Needs matplotlib.

    python plot.py DRAWING.json PLOT.svg PLOT.png

It runs in the environment of the peers and imports nothing of the project: `DRAWING.json` has what is to be drawn.
"""

import json
import sys


def main(source, *targets):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "bench"
    with open(source, encoding="utf-8") as file:
        drawing = json.load(file)
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.5), width_ratios=(1, 1.2))
    rows = drawing["targets"]
    for place, row in enumerate(reversed(rows)):
        left.barh(place, row["value"], color="#2a7f62" if row["met"] else "#c0504d", height=0.6)
        left.plot([row["bar"]] * 2, [place - 0.4, place + 0.4], color="black", linewidth=2)
        if row["moonshot"] is not None:
            left.plot([row["moonshot"]] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1, linestyle=":")
        if row["before"] is not None:
            left.plot(row["before"], place, marker="d", color="#888888", linestyle="")
        left.annotate(f" {row['value']:g}", (row["value"], place), va="center", fontsize=9)
    left.set_yticks(range(len(rows)), [row["title"] for row in reversed(rows)])
    left.set_xlabel("times bare fork and wait, a task\n(line: bar, dotted: moonshot, diamond: before)")
    left.set_title("Whole jobs")
    names = [row["name"] for row in drawing["peers"]]
    cases = drawing["cases"]
    for number, (case, title) in enumerate(cases.items()):
        values = [row["ratios"].get(case) or 0 for row in drawing["peers"]]
        places = [place + (number - 1) * 0.27 for place in range(len(names))]
        right.bar(places, values, width=0.25, label=title, color=("#2a7f62", "#4f81bd", "#9bbb59")[number])
    right.set_yscale("log")
    right.set_xticks(range(len(names)), names, rotation=35, ha="right")
    right.set_ylabel("times bare fork and wait, a task")
    right.set_title("Beside peers, which isolate less (see the table)")
    right.legend()
    figure.suptitle(drawing["title"])
    figure.tight_layout()
    for target in targets:
        figure.savefig(target, metadata={"Date": None} if target.endswith(".svg") else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
