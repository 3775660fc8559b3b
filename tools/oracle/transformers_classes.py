"""Writes src/text/files/transformers_classes.c: which tokenizer class transformers 5.23.0 has for each
model type, by asking it.

    python tools/oracle/transformers_classes.py
"""
import os
import textwrap

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from transformers.models.auto.tokenization_auto import (
    MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS as INCORRECT,
    TOKENIZER_MAPPING_NAMES as NAMES,
)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "src", "text", "files", "transformers_classes.c")
MADE = ["GPT2Tokenizer", "GPTNeoXTokenizer", "LlamaTokenizer", "GemmaTokenizer"]
MADE += ["Qwen2Tokenizer", "Qwen3_5Tokenizer"]
# With mistral-common installed these have a class of its own; where a folder has no tekken.json, that
# too ends at the file.
FILE = ["TokenizersBackend", "MistralCommonBackend"]


def text(names):
    lines = textwrap.wrap(" ".join(names), 84, break_on_hyphens=False)
    return "\n".join('     "%s "' % (" " + line if i == 0 else line) for i, line in enumerate(lines))


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    rows = {name: [] for name in ["TokenizersBackend", *MADE, None]}
    for model, name in sorted(NAMES.items()):
        name = (name or "").removesuffix("Fast")
        name = "TokenizersBackend" if name in FILE else name if name in MADE else None
        rows[name].append(model)
    out = "/* Written by tools/oracle/transformers_classes.py; do not edit. */\n// clang-format off\n"
    out += '#include "text/files/transformers_classes.h"\n\n'
    out += "const nt_class_models nt_class_models_table[] = {\n"
    for name, models in rows.items():
        out += "    {%s,\n%s},\n" % ('"%s"' % name if name else "NULL", text(models))
    out += "};\nconst size_t nt_n_class_models = %d;\n\n" % len(rows)
    out += "const char nt_class_mistaken[] =\n%s;\n" % text(sorted(INCORRECT))
    with open(OUT, "w") as f:
        f.write(out)


if __name__ == "__main__":
    main()
