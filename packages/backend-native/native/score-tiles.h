// The catalogue's scores in tiles: how the work is cut, and which excluded items fall into which tile.
#pragma once
#include "gemm.h"

namespace {

/** One bit per lane of a mask whose lanes are all ones or all zeros. */
INLINE uint32_t laneBits(VI mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask);
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_ps((__m256)asFloat(mask)));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_ps((__m128)asFloat(mask)));
#else
  uint32_t bits = 0;
  for (int i = 0; i < VL; i++) bits |= static_cast<uint32_t>(mask[i] & 1) << i;
  return bits;
#endif
}

/** What both ops read. */
struct ScoreInput {
  const float *hidden, *table, *bias;
  const int32_t *excludedOffsets, *excludedIds;
  int64_t numRows, numItems, width, firstRow;
};

constexpr int SCORE_TILE_ROWS = 96, SCORE_BLOCK_TOKENS = 128;

/** The catalogue in slices of whole tiles and the rows in blocks; one task is one block against one slice. */
struct ScorePlan {
  int64_t tiles, slices, blocks;
  int blockTokens;
  int64_t tokenStride;
};

/* Few slices, since each gathers k best of its own; about 16 tasks or more when there are rows. */
static ScorePlan planScores(const ScoreInput& in) {
  ScorePlan p;
  p.tiles = (in.numItems - in.firstRow + SCORE_TILE_ROWS - 1) / SCORE_TILE_ROWS;
  p.blocks = (in.numRows + SCORE_BLOCK_TOKENS - 1) / SCORE_BLOCK_TOKENS;
  p.blockTokens = roundUp(static_cast<int>((in.numRows + p.blocks - 1) / p.blocks), PANEL);
  p.blocks = (in.numRows + p.blockTokens - 1) / p.blockTokens;
  p.slices = lesser64((p.tiles + 7) / 8, (15 + p.blocks) / p.blocks);
  if (p.slices < 1) p.slices = 1;
  p.tokenStride = spreadStride(p.blockTokens);
  return p;
}

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

}  // namespace
