"""Expected figures of tests/python/test_results.py: the table of choices that a notebook makes by hand, step by
step, with transformers and torch, on the seeded checkpoints.

    python tools/oracle/python_results.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/python/expected/results.json."""

import json
import pathlib
import sys
import tempfile

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

CASES = [("words", "The cat", 6, 5), ("words", "caf\u00e9 \U0001f600 says,\n \"", 4, 3),
         ("letters", "na\u00efve \u65e5\u672c", 5, 5)]


def table(model, tokenizer, text, n_steps, n_choices):
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    rows = []
    with torch.no_grad():
        for _ in range(n_steps):
            row = {"input": tokenizer.decode(ids[0])}
            probs = torch.softmax(model(input_ids=ids).logits[0, -1, :], dim=-1)
            ranked = torch.argsort(probs, dim=-1, descending=True)
            for i in range(n_choices):
                row[f"choice {i + 1}"] = f"{tokenizer.decode(ranked[i])}({100 * probs[ranked[i]].numpy():.2f}%)"
            rows.append(row)
            ids = torch.cat([ids, ranked[None, 0, None]], dim=-1)
    return rows


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        letters = harness.make_letters(pathlib.Path(folder, "letters-tokenizer"))
        for name, text, n_steps, n_choices in CASES:
            path = pathlib.Path(folder, name)
            if not path.exists():
                args = [a.replace("{letters}", str(letters)) for a in harness.MODELS[name]]
                harness.make_model(pathlib.Path(sys.argv[1], "tools", "mkmodel"), path, args)
            model = transformers.AutoModelForCausalLM.from_pretrained(str(path), dtype=torch.float32).eval()
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path))
            cases.append({"model": name, "text": text, "choices": n_choices,
                          "rows": table(model, tokenizer, text, n_steps, n_choices)})
    target = ROOT / "tests" / "python" / "expected" / "results.json"
    with open(target, "w", encoding="utf-8") as file:
        json.dump({"transformers": transformers.__version__, "torch": torch.__version__, "cases": cases}, file,
                  indent=1)
        file.write("\n")
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
