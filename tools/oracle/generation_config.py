"""Writes tests/decode/generation_config.txt: every field of transformers' GenerationConfig with its type and default,
and values that transformers takes or refuses. Tab-separated:
field  name  type as documented ("-": not documented)  default in JSON, as it is when nothing says otherwise
value  name  value in JSON  taken|refused"""

import inspect
import json
import os
import re
import warnings

import torch
import transformers
from tables import TableModel, made_row
from transformers import GenerationConfig
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "decode", "generation_config.txt")
WARPERS = ("temperature", "top_h", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
BEAMS = ("length_penalty", "early_stopping", "num_return_sequences")

# JSON values without blanks in them, separated by blanks.
VALUES = {
    "max_new_tokens": "1 5 0 -1 2.5 \"3\"",
    "max_length": "8 3",
    "min_new_tokens": "0 2 -1 1.5 \"2\"",
    "min_length": "0 3 -1 1.5 \"2\"",
    "max_time": "0.5 0 \"1\" []",
    "do_sample": "true false",
    "num_beams": "1 3",
    "length_penalty": "1.0 0.0 -2.5 2 \"1\" []",
    "early_stopping": "true false \"never\" \"always\" \"true\" 2",
    "num_return_sequences": "1 2",
    "temperature": "0.5 2.0 1 2 0.0 0 -1.0 \"1\" []",
    "top_h": "0.5 1.0 1 0.0 -0.1 1.1 \"0.5\"",
    "top_k": "1 50 0 -1 2.5 \"5\"",
    "top_p": "0.5 0.0 1.0 1 0 1.5 -0.1 \"0.5\"",
    "min_p": "0.1 0.0 1.0 0 1 -0.1 1.1 \"0.1\"",
    "typical_p": "0.5 1.0 1.5 0.0 -0.1 \"0.5\"",
    "epsilon_cutoff": "0.01 0.0 1.0 -0.1 1.5 \"0.1\"",
    "eta_cutoff": "0.01 0.0 1.0 -0.1 1.5 \"0.1\"",
    "repetition_penalty": "1.2 0.5 1.0 1 2 0.0 -1.0 \"1.2\" []",
    "encoder_repetition_penalty": "1.2 0.5 1.0 1 2 0.0 -1.0 \"1.2\" []",
    "no_repeat_ngram_size": "0 1 2 -1 2.5 \"2\"",
    "encoder_no_repeat_ngram_size": "0 1 2 -1 2.5 \"2\"",
    "bad_words_ids": "[[1]] [[1,2],[3]] [] [1] [[-1]] [[1.5]] [[\"1\"]] 1 \"1\" {}",
    "suppress_tokens": "[1] [1,2] [\"1\"] \"a\"",
    "begin_suppress_tokens": "[1] [1,2] [\"1\"] \"a\"",
    "sequence_bias": "[[[1],2.5]] [[[1,2],-0.5],[[3],1.0]] [[[1],2]] [] {} [[1,2.5]] [[[-1],2.5]] [[[1.5],2.5]] "
                     "[[[1],\"2\"]] [[[1]]] [[]] [[[],2.5]] [1] 1 \"1\"",
    "forced_bos_token_id": "3 \"3\" [] 1.5",
    "forced_eos_token_id": "3 [3] [3,4] [-1] -1 [1.5] \"3\"",
    "exponential_decay_length_penalty": "[0,1.5] [2,1.01] [0,2] [0] [] 1 [\"0\",1.5] [0,\"1.5\"]",
    "remove_invalid_values": "true false",
    "renormalize_logits": "true false",
    "guidance_scale": "1.5 1 1.0 2 0.5 -1.0 \"2\" []",
    "eos_token_id": "3 [3,4] \"3\" [\"3\"] [1.5]",
    "prompt_lookup_num_tokens": "1 3 0 -1",
    "max_matching_ngram_size": "1 3 0 -1",
    "assistant_ensemble_weight": "0.5 0.0 1.0 0 1 -0.5 1.5 \"0.5\"",
}


def documented():
    types = {}
    for name, kind in re.findall(r"^ {8}(\w+) *:? *\((.*?)\)+ *:$", GenerationConfig.__doc__, re.M):
        types[name] = kind.split(", *optional*")[0].split(", default")[0].replace("`", "")
    return types


def defaults():
    known = dict(vars(GenerationConfig()))
    known.update(GenerationConfig._get_default_generation_params())
    lookup = inspect.signature(PromptLookupCandidateGenerator.__init__).parameters
    known["max_matching_ngram_size"] = lookup["max_matching_ngram_size"].default
    known["transformers_version"] = None  # written when saved
    return known


def generate(name, value):
    torch.manual_seed(0)
    model = TableModel(torch.stack([made_row("smooth", 16, s) for s in range(8)]))
    options = {"use_cache": False, "eos_token_id": 13, "pad_token_id": 13}
    if name not in ("max_length", "max_new_tokens"):
        options["max_new_tokens"] = 3
    if name in WARPERS:
        options["do_sample"] = True
    if name in BEAMS:
        options["num_beams"] = 3
    options[name] = value
    prompt = torch.tensor([[1, 2] if name != "forced_bos_token_id" else [1]])
    model.generate(prompt, generation_config=GenerationConfig(**options))


def takes(name, value):
    try:
        if name == "prompt_lookup_num_tokens":
            PromptLookupCandidateGenerator(num_output_tokens=value)
        elif name == "max_matching_ngram_size":
            PromptLookupCandidateGenerator(max_matching_ngram_size=value)
        elif name == "assistant_ensemble_weight":
            GenerationConfig(**{name: value})
        else:
            generate(name, value)
    except (ValueError, TypeError, AttributeError, IndexError, RuntimeError, KeyError, AssertionError):
        return False
    return True


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    types = documented()
    with open(OUT, "w") as out:
        out.write(f"# tools/oracle/generation_config.py, transformers {transformers.__version__}\n")
        for name, default in defaults().items():
            out.write(f"field\t{name}\t{types.get(name, '-')}\t{json.dumps(default)}\n")
        for name, values in VALUES.items():
            for text in values.split(" "):
                verdict = "taken" if takes(name, json.loads(text)) else "refused"
                out.write(f"value\t{name}\t{text}\t{verdict}\n")


main()
