"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): momentum, made orthogonal.

torch.optim.Muon runs its iteration in bfloat16, which a processor without AMX only imitates, and one
matrix at a time; here matrices of one shape go together, in the arithmetic of the run.
"""
import torch


def orthogonal(x):
    """x [n, r, c], r <= c: singular values to about 1, by five steps of Newton and Schulz."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        s = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(s, s, s, beta=b, alpha=c), x, beta=a)
    return x


class Muon(torch.optim.Optimizer):
    """A matrix [D, 3 D] of queries, keys and values is taken as three."""

    def __init__(self, params, lr=0.02, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(state["momentum"], group["momentum"])
                rows, columns = p.shape
                parts = columns // rows if columns == 3 * rows else 1
                for part, place in zip(update.chunk(parts, 1), p.chunk(parts, 1)):
                    wide = part if part.shape[0] <= part.shape[1] else part.t()
                    by_shape.setdefault(wide.shape, []).append((wide, place))
            for shape, pairs in by_shape.items():
                made = orthogonal(torch.stack([wide for wide, _ in pairs]))
                for update, (_, place) in zip(made, pairs):
                    update = update if update.shape == place.shape else update.t()
                    # [in, out]: a wide output needs larger steps to change by the same amount
                    scale = max(1.0, place.shape[1] / place.shape[0]) ** 0.5
                    place.mul_(1 - group["lr"] * group["weight_decay"])
                    place.add_(update, alpha=-group["lr"] * scale)
