#!/usr/bin/env python3
"""Writes MODEL_CARD.md: the text of card.md with the figures of evaluate.py, train.py and SOURCES.md.

    python3 card.py --model models/tales --run RUN --corpus ../shared/corpus

RUN holds evaluation.json (evaluate.py), config.json, log.csv and result.json (train.py), candidates.json (a list of
objects with name, width, layers, heads, parameters, tokens, valid_loss) and, where it was drawn,
loss.svg, which is copied beside the card. A figure that is missing is an error, never a blank.
"""
import argparse
import csv
import json
import math
import re
import shutil
import string
import sys
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
LOG_ROWS = 10


def books(path):
    """[title, author, year, ebook, set] of every row of SOURCES.md's table"""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d{4}(?:-\d{4})?) \| (\d+) \| \d+ \| (train|validation) \|$",
                      path.read_text(encoding="utf-8"), re.M)
    if len(rows) < 4:
        raise ValueError(f"{path}: no table of books found")
    return rows


def sources(rows):
    return report.table(
        ["title", "author", "year", "ebook", "set"],
        [[title, author, year, f"[{n}](https://www.gutenberg.org/ebooks/{n})", "held out" if kind == "validation" else ""]
         for title, author, year, n, kind in rows], [3])


def log_rows(path):
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["valid_loss"]]
    if not rows:
        raise ValueError(f"{path}: no row has a held-out loss")
    return rows


def log_table(rows):
    """A few rows spread evenly over the run, the last one among them"""
    n = min(LOG_ROWS, len(rows))
    shown = [rows[(i + 1) * len(rows) // n - 1] for i in range(n)]
    return report.table(
        ["step", "tokens", "training loss", "held-out loss", "held-out perplexity"],
        [[f"{int(r['step']):,}", f"{int(r['tokens']):,}", r["train_loss"], r["valid_loss"],
          f"{math.exp(float(r['valid_loss'])):.1f}"] for r in shown], range(5))


def candidates(path):
    rows = json.loads(path.read_text())
    return report.table(
        ["shape", "width", "layers", "heads", "parameters", "tokens", "held-out loss"],
        [[r["name"], r["width"], r["layers"], r["heads"], f"{r['parameters']:,}", f"{r['tokens']:,}", f"{r['valid_loss']:.3f}"]
         for r in sorted(rows, key=lambda r: (r["tokens"], r["valid_loss"]))], range(1, 7))


def verdict(said):
    whole = report.together(said["texts"][:3])
    baseline = whole["kneser_ney"]
    gap = baseline["loss"] - whole["loss"]
    error = math.hypot(whole["loss_stderr"], baseline["loss_stderr"])
    sure = "" if abs(gap) > 3 * error else ", no more than chance may give"
    return (f"Over the three books the network needs {abs(gap):.3f} nats a token {'less' if gap > 0 else 'more'} than the "
            f"5-gram (± {error:.3f} as if the two were independent){sure}.")


def made_difference(said):
    """What the generated lines change for the 5-gram; nothing to say where there were none."""
    changes = [row["kneser_ney"]["loss"] - row["kneser_ney_books_only"]["loss"] for row in said["texts"]
               if "kneser_ney_books_only" in row]
    if not changes:
        return ""
    spoken = ", ".join(f"{change:+.3f} ({row['name']})" for change, row in zip(changes, said["texts"]))
    return f"The counts include the generated lines; that changes the 5-gram's loss by {spoken} nats a token."


def mass_text(said):
    V, seen = said["info"]["vocab_size"], said["ids_seen"]
    return (f"Of the {V:,} ids {V - seen:,} never occur in the training text as it is normally cut. What probability goes to them, at places "
            f"drawn from each text (seed {said['settings']['mass']['seed']}):")


def weights(result):
    """Which weights export.py took"""
    mean = result["valid_loss_average"]
    return "the mean of the weights over the last fifth of that fall" if mean and mean < result["valid_loss"] else "the last weights"


def modern(said):
    rows = said["texts"][3:]
    return f"{rows[0]['bytes'] / 1000:.0f} KB of modern English written for this" if rows else "nothing else"


def fields(said, config, result, log, args):
    info, rows = said["info"], books(Path(args.corpus) / "SOURCES.md")
    trained = sum(kind == "train" for *_, kind in rows)
    curve = Path(args.run) / "loss.svg"
    on_gpu = config["device"] == "cuda"
    return {
        "parameters": f"{info['parameters']:,}", "bytes": f"{info['weight_bytes']:,}", "stored": info["stored_as"],
        "width": info["n_embd"], "layers": info["n_layer"], "heads": info["n_head"], "context": info["context"],
        "training_tokens": f"{said['training_tokens']:,}", "made_tokens": f"{said['made_tokens']:,}",
        "window": said["texts"][0]["window"], "stride": said["texts"][0]["stride"], "modern": modern(said),
        "quality": report.quality(said), "verdict": verdict(said), "made_difference": made_difference(said),
        "mass": report.mass(said), "mass_text": mass_text(said),
        "drawn": report.options(said["settings"]["drawn"]),
        "drawn_plain": report.options(said["settings"]["drawn"]).strip("`"),
        "first_opening": said["settings"]["openings"][0],
        "samples": report.samples(said), "continuations": report.continuations(said),
        "tokens_trained": f"{result['tokens']:,}", "steps": f"{result['step']:,}",
        "epochs": f"{result['tokens'] / (said['training_tokens'] + said['made_tokens']):.1f}",
        "hours": f"{result['seconds'] / 3600:.1f}", "device": "a GPU" if on_gpu else "a CPU",
        "arithmetic": config["arithmetic"].removeprefix("torch."), "torch": config["torch"],
        "decay": f"{100 * config['decay']:.0f} %", "dropped": f"{100 * config['dropped']:.0f} %",
        "weights": weights(result),
        "curve": "![Training and held-out loss by tokens](loss.svg)" if curve.exists() else "",
        "log": log_table(log), "candidates": candidates(Path(args.candidates or Path(args.run) / "candidates.json")),
        "n_books": len(rows), "n_training": trained, "sources": sources(rows),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--corpus", default="../shared/corpus")
    parser.add_argument("--candidates", help="the list of shapes tried (default: RUN/candidates.json)")
    args = parser.parse_args()
    run = Path(args.run)
    try:
        said = json.loads((run / "evaluation.json").read_text())
        config = json.loads((run / "config.json").read_text())
        result = json.loads((run / "result.json").read_text())
        filled = fields(said, config, result, log_rows(run / "log.csv"), args)
        text = string.Template((HERE / "card.md").read_text()).substitute(filled)
    except KeyError as missing:
        sys.exit(f"card.py: {missing} is not among the figures of {run}")
    except OSError as error:
        sys.exit(f"card.py: {error}")
    folder = Path(args.model)
    (folder / "MODEL_CARD.md").write_text(re.sub(r"\n{3,}", "\n\n", text))
    if (run / "loss.svg").exists():
        shutil.copyfile(run / "loss.svg", folder / "loss.svg")
    print(folder / "MODEL_CARD.md")


if __name__ == "__main__":
    main()
