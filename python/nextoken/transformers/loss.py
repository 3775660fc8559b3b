"""The loss of a language model: mean of -log p(label), labels of -100 left out.

Letters: B rows, T positions, V vocabulary.
"""

import numpy as np

from ..arrays import as_numpy

__all__ = ["causal_loss"]

IGNORED = -100


def causal_loss(logits, labels, computed, torch=None, shift_labels=None, num_items_in_batch=None):
    """logits [B, T, V] against labels [B, T], each of which is for the row before it; shift_labels [B, T]
    are for their own row. num_items_in_batch: divide the sum by that. computed [B, T]: where logits are
    real. A tensor where torch is given."""
    B, T, V = logits.shape
    if shift_labels is not None:
        wanted = as_numpy(shift_labels)
    else:
        labels = as_numpy(labels)
        if labels.shape != (B, T):
            raise ValueError(f"labels have the shape {list(labels.shape)} and logits {[B, T, V]}: every id has "
                             "one (and logits_to_keep keeps all)")
        wanted = np.concatenate([labels[:, 1:], np.full((B, 1), IGNORED, labels.dtype)], axis=1)
    if wanted.shape != (B, T):
        raise ValueError(f"shift_labels have the shape {list(wanted.shape)} and logits {[B, T, V]}")
    counted = wanted != IGNORED
    if (counted & ~computed).any():
        raise NotImplementedError("labels are asked for behind padding, of which nothing is computed in this "
                                  "family: give them -100, the first label behind padding too")
    outside = counted & ((wanted < 0) | (wanted >= V))
    if outside.any():
        raise IndexError(f"Target {int(wanted[outside][0])} is out of bounds.")
    if torch is not None:
        loss = torch.nn.functional.cross_entropy(
            torch.from_numpy(logits).view(-1, V), torch.from_numpy(wanted.astype(np.int64)).view(-1),
            ignore_index=IGNORED, reduction="mean" if num_items_in_batch is None else "sum")
        return loss if num_items_in_batch is None else loss / num_items_in_batch
    total = sum(_nll(row[of], label[of]) for row, label, of in zip(logits, wanted, counted))
    n = counted.sum() if num_items_in_batch is None else as_numpy(num_items_in_batch)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.float32(np.float64(total) / np.float64(n))


def _nll(logits, labels, at_once=256):
    """Sum of -log p(labels [n]) by logits [n, V], some rows at a time."""
    total = 0.0
    for i in range(0, len(labels), at_once):
        rows = logits[i:i + at_once].astype(np.float64)
        peak = rows.max(axis=1)
        sums = np.log(np.exp(rows - peak[:, None]).sum(axis=1)) + peak
        total += float((sums - rows[np.arange(len(rows)), labels[i:i + at_once]]).sum())
    return total
