"""Training steps of the models of model-step.bench.ts in PyTorch: python model_step.py <ml1m|session> <gru4rec|sasrec|bert4rec|xlnet> [cpu|cuda].

As a good PyTorch user writes them: eager, two threads, fused Adam, full softmax over the tied item table, and padding dropped
before the output layer.
"""
import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(1)

WORKLOADS = {
    "ml1m": dict(num_sessions=128, max_length=200, mean_length=165, items=3416, width=64),
    "session": dict(num_sessions=256, max_length=20, mean_length=6, items=15316, width=128),
}
RATE, NUM_BLOCKS, MASK = 0.2, 2, 2
workload, name = sys.argv[1:3]
device = sys.argv[3] if len(sys.argv) > 3 else "cpu"
shape = WORKLOADS[workload]
width, num_rows = shape["width"], shape["items"] + 3


class GRU4Rec(nn.Module):
    def __init__(self):
        super().__init__()
        self.items = nn.Embedding(num_rows, width)
        self.gru = nn.GRU(width, width, batch_first=True)

    def forward(self, ids, lengths, real):
        packed = nn.utils.rnn.pack_padded_sequence(self.items(ids), lengths, batch_first=True, enforce_sorted=False)
        hidden, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return F.dropout(hidden[real], RATE)


class SASRec(nn.Module):
    """Pre-norm blocks of attention and a feed-forward layer of the same width (Kang & McAuley 2018)."""

    def __init__(self):
        super().__init__()
        self.items, self.positions = nn.Embedding(num_rows, width), nn.Embedding(shape["max_length"], width)
        norm = lambda: nn.LayerNorm(width, eps=1e-8)
        self.blocks = nn.ModuleList(
            nn.ModuleList([norm(), nn.Linear(width, 3 * width), nn.Linear(width, width), norm(), nn.Linear(width, width), nn.Linear(width, width)])
            for _ in range(NUM_BLOCKS)
        )
        self.last = norm()

    def forward(self, ids, lengths, real):
        x = self.items(ids) * math.sqrt(width) + self.positions.weight[: ids.shape[1]]
        x = F.dropout(x, RATE)
        for norm1, qkv, out, norm2, inner, outer in self.blocks:
            q, k, v = qkv(norm1(x)).chunk(3, dim=-1)
            # Padding is at the end: the causal mask alone keeps real positions clear of it.
            y = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], dropout_p=RATE, is_causal=True)[:, 0]
            x = x + F.dropout(out(y), RATE)
            x = x + F.dropout(outer(F.relu(inner(norm2(x)))), RATE)
        return self.last(x)[real]


class BERT4Rec(nn.Module):
    def __init__(self):
        super().__init__()
        self.items, self.positions = nn.Embedding(num_rows, width), nn.Embedding(shape["max_length"] + 1, width)
        block = lambda: nn.TransformerEncoderLayer(width, 1, 4 * width, RATE, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.ModuleList(block() for _ in range(NUM_BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.head, self.head_norm = nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, ids, lengths, scored):
        padding = torch.arange(ids.shape[1])[None, :].to(ids.device) >= lengths[:, None].to(ids.device)
        x = F.dropout(self.items(ids) + self.positions.weight[: ids.shape[1]], RATE)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=padding)
        return self.head_norm(F.gelu(self.head(self.norm(x)[scored])))


class XLNet(nn.Module):
    """transformers' XLNet, every place seeing every other; hidden items are predicted."""

    def __init__(self):
        super().__init__()
        from transformers import XLNetConfig, XLNetModel

        self.items = nn.Embedding(num_rows, width)
        self.body = XLNetModel(
            XLNetConfig(
                vocab_size=1, d_model=width, n_layer=NUM_BLOCKS, n_head=1, d_inner=4 * width, dropout=RATE, summary_last_dropout=RATE,
            )
        )

    def forward(self, ids, lengths, scored):
        mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).float().to(ids.device)
        return self.body(inputs_embeds=self.items(ids), attention_mask=mask, use_mems=False).last_hidden_state[scored]


def main():
    power = shape["max_length"] / shape["mean_length"] - 1
    lengths = torch.tensor(
        [max(1, int(shape["max_length"] * ((s + 0.5) / shape["num_sessions"]) ** power + 0.5)) for s in range(shape["num_sessions"])]
    )
    is_masked = name in ("bert4rec", "xlnet")
    if is_masked:
        lengths = lengths.clamp(min=2)
    real = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
    ids = torch.where(real, torch.randint(3, num_rows, real.shape), 0)
    targets = torch.where(real, torch.randint(3, num_rows, real.shape), 0)
    model = {"gru4rec": GRU4Rec, "sasrec": SASRec, "bert4rec": BERT4Rec, "xlnet": XLNet}[name]().to(device)
    real, ids, targets = real.to(device), ids.to(device), targets.to(device)
    nn.init.normal_(model.items.weight, std=0.02)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        if is_masked:
            hidden_places = real & (torch.rand(real.shape, device=device) < 0.2)
            hidden_places[:, 0] |= ~hidden_places.any(1)
            rows = model(torch.where(hidden_places, MASK, ids), lengths, hidden_places)
            loss = F.cross_entropy(rows @ model.items.weight.T, ids[hidden_places])
        else:
            loss = F.cross_entropy(model(ids, lengths, real) @ model.items.weight.T, targets[real])
        loss.backward()
        optimizer.step()
        # As a training loop does, which also waits for the GPU.
        return loss.item()

    for _ in range(2):
        step()
    times, end = [], time.perf_counter() + 5
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    times.sort()
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"model": name, "workload": workload, "medianMs": times[len(times) // 2], "bestMs": times[0], "peakMemoryMb": peak, "torch": torch.__version__}))


main()
