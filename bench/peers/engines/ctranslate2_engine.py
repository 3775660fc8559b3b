"""CTranslate2."""

import json
import pathlib

NAME = "CTranslate2"
ENVIRONMENT = "ctranslate2"
CONVERTER = "transformers"
JOBS = ("generate", "score", "beams", "batch")
FLAGS = {}
VARIANTS = {"f32": ("float32", "F32", "ct2"), "int8": ("int8, the rest float32", "INT8", "ct2-int8")}
SETTINGS = ("intra_threads = threads, inter_threads = 1; prompt in one pass (include_prompt_in_result=False); scoring "
            "in batches of 4 texts, sorted by length; int8 written by the converter")


def convert(checkpoint, folder, variant):
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(checkpoint)).convert(str(folder), quantization={"f32": "float32"}.get(variant, variant),
                                                   force=True)


class Engine:
    def __init__(self, model, variant, threads):
        import ctranslate2

        self.words = json.loads((pathlib.Path(model) / "vocabulary.json").read_text(encoding="utf-8"))
        kind = {"f32": "float32", "int8": "int8_float32"}[variant]
        self.generator = ctranslate2.Generator(str(model), "cpu", compute_type=kind, inter_threads=1,
                                               intra_threads=threads)

    def texts(self, rows):
        return [[self.words[i] for i in row] for row in rows]

    def generate(self, prompts, new, beams):
        found = self.generator.generate_batch(self.texts(prompts), beam_size=beams, max_length=new, min_length=new,
                                              sampling_topk=1, include_prompt_in_result=False)
        return [f.sequences_ids[0] for f in found]

    def score(self, texts):
        found = self.generator.score_batch(self.texts(texts), max_batch_size=4)
        return [sum(f.log_probs) for f in found]
