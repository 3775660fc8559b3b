"""Expected figures of tests/python/test_session.py and test_tokenizer.py, from transformers and tokenizers.

    python tools/oracle/python_frame.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/python/expected/session.json and tokenizer.json. The checkpoint is "words" of
tests/cli/models.json."""

import json
import pathlib
import sys
import tempfile

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

IDS = [44484, 373, 3726, 284, 651, 845, 10032, 286, 5586, 416, 607, 6621]
LABELS = [-100, 373, 3726, -100, 651, 845, 10032, 286, 5586, -100, 607, 6621]

TEXTS = [
    "Alice was beginning to get very tired",
    "",
    " ",
    "caf\u00e9 na\u00efve \u65e5\u672c\u8a9e",
    "\U0001f600 smile \U0001f469\u200d\U0001f469\u200d\U0001f467 family",
    "tab\tnew\nline  two spaces   three",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "e\u0301 combining, \ufb01 ligature, \u0130stanbul",
    "<|endoftext|>Once<|endoftext|>",
    "I'm you're they'll 1234567890 3.14",
]
PAIRS = [["caf\u00e9", "\u65e5\u672c\u8a9e!"], ["", "x"], ["\U0001f600", ""]]


def rows(tensor, picked):
    return [[float(f"{float(x):.8g}") for x in row[picked]] for row in tensor]


def session_figures(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    model.eval()
    ids = torch.tensor([IDS])
    with torch.no_grad():
        out = model(ids, output_hidden_states=True, output_attentions=True, labels=ids)
        labelled = model(ids, labels=torch.tensor([LABELS]))
    vocabulary = list(range(0, out.logits.shape[-1], 2500))
    dimensions = list(range(0, model.config.n_embd, 5))
    return {
        "ids": IDS, "labels": LABELS, "vocabulary": vocabulary, "dimensions": dimensions,
        "logits": rows(out.logits[0], vocabulary),
        "range": float(out.logits.max() - out.logits.min()),
        "hidden_states": [rows(layer[0], dimensions) for layer in out.hidden_states],
        "attentions": [[rows(head, slice(None)) for head in layer[0]] for layer in out.attentions],
        "loss": float(out.loss), "labelled_loss": float(labelled.loss),
    }


def encoding(tokenizer, *texts):
    made = tokenizer.encode(*texts)
    return {"texts": list(texts), "ids": made.ids, "offsets": [list(o) for o in made.offsets],
            "types": made.type_ids}


def tokenizer_figures(folder):
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(folder).backend_tokenizer
    return {"texts": [encoding(tokenizer, text) for text in TEXTS],
            "pairs": [encoding(tokenizer, *pair) for pair in PAIRS]}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "words")
        harness.make_model(pathlib.Path(sys.argv[1], "tools", "mkmodel"), path, harness.MODELS["words"])
        for name, figures in (("session", session_figures(path)), ("tokenizer", tokenizer_figures(path))):
            target = ROOT / "tests" / "python" / "expected" / f"{name}.json"
            target.write_text(json.dumps(figures, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
