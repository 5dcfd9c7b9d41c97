#!/usr/bin/env python3
"""Draws what PosedScale printed: draw.py CSV…, into docs/scaling.svg."""
import csv
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402

# Text as text, and the same bytes for the same numbers.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "posed", "font.size": 9})

PANELS = [("p99_ms", "99 of 100 frames within, ms"), ("worst_ms", "worst frame, ms"),
          ("reencodings", "sources encoded again, per 1,000 sessions")]


def rows(paths):
    """The lines of all files, by policy."""
    policies = {}
    for path in paths:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                policies.setdefault(row["policy"], []).append(row)
    for lines in policies.values():
        lines.sort(key=lambda row: int(row["replicas"]))
    return policies


def draw(policies, out):
    """A panel for each figure, a line for each policy."""
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(11, 3.4), constrained_layout=True)
    for axis, (column, title) in zip(axes, PANELS):
        for policy, lines in policies.items():
            values = [float(row[column]) for row in lines]
            if column == "reencodings":
                values = [1000 * value / int(row["sessions"]) for value, row in zip(values, lines)]
            axis.plot([int(row["replicas"]) for row in lines], values, marker="o", label=policy)
        axis.set(xscale="log", yscale="log", xlabel="replicas", title=title)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    draw(rows(sys.argv[1:]), pathlib.Path(__file__).parents[2] / "docs" / "scaling.svg")
