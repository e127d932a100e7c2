// Rank of the target and the k best items over the whole catalogue in one pass, tile by tile: never an N × V array.
#pragma once
#include <math.h>

#include "best-items.h"
#include "score-tiles.h"

namespace {

/** Per task and token, task after task: what a slice of the catalogue found out about a row. */
struct ScoreFindings {
  const ScorePlan& plan;
  int64_t k;
  /* Sum of 0 · score: not 0 where any score was not finite. */
  Scratch<float> poison;
  /* Items that score at least as well as the target, itself included unless it is excluded. */
  Scratch<float> targetScores;
  Scratch<int32_t> counts;
  /* The k best, and the score that an item must beat to join them. */
  Scratch<float> thresholds, bestScores;
  Scratch<int32_t> bestIds, bestSizes;

  ScoreFindings(const ScorePlan& p, int64_t numBest)
      : plan(p), k(numBest), poison(lanes()), targetScores(lanes()), counts(lanes()), thresholds(lanes()),
        bestScores(places()), bestIds(places()), bestSizes(lanes()) {}

  int64_t lanes() const { return plan.blocks * plan.slices * plan.tokenStride; }
  int64_t places() const { return plan.blocks * plan.slices * plan.blockTokens * k; }
  int64_t at(int64_t task) const { return task * plan.tokenStride; }
  BestItems best(int64_t task, int64_t n) const {
    const int64_t first = (task * plan.blockTokens + n) * k;
    return BestItems{bestScores + first, bestIds + first, bestSizes[at(task) + n], k};
  }
};

/** The targets' scores by the same chain of multiply-adds as in a tile, so that equal vectors tie exactly. */
static void scoreTargets(const nimue::ScoresArgs& args, const float* hiddenT, int64_t stride, int64_t firstToken,
                         int tokens, float* score) {
  for (int n = 0; n < tokens; n += VL) {
    V sum{};
    for (int64_t d = 0; d < args.width; d++) {
      V item{};
      for (int i = 0; i < VL && n + i < tokens; i++)
        item[i] = args.table[args.targetIds[firstToken + n + i] * args.width + d];
      sum = fma(item, load(hiddenT + d * stride + n), sum);
    }
    for (int i = 0; i < VL && n + i < tokens && args.bias; i++) sum[i] += args.bias[args.targetIds[firstToken + n + i]];
    store(score + n, sum);
  }
}

/** Offers one row of VL scores to the heaps of their tokens; returns the new thresholds. */
static __attribute__((noinline)) V offerScores(const ScoreFindings& f, int64_t task, int64_t lane, V z, V threshold, int32_t id) {
  float scores[VL];
  memcpy(scores, &z, sizeof scores);
  for (uint32_t hits = laneBits((VI)(z > threshold)); hits; hits &= hits - 1) {
    const int i = __builtin_ctz(hits);
    BestItems best = f.best(task, lane + i);
    best.offer(scores[i], id);
    f.bestSizes[f.at(task) + lane + i] = static_cast<int32_t>(best.size);
    threshold = select(lanes() == splatInt(i), splat(best.threshold()), threshold);
  }
  store(f.thresholds + f.at(task) + lane, threshold);
  return threshold;
}

/** Reads rows × VL scores once: counts those that reach the target's and offers those that beat the thresholds. */
template <bool RANK, bool BEST>
static void readScores(const ScoreFindings& f, int64_t task, int64_t lane, const float* z, int64_t stride, int rows,
                       int32_t firstId) {
  const V target = RANK ? load(f.targetScores + f.at(task) + lane) : V{};
  V threshold = BEST ? load(f.thresholds + f.at(task) + lane) : V{};
  VI count;
  memcpy(&count, f.counts + f.at(task) + lane, sizeof count);
  for (int r = 0; r < rows; r++) {
    const V v = load(z + r * stride);
    if (RANK) count -= (VI)(v >= target);
    if (BEST) {
      if (__builtin_expect(laneBits((VI)(v > threshold)) != 0, 0)) threshold = offerScores(f, task, lane, v, threshold, firstId + r);
    }
  }
  memcpy(f.counts + f.at(task) + lane, &count, sizeof count);
}

/** Adds the bias and notes scores that are not finite. */
static void finishScores(const float* bias, int rows, float* z, int64_t stride, float* poison) {
  V bad = load(poison);
  for (int r = 0; r < rows; r++, z += stride) {
    V v = load(z);
    if (bias) store(z, v = v + splat(bias[r]));
    bad = fma(v, V{}, bad);
  }
  store(poison, bad);
}

template <bool RANK, bool BEST>
static void scoreSlice(const nimue::ScoresArgs& args, const ScoreInput& in, const ScorePlan& p, const ScoreFindings& f,
                       int64_t task) {
  const int64_t block = task / p.slices, slice = task % p.slices, firstToken = block * p.blockTokens;
  const int tokens = static_cast<int>(lesser64(p.blockTokens, in.numRows - firstToken)), paddedTokens = roundUp(tokens, PANEL);
  const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices, stride = p.tokenStride;
  Scratch<float> hiddenT(in.width * stride), z(SCORE_TILE_ROWS * stride);
  stageTransposed(in.hidden + firstToken * in.width, in.width, tokens, in.width, paddedTokens, 1.f, hiddenT, stride);
  memset(f.poison + f.at(task), 0, stride * sizeof(float));
  memset(f.counts + f.at(task), 0, stride * sizeof(int32_t));
  memset(f.bestSizes + f.at(task), 0, stride * sizeof(int32_t));
  // Nothing joins the best of a lane without a token.
  for (int64_t n = 0; n < stride; n++) f.thresholds[f.at(task) + n] = n < tokens ? -INFINITY : INFINITY;
  if (RANK) scoreTargets(args, hiddenT, stride, firstToken, tokens, f.targetScores + f.at(task));
  const int64_t entries = in.excludedOffsets ? in.excludedOffsets[firstToken + tokens] - in.excludedOffsets[firstToken] : 0;
  Scratch<int32_t> start(tile1 - tile0 + 1), entry(entries);
  if (entries > 0) bucketExcluded(in, firstToken, tokens, tile0, tile1, start, entry);
  for (int64_t tile = tile0; tile < tile1; tile++) {
    const int64_t item0 = in.firstRow + tile * SCORE_TILE_ROWS;
    const int rows = static_cast<int>(lesser64(SCORE_TILE_ROWS, in.numItems - item0));
    const float* const bias = in.bias ? in.bias + item0 : nullptr;
    const auto product = [&](int j) {
      blockProduct<false>(rows, PANEL, in.width, Tile{in.table + item0 * in.width, in.width, 1, hiddenT + j, stride, z + j, stride});
      for (int l = j; l < j + PANEL; l += VL) finishScores(bias, rows, z + l, stride, f.poison + f.at(task) + l);
    };
    const auto read = [&](int j) {
      for (int l = j; l < j + PANEL; l += VL)
        readScores<RANK, BEST>(f, task, l, z + l, stride, rows, static_cast<int32_t>(item0));
    };
    if (entries == 0 || start[tile - tile0] == start[tile - tile0 + 1]) {
      // A panel is read while it lies in the first cache.
      for (int j = 0; j < paddedTokens; j += PANEL) product(j), read(j);
    } else {
      for (int j = 0; j < paddedTokens; j += PANEL) product(j);
      for (int32_t e = start[tile - tile0]; e < start[tile - tile0 + 1]; e++)
        z[entry[e] / SCORE_BLOCK_TOKENS * stride + entry[e] % SCORE_BLOCK_TOKENS] = -INFINITY;
      for (int j = 0; j < paddedTokens; j += PANEL) read(j);
    }
  }
}

static bool isExcluded(const ScoreInput& in, int64_t row, int32_t id) {
  if (!in.excludedOffsets) return false;
  for (int32_t e = in.excludedOffsets[row]; e < in.excludedOffsets[row + 1]; e++)
    if (in.excludedIds[e] == id) return true;
  return false;
}

static void scoreCatalogue(const nimue::ScoresArgs& args) {
  constexpr int32_t UNRANKED = 0x7fffffff;
  *args.nonFiniteRow = -1;
  if (args.numRows == 0) return;
  const ScoreInput in{args.hidden, args.table, args.bias, args.excludedOffsets, args.excludedIds,
                      args.numRows, args.numItems, args.width, args.firstRow};
  const ScorePlan p = planScores(in);
  const ScoreFindings f(p, args.k);
  const auto slice = !args.ranks ? scoreSlice<false, true> : args.k > 0 ? scoreSlice<true, true> : scoreSlice<true, false>;
  parallelFor(static_cast<int>(p.blocks * p.slices), [&](int task) { slice(args, in, p, f, task); });
  for (int64_t n = 0; n < args.numRows; n++) {
    const int64_t lane = n % p.blockTokens, firstTask = n / p.blockTokens * p.slices;
    int64_t count = 0;
    bool isFinite = true;
    for (int64_t task = firstTask; task < firstTask + p.slices; task++) {
      isFinite = isFinite && f.poison[f.at(task) + lane] == 0.f;
      count += f.counts[f.at(task) + lane];
    }
    if (!isFinite && *args.nonFiniteRow < 0) *args.nonFiniteRow = n;
    if (args.ranks) {
      const int32_t target = args.targetIds[n];
      args.ranks[n] = target < args.firstRow ? UNRANKED : static_cast<int32_t>(count + isExcluded(in, n, target));
    }
    if (args.k == 0) continue;
    BestItems best{args.scores + n * args.k, args.itemIds + n * args.k, 0, args.k};
    for (int64_t task = firstTask; task < firstTask + p.slices; task++) {
      const BestItems part = f.best(task, lane);
      for (int64_t i = 0; i < part.size; i++) best.offer(part.score[i], part.id[i]);
    }
    best.sort();
    for (int64_t i = best.size; i < args.k; i++) best.score[i] = -INFINITY, best.id[i] = 0;
  }
}

}  // namespace
