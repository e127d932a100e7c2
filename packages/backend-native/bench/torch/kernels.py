"""One row of kernels.bench.ts in PyTorch: python kernels.py <row>. Two threads, like ours."""
import json
import sys

import torch
import torch.nn.functional as F
from measure import measure, peak_memory_mb, session_lengths
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(1)


def backward(function, *inputs, layer=None):
    """The op and its gradients for a given gradient of its output: neither side pays for making one."""
    for x in inputs:
        x.requires_grad_(True)
    output_gradient = torch.randn_like(function(*inputs))

    def body():
        for x in inputs:
            x.grad = None
        if layer:
            layer.zero_grad()
        function(*inputs).backward(output_gradient)

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
    x = torch.randn(len(lengths), int(lengths.max()), width)
    if packed:
        return backward(lambda x: layer(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[0].data, x, layer=layer)
    return backward(lambda x: layer(x)[0], x, layer=layer)


def linear():
    layer = nn.Linear(64, 256)
    return backward(lambda x: F.gelu(layer(x)), torch.randn(21120, 64), layer=layer)


def norm():
    layer = nn.LayerNorm(64)
    return backward(lambda x, r: layer(r + F.dropout(x, 0.2)), torch.randn(21700, 64), torch.randn(21700, 64), layer=layer)


def optimizer(create, touched=None):
    """A dense step, or one on the rows that a lookup touched (a sparse gradient, as nn.Embedding(sparse=True) gives it)."""
    parameter = nn.Parameter(torch.randn(400000, 64))
    if touched is None:
        parameter.grad = torch.randn(400000, 64)
    else:
        rows = (torch.arange(touched) * 77 % 400000)[None, :]
        parameter.grad = torch.sparse_coo_tensor(rows, torch.randn(touched, 64), (400000, 64)).coalesce()
    return create([parameter]).step


def sampled_head(rows, width, items, count):
    """Softmax over the target and `count` negatives that all positions share; the table is an nn.Embedding of its own."""
    table = nn.Embedding(items + 3, width)
    hidden = (torch.randn(rows, width) * 0.1).requires_grad_(True)
    targets, negatives = torch.randint(3, items, (rows,)), torch.randint(3, items, (count,))
    labels = torch.zeros(rows, dtype=torch.long)

    def body():
        hidden.grad = table.weight.grad = None
        positive = (hidden * table(targets)).sum(1, keepdim=True)
        logits = hidden @ table(negatives).T
        logits = logits.masked_fill(negatives[None, :] == targets[:, None], float("-inf"))
        F.cross_entropy(torch.cat([positive, logits], 1), labels).backward()

    return body


def biased_attention(num_sessions, max_length, width, heads, weights):
    """Padded attention with a mask or a learned bias by distance, with softmax or SiLU weights (HSTU) in plain torch."""
    shape = (num_sessions, heads, max_length, width // heads)
    q, k, v = (torch.randn(shape) for _ in range(3))
    bias = torch.zeros(heads, max_length, max_length)
    causal = torch.ones(max_length, max_length, dtype=torch.bool).tril()

    def function(q, k, v, bias):
        if weights == "masked":
            mask = torch.zeros(num_sessions, 1, max_length, max_length).masked_fill(~causal, float("-inf"))
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        if weights == "silu":
            return (F.silu(q @ k.transpose(2, 3) + bias) * causal / max_length) @ v
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias.masked_fill(~causal, float("-inf")))

    if weights == "masked":
        return backward(lambda q, k, v: function(q, k, v, None), q, k, v)
    return backward(function, q, k, v, bias)


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
    "sampled-head-400k": lambda: sampled_head(2048, 64, 400000, 256),
    "linear": linear,
    "attention-short": lambda: attention(256, 20, 6, 128, 1),
    "attention-short-4": lambda: attention(256, 20, 6, 128, 4),
    "attention-long": lambda: attention(128, 200, 165, 64, 1),
    "attention-long-4": lambda: attention(128, 200, 165, 64, 4),
    "attention-masked": lambda: biased_attention(128, 200, 64, 2, "masked"),
    "attention-biased": lambda: biased_attention(128, 200, 64, 2, "biased"),
    "attention-silu": lambda: biased_attention(128, 200, 64, 2, "silu"),
    "gru-full": lambda: gru([20] * 256, 128, False),
    "gru-packed": lambda: gru(session_lengths(256, 20, 5.6), 128, True),
    "norm": norm,
    "adam": lambda: optimizer(lambda p: torch.optim.Adam(p, fused=True)),
    "adam-touched": lambda: optimizer(lambda p: torch.optim.SparseAdam(p), 5000),
    "adagrad": lambda: optimizer(lambda p: torch.optim.Adagrad(p, fused=True)),
    "adagrad-touched": lambda: optimizer(lambda p: torch.optim.Adagrad(p), 5000),
    "sgd": lambda: optimizer(lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, fused=True)),
    "scores": scores,
    "scores-50k": lambda: scores(50000),
}

key = sys.argv[1]
if key not in ROWS:  # torch has no such thing: rows without a peer print none
    sys.exit(0)
timing = measure(ROWS[key]())
print(json.dumps({"key": key, **timing, "peakMemoryMb": peak_memory_mb(), "torch": torch.__version__}))
