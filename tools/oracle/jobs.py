"""Expected results of the command line's jobs, from transformers on the same seeded checkpoint.

    python tools/oracle/jobs.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/cli/oracle.json. The checkpoint is "words" of tests/cli/models.json."""

import json
import pathlib
import sys
import tempfile

import tokenizers
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

PROMPTS = [
    "Alice",
    "This weekend I plan to",
    "A long long time ago, ",
    "5 + 8 => 13 \n 7 + 2 => 9 \n 1 + 5 =>",
    "caf\u00e9 \u65e5\u672c\u8a9e \U0001f600!",
    "In a shocking finding, scientist discovered a herd of unicorns living in a remote, previously "
    "unexplored valley, in the Andes Mountains. Even more surprising to the researchers was the "
    "fact that the unicorns spoke perfect English. " * 6,
]
K, NEW = 10, 12


def next_of(logits):
    logprobs = torch.log_softmax(logits.double(), -1)
    order = torch.argsort(-logits, stable=True)[:K]
    return {
        "next": [{"id": int(i), "logit": float(logits[i]), "logprob": float(logprobs[i])} for i in order],
        "margins": [float(logits[a] - logits[b]) for a, b in zip(order[:-1], order[1:])],
        "entropy": float(-(logprobs.exp() * logprobs).sum()),
        "range": float(logits.max() - logits.min()),
    }


def score_of(logits, ids):
    logprobs = torch.log_softmax(logits[:-1].double(), -1)
    taken = logprobs[torch.arange(len(ids) - 1), ids[1:]]
    # From .. to: neighbours closer than float32 arithmetic can tell may change places.
    tie = 4e-6 * float(logits.max() - logits.min())
    ranks = [[int((row > row[t] + d).sum()) + 1 for d in (tie, -tie)]
             for row, t in zip(logits[:-1], ids[1:])]
    return {"logprobs": [float(x) for x in taken], "ranks": ranks, "logprob": float(taken.sum())}


def case(model, tokenizer, text):
    ids = torch.tensor(tokenizer(text)["input_ids"])
    with torch.no_grad():
        out = model(ids[None], output_hidden_states=True, labels=ids[None])
        made = model.generate(ids[None], attention_mask=torch.ones_like(ids[None]),
                              max_new_tokens=NEW, do_sample=False, output_logits=True,
                              return_dict_in_generate=True, eos_token_id=None, pad_token_id=0)
    tops = [step[0].topk(2).values for step in made.logits]
    result = {"text": text, "ids": ids.tolist(), **next_of(out.logits[0, -1])}
    result["score"] = score_of(out.logits[0], ids)
    result["loss"] = float(out.loss)
    result["hidden_norms"] = [float(h.double().norm()) for h in out.hidden_states]
    result["greedy"] = made.sequences[0, len(ids):].tolist()
    result["greedy_text"] = tokenizer.decode(result["greedy"], skip_special_tokens=True)
    result["greedy_margins"] = [float(t[0] - t[1]) for t in tops]
    return result


def main():
    build = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "words"
        harness.make_model(build / "tools" / "mkmodel", path, harness.MODELS["words"])
        model = transformers.GPT2LMHeadModel.from_pretrained(path, attn_implementation="eager",
                                                             dtype=torch.float32).eval()
        tokenizer = transformers.GPT2Tokenizer.from_pretrained(path)
        cases = [case(model, tokenizer, text) for text in PROMPTS]
    oracle = {"oracle": f"transformers {transformers.__version__}, torch {torch.__version__}, "
                        f"tokenizers {tokenizers.__version__}", "cases": cases}
    target = ROOT / "tests" / "cli" / "oracle.json"
    target.write_text(json.dumps(oracle, ensure_ascii=True) + "\n", encoding="utf-8")
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
