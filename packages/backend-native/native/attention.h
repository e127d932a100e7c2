// Attention within each session, one (session, head) per task, with tiles Sᵀ[key, query]: queries are lanes and the
// softmax runs down the keys. Only the log-sum-exp is kept for the gradient.
#pragma once
#include <math.h>

#include "attention-pairs.h"
#include "attention-relative.h"
#include "keep.h"

namespace {

/** The score of a key that a query may not see; every real one is above. */
constexpr float HIDDEN = -1e30f;

INLINE VI isSeen(V score) { return (VI)(score > splat(HIDDEN)); }

/** Whether scores need more than a causal mask and a softmax. */
INLINE bool isGeneral(const nimue::AttentionArgs& args) { return args.mask || args.relativeBias || args.relativeQuery || args.pairBias || args.silu; }

/**
 * One head's bias where key − query = length − 1 − index, for queries up to a tile beyond the session: a register of
 * queries reads neighbours.
 */
INLINE int64_t distanceIndex(const AttentionHead& h, int64_t query, int64_t key) { return h.length - 1 + query - key; }
INLINE int64_t numDistances(const nimue::AttentionArgs& args, const AttentionHead& h) {
  return args.relativeBias ? 2 * h.length + PANEL : 0;
}
INLINE int64_t biasRow(const nimue::AttentionArgs& args, int64_t distance) {
  return (distance < -args.reach ? -args.reach : distance > args.reach ? args.reach : distance) + args.reach;
}

static void spreadBias(const nimue::AttentionArgs& args, const AttentionHead& h, float* biasByDistance) {
  for (int64_t i = 0; i < numDistances(args, h); i++)
    biasByDistance[i] = args.relativeBias[biasRow(args, h.length - 1 - i) * args.numHeads + h.head];
}

/** Adds the bias to a tile of scores and makes HIDDEN what may not be seen, queries beyond the session included. */
static void adjustScores(const nimue::AttentionArgs& args, const AttentionHead& h, const float* biasByDistance,
                         int64_t i0, int64_t keys, int tile, float* scores) {
  for (int64_t j = 0; j < keys; j++) {
    for (int l = 0; l < tile; l += VL) {
      const VI query = splatInt(static_cast<int>(i0) + l) + lanes();
      VI seen = (VI)(query < splatInt(static_cast<int>(h.length)));
      if (args.causal) seen = seen & (VI)(query >= splatInt(static_cast<int>(j)));
      V s = load(scores + j * tile + l);
      if (args.relativeBias && i0 + l < h.length) s = s + load(biasByDistance + distanceIndex(h, i0 + l, j));
      store(scores + j * tile + l, select(seen, s, splat(HIDDEN)));
    }
  }
  if (!h.mask) return;
  for (int64_t i = i0; i < h.length && i < i0 + tile; i++) {
    const uint8_t* const row = h.mask + i * h.length;
    for (int64_t j = 0; j < keys; j++) {  // no branch: a random mask would be guessed wrong half of the time
      int32_t bits, hidden;
      memcpy(&bits, scores + j * tile + (i - i0), sizeof bits);
      memcpy(&hidden, &HIDDEN, sizeof hidden);
      const int32_t seen = -static_cast<int32_t>(row[j] != 0);
      bits = (bits & seen) | (hidden & ~seen);
      memcpy(scores + j * tile + (i - i0), &bits, sizeof bits);
    }
  }
}

/** scores[j · tile] ← dropout(silu(score) / length) for a register of queries. */
static void siluWeights(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t keys, int tile, VU hashes,
                        float* scores) {
  const V share = splat(1.f / static_cast<float>(h.length));
  for (int64_t j = 0; j < keys; j++) {
    float* const s = scores + j * tile;
    V weight = select(isSeen(load(s)), load(s) * vsigmoid(load(s)) * share, V{});
    if (args.dropout.active)
      weight = dropped(args.dropout, weight, keptRows(args.dropout, hashes, static_cast<uint32_t>(j)));
    store(s, weight);
  }
}

/** scores ← dropped weights as above; dScores: gradient of the weights → of the scores, silu′ = σ (1 + s (1 − σ)). */
static void siluWeightsGradient(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t keys, int tile,
                                VU hashes, float* scores, float* dScores) {
  const V share = splat(1.f / static_cast<float>(h.length)), one = splat(1.f);
  for (int64_t j = 0; j < keys; j++) {
    float *const s = scores + j * tile, *const ds = dScores + j * tile;
    const VI seen = isSeen(load(s));
    const V score = select(seen, load(s), V{}), sigmoid = vsigmoid(score);
    V weight = select(seen, score * sigmoid * share, V{});
    V slope = select(seen, sigmoid * (one + score * (one - sigmoid)) * share, V{}) * load(ds);
    if (args.dropout.active) {
      const VI kept = keptRows(args.dropout, hashes, static_cast<uint32_t>(j));
      weight = dropped(args.dropout, weight, kept);
      slope = dropped(args.dropout, slope, kept);
    }
    store(s, weight);
    store(ds, slope);
  }
}

/** Adds a register of queries' score gradients up by distance and multiplies them by the scale, for the products. */
static void collectBias(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t query, int64_t keys, int tile,
                        float* dBiasByDistance, float* dScores) {
  const V scale = splat(args.scale);
  for (int64_t j = 0; j < keys; j++) {
    float* const ds = dScores + j * tile;
    if (args.relativeBias) {
      float* const sum = dBiasByDistance + distanceIndex(h, query, j);
      store(sum, load(sum) + load(ds));
    }
    store(ds, load(ds) * scale);
  }
}

template <bool GENERAL>
static void attentionOf(const nimue::AttentionArgs& args) {
  forEachHead(args, [&](const AttentionHead& h) {
    const int tile = queryTile(h.length);
    const bool whole = h.headWidth % VL == 0;
    Scratch<float> queryT(h.headWidth * tile), scores(h.length * tile);
    Scratch<float> valueRows(whole ? 0 : h.length * h.padded), out(whole ? 0 : tile * h.padded);
    GeneralScratch<GENERAL> biasByDistance(numDistances(args, h));
    GeneralScratch<GENERAL> relativeScores(relativeRows(args, h) * tile), relativeQueryT(relativeColumns(args, h) * tile);
    if constexpr (GENERAL) spreadBias(args, h, biasByDistance);
    const WholeRows value = wholeRows(args.value + h.at, args.width, h.length, h, valueRows);
    for (int64_t i0 = 0; i0 < h.length; i0 += tile) {
      const int queries = static_cast<int>(lesser64(tile, h.length - i0));
      const int64_t keys = args.causal ? i0 + queries : h.length;
      stageTransposed(args.query + h.at + i0 * args.width, args.width, queries, h.headWidth, tile, args.scale, queryT,
                      tile);
      blockProduct<false>(keys, tile, h.headWidth, Tile{args.key + h.at, args.width, 1, queryT, tile, scores, tile});
      if constexpr (GENERAL) {
        addRelativeScores(args, h, i0, queries, keys, tile, relativeQueryT, relativeScores, scores);
        addPairBias(args, h, i0, queries, keys, tile, scores);
        adjustScores(args, h, biasByDistance, i0, keys, tile, scores);
      }
      for (int l = 0; l < tile && l < roundUp(queries, VL); l += VL) {
        const VI query = splatInt(static_cast<int>(i0) + l) + lanes();
        const VU hashes = rowHashes(args.dropout, static_cast<uint32_t>((h.firstRow + i0 + l) * args.numHeads + h.head),
                                    static_cast<uint32_t>(args.numHeads));
        if (GENERAL && args.silu) {
          siluWeights(args, h, keys, tile, hashes, scores + l);
          for (int i = 0; i < VL && l + i < queries; i++)
            args.logSumExp[(h.firstRow + i0 + l + i) * args.numHeads + h.head] = 0.f;
          continue;
        }
        V max = load(scores + l);
        for (int64_t j = 1; j < keys; j++) {
          float* const s = scores + j * tile + l;
          if (!GENERAL && args.causal && j > i0 + l)
            store(s, select(query >= splatInt(static_cast<int>(j)), load(s), splat(-1e30f)));
          max = vmax(max, load(s));
        }
        V sum{};
        for (int64_t j = 0; j < keys; j++) {
          float* const s = scores + j * tile + l;
          V e = vexp(load(s) - max);
          if constexpr (GENERAL) e = select(isSeen(load(s)), e, V{});
          else if (args.causal && j > i0 + l) e = select(query >= splatInt(static_cast<int>(j)), e, V{});
          store(s, e);
          sum = sum + e;
        }
        V inverse = splat(1.f) / sum;
        if constexpr (GENERAL) {
          const VI some = (VI)(sum > V{});  // a row that sees nothing: weights 0, log-sum-exp 0
          inverse = select(some, inverse, V{});
          max = select(some, max, V{}), sum = select(some, sum, splat(1.f));
        }
        for (int64_t j = 0; j < keys; j++) {
          float* const s = scores + j * tile + l;
          V probability = load(s) * inverse;
          if (args.dropout.active)
            probability = dropped(args.dropout, probability, keptRows(args.dropout, hashes, static_cast<uint32_t>(j)));
          store(s, probability);
        }
        for (int i = 0; i < VL && l + i < queries; i++)
          args.logSumExp[(h.firstRow + i0 + l + i) * args.numHeads + h.head] = max[i] + logf(sum[i]);
      }
      float* const y = args.y + h.at + i0 * args.width;
      Tile mix{scores, 1, tile, value.data, value.stride, whole ? y : static_cast<float*>(out),
               whole ? args.width : h.padded};
      blockProduct<false>(queries, h.padded, keys, mix);
      if (!whole) unstageRows<false>(out, h.padded, queries, h.headWidth, y, args.width);
    }
  });
}

static void attention(const nimue::AttentionArgs& args) {
  if (isGeneral(args)) attentionOf<true>(args);
  else attentionOf<false>(args);
}

/**
 * With p the probabilities, k the dropout's factors and dp = dy · valueᵀ: dValue = Σ (k p) dy,
 * ds = p (k dp − Σⱼ k p dp), dQuery = scale Σⱼ ds key, dKey = scale Σᵢ ds query.
 * `dBiases`: where each session and head leaves Σ ds by distance, 2 · length floats each; null without a bias.
 * `dRelatives`: the same for the keys by distance, 2 · length rows of its head's width each; `dPairs`: one sum per kind.
 */
template <bool GENERAL>
static void attentionGradientOf(const nimue::AttentionArgs& args, float* dBiases, float* dRelatives, float* dPairs) {
  forEachHead(args, [&](const AttentionHead& h) {
    const int tile = queryTile(h.length);
    const bool whole = h.headWidth % VL == 0;
    const int64_t rows = h.length * h.padded, copies = whole ? 0 : rows;
    Scratch<float> queryT(h.headWidth * tile), dyT(h.headWidth * tile), scores(h.length * tile), dScores(h.length * tile);
    Scratch<float> dKey(rows), dValue(rows), keyRows(copies), queryRows(copies), dyRows(copies);
    Scratch<float> out(whole ? 0 : tile * h.padded);
    GeneralScratch<GENERAL> biasByDistance(numDistances(args, h)), dBias(numDistances(args, h));
    if constexpr (GENERAL) {
      spreadBias(args, h, biasByDistance);
      memset(dBias, 0, numDistances(args, h) * sizeof(float));
    }
    GeneralScratch<GENERAL> relativeScores(relativeRows(args, h) * tile), relativeQueryT(relativeColumns(args, h) * tile);
    GeneralScratch<GENERAL> dRelativeKeys(relativeRows(args, h) * h.padded);
    GeneralScratch<GENERAL> relativeCopies(whole ? 0 : (relativeRows(args, h) + h.length + tile) * h.padded);
    RelativeGradient relative{};
    if constexpr (GENERAL) relative = startRelative(args, h, relativeCopies, relativeScores, dRelativeKeys);
    memset(dKey, 0, rows * sizeof(float));
    memset(dValue, 0, rows * sizeof(float));
    const WholeRows key = wholeRows(args.key + h.at, args.width, h.length, h, keyRows);
    const WholeRows query = wholeRows(args.query + h.at, args.width, h.length, h, queryRows);
    const WholeRows dy = wholeRows(args.dy + h.at, args.width, h.length, h, dyRows);
    for (int64_t i0 = 0; i0 < h.length; i0 += tile) {
      const int queries = static_cast<int>(lesser64(tile, h.length - i0));
      const int64_t keys = args.causal ? i0 + queries : h.length;
      stageTransposed(args.query + h.at + i0 * args.width, args.width, queries, h.headWidth, tile, args.scale, queryT,
                      tile);
      stageTransposed(args.dy + h.at + i0 * args.width, args.width, queries, h.headWidth, tile, 1.f, dyT, tile);
      blockProduct<false>(keys, tile, h.headWidth, Tile{args.key + h.at, args.width, 1, queryT, tile, scores, tile});
      blockProduct<false>(keys, tile, h.headWidth, Tile{args.value + h.at, args.width, 1, dyT, tile, dScores, tile});
      if constexpr (GENERAL) {
        addRelativeScores(args, h, i0, queries, keys, tile, relativeQueryT, relativeScores, scores);
        addPairBias(args, h, i0, queries, keys, tile, scores);
        adjustScores(args, h, biasByDistance, i0, keys, tile, scores);
      }
      for (int l = 0; l < tile && l < roundUp(queries, VL); l += VL) {
        const VI row = splatInt(static_cast<int>(i0) + l) + lanes();
        const VU hashes = rowHashes(args.dropout, static_cast<uint32_t>((h.firstRow + i0 + l) * args.numHeads + h.head),
                                    static_cast<uint32_t>(args.numHeads));
        if (GENERAL && args.silu) {
          siluWeightsGradient(args, h, keys, tile, hashes, scores + l, dScores + l);
          collectBias(args, h, i0 + l, keys, tile, dBias, dScores + l);
          continue;
        }
        V logSumExp{};
        for (int i = 0; i < VL && l + i < queries; i++)
          logSumExp[i] = args.savedLogSumExp[(h.firstRow + i0 + l + i) * args.numHeads + h.head];
        V delta{};
        for (int64_t j = 0; j < keys; j++) {
          float *const s = scores + j * tile + l, *const ds = dScores + j * tile + l;
          V p = vexp(load(s) - logSumExp);
          if constexpr (GENERAL) p = select(isSeen(load(s)), p, V{});
          else if (args.causal && j > i0 + l) p = select(row >= splatInt(static_cast<int>(j)), p, V{});
          V dp = load(ds);
          if (args.dropout.active) {
            const VI kept = keptRows(args.dropout, hashes, static_cast<uint32_t>(j));
            dp = dropped(args.dropout, dp, kept);
            delta = fma(p, dp, delta);
            p = select(kept, p, -p);  // the sign remembers what was dropped
          } else {
            delta = fma(p, dp, delta);
          }
          store(s, p);
          store(ds, dp);
        }
        const V scale = splat(GENERAL ? 1.f : args.scale), keptScale = splat(args.dropout.active ? args.dropout.scale : 1.f);
        for (int64_t j = 0; j < keys; j++) {
          float *const s = scores + j * tile + l, *const ds = dScores + j * tile + l;
          const V p = load(s);
          store(ds, vabs(p) * (load(ds) - delta) * scale);
          store(s, vmax(p, V{}) * keptScale);
        }
        if constexpr (GENERAL) collectBias(args, h, i0 + l, keys, tile, dBias, dScores + l);
      }
      if constexpr (GENERAL) {
        collectRelative(args, h, relative, i0, queries, keys, tile, dScores);
        collectPairs(args, h, i0, queries, keys, tile, dScores, dPairs + (h.session * args.numHeads + h.head) * args.numKinds);
      }
      const float* const dyTile = dy.data + i0 * dy.stride;
      blockProduct<true>(keys, h.padded, queries, Tile{scores, tile, 1, dyTile, dy.stride, dValue, h.padded});
      const float* const queryTileRows = query.data + i0 * query.stride;
      blockProduct<true>(keys, h.padded, queries, Tile{dScores, tile, 1, queryTileRows, query.stride, dKey, h.padded});
      float* const dQuery = args.dQuery + h.at + i0 * args.width;
      Tile toQuery{dScores, 1, tile, key.data, key.stride, whole ? dQuery : static_cast<float*>(out),
                   whole ? args.width : h.padded};
      blockProduct<false>(queries, h.padded, keys, toQuery);
      if (!whole) unstageRows<false>(out, h.padded, queries, h.headWidth, dQuery, args.width);
    }
    unstageRows<false>(dKey, h.padded, h.length, h.headWidth, args.dKey + h.at, args.width);
    unstageRows<false>(dValue, h.padded, h.length, h.headWidth, args.dValue + h.at, args.width);
    if (GENERAL && dRelatives) leaveRelative(args, h, relative, dRelatives);
    if (GENERAL && dBiases)
      memcpy(dBiases + 2 * (h.firstRow * args.numHeads + h.head * h.length), dBias, 2 * h.length * sizeof(float));
  });
}

/** Sums the sessions' parts in their order, whatever thread computed them. */
static void sumBiasGradient(const nimue::AttentionArgs& args, const float* dBiases) {
  const int64_t count = (2 * args.reach + 1) * args.numHeads;
  Scratch<double> sums(count);
  for (int64_t i = 0; i < count; i++) sums[i] = 0;
  for (int64_t b = 0; b < args.numSessions; b++) {
    const int64_t first = args.offsets[b], length = args.offsets[b + 1] - first;
    for (int64_t head = 0; head < args.numHeads; head++) {
      const float* const part = dBiases + 2 * (first * args.numHeads + head * length);
      for (int64_t i = 0; i < 2 * length - 1; i++)
        sums[biasRow(args, length - 1 - i) * args.numHeads + head] += part[i];
    }
  }
  for (int64_t i = 0; i < count; i++) args.dRelativeBias[i] = static_cast<float>(sums[i]);
}

static void attentionGradient(const nimue::AttentionArgs& args) {
  if (!isGeneral(args)) return attentionGradientOf<false>(args, nullptr, nullptr, nullptr);
  const int64_t count = args.relativeBias ? 2 * args.numPositions * args.numHeads : 0;
  Scratch<float> dBiases(count);
  memset(dBiases, 0, count * sizeof(float));
  Scratch<float> dRelatives(args.relativeQuery ? 2 * args.numPositions * args.width : 0);
  const int64_t pairSums = args.numSessions * args.numHeads * args.numKinds;
  Scratch<float> dPairs(pairSums);
  memset(dPairs, 0, pairSums * sizeof(float));
  attentionGradientOf<true>(args, args.relativeBias ? static_cast<float*>(dBiases) : nullptr,
                            args.relativeQuery ? static_cast<float*>(dRelatives) : nullptr, dPairs);
  if (args.relativeBias) sumBiasGradient(args, dBiases);
  if (args.relativeQuery) sumRelativeKeys(args, dRelatives);
  if (args.pairBias) sumPairBias(args, dPairs);
}

}  // namespace
