// Rank of the target and the k best items over the whole catalogue, tile by tile: never an N × V array.
#pragma once
#include <math.h>

#include "gemm.h"

namespace {

/** True where any lane of the mask is set. */
INLINE bool anyLane(VI mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)asFloat(mask)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)asFloat(mask)) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < VL; i++) any |= mask[i];
  return any != 0;
#endif
}

/** What both ops read. */
struct ScoreInput {
  const float *hidden, *table, *bias;
  const int32_t *excludedOffsets, *excludedIds;
  int64_t numRows, numItems, width, firstRow;
};

constexpr int SCORE_TILE_ROWS = 96, SCORE_BLOCK_TOKENS = 192;

/** The catalogue in slices of whole tiles and the rows in blocks; one task is one block against one slice. */
struct ScorePlan {
  int64_t tiles, slices, blocks;
  int blockTokens;
  int64_t tokenStride;
};

static ScorePlan planScores(const ScoreInput& in) {
  ScorePlan p;
  p.tiles = (in.numItems - in.firstRow + SCORE_TILE_ROWS - 1) / SCORE_TILE_ROWS;
  p.blocks = (in.numRows + SCORE_BLOCK_TOKENS - 1) / SCORE_BLOCK_TOKENS;
  p.blockTokens = roundUp(static_cast<int>((in.numRows + p.blocks - 1) / p.blocks), PANEL);
  p.blocks = (in.numRows + p.blockTokens - 1) / p.blockTokens;
  p.slices = lesser64((p.tiles + 7) / 8, (31 + p.blocks) / p.blocks);
  if (p.slices < 1) p.slices = 1;
  p.tokenStride = spreadStride(p.blockTokens);
  return p;
}

/** One tile of scores Z[item, token]; lanes beyond `tokens` hold bias or 0. */
struct ScoreTile {
  int64_t firstItem, firstToken;
  int rows, tokens, paddedTokens;
  float* z;
  int64_t stride;
};

/** Entries of the excluded lists of one block, sorted by tile: `entry[start[tile] …]` = item row · tokens + token. */
static void bucketExcluded(const ScoreInput& in, int64_t firstToken, int tokens, int64_t tile0, int64_t tile1,
                           int32_t* start, int32_t* entry) {
  const int64_t first = in.firstRow + tile0 * SCORE_TILE_ROWS, end = in.firstRow + tile1 * SCORE_TILE_ROWS;
  memset(start, 0, (tile1 - tile0 + 1) * sizeof(int32_t));
  for (int32_t e = in.excludedOffsets[firstToken]; e < in.excludedOffsets[firstToken + tokens]; e++) {
    const int32_t id = in.excludedIds[e];
    if (id >= first && id < end) start[(id - first) / SCORE_TILE_ROWS]++;
  }
  int32_t total = 0;
  for (int64_t t = 0; t <= tile1 - tile0; t++) total += start[t], start[t] = total;
  for (int n = 0; n < tokens; n++) {
    for (int32_t e = in.excludedOffsets[firstToken + n]; e < in.excludedOffsets[firstToken + n + 1]; e++) {
      const int32_t id = in.excludedIds[e];
      if (id < first || id >= end) continue;
      const int64_t row = id - first;
      entry[--start[row / SCORE_TILE_ROWS]] = static_cast<int32_t>(row % SCORE_TILE_ROWS * SCORE_BLOCK_TOKENS + n);
    }
  }
}

/**
 * Calls begin(task, hiddenT, firstToken, tokens), then visit(task, tile) for every tile with the scores of excluded items
 * at −∞, then end(task, poisoned): poisoned[token] is set where any score was not finite.
 */
template <typename Begin, typename Visit, typename End>
static void forEachScoreTile(const ScoreInput& in, const ScorePlan& p, const Begin& begin, const Visit& visit,
                             const End& end) {
  parallelFor(static_cast<int>(p.blocks * p.slices), [&](int task) {
    const int64_t block = task / p.slices, slice = task % p.slices;
    const int64_t firstToken = block * p.blockTokens;
    const int tokens = static_cast<int>(lesser64(p.blockTokens, in.numRows - firstToken));
    const int paddedTokens = roundUp(tokens, PANEL);
    const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices;
    Scratch<float> hiddenT(in.width * p.tokenStride), z(SCORE_TILE_ROWS * p.tokenStride), poison(p.tokenStride);
    stageTransposed(in.hidden + firstToken * in.width, in.width, tokens, in.width, paddedTokens, 1.f, hiddenT,
                    p.tokenStride);
    memset(poison, 0, p.tokenStride * sizeof(float));
    const int64_t entries = in.excludedOffsets ? in.excludedOffsets[firstToken + tokens] - in.excludedOffsets[firstToken] : 0;
    Scratch<int32_t> start(tile1 - tile0 + 1), entry(entries);
    if (entries > 0) bucketExcluded(in, firstToken, tokens, tile0, tile1, start, entry);
    begin(task, hiddenT, firstToken, tokens);
    for (int64_t tile = tile0; tile < tile1; tile++) {
      const int64_t item0 = in.firstRow + tile * SCORE_TILE_ROWS;
      const int rows = static_cast<int>(lesser64(SCORE_TILE_ROWS, in.numItems - item0));
      for (int j = 0; j < paddedTokens; j += PANEL) {
        blockProduct<false>(rows, PANEL, in.width, Tile{in.table + item0 * in.width, in.width, 1, hiddenT + j,
                                                        p.tokenStride, z + j, p.tokenStride});
        for (int l = j; l < j + PANEL; l += VL) {
          V bad = load(poison + l);
          for (int r = 0; r < rows; r++) {
            float* const s = z + r * p.tokenStride + l;
            V v = load(s);
            if (in.bias) store(s, v = v + splat(in.bias[item0 + r]));
            bad = fma(v, V{}, bad);
          }
          store(poison + l, bad);
        }
      }
      if (entries > 0) {
        for (int32_t e = start[tile - tile0]; e < start[tile - tile0 + 1]; e++)
          z[entry[e] / SCORE_BLOCK_TOKENS * p.tokenStride + entry[e] % SCORE_BLOCK_TOKENS] = -INFINITY;
      }
      visit(task, ScoreTile{item0, firstToken, rows, tokens, paddedTokens, z, p.tokenStride});
    }
    end(task, static_cast<const float*>(poison), firstToken, tokens);
  });
}

static void rankOfTarget(const nimue::RankArgs& args) {
  constexpr int32_t UNRANKED = 0x7fffffff;
  if (args.numRows == 0) return;
  const ScoreInput in{args.hidden, args.table, args.bias, args.excludedOffsets, args.excludedIds,
                      args.numRows, args.numItems, args.width, args.firstRow};
  const ScorePlan p = planScores(in);
  // Per task: items that score at least as well (or −1 when a score was not finite), and the targets' scores.
  Scratch<int32_t> counts(p.blocks * p.slices * p.tokenStride);
  Scratch<float> targetScores(p.blocks * p.slices * p.tokenStride);
  forEachScoreTile(
      in, p,
      [&](int task, const float* hiddenT, int64_t firstToken, int tokens) {
        memset(counts + task * p.tokenStride, 0, p.tokenStride * sizeof(int32_t));
        // The same chain of multiply-adds as in a tile, so that equal vectors tie exactly.
        float* const score = targetScores + task * p.tokenStride;
        for (int n = 0; n < tokens; n += VL) {
          V sum{};
          for (int64_t d = 0; d < args.width; d++) {
            V item{};
            for (int i = 0; i < VL && n + i < tokens; i++)
              item[i] = args.table[args.targetIds[firstToken + n + i] * args.width + d];
            sum = fma(item, load(hiddenT + d * p.tokenStride + n), sum);
          }
          for (int i = 0; i < VL && n + i < tokens && args.bias; i++) sum[i] += args.bias[args.targetIds[firstToken + n + i]];
          store(score + n, sum);
        }
      },
      [&](int task, const ScoreTile& tile) {
        for (int n = 0; n < tile.tokens; n++) {
          const int64_t row = args.targetIds[tile.firstToken + n] - tile.firstItem;
          if (row >= 0 && row < tile.rows) tile.z[row * tile.stride + n] = -INFINITY;
        }
        int32_t* const count = counts + task * p.tokenStride;
        for (int j = 0; j < tile.paddedTokens; j += VL) {
          const V target = load(targetScores + task * p.tokenStride + j);
          VI better;
          memcpy(&better, count + j, sizeof better);
          for (int r = 0; r < tile.rows; r++) better -= (VI)(load(tile.z + r * tile.stride + j) >= target);
          memcpy(count + j, &better, sizeof better);
        }
      },
      [&](int task, const float* poison, int64_t, int tokens) {
        for (int n = 0; n < tokens; n++)
          if (poison[n] != 0.f) counts[task * p.tokenStride + n] = -1;
      });
  for (int64_t n = 0; n < args.numRows; n++) {
    const int64_t block = n / p.blockTokens, lane = n % p.blockTokens;
    int64_t rank = 1;
    bool finite = true;
    for (int64_t s = 0; s < p.slices; s++) {
      const int32_t count = counts[(block * p.slices + s) * p.tokenStride + lane];
      finite = finite && count >= 0;
      rank += count;
    }
    args.ranks[n] = !finite ? static_cast<int32_t>(-1 - n)
                            : args.targetIds[n] < args.firstRow ? UNRANKED : static_cast<int32_t>(rank);
  }
}

/** The k best seen so far as a heap with the worst on top. Worse: lower score, at equal scores the higher id. */
struct BestItems {
  float* score;
  int32_t* id;
  int64_t size, capacity;

  static inline bool worse(float s, int32_t i, float t, int32_t j) { return s < t || (s == t && i > j); }

  void sink(int64_t at, int64_t count, float s, int32_t i) {
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
      if (child + 1 < count && worse(score[child + 1], id[child + 1], score[child], id[child])) child++;
      if (!worse(score[child], id[child], s, i)) break;
      score[at] = score[child], id[at] = id[child];
    }
    score[at] = s, id[at] = i;
  }

  void offer(float s, int32_t i) {
    if (size == capacity) {
      if (worse(score[0], id[0], s, i)) sink(0, size, s, i);
      return;
    }
    int64_t at = size++;
    while (at > 0) {
      const int64_t parent = (at - 1) / 2;
      if (!worse(s, i, score[parent], id[parent])) break;
      score[at] = score[parent], id[at] = id[parent];
      at = parent;
    }
    score[at] = s, id[at] = i;
  }

  /** Best first. */
  void sort() {
    for (int64_t last = size - 1; last > 0; last--) {
      const float s = score[last];
      const int32_t i = id[last];
      score[last] = score[0], id[last] = id[0];
      sink(0, last, s, i);
    }
  }

  float threshold() const { return size == capacity ? score[0] : -INFINITY; }
};

static void topK(const nimue::TopKArgs& args) {
  *args.nonFiniteRow = -1;
  if (args.numRows == 0) return;
  const ScoreInput in{args.hidden, args.table, args.bias, args.excludedOffsets, args.excludedIds,
                      args.numRows, args.numItems, args.width, args.firstRow};
  const ScorePlan p = planScores(in);
  const int64_t tasks = p.blocks * p.slices, perTask = p.blockTokens * args.k;
  Scratch<float> scores(tasks * perTask), thresholds(tasks * p.tokenStride), bad(tasks * p.tokenStride);
  Scratch<int32_t> ids(tasks * perTask), sizes(tasks * p.tokenStride);
  const auto heap = [&](int64_t task, int64_t n) {
    return BestItems{scores + task * perTask + n * args.k, ids + task * perTask + n * args.k,
                     sizes[task * p.tokenStride + n], args.k};
  };
  forEachScoreTile(
      in, p,
      [&](int task, const float*, int64_t, int) {
        for (int64_t n = 0; n < p.tokenStride; n++) {
          thresholds[task * p.tokenStride + n] = -INFINITY;
          sizes[task * p.tokenStride + n] = 0;
        }
      },
      [&](int task, const ScoreTile& tile) {
        for (int j = 0; j < tile.tokens; j += VL) {
          const V threshold = load(thresholds + task * p.tokenStride + j);
          V max = load(tile.z + j);
          for (int r = 1; r < tile.rows; r++) max = vmax(max, load(tile.z + r * tile.stride + j));
          const VI hit = (VI)(max > threshold);
          if (!anyLane(hit)) continue;
          for (int i = 0; i < VL && j + i < tile.tokens; i++) {
            if (!hit[i]) continue;
            BestItems best = heap(task, j + i);
            float bar = best.threshold();
            for (int r = 0; r < tile.rows; r++) {
              const float z = tile.z[r * tile.stride + j + i];
              if (z > bar) best.offer(z, static_cast<int32_t>(tile.firstItem + r)), bar = best.threshold();
            }
            sizes[task * p.tokenStride + j + i] = static_cast<int32_t>(best.size);
            thresholds[task * p.tokenStride + j + i] = bar;
          }
        }
      },
      [&](int task, const float* poison, int64_t, int tokens) {
        memcpy(bad + task * p.tokenStride, poison, tokens * sizeof(float));
      });
  for (int64_t n = 0; n < args.numRows; n++) {
    const int64_t block = n / p.blockTokens, lane = n % p.blockTokens;
    BestItems best{args.scores + n * args.k, args.itemIds + n * args.k, 0, args.k};
    for (int64_t s = 0; s < p.slices; s++) {
      const int64_t task = block * p.slices + s;
      if (bad[task * p.tokenStride + lane] != 0.f && *args.nonFiniteRow < 0) *args.nonFiniteRow = n;
      const BestItems part = heap(task, lane);
      for (int64_t i = 0; i < part.size; i++) best.offer(part.score[i], part.id[i]);
    }
    best.sort();
    for (int64_t i = best.size; i < args.k; i++) best.score[i] = -INFINITY, best.id[i] = 0;
  }
}

}  // namespace
