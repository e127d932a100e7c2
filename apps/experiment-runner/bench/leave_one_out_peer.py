"""The leave-one-out rows of SASRec and HSTU on ml-1m.txt in PyTorch, written apart from Nimue, to hold its figures against.

SASRec is trained as Klenitskiy & Vasilev 2023 do: item vectors times the root of their width, positions from the oldest event, only
the query normalised before attention, the normalised state carried on, dropout of inputs, attention and the feed-forward layer, Adam
1e-3, 128 users a step, at most 100 epochs, the best epoch by ndcg@10 of the valid target, ten epochs of patience. `--start original`
draws matrices from N(0, .02), those of query, key and value uniformly within √(6 / 4D), as its code does; `--start glorot` from
N(0, 2 / (in + out)), Nimue's default. `--loss own` is the softmax without the user's other items, Nimue's negatives `all` with
`excludeSession`; `--loss sampled` takes 3,000 items of the rest, drawn for every user without repeats.

HSTU (Zhai et al. 2024) here has a bias by position, none by time, and a norm at the end, as Nimue's with `relativeTime: false`.

Ranks are over the whole catalogue without what the user has seen; a tie counts against the model.

Needs torch and numpy; a GPU makes 100 epochs some minutes:
  python3 leave_one_out_peer.py ml-1m.txt.gz --start original --seed 1

Seen with torch 2.11 on a GPU (TF32, torch's fused attention in place of the one written out here), hr@10 / ndcg@10 of the test target:
  SASRec, full softmax, --start original  seeds 1, 2, 3: .3104/.1799  .3101/.1802  .3108/.1791
  SASRec, full softmax, --start glorot    seeds 1, 2, 3: .3157/.1832  .3056/.1769  .3118/.1820
  SASRec, --loss sampled, --start original, seed 1: .3136/.1845
of the valid target, with --start original and --loss own: SASRec .3381/.1954, SASRec of width 128 with dropout .2 .3399/.1977, HSTU of width
128 with two heads and four blocks, dropout .3, rate .002 falling linearly over 30 epochs .3561/.2074
"""

import argparse
import gzip
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
NEVER = -1e30


def read_sessions(path):
    """A line `user item` in time order; items become 1 … V, 0 is padding."""
    sessions = {}
    for line in gzip.open(path, 'rt'):
        user, item = line.split()
        sessions.setdefault(user, []).append(int(item))
    code = {item: i + 1 for i, item in enumerate(sorted({i for s in sessions.values() for i in s}))}
    return [[code[i] for i in s] for s in sessions.values()], len(code)


class Split:
    """The last item is the test target, the one before it the valid target; the rest is learned."""

    def __init__(self, sessions, num_items, max_length):
        self.num_items, self.max_length, self.num_users = num_items, max_length, len(sessions)
        learned = [s[:-2] for s in sessions]
        self.train, self.train_lengths = self.pack(learned, max_length + 1)
        self.users = torch.tensor([u for u, s in enumerate(learned) if len(s) > 1], device=DEVICE)
        known = torch.zeros(num_items + 1, dtype=torch.bool)
        for s in learned:
            known[s] = True
        self.known = known.to(DEVICE)
        self.parts = {}
        for name, cut in (('valid', -2), ('test', -1)):
            seen = torch.zeros(len(sessions), num_items + 1, dtype=torch.bool)
            seen[:, 0] = True
            for u, s in enumerate(sessions):
                seen[u, s[:cut]] = True
            targets = torch.tensor([s[cut] for s in sessions], device=DEVICE)
            self.parts[name] = (*self.pack([s[:cut] for s in sessions], max_length), targets, seen.to(DEVICE))

    def pack(self, lists, width):
        rows = np.zeros((len(lists), width), np.int64)
        for u, items in enumerate(lists):
            items = items[-width:]
            rows[u, : len(items)] = items
        lengths = [min(len(items), width) for items in lists]
        return torch.tensor(rows, device=DEVICE), torch.tensor(lengths, device=DEVICE)


def heads_of(x, num_heads):
    batch, length, width = x.shape
    return x.view(batch, length, num_heads, width // num_heads).transpose(1, 2)


class SASRecBlock(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        self.query_norm, self.norm = nn.LayerNorm(o.width, eps=1e-8), nn.LayerNorm(o.width, eps=1e-8)
        self.query, self.key, self.value, self.output = (nn.Linear(o.width, o.width) for _ in range(4))
        self.expand, self.contract = nn.Linear(o.width, o.width), nn.Linear(o.width, o.width)

    def forward(self, x):
        drop = lambda y: F.dropout(y, self.o.dropout, self.training)
        normed = self.query_norm(x)
        q, k, v = (heads_of(y, self.o.heads) for y in (self.query(normed), self.key(x), self.value(x)))
        length = x.shape[1]
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(later, -1e9)
        mixed = (drop(scores.softmax(-1)) @ v).transpose(1, 2).reshape(x.shape)
        y = self.norm(normed + self.output(mixed))
        return y + drop(self.contract(drop(F.relu(self.expand(y)))))


class HSTUBlock(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        self.query, self.key, self.value, self.gate = (nn.Linear(o.width, o.width, bias=False) for _ in range(4))
        self.output = nn.Linear(o.width, o.width)
        self.position_bias = nn.Parameter(torch.randn(2 * o.max_length, o.heads) * 0.02)

    def forward(self, x):
        length = x.shape[1]
        normed = F.layer_norm(x, x.shape[-1:])
        q, k, v, u = (F.silu(part(normed)) for part in (self.query, self.key, self.value, self.gate))
        at = torch.arange(length, device=x.device)
        bias = self.position_bias[(at[None] - at[:, None]) + self.o.max_length].permute(2, 0, 1)
        scores = heads_of(q, self.o.heads) @ heads_of(k, self.o.heads).transpose(-1, -2) + bias
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        weights = (F.silu(scores) / self.o.max_length).masked_fill(later, 0)
        mixed = (weights @ heads_of(v, self.o.heads)).transpose(1, 2).reshape(x.shape)
        gated = F.dropout(u * F.layer_norm(mixed, mixed.shape[-1:]), self.o.dropout, self.training)
        return x + self.output(gated)


class Model(nn.Module):
    def __init__(self, o, num_items):
        super().__init__()
        self.o = o
        self.items, self.positions = nn.Embedding(num_items + 1, o.width), nn.Embedding(o.max_length, o.width)
        block = SASRecBlock if o.model == 'sasrec' else HSTUBlock
        self.blocks = nn.ModuleList([block(o) for _ in range(o.blocks)])
        self.norm = nn.LayerNorm(o.width, eps=1e-8)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                glorot = math.sqrt(2 / sum(layer.weight.shape))
                nn.init.normal_(layer.weight, 0, 0.02 if o.start == 'original' else glorot)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        if o.start == 'original' and o.model == 'sasrec':
            bound = math.sqrt(6 / (4 * o.width))
            for own in self.blocks:
                for layer in (own.query, own.key, own.value):
                    nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.normal_(self.items.weight, 0, 0.02)
        nn.init.normal_(self.positions.weight, 0, 0.02)

    def forward(self, item_ids):
        x = self.items(item_ids) * math.sqrt(self.o.width) + self.positions.weight[: item_ids.shape[1]]
        x = F.dropout(x, self.o.dropout, self.training) * (item_ids > 0).unsqueeze(-1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def loss_of(o, model, sessions, targets, hidden):
    """Mean over the targets that are no padding; hidden [B, T, D], sessions [B, max_length + 1]."""
    is_target = targets > 0
    rows, wanted, table = hidden[is_target], targets[is_target], model.items.weight
    logits = rows @ table.T
    if o.loss == 'full':
        logits[:, 0] = NEVER
        return F.cross_entropy(logits, wanted)
    left_out = torch.zeros(len(sessions), table.shape[0], dtype=torch.bool, device=DEVICE)
    left_out.scatter_(1, sessions, True)
    left_out[:, 0] = True
    if o.loss == 'sampled':
        draws = torch.rand(left_out.shape, device=DEVICE).masked_fill(left_out, 2.0)
        last = draws.kthvalue(min(o.negatives, table.shape[0] - 1 - o.max_length - 1), dim=1, keepdim=True).values
        left_out |= draws > last
    own = (rows * table[wanted]).sum(-1)
    others = torch.logsumexp(logits.masked_fill(left_out[torch.nonzero(is_target)[:, 0]], NEVER), -1)
    return (torch.logaddexp(others, own) - own).mean()


@torch.no_grad()
def evaluate(model, split, part):
    model.eval()
    item_ids, lengths, targets, seen = split.parts[part]
    hits = gains = 0.0
    for start in range(0, split.num_users, 512):
        rows = slice(start, start + 512)
        ids, target = item_ids[rows], targets[rows, None]
        last = model(ids)[torch.arange(len(ids), device=DEVICE), (lengths[rows] - 1).clamp(min=0)]
        scores = last @ model.items.weight.T
        own = scores.gather(1, target)
        scores = scores.masked_fill(seen[rows], NEVER).scatter(1, target, NEVER)
        ranks = 1 + (scores >= own).sum(1)
        hit = (ranks <= 10) & split.known[targets[rows]]
        hits += hit.sum().item()
        gains += (hit / torch.log2(ranks + 1.0)).sum().item()
    model.train()
    return hits / split.num_users, gains / split.num_users


def train(o):
    torch.backends.cuda.matmul.allow_tf32 = True
    split = Split(*read_sessions(o.file), o.max_length)
    torch.manual_seed(o.seed)
    model = Model(o, split.num_items).to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=o.rate)
    num_steps, step = math.ceil(len(split.users) / o.batch) * o.epochs, 0
    best, best_epoch, weights = -1.0, 0, None
    for epoch in range(1, o.epochs + 1):
        order = split.users[torch.randperm(len(split.users), device=DEVICE)]
        for start in range(0, len(order), o.batch):
            users = order[start : start + o.batch]
            sessions, lengths = split.train[users], split.train_lengths[users] - 1
            is_event = torch.arange(o.max_length, device=DEVICE) < lengths[:, None]
            hidden = model(sessions[:, :-1] * is_event)
            loss = loss_of(o, model, sessions, sessions[:, 1:] * is_event, hidden)
            for group in optimizer.param_groups:
                group['lr'] = o.rate * (1 - step / num_steps if o.schedule == 'linear' else 1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
        hit_rate, ndcg = evaluate(model, split, 'valid')
        print(f'epoch {epoch} loss {loss.item():.4f} valid hr@10 {hit_rate:.4f} ndcg@10 {ndcg:.4f}', flush=True)
        if ndcg > best:
            best, best_epoch = ndcg, epoch
            weights = {name: value.clone() for name, value in model.state_dict().items()}
        if epoch - best_epoch >= o.patience:
            break
    model.load_state_dict(weights)
    print('epoch {} test hr@10 {:.4f} ndcg@10 {:.4f}'.format(best_epoch, *evaluate(model, split, 'test')))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('file', help='ml-1m.txt.gz')
    parser.add_argument('--model', choices=['sasrec', 'hstu'], default='sasrec')
    parser.add_argument('--start', choices=['original', 'glorot'], default='original')
    parser.add_argument('--loss', choices=['full', 'own', 'sampled'], default='full')
    parser.add_argument('--schedule', choices=['constant', 'linear'], default='constant')
    for name, value in dict(
        negatives=3000, width=64, blocks=2, heads=1, max_length=200, batch=128, epochs=100, patience=10, seed=1
    ).items():
        parser.add_argument(f'--{name.replace("_", "-")}', type=int, default=value)
    parser.add_argument('--dropout', type=float, default=0.1)
    parser.add_argument('--rate', type=float, default=0.001)
    train(parser.parse_args())
