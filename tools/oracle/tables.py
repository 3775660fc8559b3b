"""A transformers model that is a table of logits, as tests/decode/table_stepper.h has it: generate()
runs on it as on a network, so that searches can be held against transformers' own without weights."""

import torch
from transformers import GenerationConfig, PretrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutputWithPast

MASK = (1 << 64) - 1


def row_of(ids, n_rows):
    """Which row follows ids: table_row_of in table_stepper.h."""
    state = 0
    for i in ids:
        state = ((state ^ (i + 1)) * 6364136223846793005 + 1442695040888963407) & MASK
    return (state >> 33) % n_rows


def made_row(kind, size, seed):
    """The rows of tests/decode/made_row.h, in float32."""
    row = []
    for i in range(size):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & MASK
        r = seed >> 33
        smooth = (r % 400001 - 200000) / 4096
        if kind == "smooth":
            row.append(smooth)
        elif kind == "ties":
            row.append(float(r % 9 - 4))
        elif kind == "holes":
            row.append(float("-inf") if r % 5 == 0 and i > 0 else smooth)
        elif kind == "peaked":
            row.append(((r & 255) + (r >> 8 & 255) + (r >> 16 & 255) - 384) / 32 - 100)
        else:
            row.append(1.5)
    return torch.tensor(row, dtype=torch.float32)


def made_ids(seed, n, below):
    """n ids below `below`: made_ids of tests/decode/made_row.h."""
    ids = []
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & MASK
        ids.append((seed >> 33) % below)
    return ids


class TableConfig(PretrainedConfig):
    model_type = "table"

    def __init__(self, vocab_size=8, max_position_embeddings=1024, **kwargs):
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.num_hidden_layers = 1
        self.hidden_size = self.num_attention_heads = 1
        super().__init__(**kwargs)


class TableModel(PreTrainedModel, GenerationMixin):
    """rows [n_rows, V]; choose(ids) -> row for every prefix. Needs use_cache=False in generate()."""

    config_class = TableConfig
    _supports_cache_class = False

    def __init__(self, rows, choose=None, context=1024):
        super().__init__(TableConfig(vocab_size=rows.shape[1], max_position_embeddings=context))
        self.rows = rows
        self.choose = choose or (lambda ids: row_of(ids, len(rows)))
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.generation_config = GenerationConfig()

    def prepare_inputs_for_generation(self, input_ids, **kwargs):
        return {"input_ids": input_ids}

    def forward(self, input_ids, **kwargs):
        logits = torch.stack([torch.stack([self.rows[self.choose(ids[: t + 1])]
                                           for t in range(len(ids))])
                              for ids in input_ids.tolist()])
        return CausalLMOutputWithPast(logits=logits)
