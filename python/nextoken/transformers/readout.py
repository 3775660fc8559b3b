"""The two parts of a model behind its last block, to be called by themselves: the final norm and the head. What
reads states of another depth through them is the logit lens (nostalgebraist 2020).

They run the model itself, on as many positions as there are states, with the states put where a block's output or
the norm's would stand: so their numbers are the forward pass's own."""

import sys

import numpy as np

from ..arrays import float32

__all__ = ["part"]

#: family -> (names that lead to the final norm, name of the head)
_NAMES = {"gpt2": (("transformer", "ln_f"), "lm_head"), "gpt_neo": (("transformer", "ln_f"), "lm_head"),
          "gpt_neox": (("gpt_neox", "final_layer_norm"), "embed_out"),
          "llama": (("model", "norm"), "lm_head"), "qwen2": (("model", "norm"), "lm_head")}


def part(model, name):
    """The attribute of a model that has or is one of the two; None for any other name."""
    way, head = _NAMES.get(model.architecture, ((), None))
    if name == head:
        return Head(model)
    if way and name == way[0]:
        return Body(model, way[1])
    return None


class Body:
    """What stands below the head: of its parts the final norm alone can be called."""

    def __init__(self, model, norm):
        self._model, self._norm = model, norm

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name == self._norm:
            return FinalNorm(self._model)
        raise AttributeError(f"{name!r} is not supported by nextoken: of its modules only {self._norm} and the head can "
                             "be called; output_hidden_states and output_attentions give what the others compute")


class _Part:
    """States [..., D] through a part: torch's tensors give tensors, anything else NumPy's arrays."""

    def __init__(self, model):
        self._core = model.core

    def __call__(self, states):
        torch = sys.modules.get("torch")
        is_tensor = torch is not None and isinstance(states, torch.Tensor)
        rows = float32(states.detach() if is_tensor else states)
        info = self._core.info
        if rows.ndim < 1 or rows.shape[-1] != info.n_embd:
            raise ValueError(f"states end in a dimension of {info.n_embd}, these are {list(rows.shape)}")
        flat = rows.reshape(-1, info.n_embd)
        done = np.concatenate([self._run(flat[i:i + info.n_context]) for i in range(0, len(flat), info.n_context)]) \
            if len(flat) else np.empty((0, self._width(info)), np.float32)
        done = done.reshape(*rows.shape[:-1], -1 if done.size else self._width(info))
        return torch.from_numpy(done) if is_tensor else done

    forward = __call__

    def _replaced(self, session, point, layer, rows, want):
        from ..session import Edit, Place

        edits = [Edit(Place(point, layer, position=t), "replace", values=row) for t, row in enumerate(rows)]
        with session.edit(edits):
            sequence = session.sequence()
            try:
                return session.forward(sequence, [0] * len(rows), want=want)
            finally:
                session.drop(sequence)


class FinalNorm(_Part):
    """States [..., D] as a block gives them -> as the head reads them."""

    @staticmethod
    def _width(info):
        return info.n_embd

    def _run(self, rows):
        session = self._core.session()
        with session.capture("final_norm") as seen:
            self._replaced(session, "block_out", self._core.info.n_layer - 1, rows, None)
        return seen["final_norm"]


class Head(_Part):
    """States [..., D] behind the final norm -> logits [..., V]."""

    @staticmethod
    def _width(info):
        return info.n_vocab

    def _run(self, rows):
        return self._replaced(self._core.session(), "final_norm", -1, rows, "all")
