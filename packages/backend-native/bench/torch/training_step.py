"""The training steps of training-step.bench.ts in PyTorch: python training_step.py ml1m|session [cpu|cuda].

best: padding is dropped before the output layer; usual: logits for every padded position, ignore_index in the loss.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F
from measure import measure, peak_memory_mb, session_lengths
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(1)

SHAPES = {
    "ml1m": dict(num_sessions=128, max_length=200, mean_length=165, items=3416, width=64),
    "session": dict(num_sessions=256, max_length=20, mean_length=6, items=15316, width=128),
}
RATE, NUM_BLOCKS = 0.2, 2


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-8), nn.LayerNorm(width, eps=1e-8)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        rate = RATE if self.training else 0.0
        # One head; padding is at the end, so the causal mask alone keeps real positions clear of it.
        y = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], dropout_p=rate, is_causal=True)[:, 0]
        x = x + F.dropout(self.out(y), RATE)
        return x + F.dropout(self.outer(F.relu(self.inner(self.norm2(x)))), RATE)


class SASRec(nn.Module):
    def __init__(self, items, width, max_length):
        super().__init__()
        self.items, self.positions = nn.Embedding(items + 3, width), nn.Embedding(max_length, width)
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(NUM_BLOCKS))
        self.last = nn.LayerNorm(width, eps=1e-8)

    def forward(self, ids):
        x = self.items(ids) * math.sqrt(self.items.embedding_dim) + self.positions.weight[: ids.shape[1]]
        x = F.dropout(x, RATE)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


def main(key, device="cpu"):
    shape = SHAPES[key]
    lengths = torch.tensor(session_lengths(shape["num_sessions"], shape["max_length"], shape["mean_length"]))
    real = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
    ids = torch.where(real, torch.randint(3, shape["items"] + 3, real.shape), 0)
    targets = torch.where(real, torch.randint(3, shape["items"] + 3, real.shape), -100)
    model = SASRec(shape["items"], shape["width"], shape["max_length"]).to(device)
    real, ids, targets = real.to(device), ids.to(device), targets.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), fused=True)

    def step(drop_padding):
        optimizer.zero_grad(set_to_none=True)
        hidden = model(ids)
        if drop_padding:
            loss = F.cross_entropy(hidden[real] @ model.items.weight.T, targets[real])
        else:
            loss = F.cross_entropy((hidden @ model.items.weight.T).flatten(0, 1), targets.flatten(), ignore_index=-100)
        loss.backward()
        optimizer.step()
        # As a training loop does, which also waits for the GPU.
        return loss.item()

    best = measure(lambda: step(True), seconds=6, min_runs=7)
    peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else peak_memory_mb()
    usual = measure(lambda: step(False), seconds=6, min_runs=5)
    print(json.dumps({"key": f"step-{key}", **best, "usualMs": usual["medianMs"], "peakMemoryMb": peak, "torch": torch.__version__, "device": torch.cuda.get_device_name() if device == "cuda" else "cpu"}))


main(*sys.argv[1:])
