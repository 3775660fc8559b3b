#!/usr/bin/env python3
"""Expected figures of `nextoken score` and `nextoken perplexity`, from the programs that linguists use.

    python tools/oracle/scoring.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/cli/scoring_oracle.json. The checkpoint is "words" of tests/cli/models.json: seeded weights,
GPT-2's vocabulary. Three programs run on it:

minicons (Misra 2022), IncrementalLMScorer: token_score with ranks, and word_score_tokenized on words
between spaces, plain and with bow_correction. Its correction is `--word-correction oh-schuler`: ids that
begin with a space, EOS not among them; the first word is not corrected at its front, the last word of a
text is at its end.

wordsprobability, the package of Pimentel & Meister (2024), is `--word-correction pimentel-meister`: EOS is
a boundary too, and the first word behind BOS is given that it opens without a space. Two things are
changed here. It hardcodes model names, so a subclass loads the checkpoint. And in its sum for the first
word EOS stands twice, once as itself and once among the ids that are no boundary (`mid` leaves out what
begins with punctuation, but EOS is taken out of `punct` before): the paper's sum has it once, as ours, so
`mid` is given without it. `bos_fix_as_published` is the largest difference that this makes (none in
float32: behind BOS this checkpoint has EOS at 2e-8; tests/score/units_oracle.json has it likelier).
`whitespace` is the same package with a wider mask: every id that opens with white space.

The stride recipe is that of transformers' documentation, "Perplexity of fixed-length models", as it
stands there, and beside it the mean over the same tokens, each counted once."""

import importlib.metadata
import json
import pathlib
import sys
import tempfile

import regex
import torch
import transformers
import wordsprobability
from minicons import scorer
from wordsprobability import main as wordsprobability_main
from wordsprobability.models import bow_lm

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

SENTENCES = [
    "Alice",
    "Stop!",
    "The horse raced past the barn fell.",
    "The old man the boats.",
    "The keys to the cabinet are on the table.",
    "The keys to the cabinet is on the table.",
    "Colorless green ideas sleep furiously.",
    "I don't think we'll be there before 9:30, but you've been warned.",
    "She said, \"It isn't mine,\" and left.",
    "In 1969, 600 million people watched the Moon landing.",
    "The price rose from $1,299.99 to $1,350 (about 3.9%).",
    "Dr. Smith's two-year-old mother-in-law joke fell flat.",
    "Because it rained, the match was cancelled; nobody minded.",
    "What did the author that the critic praised write?",
    "While the man hunted the deer ran into the woods.",
    "The reporter who the senator attacked admitted the error.",
    "They've never met, have they?",
    "Once upon a time there was a little girl who lived near the sea.",
    "My e-mail address is not alice@example.org any more.",
    "We walked -- slowly, quietly -- through the snow.",
    "No, no, no!",
    "The cat sat on the mat.",
    "The cat that the dog chased sat on the mat.",
    "It was the best of times, it was the worst of times.",
    "Yesterday's newspapers wrapped today's fish.",
    "He ran; she walked.",
    "A B C D E F G",
    "Supercalifragilisticexpialidocious isn't in every dictionary.",
    "The trophy doesn't fit in the suitcase because it's too big.",
    "If I had known, I would have told you.",
    "There's a 50/50 chance of rain on Tuesday.",
    "Mary gave John the book that she had bought in Paris.",
    "The more you look, the less you see.",
    "Please send 3 copies to 221B Baker Street, London NW1.",
    "To be, or not to be: that is the question.",
    "The coffee at the caf\u00e9 na\u00efvely cost \u20ac4.",
    "Every student didn't read a book.",
    "So what?",
    "The bandage was wound around the wound.",
    "I read the book that you read before you read it.",
]
LONG = (
    "It was a bright cold day in April, and the first trains of the morning had already left when she reached the "
    "station. There were three people on the platform: a boy with a bicycle, an old man who read yesterday's paper, "
    "and a woman in a grey coat who didn't look up. \"You're late,\" said the old man, turning a page. \"The 7:42 went "
    "without you.\" She counted her money; there was enough for a ticket, but not for breakfast. What would her sister "
    "say? Outside, 12 gulls sat along the roof's edge and watched the fishing boats come in, one by one, as they had "
    "done every morning since the war. "
)
LINES = (LONG + "Nobody spoke.\n\nThen the doors opened -- all of them at once -- and the crowd poured out.\n") * 6
WINDOWS = [(320, 160), (320, 320), (320, 32), (100, 33), (64, 64), (48, 17)]


class Local(bow_lm.GPT2BaseModel):
    """The package's GPT-2, from a folder, with EOS once in the first word's sum."""

    folder = None

    def _initialise_model(self):
        model = self.model_cls.from_pretrained(self.folder, dtype=torch.float32).eval()
        return model, self.tokenizer_cls.from_pretrained(self.folder)

    def _initialise_midword_mask(self, n_logits, vocab_masks):
        return super()._initialise_midword_mask(n_logits, vocab_masks) * (1 - vocab_masks["eos"])


class Whitespace(Local):
    def _initialise_bow_mask(self, vocab, n_logits):
        opens = [i for i in range(len(vocab)) if regex.match(r"\p{White_Space}", self.tokenizer.decode([i]))]
        mask = torch.zeros(n_logits)
        mask[torch.LongTensor(opens)] = 1
        return mask


class AsPublished(Local):
    def _initialise_midword_mask(self, n_logits, vocab_masks):
        return bow_lm.GPT2BaseModel._initialise_midword_mask(self, n_logits, vocab_masks)


def by_wordsprobability(model, text):
    wordsprobability_main.get_model = lambda _: model
    wordsprobability_main.get_bow_symbol = lambda _: model.bow_symbol
    table = wordsprobability.get_surprisal_per_word(text, "gpt2-small", return_buggy_surprisals=True)
    return table["surprisal"].tolist(), table["surprisal_buggy"].tolist()


def by_minicons(lm, text):
    def words(correct):
        return lm.word_score_tokenized(text, bos_token=True, tokenize_function=str.split, surprisal=True,
                                       bow_correction=correct)[0]
    scored = lm.token_score(text, bos_token=True, surprisal=True, rank=True)[0][1:]
    plain, corrected = words(False), words(True)
    assert [w for w, _ in plain] == text.split()
    return {"surprisals": [s for _, s, _ in scored], "ranks": [r for _, _, r in scored],
            "words": [w for w, _ in plain], "plain": [s for _, s in plain], "oh-schuler": [s for _, s in corrected]}


def close(a, b, tolerance):
    return all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))


def sentence(lm, packages, text):
    case = {"text": text, **by_minicons(lm, text)}
    for name, package in packages.items():
        corrected, plain = by_wordsprobability(package, text)
        assert close(plain, case["plain"], 1e-4), "the two packages do not agree on the words"
        case[name] = corrected
    published = case.pop("as-published")
    assert published[1:] == case["pimentel-meister"][1:]
    ids = torch.tensor([[lm.tokenizer.bos_token_id] + lm.tokenizer(text)["input_ids"]])
    with torch.no_grad():
        logits = lm.model(ids).logits[0, :-1].double()
    logp = torch.log_softmax(logits, -1)
    case["entropies"] = (-(logp.exp() * logp).sum(-1)).tolist()
    # Neighbours closer than float32 arithmetic can tell may change places.
    tie = 4e-6 * float(logits.max() - logits.min())
    own = logits[torch.arange(len(logits)), ids[0, 1:]]
    low = ((logits > own[:, None] + tie).sum(-1) + 1).tolist()
    high = ((logits > own[:, None] - tie).sum(-1)).tolist()
    assert all(a <= r <= max(a, b) for a, r, b in zip(low, case["ranks"], high))
    case["ranks"] = [[a, max(a, b)] for a, b in zip(low, high)]
    case["ids"] = ids[0].tolist()
    return case, abs(published[0] - case["pimentel-meister"][0])


def strides(model, ids, max_length, stride):
    """The documentation's loop; exact holds the sums of each target's own loss."""
    seq_len = ids.size(1)
    nll_sum, n_tokens, prev_end_loc, exact = 0.0, 0, 0, []
    for begin_loc in range(0, seq_len, stride):
        end_loc = min(begin_loc + max_length, seq_len)
        trg_len = end_loc - prev_end_loc
        input_ids = ids[:, begin_loc:end_loc]
        target_ids = input_ids.clone()
        target_ids[:, :-trg_len] = -100
        with torch.no_grad():
            outputs = model(input_ids, labels=target_ids)
        num_valid_tokens = (target_ids != -100).sum().item()
        num_loss_tokens = num_valid_tokens - target_ids.size(0)
        nll_sum += float(outputs.loss) * num_loss_tokens
        n_tokens += num_loss_tokens
        losses = torch.nn.functional.cross_entropy(outputs.logits[0, :-1].double(), target_ids[0, 1:],
                                                   ignore_index=-100, reduction="none")
        exact += losses[target_ids[0, 1:] != -100].tolist()
        prev_end_loc = end_loc
        if end_loc == seq_len:
            break
    exact = torch.tensor(exact, dtype=torch.float64)
    return {"window": max_length, "stride": stride, "recipe": nll_sum / n_tokens, "loss": float(exact.mean()),
            "counted": len(exact), "stderr": float(exact.std() / len(exact) ** 0.5)}


def rounded(x):
    if isinstance(x, float):
        return float(f"{x:.9g}")
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else x


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "words"
        harness.make_model(pathlib.Path(sys.argv[1]) / "tools" / "mkmodel", path, harness.MODELS["words"])
        tokenizer = transformers.GPT2TokenizerFast.from_pretrained(path)
        model = transformers.GPT2LMHeadModel.from_pretrained(path, dtype=torch.float32).eval()
        lm = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
        Local.folder = path
        packages = {"pimentel-meister": Local(), "whitespace": Whitespace(), "as-published": AsPublished()}
        cases, published = zip(*(sentence(lm, packages, text) for text in SENTENCES + [LONG.strip()]))
        ids = tokenizer(LINES, return_tensors="pt")["input_ids"]
        windows = [strides(model, ids, *w) for w in WINDOWS]
    oracle = {
        "oracle": f"minicons {importlib.metadata.version('minicons')}, wordsprobability {wordsprobability.__version__}, "
                  f"transformers {transformers.__version__}, torch {torch.__version__}",
        "bos_fix_as_published": max(published), "sentences": rounded(list(cases)),
        "file": {"text": LINES, "n_tokens": ids.size(1), "windows": rounded(windows)}}
    target = ROOT / "tests" / "cli" / "scoring_oracle.json"
    target.write_text(json.dumps(oracle, separators=(",", ":")).replace("{\"text\"", "\n{\"text\"") + "\n", encoding="utf-8")
    print(f"{target}: {len(cases)} sentences, {len(windows)} windows, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
