"""The weights of a model as parameters(): names, shapes and counts. The numbers stay in the file."""

import math
import sys

from ..library import NULL, check, ffi, lib, new, owned, running, string

__all__ = ["Parameter", "named_parameters"]

#: What checkpoints hold besides weights: masks and frequencies that are computed.
_BUFFERS = (".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias",
            ".rotary_emb.inv_freq")
_HEADS = ("lm_head.", "embed_out.")


class Parameter:
    """One weight's shape: it has no gradient, and its numbers are not read."""

    requires_grad = False
    grad = None
    is_cuda = False

    def __init__(self, shape, model):
        torch = sys.modules.get("torch")
        self.shape = torch.Size(shape) if hasattr(torch, "Size") else tuple(shape)
        self.dtype, self.device = model.dtype, model.device

    def size(self, dim=None):
        return self.shape if dim is None else self.shape[dim]

    def numel(self):
        return math.prod(self.shape)

    nelement = numel

    def dim(self):
        return len(self.shape)

    ndim = property(dim)

    def element_size(self):
        return 4

    def __repr__(self):
        return f"Parameter(shape={list(self.shape)}, dtype={self.dtype})"

    def __getattr__(self, name):
        raise AttributeError(f"a parameter of nextoken has its shape alone, and no {name!r}: the weights stay "
                             "in the file (nextoken.load(...).tensors() tells of their numbers)")


def named_parameters(model):
    """(name, Parameter) of every weight, by the names of transformers; tied ones once."""
    prefix = model.base_model_prefix + "."
    inner = prefix + "decoder." if model.architecture == "opt" else prefix
    for name, shape in _listed(model.core.path):
        if name.startswith(_HEADS):
            if model.core.info.tied:
                continue
            name = "lm_head." + name.split(".", 1)[1]
        elif not name.startswith(prefix):
            name = inner + name
        if not name.endswith(_BUFFERS):
            yield name, Parameter(shape, model)


def _listed(path):
    """(name, shape) of every tensor of a checkpoint's files."""
    out = ffi.new("nt_result **")
    with running() as callbacks:
        options = new("nt_tensors_options", no_statistics=True, callbacks=callbacks)
        check(lib.nt_list_tensors(out, NULL if path is None else path.encode(), options))
    result = owned(out[0], "nt_result_free")
    for i in range(lib.nt_result_n_tensor_infos(result)):
        info = lib.nt_result_tensor_info(result, i)
        yield string(info.plain), [info.shape[d] for d in range(info.n_dims)]
