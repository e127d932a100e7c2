// The catalogue's scores in tiles: how the work is cut, and which excluded items fall into which tile.
#pragma once
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
