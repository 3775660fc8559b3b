"""Cross-entropy of a linear head without the matrix of logits.

Rows of logits are made a few hundred at a time, turned into their own gradient in place and used up
while they are in cache. Early in training the normaliser may also be estimated: the frequent ids and
the batch's own targets exactly, the rest by a uniform sample that stands for all of it, so that the
head costs a fifth. Given the batch, the estimate of the sum is unbiased.
"""
import math

import torch

TOKENS_AT_ONCE = 256


class LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, h, w, targets, bias):
        """h [N, D], w [R, D], targets [N] rows of w, bias [R] or None, added to the logits"""
        N = h.shape[0]
        step = TOKENS_AT_ONCE if h.device.type == "cpu" else 4096
        dh, dw = torch.empty_like(h), torch.zeros_like(w, dtype=torch.float32)
        loss = torch.zeros((), device=h.device)
        for at in range(0, N, step):
            part, target = h[at : at + step], targets[at : at + step, None]
            logits = torch.mm(part, w.t()).float()
            if bias is not None:
                logits += bias
            lse = torch.logsumexp(logits, 1, keepdim=True)
            loss += (lse - logits.gather(1, target)).sum()
            grad = logits.sub_(lse).exp_()
            grad.scatter_add_(1, target, torch.full_like(target, -1.0, dtype=grad.dtype))
            grad = grad.to(h.dtype)
            dh[at : at + step] = torch.mm(grad, w)
            dw += torch.mm(grad.t(), part)
        ctx.save_for_backward(dh, dw)
        ctx.scale = 1.0 / N
        return loss * ctx.scale

    @staticmethod
    def backward(ctx, grad):
        dh, dw = ctx.saved_tensors
        return dh * (grad * ctx.scale), dw * (grad * ctx.scale), None, None


class Head:
    """The loss over all ids, or over a sample of those outside `frequent` [n], when n_sampled > 0."""

    def __init__(self, V, frequent=None, n_sampled=0):
        self.V, self.frequent, self.n_sampled = V, frequent, n_sampled

    def __call__(self, h, w, targets):
        if not self.n_sampled:
            return LinearCrossEntropy.apply(h, w.to(h.dtype), targets, None)
        exact = torch.zeros(self.V, dtype=torch.bool, device=h.device)
        exact[self.frequent] = True
        exact[targets] = True
        rest = (~exact).nonzero()[:, 0]
        sample = rest[torch.randint(len(rest), (self.n_sampled,), device=h.device)]
        rows = torch.cat([exact.nonzero()[:, 0], sample])
        bias = torch.zeros(len(rows), device=h.device)
        bias[-self.n_sampled :] = math.log(len(rest) / self.n_sampled)
        place = torch.cumsum(exact, 0) - 1
        return LinearCrossEntropy.apply(h, w[rows].to(h.dtype), place[targets], bias)
