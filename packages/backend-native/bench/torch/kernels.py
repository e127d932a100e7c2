"""One row of kernels.bench.ts in PyTorch: python kernels.py <row>. Two threads, like ours."""
import json
import sys

import torch
import torch.nn.functional as F
from measure import measure, peak_memory_mb, session_lengths
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(1)


def backward(function, *inputs):
    for x in inputs:
        x.requires_grad_(True)

    def body():
        for x in inputs:
            x.grad = None
        function(*inputs).sum().backward()

    return body


def head(rows, width, items):
    targets = torch.randint(0, items, (rows,))
    return backward(lambda h, w: F.cross_entropy(h @ w.T, targets), torch.randn(rows, width) * 0.1, torch.randn(items, width) * 0.1)


def attention(num_sessions, max_length, mean_length, width, heads):
    """Padded to the longest session, as torch's fused attention wants it; causal, so padding at the end needs no mask."""
    shape = (num_sessions, heads, max_length, width // heads)
    return backward(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, dropout_p=0.2, is_causal=True),
                    torch.randn(shape), torch.randn(shape), torch.randn(shape))


def gru(lengths, width, packed):
    layer = nn.GRU(width, width, batch_first=True)
    lengths = torch.tensor(sorted(lengths, reverse=True))
    x = torch.randn(len(lengths), int(lengths.max()), width, requires_grad=True)

    def body():
        layer.zero_grad()
        x.grad = None
        if packed:
            y, _ = layer(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))
            y.data.sum().backward()
        else:
            layer(x)[0].sum().backward()

    return body


def norm():
    layer = nn.LayerNorm(64)
    return backward(lambda x, r: layer(r + F.dropout(x, 0.2)), torch.randn(21700, 64), torch.randn(21700, 64))


def adam():
    parameter = nn.Parameter(torch.randn(400000, 64))
    parameter.grad = torch.randn(400000, 64)
    return torch.optim.Adam([parameter], fused=True).step


def scores(rows=2000):
    hidden, table = torch.randn(rows, 128), torch.randn(50000, 128)
    targets = torch.randint(0, 50000, (rows,))

    @torch.no_grad()
    def body():
        for h, t in zip(hidden.split(500), targets.split(500)):
            logits = h @ table.T
            logits.topk(20)
            (logits >= logits.gather(1, t[:, None])).sum(1)

    return body


def matmul():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return lambda: a @ b


ROWS = {
    "matmul": matmul,
    "head-1280": lambda: head(1280, 64, 15316),
    "head-5000": lambda: head(5000, 128, 16000),
    "head-10000": lambda: head(10000, 64, 3416),
    "head-400k": lambda: head(2048, 64, 400000),
    "attention-short": lambda: attention(256, 20, 6, 128, 1),
    "attention-short-4": lambda: attention(256, 20, 6, 128, 4),
    "attention-long": lambda: attention(128, 200, 165, 64, 1),
    "attention-long-4": lambda: attention(128, 200, 165, 64, 4),
    "gru-full": lambda: gru([20] * 256, 128, False),
    "gru-packed": lambda: gru(session_lengths(256, 20, 5.6), 128, True),
    "norm": norm,
    "adam": adam,
    "scores": scores,
    "scores-50k": lambda: scores(50000),
}

key = sys.argv[1]
timing = measure(ROWS[key]())
print(json.dumps({"key": key, **timing, "peakMemoryMb": peak_memory_mb(), "torch": torch.__version__}))
