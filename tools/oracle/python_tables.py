"""Writes python/nextoken/transformers/tables.py: which tokenizer class transformers 5.23.0 has for each
model type, and the fields and defaults of the configurations that nextoken runs, by asking it.

    python tools/oracle/python_tables.py
"""
import dataclasses
import os
import pprint

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.tokenization_auto import (
    MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS as INCORRECT,
    TOKENIZER_MAPPING_NAMES as NAMES,
)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "python", "nextoken", "transformers", "tables.py")
FAMILIES = ["gpt2", "gpt_neo", "gpt_neox", "opt", "llama", "qwen2"]


def default_of(field):
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory()


def family(model_type):
    kind = CONFIG_MAPPING[model_type]
    return {
        "class": kind.__name__,
        "attribute_map": dict(kind.attribute_map),
        "keys_to_ignore_at_inference": list(getattr(kind, "keys_to_ignore_at_inference", [])),
        "fields": {field.name: default_of(field) for field in dataclasses.fields(kind)},
    }


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    classes = {model: (name or "").removesuffix("Fast") for model, name in sorted(NAMES.items()) if name}
    base = transformers.PreTrainedConfig
    generation = transformers.GenerationConfig
    values = {
        "TOKENIZER_CLASSES": classes,
        "MISTAKEN_CLASSES": sorted(INCORRECT),
        "BASE_CONFIG": {field.name: default_of(field) for field in dataclasses.fields(base)},
        "CONFIGS": {model_type: family(model_type) for model_type in FAMILIES},
        "GENERATION_FIELDS": [
            name for name in vars(generation()) if name not in ("_from_model_config", "transformers_version")
        ],
        "GENERATION_DEFAULTS": generation._get_default_generation_params(),
    }
    with open(OUT, "w", encoding="utf-8") as f:
        f.write('"""Written by tools/oracle/python_tables.py; do not edit."""\n')
        for name, value in values.items():
            f.write(f"\n{name} = {pprint.pformat(value, width=116, compact=True, sort_dicts=False)}\n")


if __name__ == "__main__":
    main()
