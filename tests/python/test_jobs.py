"""Jobs: what they take, lists of texts, options by name, notes, progress."""

import ast
import io
import logging
import os
import pathlib
import sys
import tempfile
import types
import unittest

import numpy as np
import support

import nextoken
from nextoken import jobs, options, progress, results
from nextoken.many import is_many

PACKAGE = pathlib.Path(nextoken.__file__).parent


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = nextoken.load(support.checkpoint("words"))


class Texts(Case):
    def test_one_or_many(self):
        ids = self.m.tokenizer.encode("The cat")
        ids = list(getattr(ids, "ids", ids))
        one = ["The", b"The", bytearray(b"The"), ids, tuple(ids), np.array(ids), np.array(ids, np.int64), range(3)]
        many = [["The", "A"], ("The",), [ids], np.array([ids, ids]), iter(["The"]), (t for t in ["The"]), [],
                np.array(["The", "A"], object), np.array(["The", "A"])]
        self.assertEqual([is_many(value) for value in one], [False] * len(one))
        self.assertEqual([is_many(value) for value in many], [True] * len(many))
        for neither in ({"The": 1}, {"The"}, 5, None, 1.5):
            with self.assertRaisesRegex(TypeError, r"a text \(str or bytes\) or token ids .* not " +
                                        type(neither).__name__):
                self.m.next(neither)
        with self.assertRaisesRegex(TypeError, "^text 1: "):
            self.m.next(["The", None])

    def test_what_is_no_model_or_function_is_named(self):
        for call, message in ((lambda: self.m.generate("The", assistant="gpt2"), "assistant is a nextoken.Model, not str"),
                              (lambda: self.m.versus(3, "The"), "b is a nextoken.Model, not int"),
                              (lambda: self.m.generate("The", stop=3), r"stop is a function\(ids\), not int"),
                              (lambda: self.m.generate("The", process=3), r"process is a function\(ids, logits\)"),
                              (lambda: self.m.explain(None), "option is the name of one, not NoneType"),
                              (lambda: self.m.score("The", prompt=5), "a text is str or bytes, not int"),
                              (lambda: self.m.score("The", continuations=[3]), r"not \[3\]"),
                              (lambda: self.m.tokenize("The", add_boss=True), "did you mean 'add_bos'")):
            with self.assertRaisesRegex(TypeError, message):
                call()
        for call, message in ((lambda: self.m.next("The", k=0), "k is 0"),
                              (lambda: self.m.score("The", by=None), "'word', 'char', not None"),
                              (lambda: self.m.score("The", continuations=[]), "one text or more")):
            with self.assertRaisesRegex(ValueError, message):
                call()

    def test_ids_in_place_of_a_text(self):
        ids = self.m.tokenize("The cat sat").ids
        whole = self.m.next("The cat sat").ids
        for form in (ids, tuple(ids), np.array(ids), np.array(ids, np.uint16)):
            self.assertEqual(self.m.next(form).ids, whole)
        self.assertEqual([r.ids for r in self.m.next(np.array([ids, ids]))], [whole, whole])
        self.assertEqual([r.ids for r in self.m.next(text for text in ["The cat sat"])], [whole])

    def test_each_job_takes_a_list(self):
        texts = ["The cat sat", "A dog"]
        for name, made in (("next", {}), ("steps", {"max_new_tokens": 2}), ("generate", {"max_new_tokens": 2}),
                           ("score", {}), ("perplexity", {}), ("inspect", {}), ("tokenize", {}),
                           ("score", {"continuations": [" a", " b"]})):
            job = getattr(self.m, name)
            several = job(texts, **made)
            self.assertIsInstance(several, results.Results)
            self.assertEqual([r.to_dict() for r in several], [job(text, **made).to_dict() for text in texts], name)

    def test_a_series_of_pandas(self):
        try:
            import pandas
        except ImportError:
            self.skipTest("pandas is not installed")
        frame = pandas.DataFrame({"text": ["The cat sat", "A dog"]}, index=[7, 9])
        frame["logprob"] = [r.logprob for r in self.m.score(frame["text"])]
        self.assertEqual(frame["logprob"][9], self.m.score("A dog").logprob)

    def test_exceptions_in_place(self):
        for job in (self.m.score, self.m.next, self.m.tokenize):
            made = job(["The", "\ud800", "A"], return_exceptions=True)
            self.assertEqual([isinstance(r, nextoken.TextError) for r in made], [False, True, False])
            with self.assertRaisesRegex(nextoken.TextError, "text 1"):
                job(["The", "\ud800", "A"])
        made = self.m.score([[1, 2], [1, 99999], [None], "The"], return_exceptions=True)
        self.assertEqual([type(r) for r in made], [results.Score, nextoken.RangeError, TypeError, results.Score])
        self.assertEqual(len(made.columns(by="text")["record"]), 2)
        self.assertIn("error", made.to_dict()[1])
        self.assertIn("RangeError", str(made))
        self.assertIn("RangeError", made[1:2]._repr_html_() + str(type(made[1])))

    def test_an_empty_text_starts_from_bos(self):
        heard = []
        r = self.m.next("", note=heard.append)
        self.assertEqual(r.prompt_ids, [50256])
        self.assertEqual((list(r.notes), heard), (["empty prompt: starting from <|endoftext|> (id 50256)"],) * 2)
        self.assertEqual(self.m.next("The", add_bos=True).prompt_ids[0], 50256)
        self.assertEqual(self.m.next("The", add_prefix_space=True).prompt_ids, self.m.tokenize(" The").ids)

    def test_notes_are_logged(self):
        with self.assertLogs("nextoken", logging.INFO) as logged:
            self.m.next("")
        self.assertIn("empty prompt", logged.output[0])


class Options(Case):
    def test_every_option_is_a_keyword(self):
        tree = ast.parse((PACKAGE / "arguments.py").read_text(encoding="utf-8"))
        made = next(node for node in tree.body
                    if isinstance(node, ast.ClassDef) and node.name == "GenerateOptions")
        typed = {node.target.id: ast.unparse(node.annotation) for node in made.body
                 if isinstance(node, ast.AnnAssign)}
        self.assertEqual(list(typed), list(options.names()))
        plain = {"integer": "int", "number": "float", "boolean": "bool", "text": "str", "ids": "Ids",
                 "strings": "Union[str, Sequence[str]]", "words": "Sequence[Sequence[int]]", "biases": "Biases",
                 "decay": "Tuple[int, float]"}
        for name, kind in options.names().items():
            if kind == "choice":
                self.assertIn("Literal", typed[name])
            else:
                self.assertEqual(typed[name], plain[kind], name)

    def test_the_stub_says_what_the_methods_take(self):
        import inspect
        tree = ast.parse((PACKAGE / "jobs.pyi").read_text(encoding="utf-8"))
        made = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Jobs")
        stubs = [(jobs.Jobs, node) for node in made.body if isinstance(node, ast.FunctionDef)]
        stubs += [(jobs, node) for node in tree.body
                  if isinstance(node, ast.FunctionDef) and node.name in jobs.__all__]
        for owner, node in stubs:
            real = inspect.signature(getattr(owner, node.name)).parameters
            a = node.args
            names = [arg.arg for arg in [*a.args, *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]]
            self.assertEqual(sorted(names), sorted(real), node.name)
            defaults = dict(zip([arg.arg for arg in a.args][len(a.args) - len(a.defaults):], a.defaults))
            defaults.update((arg.arg, d) for arg, d in zip(a.kwonlyargs, a.kw_defaults) if d is not None)
            for name, value in defaults.items():
                self.assertEqual(ast.literal_eval(value), real[name].default, (node.name, name))
        public = {name for name, value in vars(jobs.Jobs).items() if callable(value) and name[0] != "_"}
        self.assertEqual({node.name for owner, node in stubs if owner is jobs.Jobs}, public)

    def test_the_table(self):
        table = options.table()
        self.assertEqual([o.name for o in table], list(options.names()))
        top_p = next(o for o in table if o.name == "top_p")
        self.assertEqual((top_p.type, top_p.draws, top_p.one_step), ("number", True, True))
        self.assertTrue(all(o.help and o.about and o.example for o in table))

    def test_every_example_is_taken(self):
        """Each option's own example, as a Python value where JSON can say it."""
        import json
        for o in options.table():
            values = [o.example]
            try:
                values.append(json.loads(o.example))
            except ValueError:
                pass
            for value in values:
                options.generate_options({o.name: value})

    def test_did_you_mean(self):
        for wrong, meant in (("max_new_token", "max_new_tokens"), ("temprature", "temperature"),
                             ("straem", "stream"), ("num_beam", "num_beams"), ("add_boss", "add_bos")):
            with self.assertRaisesRegex(nextoken.UnknownOption, f"did you mean '{meant}'"):
                self.m.generate("The", **{wrong: 1})
        with self.assertRaisesRegex(TypeError, "xyzzy"):
            self.m.next("The", xyzzy=1)
        self.assertTrue(issubclass(nextoken.UnknownOption, ValueError))
        with self.assertRaises(nextoken.UnknownOption):
            self.m.generate("The", **{"max-new-tokens": 2})

    def test_values_of_every_type(self):
        base = self.m.generate("The cat", max_new_tokens=6).ids

        def ids(**made):
            return self.m.generate("The cat", max_new_tokens=6, **made).ids

        self.assertNotIn(base[0], ids(bad_words_ids=[[base[0]]]))
        self.assertNotIn(base[0], ids(suppress_tokens=np.array([base[0]])))
        self.assertNotIn(base[0], ids(suppress_tokens={base[0]}))
        for form in ({base[0]: float("-inf")}, {(base[0],): float("-inf")}, [[[base[0]], float("-inf")]],
                     {str(base[0]): -1e4}, {np.int64(base[0]): np.float32("-inf")}):
            self.assertNotIn(base[0], ids(sequence_bias=form))
        self.assertNotIn(base[0], ids(logit_bias={base[0]: -100}))
        self.assertEqual(ids(sequence_bias={(base[0], base[1]): -1e4})[:1], base[:1])
        self.assertNotEqual(ids(sequence_bias={(base[0], base[1]): -1e4})[1], base[1])
        self.assertEqual(ids(eos_token_id=base[2]), base[:base.index(base[2]) + 1])
        self.assertEqual(ids(eos_token_id=[base[4], base[1]]), base[:2])
        self.assertEqual(ids(forced_eos_token_id=7)[-1], 7)
        self.assertEqual(ids(stop_strings=self.m.tokenizer.decode(base[:2])), base[:2])
        self.assertEqual(ids(temperature=None, top_k=None), base)
        self.assertEqual(ids(do_sample=np.bool_(False)), base)
        self.assertEqual(ids(exponential_decay_length_penalty=(1, 1.01), eos_token_id=7), base)
        self.assertEqual(self.m.generate("The", num_beams=2, early_stopping=True, max_new_tokens=2).to_dict(),
                         self.m.generate("The", num_beams=2, early_stopping="true", max_new_tokens=2).to_dict())
        big = 2 ** 64 - 1
        self.assertEqual(self.m.generate("The", do_sample=True, seed=big, max_new_tokens=1).seed, big)

    def test_texts_are_texts(self):
        plain = self.m.generate("The", guidance_scale=2.0, negative_prompt="A dog", max_new_tokens=3)
        by_ids = self.m.generate("The", guidance_scale=2.0, max_new_tokens=3,
                                 negative_prompt_ids=self.m.tokenize("A dog").ids)
        self.assertEqual(plain.ids, by_ids.ids)
        with self.assertRaisesRegex(TypeError, "negative_prompt"):
            self.m.generate("The", negative_prompt=5)
        with self.assertRaisesRegex(ValueError, "zero byte"):
            self.m.generate("The", stop_strings=["a\0b"], negative_prompt="a\0b")

    def test_wrong_values(self):
        for wrong in ({"top_p": 2.0}, {"top_p": "high"}, {"num_beams": 0}, {"num_beams": 1.5}, {"seed": -1},
                      {"temperature": float("nan")}, {"max_new_tokens": True}, {"search": "exakt"}):
            with self.assertRaisesRegex(nextoken.ArgumentError, next(iter(wrong))):
                self.m.generate("The", **wrong)
        with self.assertRaisesRegex(TypeError, "suppress_tokens"):
            self.m.generate("The", suppress_tokens=object())
        with self.assertRaisesRegex(nextoken.ArgumentError, "exact"):
            self.m.generate("The", search="exakt")

    def test_drawing_options(self):
        r = self.m.generate("The", temperature=0.5, max_new_tokens=2, seed=1)
        self.assertEqual(r.method, "sample")
        self.assertIn("sampling, because temperature was given", r.notes)
        self.assertEqual(self.m.generate("The", temperature=0.5, do_sample=False, max_new_tokens=2).method, "greedy")
        self.assertEqual(self.m.generate("The", max_new_tokens=2).method, "greedy")

    def test_a_file_of_options(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "o.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"num_beams": 3, "max_new_tokens": 3}')
            r = self.m.generate("The", config=path)
            self.assertEqual((r.method, len(r.ids)), ("beam_search", 3))
            self.assertEqual(self.m.generate("The", config=pathlib.Path(path), num_beams=1).method, "greedy")
            with self.assertRaises(FileNotFoundError):
                self.m.generate("The", config=os.path.join(folder, "none.json"))

    def test_words_of_scores(self):
        self.assertEqual(self.m.score("The cat", by="word", correction="oh-schuler").to_dict()["correction"],
                         "oh-schuler")
        for wrong in ({"by": "line"}, {"correction": "none"}):
            with self.assertRaisesRegex(ValueError, "is one of"):
                self.m.score("The cat", **wrong)


class Callbacks(Case):
    def test_process_in_place_and_returned(self):
        def in_place(ids, logits):
            logits[:] = 0
            logits[len(ids)] = 1

        def returned(ids, logits):
            return np.eye(1, len(logits), len(ids), dtype=np.float64)[0]

        expected = [3, 4, 5]
        for process in (in_place, returned):
            self.assertEqual(self.m.generate([1, 2, 3], process=process, max_new_tokens=3).ids, expected)

    def test_stop(self):
        r = self.m.generate([1, 2], stop=lambda ids: len(ids) == 5, max_new_tokens=9)
        self.assertEqual((len(r.ids), r.finish_reason), (3, "callback"))
        self.assertEqual(len(self.m.steps([1, 2], stop=lambda ids: len(ids) == 5, max_new_tokens=9)), 3)

    def test_errors_come_out(self):
        def fails(*arguments):
            raise LookupError("mine")

        for name in ("process", "stop", "on_text"):
            with self.assertRaisesRegex(LookupError, "mine"):
                self.m.generate("The", max_new_tokens=3, **{name: fails})
        self.assertEqual(len(self.m.generate("The", max_new_tokens=3).ids), 3)

    def test_on_text(self):
        heard = []
        r = self.m.generate("The", max_new_tokens=5, on_text=heard.append)
        self.assertEqual("".join(heard), r.text)
        self.assertEqual(self.m.generate("The", max_new_tokens=5, on_text=lambda piece: True).finish_reason, "callback")

    def test_a_job_within_a_callback(self):
        inner = []

        def stop(ids):
            inner.append(self.m.next(ids).ids[0])
            return False

        r = self.m.generate("The", max_new_tokens=4, stop=stop)
        self.assertEqual(inner, r.ids[1:])

    def test_assistant(self):
        alone = self.m.generate("The cat", max_new_tokens=8)
        helped = self.m.generate("The cat", max_new_tokens=8, assistant=nextoken.load(support.checkpoint("words")))
        self.assertEqual((helped.ids, helped.method), (alone.ids, "assisted"))
        self.assertGreater(helped.effort.accepted, 0)


class Bars(Case):
    def test_a_function_of_ones_own(self):
        told = []
        self.m.perplexity("The cat sat. " * 60, progress=lambda *line: told.append(line))
        self.assertEqual({what for what, _, _ in told}, {"tokens"})
        self.assertEqual(told[-1][1], told[-1][2])
        told.clear()
        self.m.next(["The", "A"], progress=lambda *line: told.append(line))
        self.assertEqual(told, [("texts", 1, 2), ("texts", 2, 2)])
        told.clear()
        self.m.score(["The cat", "A dog"] * 3, progress=lambda *line: told.append(line))
        self.assertEqual(told[-1][1], told[-1][2])

    def test_errors_of_it_come_out(self):
        def fails(*line):
            raise LookupError("mine")

        with self.assertRaisesRegex(LookupError, "mine"):
            self.m.perplexity("The cat sat. " * 60, progress=fails)

    def with_tqdm(self, made):
        held = {name: sys.modules.get(name) for name in ("tqdm", "tqdm.notebook")}
        module = types.ModuleType("tqdm")
        module.tqdm = made
        sys.modules["tqdm"] = module
        self.addCleanup(lambda: [sys.modules.pop(name, None) if value is None else
                                 sys.modules.__setitem__(name, value) for name, value in held.items()])

    def test_bars(self):
        log = []

        class Bar:
            def __init__(self, **made):
                self.n, self.total = 0, made["total"]
                log.append(made["unit"].strip())

            def update(self, by):
                self.n += by

            def close(self):
                log.append((self.n, self.total))

        self.with_tqdm(Bar)
        self.m.next(["The", "A"], progress=True)
        self.assertEqual(log, ["texts", (2, 2)])
        log.clear()
        self.m.next(["The", "A"], progress=False)
        self.m.next(["The", "A"])  # no terminal here, and no second
        self.assertEqual(log, [])
        with progress.reporting(True) as report:
            report("tokens", 3, 0)
            report("tokens", 7, 9)
        self.assertEqual(log, ["tokens", (7, 9)])

    def test_without_tqdm(self):
        self.with_tqdm(None)
        sys.modules["tqdm"] = None
        self.assertEqual(len(self.m.next(["The", "A"], progress=True)), 2)

    def test_only_after_a_second_at_a_terminal(self):
        log = []
        self.with_tqdm(lambda **made: log.append(made) or types.SimpleNamespace(
            n=0, total=None, update=lambda by: None, close=lambda: None))
        held, sys.stderr = sys.stderr, io.StringIO()
        sys.stderr.isatty = lambda: True
        clock = [0.0]
        held_time, progress.time = progress.time, types.SimpleNamespace(monotonic=lambda: clock[0])
        try:
            with progress.reporting(None) as report:
                report("texts", 1, 9)
                self.assertEqual(log, [])
                clock[0] = 1.5
                report("texts", 2, 9)
                report("texts", 3, 9)
        finally:
            sys.stderr, progress.time = held, held_time
        self.assertEqual([made["leave"] for made in log], [False])


class Files(Case):
    def test_inspect_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.npz")
            r = self.m.inspect("The cat", hidden_states=True, npz=path)
            kept = self.m.inspect("The cat", hidden_states=True)
            with np.load(path) as arrays:
                self.assertTrue((arrays["hidden_states"] == kept.hidden_states).all())
            self.assertIsNone(r.hidden_states)
            with self.assertRaisesRegex(ValueError, "one file"):
                self.m.inspect(["The", "A"], npz=path)

    def test_module_functions(self):
        path = support.checkpoint("words")
        self.assertEqual(nextoken.tensors(path, statistics=False)[0].counted, False)
        self.assertEqual(len(nextoken.diff(path, self.m)), len(nextoken.tensors(path)))
        r = nextoken.versus(self.m, self.m, "The cat", options_b={"temperature": 0.5}, label_a="one",
                            label_b="two")
        self.assertEqual(r.labels, ("one", "two"))
        with self.assertRaises(FileNotFoundError):
            nextoken.tensors("/nowhere/at/all")


if __name__ == "__main__":
    unittest.main()
