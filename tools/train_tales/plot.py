"""The loss curves of runs: python3 plot.py --out loss.svg RUN/a [RUN/b ...]"""
import argparse
import csv
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--out", required=True)
parser.add_argument("runs", nargs="+")
a = parser.parse_args()
plt.rcParams["svg.hashsalt"] = "nextoken"  # the same bytes for the same curve
figure, axes = plt.subplots(figsize=(7.2, 3.6))
for run in a.runs:
    rows = list(csv.DictReader(open(Path(run) / "log.csv")))
    name = Path(run).name
    for column, style, label in (("train_loss", dict(alpha=0.35, linewidth=1), "training"),
                                 ("valid_loss", dict(linewidth=1.8, marker="o", markersize=2.5), "held out")):
        points = [(int(r["tokens"]) / 1e6, float(r[column])) for r in rows if r[column]]
        axes.plot(*zip(*points), label=f"{name}: {label}", **style)
axes.set_xlabel("million tokens seen")
axes.set_ylabel("nats per token")
axes.set_ylim(top=min(8.5, axes.get_ylim()[1]))
axes.grid(alpha=0.25)
axes.legend(frameon=False, fontsize=8)
figure.tight_layout()
figure.savefig(a.out, metadata={"Date": None})
