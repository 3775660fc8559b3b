"""evaluation.json as Markdown: what evaluate.py writes beside it and card.py puts into the model card."""
from math import exp, log

TOGETHER = "the three books together"


def table(head, rows, right):
    """right: the columns set to the right"""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, rule, *rows])


def with_error(value, error, digits):
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def share(value):
    return f"{100 * value:.3f} %"


def together(rows):
    """The books as one text: each token counts once, their errors as independent."""
    def pooled(parts, tokens):
        loss = sum(p["loss"] * n for p, n in zip(parts, tokens)) / sum(tokens)
        error = sum((p["loss_stderr"] * n) ** 2 for p, n in zip(parts, tokens)) ** 0.5 / sum(tokens)
        bits = loss * sum(tokens) / log(2) / sum(row["bytes"] for row in rows)
        return {"loss": loss, "loss_stderr": error, "perplexity": exp(loss), "stderr": exp(loss) * error,
                "bits_per_byte": bits}

    tokens = [row["tokens"] for row in rows]
    whole = {"name": TOGETHER, "tokens": sum(tokens), "bytes": sum(row["bytes"] for row in rows)}
    whole.update(pooled(rows, tokens))
    for kind in ("kneser_ney", "unigram", "kneser_ney_books_only"):
        if kind in rows[0]:
            whole[kind] = pooled([row[kind] for row in rows], tokens)
    return whole


def all_rows(said):
    """The books, the books together, then what is no book"""
    books, others = said["texts"][:3], said["texts"][3:]
    return [*books, together(books), *others]


def line(row):
    return (f"{row['name']}: {row['tokens']:,} tokens, perplexity {with_error(row['perplexity'], row['stderr'], 2)}, "
            f"Kneser-Ney {with_error(row['kneser_ney']['perplexity'], row['kneser_ney']['stderr'], 2)}, "
            f"mass on unseen ids {share(row['mass'])}")


def quality(said):
    rows = []
    for row in all_rows(said):
        baseline = row["kneser_ney"]
        rows.append([
            row["name"], f"{row['tokens']:,}",
            with_error(row["perplexity"], row["stderr"], 2), with_error(baseline["perplexity"], baseline["stderr"], 2),
            f"{row['unigram']['perplexity']:.0f}",
            f"{row['bits_per_byte']:.3f}", f"{baseline['bits_per_byte']:.3f}", f"{row['unigram']['bits_per_byte']:.3f}",
        ])
    head = ["text", "tokens", "perplexity", "5-gram", "unigram", "bits per byte", "5-gram", "unigram"]
    return table(head, rows, range(1, 8))


def mass(said):
    rows = [[row["name"], f"{row['unseen_tokens']:,} of {row['tokens']:,}", f"{row['positions']:,}",
             f"{share(row['mass'])} ± {share(row['mass_stderr'])}", share(row["mass_kneser_ney"])] for row in said["texts"]]
    return table(["text", "its tokens with such ids", "positions asked", "mass", "mass, 5-gram"], rows, range(1, 5))


def options(chosen):
    flags = ("--" + name.replace("_", "-") + ("" if value is True else f" {value}") for name, value in chosen.items())
    return "`" + " ".join(flags) + "`"


def fenced(texts):
    """Label, prompt and continuation of each; the prompt in brackets"""
    shown = "\n\n".join(f"{label}\n[{made['prompt']}]{made['text']}" for label, made in texts)
    return f"```text\n{shown}\n```"


def samples(said):
    return fenced((f"--- seed {made['seed']}", made) for made in said["samples"])


def continuations(said):
    return fenced((f"--- {made['search']}", made) for made in said["continuations"])


def markdown(said):
    return (f"# Measured: {said['info']['model']}\n\n## Held-out text\n\n{quality(said)}\n\n"
            f"## Probability of ids that training lacks\n\n{mass(said)}\n\n"
            f"## Samples, {options(said['settings']['drawn'])}\n\n{samples(said)}\n\n"
            f"## The notebooks' prompts\n\n{continuations(said)}\n")
