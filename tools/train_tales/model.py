"""GPT-2 for training: parameters named and laid out as Hugging Face stores them ([in, out])."""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, D, H, L, dropout):
        super().__init__()
        self.H, self.dropout = H, dropout
        self.ln_1, self.ln_2 = nn.LayerNorm(D), nn.LayerNorm(D)
        for name, rows, columns, std in (
            ("c_attn", D, 3 * D, 0.02),
            ("attn_proj", D, D, 0.02 / (2 * L) ** 0.5),
            ("c_fc", D, 4 * D, 0.02),
            ("mlp_proj", 4 * D, D, 0.02 / (2 * L) ** 0.5),
        ):
            self.register_parameter(name, nn.Parameter(torch.randn(rows, columns) * std))
            self.register_parameter(name + "_bias", nn.Parameter(torch.zeros(columns)))

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def forward(self, x):
        B, T, D = x.shape
        qkv = torch.addmm(self.c_attn_bias, self.ln_1(x).view(-1, D), self.c_attn)
        q, k, v = qkv.view(B, T, 3, self.H, D // self.H).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed = mixed.transpose(1, 2).reshape(-1, D)
        x = x + self.drop(torch.addmm(self.attn_proj_bias, mixed, self.attn_proj)).view(B, T, D)
        inner = F.gelu(torch.addmm(self.c_fc_bias, self.ln_2(x).view(-1, D), self.c_fc), approximate="tanh")
        return x + self.drop(torch.addmm(self.mlp_proj_bias, inner, self.mlp_proj)).view(B, T, D)


class Tales(nn.Module):
    """ids [B, T] -> states [B, T, D] after the final norm; the head is wte, applied by the loss."""

    def __init__(self, D, L, H, T=512, V=50257, dropout=0.0):
        super().__init__()
        self.sizes = dict(D=D, L=L, H=H, T=T, V=V)
        self.wte = nn.Parameter(torch.randn(V, D) * 0.02)
        self.wpe = nn.Parameter(torch.randn(T, D) * 0.01)
        self.blocks = nn.ModuleList(Block(D, H, L, dropout) for _ in range(L))
        self.ln_f = nn.LayerNorm(D)
        self.dropout = dropout

    def forward(self, ids):
        x = F.embedding(ids, self.wte) + self.wpe[: ids.shape[1]]
        if self.dropout:
            x = F.dropout(x, self.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x)

    def matrices(self):
        """What Muon takes."""
        return [getattr(b, n) for b in self.blocks for n in ("c_attn", "attn_proj", "c_fc", "mlp_proj")]

    def others(self):
        taken = {id(p) for p in self.matrices()}
        return [p for p in self.parameters() if id(p) not in taken]

    def state_for_hugging_face(self):
        names = {"wte": self.wte, "wpe": self.wpe, "ln_f.weight": self.ln_f.weight, "ln_f.bias": self.ln_f.bias}
        places = {"c_attn": "attn.c_attn", "attn_proj": "attn.c_proj", "c_fc": "mlp.c_fc", "mlp_proj": "mlp.c_proj"}
        state = {"transformer." + (n if "." in n else n + ".weight"): t for n, t in names.items()}
        for i, block in enumerate(self.blocks):
            for norm in ("ln_1", "ln_2"):
                state[f"transformer.h.{i}.{norm}.weight"] = getattr(block, norm).weight
                state[f"transformer.h.{i}.{norm}.bias"] = getattr(block, norm).bias
            for ours, theirs in places.items():
                state[f"transformer.h.{i}.{theirs}.weight"] = getattr(block, ours)
                state[f"transformer.h.{i}.{theirs}.bias"] = getattr(block, ours + "_bias")
        return state
