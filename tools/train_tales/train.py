"""Trains the built-in model. Resumes from RUN/last.pt after any stop.

python3 train.py --data RUN/data --run RUN/wide256 --width 256 --layers 10 --heads 8 --minutes 180

The learning rate warms up, stays, and falls linearly to zero over the last --decay of the run
(warmup-stable-decay). --minutes and --tokens may be changed between calls, whichever is reached first
ends the run. One that has ended is taken further by --longer, from where it stood before the fall.
"""
import argparse
import csv
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch

from data import Windows
from loss import Head
from model import Tales
from muon import Muon

SECONDS_BETWEEN_SAVES = 300
WARM_UP = 30  # steps


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", required=True)
    add("--run", required=True, help="folder of this run: config.json, log.csv, result.json, last.pt, stable.pt")
    add("--width", type=int, default=256)
    add("--layers", type=int, default=10)
    add("--heads", type=int, default=8)
    add("--dropout", type=float, default=0.0, help="0.1 where the corpus is repeated more than twice")
    add("--minutes", type=float, default=1e9, help="of training, all calls together")
    add("--tokens", type=float, default=1e12, help="to train on, all calls together")
    add("--decay", type=float, default=0.3, help="share of the run in which the rate falls to zero")
    add("--batch", type=int, default=8192, help="tokens a step")
    add("--micro", type=int, default=4096, help="tokens a pass")
    add("--window", type=int, default=256, help="tokens a window before the decay; 512 in it")
    add("--rate", type=float, default=0.02, help="of Muon, for matrices")
    add("--adam-rate", type=float, default=0.004, help="of AdamW, for embeddings, norms and biases")
    add("--weight-decay", type=float, default=0.01)
    add("--sampled", type=int, default=2048, help="ids that stand for the rare ones, twice as many in the decay; 0: all ids")
    add("--frequent", type=int, default=6144, help="ids that are always in the sum")
    add("--dropped", type=float, default=0.5, help="share of passages with BPE dropout before the decay")
    add("--longer", action="store_true", help="go on from RUN/stable.pt, with more --minutes or --tokens")
    add("--threads", type=int, default=0)
    add("--seed", type=int, default=1)
    return parser.parse_args()


def arithmetic(device):
    """bfloat16 where the machine has units for it."""
    if device == "cuda":
        return torch.bfloat16
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return torch.bfloat16 if "amx_bf16" in flags else torch.float32


class Run:
    def __init__(self, a):
        self.a = a
        self.folder = Path(a.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.dtype = arithmetic(self.device)
        torch.manual_seed(a.seed)
        self.model = Tales(a.width, a.layers, a.heads, dropout=a.dropout).to(self.device)
        self.muon = Muon(self.model.matrices(), a.rate, weight_decay=a.weight_decay)
        wide = [p for p in self.model.others() if p.dim() > 1]
        thin = [p for p in self.model.others() if p.dim() == 1]
        self.adam = torch.optim.AdamW(
            [dict(params=wide, weight_decay=a.weight_decay), dict(params=thin, weight_decay=0.0)],
            a.adam_rate, betas=(0.9, 0.95), fused=True)
        self.average = [p.detach().clone() for p in self.model.parameters()]
        self.windows = Windows(a.data, 0.0)
        self.valid = torch.from_numpy(np.load(Path(a.data) / "valid.npy").astype(np.int64))
        counts = np.bincount(self.windows.clean, minlength=50257)
        self.frequent = torch.from_numpy(np.argsort(-counts)[: a.frequent].copy()).to(self.device)
        self.step, self.tokens, self.seconds, self.epoch, self.place = 0, 0, 0.0, 0, 0
        self.decay_from = None  # progress at which the fall began
        self.tail = 0
        self.queue = None

    def save(self, name):
        state = dict(model=self.model.state_dict(), muon=self.muon.state_dict(), adam=self.adam.state_dict(),
                     average=self.average, torch=torch.get_rng_state(),
                     counters={n: getattr(self, n) for n in
                               ("step", "tokens", "seconds", "epoch", "place", "decay_from", "tail")})
        path = self.folder / name
        torch.save(state, path.with_suffix(".tmp"))
        os.replace(path.with_suffix(".tmp"), path)

    def load(self, path):
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.average = [t.to(self.device) for t in state["average"]]
        torch.set_rng_state(state["torch"].cpu())
        for name, value in state["counters"].items():
            setattr(self, name, value)

    def resume(self):
        """From where the run was stopped; one that had ended goes on from before the fall, if asked."""
        ended = self.folder / "result.json"
        if self.a.longer and ended.exists():
            self.load(self.folder / "stable.pt")
            self.save("last.pt")
            ended.unlink()
        elif (self.folder / "last.pt").exists():
            self.load(self.folder / "last.pt")
        self.cut_log()

    def cut_log(self):
        """What was logged after the checkpoint will be logged again."""
        path = self.folder / "log.csv"
        if path.exists():
            rows = path.read_text().splitlines()
            kept = rows[:1] + [row for row in rows[1:] if int(row.split(",")[0]) <= self.step]
            path.write_text("\n".join(kept) + "\n")

    def clock(self):
        """Seconds of work: on a processor that is shared, of its threads' time, not the wall's."""
        return time.monotonic() if self.device == "cuda" else time.process_time() / torch.get_num_threads()

    def progress(self):
        return min(1.0, max(self.seconds / 60 / self.a.minutes, self.tokens / self.a.tokens))

    def rate(self):
        """Share of the full rate; tells when the fall begins."""
        progress = self.progress()
        if progress >= 1 - self.a.decay and self.decay_from is None:
            self.save("stable.pt")  # from here a longer run can go on
            self.decay_from, self.queue = progress, None
        if self.decay_from is None:
            return min(1.0, (self.step + 1) / WARM_UP)
        return max(0.0, (1 - progress) / (1 - self.decay_from))

    def batch(self):
        """[B, T + 1] windows; the whole of them, clean and long, once the rate falls."""
        falling = self.decay_from is not None
        T = 512 if falling else self.a.window
        if self.queue is None:
            self.windows.dropped_share = 0.05 if falling else self.a.dropped
            self.ids, self.queue = self.windows.epoch(self.a.seed * 1000 + self.epoch, T)
            self.place = min(self.place, len(self.queue))
        n = self.a.micro // T
        if self.place + n > len(self.queue):
            self.epoch, self.place, self.queue = self.epoch + 1, 0, None
            return self.batch()
        begins = self.queue[self.place : self.place + n]
        self.place += n
        return torch.from_numpy(np.stack([self.ids[b : b + T + 1] for b in begins]).astype(np.int64)).to(self.device)

    def states(self, ids):
        with torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32):
            return self.model(ids)

    def train_step(self, rate):
        a, total = self.a, 0.0
        parts = max(1, a.batch // a.micro)
        head = Head(50257, self.frequent, a.sampled * (1 if self.decay_from is None else 2))
        for _ in range(parts):
            ids = self.batch()
            h = self.states(ids[:, :-1]).reshape(-1, a.width).to(self.dtype)
            loss = head(h, self.model.wte, ids[:, 1:].reshape(-1))
            (loss / parts).backward()
            total += loss.item() / parts
        torch.nn.utils.clip_grad_norm_(self.model.others(), 1.0)
        for group in self.muon.param_groups:
            group["lr"] = a.rate * rate
            group["momentum"] = 0.85 + 0.10 * min(1, self.step / 200)
        for group in self.adam.param_groups:
            group["lr"] = a.adam_rate * rate
        self.muon.step()
        self.adam.step()
        self.model.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += parts * ids[:, 1:].numel()
        return total

    def keep_average(self, rate):
        """The mean of the weights over the last fifth of the fall."""
        if self.decay_from is None or rate > 0.2:
            return
        self.tail += 1
        for mean, p in zip(self.average, self.model.parameters()):
            mean.lerp_(p.detach(), 1 / self.tail)

    @torch.no_grad()
    def valid_loss(self, n_windows, averaged=False):
        """Over windows [512] spread evenly through the held-out books, full sum over all ids."""
        kept = [p.detach().clone() for p in self.model.parameters()] if averaged else None
        if averaged:
            for p, mean in zip(self.model.parameters(), self.average):
                p.copy_(mean)
        self.model.eval()
        head, loss = Head(50257), 0.0
        begins = np.linspace(0, len(self.valid) - 514, n_windows).astype(int)
        for begin in begins:
            ids = self.valid[None, begin : begin + 513].to(self.device)
            h = self.states(ids[:, :-1])[0].to(self.dtype)
            loss += head(h, self.model.wte, ids[0, 1:]).item() / n_windows
        self.model.train()
        if averaged:
            for p, mean in zip(self.model.parameters(), kept):
                p.copy_(mean)
        return loss

    def go(self):
        log_path = self.folder / "log.csv"
        fresh = not log_path.exists()
        with open(log_path, "a", newline="") as file:
            log = csv.writer(file)
            if fresh:
                log.writerow(["step", "tokens", "seconds", "lr", "train_loss", "valid_loss"])
            saved, mean, n = time.monotonic(), 0.0, 0
            while self.progress() < 1:
                began = self.clock()
                rate = self.rate()
                mean, n = mean + self.train_step(rate), n + 1
                self.keep_average(rate)
                self.seconds += self.clock() - began
                if self.step % 25 == 0:
                    valid = self.valid_loss(16) if self.step % 100 == 0 else None
                    log.writerow([self.step, self.tokens, f"{self.seconds:.1f}", f"{rate * self.a.rate:.5f}",
                                  f"{mean / n:.4f}", "" if valid is None else f"{valid:.4f}"])
                    file.flush()
                    print(f"step {self.step} tokens {self.tokens:,} {self.tokens / self.seconds:.0f}/s "
                          f"rate {rate:.2f} train {mean / n:.4f}" + ("" if valid is None else
                          f" valid {valid:.4f} ({math.exp(valid):.1f})"), flush=True)
                    mean, n = 0.0, 0
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    self.save("last.pt")
                    saved = time.monotonic()
            self.save("last.pt")
            last, averaged = self.valid_loss(128), self.valid_loss(128, averaged=True) if self.tail else math.inf
        print(f"held out: last {math.exp(last):.2f}, average of the tail {math.exp(averaged):.2f}")
        (self.folder / "result.json").write_text(json.dumps(dict(
            tokens=self.tokens, seconds=round(self.seconds, 1), step=self.step, epochs=self.tokens / len(self.windows.clean),
            parameters=sum(p.numel() for p in self.model.parameters()), valid_loss=last,
            valid_loss_average=averaged if self.tail else None), indent=1) + "\n")


def main():
    a = arguments()
    if a.threads:
        torch.set_num_threads(a.threads)
    run = Run(a)
    (run.folder / "config.json").write_text(json.dumps(
        {**vars(a), "device": run.device, "arithmetic": str(run.dtype), "torch": torch.__version__}, indent=1) + "\n")
    run.resume()
    run.go()


if __name__ == "__main__":
    main()
