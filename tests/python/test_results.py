"""Results: attributes, dicts, columns and files say the same, and the same as the library's JSON and CSV."""

import copy
import csv
import gc
import io
import json
import math
import os
import pickle
import tempfile
import unittest
import zipfile

import support

import nextoken
from nextoken import results

try:
    import pandas
except ImportError:
    pandas = None

TEXT = "The cat sat on the mat, caf\u00e9 \U0001f600."


def near(a, b):
    """Numbers as the JSON and the CSV write them: nine digits."""
    if a is None or b is None or (isinstance(a, float) and math.isnan(a)):
        return b is None and (a is None or math.isnan(a))
    return a == b or math.isclose(a, b, rel_tol=6e-9)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = nextoken.load(support.checkpoint("words"))

    def same(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        for a, b in zip(ours, theirs):
            if isinstance(b, (int, float, type(None))) and not isinstance(b, bool):
                self.assertTrue(near(a, b), (a, b))
            else:
                self.assertEqual(a, b)

    def columns_are_the_csv(self, result, columns=None, text=None):
        """Column by column, by the standard library's reader of CSV."""
        columns = result.columns() if columns is None else columns
        header, *rows = csv.reader(io.StringIO(result.to_csv() if text is None else text))
        self.assertEqual(list(columns), header)
        for i, name in enumerate(header):
            self.assertEqual(len(columns[name]), len(rows), name)
            for value, row in zip(columns[name], rows):
                if isinstance(value, bool):
                    self.assertEqual(row[i], "true" if value else "false", name)
                elif isinstance(value, (int, float)) and not (isinstance(value, float) and math.isnan(value)):
                    self.assertTrue(near(value, float(row[i])), (name, value, row[i]))
                elif isinstance(value, str):
                    self.assertEqual(value, row[i], name)
                else:
                    self.assertEqual(row[i], "", name)


class Next(Case):
    def test_candidates_are_the_json(self):
        r = self.m.next(TEXT, k=7, repetition_penalty=1.4, suppress_tokens=[11])
        said = r.to_dict()
        self.assertIsInstance(r, results.Next)
        self.assertEqual([c["id"] for c in said["next"]], r.ids)
        self.assertEqual([c["token"] for c in said["next"]], r.tokens)
        for c, theirs in zip(r, said["next"]):
            for name in ("rank", "logit", "logprob", "prob", "processed_prob"):
                self.assertTrue(near(getattr(c, name), theirs[name]), name)
        self.same([r.entropy, r.kept], [said["entropy"], said["kept"]])
        self.assertEqual(r.prompt_ids, said["ids"])
        self.assertEqual(len(r), 7)
        self.assertEqual(r[0], list(r)[0])
        self.assertEqual([c.id for c in r[1:3]], r.ids[1:3])
        self.assertTrue(r)

    def test_columns(self):
        self.columns_are_the_csv(self.m.next(TEXT, k=9, do_sample=True, top_k=4))

    def test_changes_tell_what_an_option_did(self):
        plain = self.m.next(TEXT, k=3)
        banned = plain[0].id
        r = self.m.next(TEXT, k=3, suppress_tokens=[banned])
        self.assertNotIn(banned, r.ids)
        gone = r.demoted[0]
        self.assertEqual((gone.id, gone.removed_by), (banned, "suppress_tokens"))
        self.assertEqual(gone.changes[0].after, -math.inf)
        self.assertEqual(gone.changes[0].before, plain[0].logit)
        self.assertIsNone(r[0].removed_by)

    def test_logits_are_the_librarys_memory(self):
        r = self.m.next(TEXT, k=2, logits=True, repetition_penalty=2.0)
        logits = r.logits
        self.assertEqual((logits.shape, str(logits.dtype)), ((50257,), "float32"))
        self.assertEqual(int(logits.argmax()), max(r, key=lambda c: c.logit).id)
        self.assertEqual(r.logits.ctypes.data, logits.ctypes.data)  # no copy
        at = logits[r[0].id]
        del r
        gc.collect()
        self.assertEqual(logits[int(logits.argmax())] >= at, True)  # and it lives as long as the array
        self.assertIsNone(self.m.next(TEXT).logits)

    def test_a_drawing_option_turns_drawing_on(self):
        r = self.m.next(TEXT, top_k=3)
        self.assertEqual(r.kept, 3)
        self.assertIn("sampling, because top_k was given", r.notes)
        self.assertEqual(self.m.next(TEXT, top_k=3, do_sample=False).kept, 50257)

    def test_probs(self):
        r = self.m.next(TEXT, k=4)
        self.assertEqual(r.probs.tolist(), [c.prob for c in r])


class Steps(Case):
    def test_the_notebooks_frame(self):
        for case in support.expected("results")["cases"]:
            m = self.m if case["model"] == "words" else nextoken.load(support.checkpoint(case["model"]))
            steps = m.steps(case["text"], choices=case["choices"], max_new_tokens=len(case["rows"]))
            columns = steps.columns(wide=True)
            self.assertEqual(list(columns), list(case["rows"][0]))
            for name, values in columns.items():
                self.assertEqual(values, [row[name] for row in case["rows"]], case["text"])
            if pandas:
                frame = steps.to_pandas()
                self.assertEqual(frame.to_dict("records"), case["rows"])
                self.assertEqual(frame.iloc[-1].to_dict(), case["rows"][-1])

    def test_steps_are_the_json(self):
        r = self.m.steps(TEXT, max_new_tokens=4, seed=5, temperature=0.8, num_return_sequences=2, choices=3)
        said = r.to_dict()
        self.assertEqual((r.method, r.seed), (said["method"], said["seed"]))
        self.assertEqual(len(r), len(said["steps"]))
        for step, theirs in zip(r, said["steps"]):
            self.assertEqual(step.input, theirs["input"])
            self.assertEqual((step.sequence, step.step, step.chosen.id),
                             (theirs["sequence"], theirs["step"], theirs["chosen"]))
            self.assertTrue(near(step.draw, theirs["draw"]))
            ours = {c.id for c in step.choices} | {step.chosen.id}
            self.assertEqual(ours, {c["id"] for c in theirs["choices"]})
        self.assertEqual(r.ids, [step["chosen"] for step in said["steps"] if step["sequence"] == 0])

    def test_columns(self):
        r = self.m.steps(TEXT, max_new_tokens=3, seed=5, do_sample=True, top_k=0, choices=2,
                         num_return_sequences=2)
        self.columns_are_the_csv(r)
        self.assertIn("sequence", r.columns(wide=True))

    def test_without_a_tokenizer(self):
        m = nextoken.load(support.checkpoint("small"))
        r = m.steps([1, 2, 3], max_new_tokens=2)
        self.assertRegex(r.columns(wide=True)["choice 1"][0], r"^#\d+\(\d+\.\d\d%\)$")
        self.assertIsNone(r[0].choices[0].token)


class Generation(Case):
    def test_outputs_are_the_json(self):
        r = self.m.generate(TEXT, max_new_tokens=6, num_beams=4, num_return_sequences=3)
        said = r.to_dict()
        for i, (output, theirs) in enumerate(zip(r, said["sequences"])):
            self.assertEqual((output.text, output.ids, output.finish_reason),
                             (theirs["text"], theirs["ids"], theirs["finish_reason"]))
            self.same([output.logprob, output.score], [theirs["logprob"], theirs["score"]])
            self.assertEqual(r.beam_indices(i), theirs["beam_indices"])
        self.assertEqual((r.method, r.seed), ("beam_search", None))
        self.assertEqual((r.text, r.ids, r.texts), (r[0].text, r[0].ids, [o.text for o in r]))
        self.assertEqual(r.prompt_ids, said["prompt_ids"])
        self.assertEqual(r.effort[:4], tuple(said["effort"][name] for name in
                                             ("passes", "rows", "drafted", "accepted")))

    def test_beams_and_steps_are_the_trace(self):
        r = self.m.generate(TEXT, max_new_tokens=5, num_beams=3, repetition_penalty=1.3)
        trace = r.to_dict(trace=True)["trace"]
        self.assertEqual(len(r.beams), len(trace["beams"]))
        for beam, theirs in zip(r.beams, trace["beams"]):
            self.assertEqual((beam.parent, beam.step, beam.token.id, beam.place, beam.slot, beam.fate, beam.row),
                             tuple(theirs[name] for name in
                                   ("parent", "step", "id", "place", "slot", "fate", "row")))
            self.same([beam.sum, beam.score], [theirs["sum"], theirs["score"]])
        self.assertEqual(len(r.beam_steps), len(trace["rows"]))
        for row, theirs in zip(r.beam_steps, trace["rows"]):
            self.assertEqual([c.id for c in row.choices], [c["id"] for c in theirs["candidates"]])
            self.assertEqual([c.id for c in row.demoted], [c["id"] for c in theirs.get("demoted", [])])
        for step, theirs in zip(r.steps, trace["steps"]):
            self.assertEqual((step.chosen.id, step.beam), (theirs["chosen"], theirs["beam"]))
        self.assertEqual(r.tree().split()[:2], ["tree", "probability"])
        self.assertGreater(len(r.tree("beams").split("\n")), len(r.tree("outputs").split("\n")))

    def test_proof(self):
        r = self.m.generate("The", search="exact", horizon=3)
        said = r.to_dict()["proof"]
        self.assertEqual((r.proof.proved, r.proof.horizon, r.proof.nodes),
                         (said["proved"], said["horizon"], said["nodes"]))
        self.same([r.proof.greedy, r.proof.beams], [said["greedy"], said["beams"]])
        self.assertIsNone(self.m.generate("The", max_new_tokens=1).proof)

    def test_columns(self):
        self.columns_are_the_csv(self.m.generate(TEXT, max_new_tokens=4, num_return_sequences=2, seed=1,
                                                 do_sample=True))

    def test_no_tree_without_beams(self):
        with self.assertRaises(nextoken.Unsupported):
            self.m.generate("The", max_new_tokens=2).tree()


class Score(Case):
    def test_tokens_words_and_characters_are_the_json(self):
        r = self.m.score(TEXT, by=["token", "word", "char"], k=3)
        said = r.to_dict()
        self.assertEqual((r.ids, r.tokens), (said["ids"], said["tokens"]))
        self.same(list(r.logprobs), said["logprobs"])
        self.same(list(r.entropies), said["entropies"])
        self.same([rank or None for rank in r.ranks.tolist()], said["ranks"])
        for name in ("logprob", "loss", "perplexity", "bits_per_byte", "counted"):
            self.assertTrue(near(getattr(r, name), said[name]), name)
        self.assertTrue(near(r.totals.loss_stderr, said["loss_stderr"]))
        self.assertTrue(near(r.totals.perplexity_stderr, said["perplexity_stderr"]))
        for word, theirs in zip(r.words, said["words"]):
            self.same(list(word), [theirs[name] for name in
                                   ("word", "surprisal", "surprisal_corrected", "counted", "first",
                                    "n_tokens", "start", "end")])
        self.assertEqual(len(r.words), len(said["words"]))
        for c, theirs in zip(r.chars, said["chars"]):
            self.same(list(c), [theirs[name] for name in ("char", "surprisal", "start", "end")])
        self.assertEqual([[c.id for c in choice] for choice in r.alternatives],
                         [[c["id"] for c in choice or []] for choice in said["alternatives"]])
        raw = TEXT.encode()
        self.assertEqual(b"".join(token.bytes for token in r), raw)
        self.assertEqual([raw[t.start:t.end] for t in r], [t.bytes for t in r])
        self.assertEqual((r[3].surprisal, r[3].prob), (-r[3].logprob, math.exp(r[3].logprob)))
        self.assertEqual(r.surprisals.tolist()[1:], [-x for x in r.logprobs.tolist()[1:]])

    def test_columns(self):
        self.columns_are_the_csv(self.m.score(TEXT))
        for by in ("word", "char", "text"):
            self.columns_are_the_csv(self.m.score(TEXT, by=by))
        several = self.m.score(TEXT, by=["token", "word", "char"])
        for by in ("token", "word", "text"):
            self.columns_are_the_csv(several, several.columns(by), self.m.score(TEXT, by=by).to_csv())
        with self.assertRaises(ValueError):
            several.columns("line")

    def test_prompt_and_eos(self):
        r = self.m.score(" sat", prompt="The cat", add_eos=True)
        self.assertEqual([t.counted for t in r], [False, False, True, True])
        self.assertEqual(r.logprob, sum(t.logprob for t in r if t.counted))
        self.assertEqual(self.m.score("The cat sat", prompt_len=2).logprob, r[2].logprob)

    def test_heat(self):
        r = self.m.score(TEXT)
        self.assertIn("surprisal in nats", r.heat())
        self.assertIn("\x1b[", r.heat("rank", color=True))
        with self.assertRaisesRegex(ValueError, "'surprisal'"):
            r.heat("warmth")

    def test_continuations(self):
        r = self.m.score("The cat", continuations=[" sat", " ran off", "\u00e9"])
        said = r.to_dict()
        self.assertIsInstance(r, results.Continuations)
        for c, theirs in zip(r, said["continuations"]):
            self.assertEqual((c.text, c.ids, c.place, c.greedy),
                             (theirs["text"], theirs["ids"], theirs["place"], theirs["greedy"]))
            self.same([c.logprob, c.share, c.logprob_per_byte],
                      [theirs["logprob"], theirs["share"], theirs["logprob_per_byte"]])
            self.same([t.logprob for t in c.tokens], theirs["logprobs"])
        self.assertEqual(r.best.text, said["continuations"][said["best"]]["text"])
        self.columns_are_the_csv(r)

    def test_perplexity(self):
        r = self.m.perplexity(TEXT * 20, window=64, stride=16)
        said = r.to_dict()
        for name in ("perplexity", "stderr", "loss", "loss_stderr", "bits_per_byte", "tokens", "counted",
                     "window", "stride", "windows"):
            self.assertTrue(near(getattr(r, name), said[name]), name)
        self.assertTrue(near(r.as_transformers, said["perplexity_as_transformers"]))
        self.assertEqual(float(r), r.perplexity)
        self.columns_are_the_csv(r)


class Inside(Case):
    def test_arrays(self):
        r = self.m.inspect(TEXT, logits=True, hidden_states=True, attentions=True, logit_lens=True)
        n = len(r.tokens)
        shapes = {"logits": (n, 50257), "hidden_states": (4, n, 48), "attentions": (3, 4, n, n),
                  "logit_lens_uncalibrated": (4, n, 50257), "hidden_norms": (4,)}
        self.assertEqual({name: array.shape for name, array in r.arrays.items()}, shapes)
        self.assertEqual(r.logit_lens[-1].tobytes(), r.logits.tobytes())
        self.assertEqual(r.hidden_states.ctypes.data, r.hidden_states.ctypes.data)
        norms = (r.hidden_states.astype("float64") ** 2).sum(axis=(1, 2)) ** 0.5
        for ours, theirs in zip(norms, r.hidden_norms):
            self.assertTrue(math.isclose(ours, theirs, rel_tol=1e-5))
        self.same(r.hidden_norms.tolist(), r.to_dict()["hidden_norms"])
        self.same(r.logits[-1, :50].tolist(), r.to_dict()["logits"][:50])
        rows = r.attentions.sum(axis=-1)
        self.assertTrue(abs(rows - 1).max() < 1e-5)
        states = r.hidden_states
        first = states[0, 0, 0]
        del r
        gc.collect()
        self.assertEqual(states[0, 0, 0], first)

    def test_saved_arrays_are_the_same(self):
        r = self.m.inspect(TEXT, hidden_states=True)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.npz")
            r.save(path)
            with zipfile.ZipFile(path) as archive:
                raw = archive.read("hidden_states.npy")
        self.assertTrue(raw.endswith(r.hidden_states.tobytes()))

    def test_layers_and_heads_are_the_json(self):
        r = self.m.inspect(TEXT, layers=2, attention=(1, 2), attention_heads=False)
        said = r.to_dict()
        self.assertEqual(len(r.layers), 4)
        for layer, theirs in zip(r.layers, said["layers"]):
            for cell, cell_ in zip(layer, theirs):
                self.assertEqual([c.id for c in cell.likeliest], [c["id"] for c in cell_["likeliest"]])
                self.same([cell.entropy, cell.next_rank, cell.next_prob],
                          [cell_["entropy"], cell_["next_rank"], cell_["next_prob"]])
        self.assertEqual([t.id for t in r.next], [t["id"] for t in said["next"]])
        head = r.heads[0]
        self.assertEqual((head.layer, head.head), (1, 2))
        for ours, theirs in zip(head.weights.tolist(), said["attention"]["weights"]):
            self.same(ours, theirs)
        self.columns_are_the_csv(r, text=r.to_csv())

    def test_every_head(self):
        r = self.m.inspect("The cat", attention=0, attention_heads=True)
        self.assertEqual([head.head for head in r.heads], [None, 0, 1, 2, 3])
        mean = sum(head.weights for head in r.heads[1:]) / 4
        self.assertTrue(abs(mean - r.heads[0].weights).max() < 1e-6)


class Others(Case):
    def test_explain(self):
        r = self.m.explain("top_k", "The cat", top_k=2)
        said = r.to_dict()
        self.assertEqual((r.option.name, r.value), (said["option"]["name"], said["value"]))
        self.assertEqual(r.option.about, said["option"]["about"])
        self.assertEqual([c.id for c in r.candidates], [c["id"] for c in said["candidates"]])
        self.assertIsNone(r.without)
        words = self.m.explain("top-k")
        self.assertEqual((words.option.name, words.candidates), ("top_k", ()))
        both = self.m.explain("num_beams", "The cat")
        self.assertEqual(both.with_it.ids, both.to_dict()["with"]["sequences"][0]["ids"])
        inner = both.without
        del both
        gc.collect()
        self.assertTrue(inner.text)  # keeps what it is part of
        with self.assertRaisesRegex(ValueError, "top_h"):
            self.m.explain("top_q")

    def test_tensors(self):
        r = self.m.tensors()
        said = r.to_dict()["tensors"]
        self.assertEqual([t.plain for t in r], [t["plain"] for t in said])
        for t, theirs in zip(r, said):
            self.same([*t.shape, t.numbers, t.min, t.max, t.mean, t.std, t.rms, t.norm, t.zeros],
                      [*theirs["shape"], *(theirs[name] for name in ("numbers", "min", "max", "mean", "std",
                                                                     "rms", "norm", "zeros"))])
        self.assertEqual(r["h.0.ln_1.weight"].shape, (48,))
        with self.assertRaises(KeyError):
            r["h.9.ln_1.weight"]
        self.columns_are_the_csv(r, text=r.to_csv())

    def test_diff(self):
        other = support.checkpoint("letters")
        r = nextoken.load(other).diff(support.checkpoint("letters-other"))
        said = r.to_dict()
        self.assertEqual(len(r.changed), sum(t["difference"] == "changed" for t in said["tensors"]))
        for t, theirs in zip(r, said["tensors"]):
            self.assertEqual((t.name, t.difference), (theirs["name"], theirs["difference"]))
        self.assertTrue(near(r.sums[0].relative, said["relative"]))
        self.assertEqual({t.difference for t in self.m.diff(self.m)}, {"identical"})

    def test_versus(self):
        r = self.m.versus(None, TEXT, other_options={"repetition_penalty": 1.3})
        said = r.to_dict()
        for i, token in enumerate(r):
            for ours, name in ((token.logprob, "logprobs"), (token.entropy, "entropies"),
                               (token.divergence, "divergences")):
                self.same(list(ours), [side[i] for side in said[name]])
            if i:
                self.same(list(token.rank), [side[i] for side in said["ranks"]])
                self.assertEqual(list(token.likeliest_ids), [side[i]["id"] for side in said["likeliest"]])
        self.assertEqual((r.flips, r.totals[0].counted), (said["flips"], said["counted"]))
        self.same([*r.divergence, r.agreement],
                  [said["a"]["divergence"], said["b"]["divergence"], said["agreement"]])
        self.same([s.logprob for s in r.totals], [said["a"]["logprob"], said["b"]["logprob"]])
        self.assertEqual(r.logprobs.shape, (len(r), 2))
        self.columns_are_the_csv(r)

    def test_tokens_and_facts(self):
        r = self.m.tokenize(TEXT)
        said = r.to_dict()
        self.assertEqual((r.ids, r.texts), (said["ids"], said["tokens"]))
        self.assertEqual([[t.start, t.end] for t in r], said["offsets"])
        self.assertEqual(r.text, TEXT)
        self.columns_are_the_csv(r)
        facts = self.m.describe()
        self.assertEqual((facts["n_layer"], facts["vocab_size"], facts["architecture"]), (3, 50257, "gpt2"))
        self.assertEqual(dict(facts)["n_head"], 4)


class Views(Case):
    def test_text_is_the_same_each_time(self):
        one, two = (str(self.m.next(TEXT, k=3)) for _ in range(2))
        self.assertEqual(one, two)
        self.assertNotIn(" ms", one)
        self.assertIn(" ms", self.m.next(TEXT, k=3).table())
        self.assertFalse(one.endswith("\n"))

    def test_width(self):
        r = self.m.next(TEXT, k=3)
        self.assertLess(max(map(len, r.table(width=60).split("\n"))), 61)
        self.assertTrue(r.table(ascii=True).isascii())

    def test_repr_is_one_line(self):
        made = [self.m.next(TEXT), self.m.steps(TEXT, max_new_tokens=1), self.m.generate(TEXT, max_new_tokens=1),
                self.m.score(TEXT), self.m.perplexity(TEXT), self.m.inspect(TEXT), self.m.tokenize(TEXT),
                self.m.score(TEXT, continuations=["a"]), self.m.explain("top_k"), self.m.describe(),
                self.m.score([TEXT])]
        for r in made:
            self.assertRegex(repr(r), r"^<nextoken\.\w+.*>$")

    def test_unknown_view_options_are_named(self):
        r = self.m.score(TEXT)
        with self.assertRaisesRegex(TypeError, "colour"):
            r.table(colour=True)
        with self.assertRaisesRegex(ValueError, "'kept'"):
            self.m.generate("The", num_beams=2, max_new_tokens=2).table(tree="everything")

    def test_save(self):
        r = self.m.next(TEXT, k=2)
        with tempfile.TemporaryDirectory() as folder:
            for suffix, made in ((".json", r.to_json() + "\n"), (".csv", r.to_csv()), (".svg", r.svg()),
                                 (".html", r.html())):
                path = os.path.join(folder, "r" + suffix)
                r.save(path)
                with open(path, encoding="utf-8", newline="") as file:
                    self.assertEqual(file.read(), made)
            r.save(os.path.join(folder, "r.txt"), lasting=True, width=100)
            with open(os.path.join(folder, "r.txt"), encoding="utf-8") as file:
                self.assertEqual(file.read().rstrip("\n"), r.table(lasting=True, width=100))
            for wrong in ("r.pdf", "r"):
                with self.assertRaisesRegex(ValueError, "ending"):
                    r.save(os.path.join(folder, wrong))
            with self.assertRaises(FileNotFoundError):
                r.save(os.path.join(folder, "none", "r.csv"))
        self.assertTrue(r.svg().startswith("<svg") or r.svg().startswith("<?xml"))

    def test_bits(self):
        r = self.m.score(TEXT)
        self.assertTrue(math.isclose(r.to_dict(bits=True)["logprob"], r.logprob / math.log(2), rel_tol=1e-8))
        self.assertEqual(r.to_dict()["unit"], "nats")
        r.to_dict().clear()
        self.assertEqual(r.to_dict()["unit"], "nats")

    def test_pickle_says_what_to_do(self):
        with self.assertRaisesRegex(TypeError, "to_dict"):
            pickle.dumps(self.m.next(TEXT))
        made = self.m.next(TEXT)
        self.assertIs(copy.copy(made), made)
        self.assertIs(copy.deepcopy([made])[0], made)

    def test_a_result_outlives_its_model(self):
        m = nextoken.load(support.checkpoint("letters"))
        r = m.next("abc", k=2)
        before = r.to_json()
        del m
        gc.collect()
        self.assertEqual(r.to_json(), before)
        self.assertEqual(len(list(r)), 2)

    def test_the_program_says_the_same(self):
        bench = support.harness.Bench(os.environ["NT_BINARY_DIR"])
        path = support.checkpoint("words")
        if not bench.nextoken.exists():
            self.skipTest("the program is not built")
        for arguments, made in (
                (["next", "-k", "4"], self.m.next(TEXT, k=4)),
                (["steps", "--max-new-tokens", "2"], self.m.steps(TEXT, max_new_tokens=2)),
                (["generate", "--num-beams", "2", "--max-new-tokens", "3"],
                 self.m.generate(TEXT, num_beams=2, max_new_tokens=3)),
                (["score", "--by", "word"], self.m.score(TEXT, by="word")),
                (["inspect", "--layers", "2"], self.m.inspect(TEXT, layers=2))):
            run = bench.run(*arguments, "-m", path, "--json", TEXT)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(json.loads(run.stdout), dict(made.to_dict(), model=path), arguments[0])


class Many(Case):
    def test_a_list_gives_results(self):
        r = self.m.score([TEXT, "The cat"])
        self.assertEqual([type(item) for item in r], [results.Score, results.Score])
        self.assertEqual((len(r), len(r[:1]), type(r[:1])), (2, 1, results.Results))
        self.assertEqual([d["index"] for d in r.to_dict()], [0, 1])
        lines = [json.loads(line) for line in r.to_json().split("\n")]
        self.assertEqual(lines, r.to_dict())

    def test_columns_of_all(self):
        r = self.m.score([TEXT, "The cat"])
        made = r.columns()
        self.assertEqual(made["record"], [0] * len(r[0]) + [1] * len(r[1]))
        self.columns_are_the_csv(r, made)
        self.assertEqual(r.columns(by="text")["record"], [0, 1])
        if pandas:
            self.assertEqual(list(r.to_pandas(by="text")["n_tokens"]), [len(r[0]), len(r[1])])

    def test_columns_that_some_lack(self):
        r = results.Results([self.m.next("The", k=1), self.m.tokenize("The")])
        made = r.columns()
        self.assertEqual({len(values) for values in made.values()}, {2})
        self.assertEqual((made["rank"], made["start"]), ([1, None], [None, 0]))

    def test_save(self):
        r = self.m.next(["The", "A"], k=2)
        with tempfile.TemporaryDirectory() as folder:
            for suffix, made in ((".csv", r.to_csv()), (".jsonl", r.to_json() + "\n"), (".txt", str(r) + "\n")):
                path = os.path.join(folder, "r" + suffix)
                r.save(path)
                with open(path, encoding="utf-8", newline="") as file:
                    self.assertEqual(file.read(), made)
            with self.assertRaisesRegex(ValueError, "ending"):
                r.save(os.path.join(folder, "r.svg"))
            self.assertEqual(sorted(os.listdir(folder)), ["r.csv", "r.jsonl", "r.txt"])

    def test_nothing(self):
        r = self.m.next([])
        self.assertEqual((len(r), str(r), r.to_dict(), r.to_csv()), (0, "", [], ""))
        self.assertEqual(repr(r), "<nextoken.Results: 0 of nothing>")


@unittest.skipUnless(pandas, "pandas is not installed")
class Frames(Case):
    def test_every_kind(self):
        for r in (self.m.next(TEXT), self.m.generate(TEXT, max_new_tokens=2), self.m.score(TEXT),
                  self.m.perplexity(TEXT), self.m.inspect(TEXT, layers=1), self.m.tokenize(TEXT),
                  self.m.describe(), self.m.tensors(), self.m.explain("top_k", TEXT),
                  self.m.versus(None, TEXT), self.m.diff(self.m)):
            frame = r.to_pandas()
            self.assertEqual(list(frame.columns), list(r.columns()))
            self.assertEqual(len(frame), len(next(iter(r.columns().values()))))
        long = self.m.steps(TEXT, max_new_tokens=2).to_pandas(wide=False)
        self.assertEqual(list(long["choice_rank"]), [1, 2, 3, 4, 5] * 2)

    def test_a_frame_is_exact(self):
        r = self.m.score(TEXT)
        self.assertEqual(r.to_pandas()["logprob"].tolist()[1:], r.logprobs.tolist()[1:])


class WithoutPandas(Case):
    def test_the_error_says_what_else(self):
        import sys
        held = sys.modules.get("pandas")
        sys.modules["pandas"] = None
        try:
            with self.assertRaisesRegex(ImportError, "columns"):
                self.m.next(TEXT).to_pandas()
        finally:
            del sys.modules["pandas"]
            if held is not None:
                sys.modules["pandas"] = held


class ReadCsv(unittest.TestCase):
    def test_what_the_library_writes(self):
        from nextoken.results.base import read_csv
        header, rows = read_csv('a,b,c\n1,"x, ""y""\n",true\n,"",-inf\n2.5e-3,"NA",\n')
        self.assertEqual(header, ["a", "b", "c"])
        self.assertEqual(rows, [[1, 'x, "y"\n', True], [None, "", -math.inf], [0.0025, "NA", None]])
        self.assertEqual(read_csv("a\n"), (["a"], []))


if __name__ == "__main__":
    unittest.main()
