// Softmax cross-entropy over the whole catalogue with both gradients, without an N × V array.
//
// For a block of tokens, tiles of items compute Zᵀ[item, token] = table · hiddenᵀ, so that tokens are lanes and the
// softmax runs down the rows. Every tile keeps e^(z − its own maximum); when all tiles are known, one factor per tile and
// token turns that into the probability, and two more products give both gradients. Tiles that exceed MAX_STORED are
// computed a second time. Items are cut over the threads, so the table's gradient needs no copies.
//
// With bfloat16 operands the three products run on pairs (bf16.h); softmax, loss and the one-hot term stay in single
// precision.
#pragma once
#include <math.h>

#include "bf16.h"
#include "gemm.h"

namespace {

constexpr int MAX_TILE_ROWS = 120, MAX_BLOCK_TOKENS = 288;
/** Most exponentials that are kept (floats); the tiles beyond are computed twice. */
constexpr int64_t MAX_STORED = int64_t(14) << 20;

struct False {
  static constexpr bool value = false;
};
struct True {
  static constexpr bool value = true;
};

struct HeadPlan {
  int64_t items, tiles, slices, stored, blocks;
  int tileRows, blockTokens, padded;
  int64_t tokenStride, widthStride;
  bool bf16;
};

static HeadPlan planHead(const nimue::HeadArgs& args) {
  HeadPlan p;
  p.items = args.numItems - args.firstRow;
  p.tiles = (p.items + MAX_TILE_ROWS - 1) / MAX_TILE_ROWS;
  p.slices = lesser64(16, p.tiles);
  p.tiles = (p.tiles + p.slices - 1) / p.slices * p.slices;
  p.tileRows = roundUp(static_cast<int>((p.items + p.tiles - 1) / p.tiles), MR);
  p.tiles = (p.items + p.tileRows - 1) / p.tileRows;
  p.slices = lesser64(p.slices, p.tiles);
  p.blocks = (args.numRows + MAX_BLOCK_TOKENS - 1) / MAX_BLOCK_TOKENS;
  p.blockTokens = roundUp(static_cast<int>((args.numRows + p.blocks - 1) / p.blocks), PANEL);
  p.blocks = (args.numRows + p.blockTokens - 1) / p.blockTokens;
  p.padded = roundUp(static_cast<int>(args.width), VL);
  p.tokenStride = spreadStride(p.blockTokens);
  p.widthStride = spreadStride(p.padded);
  p.stored = args.dHidden ? lesser64(p.tiles, MAX_STORED / (p.tileRows * p.tokenStride)) : 0;
  p.bf16 = args.bf16 && hasBf16();
  return p;
}

/** Working space of one tile. */
struct HeadSpace {
  Scratch<float> table;
  Scratch<uint32_t> tablePairs, byToken, byItem;

  explicit HeadSpace(const HeadPlan& p)
      : table(p.tileRows * p.widthStride),
        tablePairs(p.bf16 ? p.tileRows * p.widthStride : 0),
        byToken(p.bf16 ? p.tileRows * p.tokenStride : 0),
        byItem(p.bf16 ? p.tileRows * p.tokenStride : 0) {}
};

/** What the tiles of one block of tokens share. */
struct HeadBlock {
  int64_t firstToken;
  int tokens, paddedTokens;
  /** hidden / temperature, transposed [D, tokens] */
  const float* hiddenT;
  /** hidden [tokens, D], padded */
  const float* hiddenRows;
  /** The two of them as pairs along D and along the tokens; null in single precision. */
  const uint32_t *hiddenPairsT, *hiddenRowPairs;
  /** [tiles, tokens]: the tile's maximum, later the factor that makes its exponentials probabilities */
  float* tileMax;
  float* tileSum;
  /** Logit of each token's target. */
  float* targetLogit;
};

/**
 * E[item, token] = e^(z − max over the tile), with the tile's maximum and sum per token. Strips of tokens are computed in
 * the first cache and leave it once.
 */
static void headTile(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, int64_t tile,
                     const HeadSpace& space, float* e, bool again) {
  const int64_t item0 = args.firstRow + tile * p.tileRows;
  const int rows = static_cast<int>(lesser64(p.tileRows, args.numItems - item0));
  float* const maxima = block.tileMax + tile * p.tokenStride;
  float* const sums = block.tileSum + tile * p.tokenStride;
  const float inverse = 1.f / args.temperature;
  const int width = static_cast<int>(args.width);
  stageRows(args.table + item0 * width, width, rows, width, p.padded, space.table, p.widthStride);
  if (p.bf16) pairColumns(space.table, p.widthStride, rows, p.padded, space.tablePairs, p.widthStride);
  alignas(64) float z[MAX_TILE_ROWS * PANEL];
  for (int first = 0; first < block.paddedTokens; first += PANEL) {
    if (p.bf16) {
      pairProduct<false>(rows, PANEL, (width + 1) / 2, space.tablePairs, p.widthStride, 1, block.hiddenPairsT + first,
                         p.tokenStride, z, PANEL);
    } else {
      const Tile scores{space.table, p.widthStride, 1, block.hiddenT + first, p.tokenStride, z, PANEL};
      blockProduct<false>(rows, PANEL, width, scores);
    }
    if (args.bias) {
      for (int r = 0; r < rows; r++) {
        const V b = splat(args.bias[item0 + r] * inverse);
        for (int j = 0; j < PANEL; j += VL) store(z + r * PANEL + j, load(z + r * PANEL + j) + b);
      }
    }
    V max[NV], sum[NV];
    if (again) {
      for (int j = 0; j < NV; j++) max[j] = load(maxima + first + j * VL);
    } else {
      const int tokens = lesser(PANEL, block.tokens - first);
      for (int n = 0; n < tokens; n++) {
        const int64_t row = args.targetIds[block.firstToken + first + n] - item0;
        if (row >= 0 && row < rows) block.targetLogit[first + n] = z[row * PANEL + n];
      }
      for (int j = 0; j < NV; j++) max[j] = load(z + j * VL);
      for (int r = 1; r < rows; r++)
        for (int j = 0; j < NV; j++) max[j] = vmax(max[j], load(z + r * PANEL + j * VL));
      for (int j = 0; j < NV; j++) store(maxima + first + j * VL, max[j]);
    }
    for (int j = 0; j < NV; j++) sum[j] = V{};
    for (int r = 0; r < rows; r++) {
      float* const out = e + r * p.tokenStride + first;
      for (int j = 0; j < PANEL; j += 16) __builtin_prefetch(out + 8 * p.tokenStride + j, 1);
      for (int j = 0; j < NV; j++) {
        const V exponential = vexp(load(z + r * PANEL + j * VL) - max[j]);
        store(out + j * VL, exponential);
        sum[j] = sum[j] + exponential;
      }
    }
    if (!again)
      for (int j = 0; j < NV; j++) store(sums + first + j * VL, sum[j]);
  }
}

/** From every tile's maximum and sum: the log-sum-exp per token, and each tile's factor in place of its sum. */
static void headCombine(const HeadPlan& p, const HeadBlock& block, float gradientScale, float* logSumExp) {
  const auto column = [&](int c) {
    const int j = c * VL;
    V max = load(block.tileMax + j);
    for (int64_t t = 1; t < p.tiles; t++) max = vmax(max, load(block.tileMax + t * p.tokenStride + j));
    V sum{};
    for (int64_t t = 0; t < p.tiles; t++) {
      const V weight = vexp(load(block.tileMax + t * p.tokenStride + j) - max);
      sum = fma(weight, load(block.tileSum + t * p.tokenStride + j), sum);
    }
    const V factor = splat(gradientScale) / sum;
    for (int64_t t = 0; t < p.tiles; t++) {
      const V weight = vexp(load(block.tileMax + t * p.tokenStride + j) - max);
      store(block.tileSum + t * p.tokenStride + j, weight * factor);
    }
    for (int i = 0; i < VL; i++) logSumExp[j + i] = max[i] + logf(sum[i]);
  };
  const int columns = block.paddedTokens / VL;
  if (p.tiles * columns < 2048) {
    for (int c = 0; c < columns; c++) column(c);
  } else {
    parallelFor(columns, column);
  }
}

/**
 * d loss / d z = (probability − smoothed one-hot) · scale from the exponentials; adds up the bias gradient. With bfloat16
 * operands the one-hot term is left out here and added in single precision by `headTargets`.
 */
static void headGradientTile(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, int64_t tile,
                             float gradientScale, const float* exponentials, float* e) {
  const int64_t item0 = args.firstRow + tile * p.tileRows;
  const int rows = static_cast<int>(lesser64(p.tileRows, args.numItems - item0));
  const float* const factors = block.tileSum + tile * p.tokenStride;
  const V spread = splat(args.labelSmoothing / static_cast<float>(p.items) * gradientScale);
  for (int r = 0; r < rows; r++) {
    const float* const from = exponentials + r * p.tokenStride;
    float* const to = e + r * p.tokenStride;
    for (int j = 0; j < block.paddedTokens; j += VL) store(to + j, fma(load(from + j), load(factors + j), -spread));
  }
  const float onTarget = (1.f - args.labelSmoothing) * gradientScale;
  for (int n = 0; n < block.tokens; n++) {
    const int64_t row = args.targetIds[block.firstToken + n] - item0;
    if (row < 0 || row >= rows) continue;
    if (!p.bf16) e[row * p.tokenStride + n] -= onTarget;
    else if (args.dBias) args.dBias[item0 + row] -= onTarget;
  }
  if (!args.dBias) return;
  for (int r = 0; r < rows; r++) {
    V sum{};
    int j = 0;
    for (; j + VL <= block.tokens; j += VL) sum = sum + load(e + r * p.tokenStride + j);
    if (j < block.tokens) sum = sum + loadPart(e + r * p.tokenStride + j, block.tokens - j);
    args.dBias[item0 + r] += sumLanes(sum);
  }
}

/** The one-hot term of both gradients. */
static void headTargets(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, int64_t item0, int rows,
                        float gradientScale, float* dHidden) {
  const int64_t width = args.width;
  const float onTarget = (1.f - args.labelSmoothing) * gradientScale;
  for (int n = 0; n < block.tokens; n++) {
    const int64_t item = args.targetIds[block.firstToken + n];
    if (item < item0 || item >= item0 + rows) continue;
    const float *const h = block.hiddenRows + n * p.widthStride, *const w = args.table + item * width;
    for (int64_t d = 0; d < width; d++) {
      dHidden[n * p.padded + d] -= onTarget * w[d];
      args.dTable[item * width + d] -= onTarget * h[d];
    }
  }
}

/** dTable[item] (=, +=) Σ dZ[item, token] · hidden[token] and dHidden[token] (=, +=) Σ dZ[item, token] · table[item]. */
static void headProducts(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, int64_t tile,
                         const float* dZ, const HeadSpace& space, bool firstOfSlice, float gradientScale,
                         float* dHidden) {
  const int64_t item0 = args.firstRow + tile * p.tileRows;
  const int rows = static_cast<int>(lesser64(p.tileRows, args.numItems - item0));
  const int width = static_cast<int>(args.width);
  const bool firstBlock = block.firstToken == 0, whole = width % VL == 0;
  float* const dTable = args.dTable + item0 * width;
  stageRows(args.table + item0 * width, width, rows, width, p.padded, space.table, p.widthStride);
  const auto toHidden = [&](auto add) {
    constexpr bool ADD = decltype(add)::value;
    if (p.bf16) {
      pairRows(space.table, p.widthStride, rows, p.padded, space.tablePairs, p.widthStride);
      pairRows(dZ, p.tokenStride, rows, block.paddedTokens, space.byItem, p.tokenStride);
      pairProduct<ADD>(block.tokens, p.padded, (rows + 1) / 2, space.byItem, 1, p.tokenStride, space.tablePairs,
                       p.widthStride, dHidden, p.padded);
    } else {
      blockProduct<ADD>(block.tokens, p.padded, rows,
                        Tile{dZ, 1, p.tokenStride, space.table, p.widthStride, dHidden, p.padded});
    }
  };
  firstOfSlice ? toHidden(False{}) : toHidden(True{});
  const auto toTable = [&](auto add, float* to, int64_t stride) {
    constexpr bool ADD = decltype(add)::value;
    if (p.bf16) {
      pairColumns(dZ, p.tokenStride, rows, block.paddedTokens, space.byToken, p.tokenStride);
      pairProduct<ADD>(rows, p.padded, (block.tokens + 1) / 2, space.byToken, p.tokenStride, 1, block.hiddenRowPairs,
                       p.widthStride, to, stride);
    } else {
      blockProduct<ADD>(rows, p.padded, block.tokens,
                        Tile{dZ, p.tokenStride, 1, block.hiddenRows, p.widthStride, to, stride});
    }
  };
  if (whole) {
    firstBlock ? toTable(False{}, dTable, width) : toTable(True{}, dTable, width);
  } else {
    toTable(False{}, space.table, p.widthStride);
    if (firstBlock) unstageRows<false>(space.table, p.widthStride, rows, width, dTable, width);
    else unstageRows<true>(space.table, p.widthStride, rows, width, dTable, width);
  }
  if (p.bf16) headTargets(args, p, block, item0, rows, gradientScale, dHidden);
}

/** Mean logit of every token, which label smoothing needs: hidden · mean of the table's rows + mean bias. */
static void meanItem(const nimue::HeadArgs& args, double* mean, double* meanBias) {
  const int64_t items = args.numItems - args.firstRow;
  for (int64_t d = 0; d < args.width; d++) mean[d] = 0;
  *meanBias = 0;
  for (int64_t v = args.firstRow; v < args.numItems; v++) {
    for (int64_t d = 0; d < args.width; d++) mean[d] += args.table[v * args.width + d];
    if (args.bias) *meanBias += args.bias[v];
  }
  for (int64_t d = 0; d < args.width; d++) mean[d] /= items;
  *meanBias /= items;
}

static void softmaxHead(const nimue::HeadArgs& args) {
  const bool gradients = args.dHidden != nullptr;
  if (gradients && args.dBias) memset(args.dBias, 0, args.numItems * sizeof(float));
  if (gradients) memset(args.dTable, 0, args.firstRow * args.width * sizeof(float));
  *args.loss = 0;
  if (args.numRows == 0) {
    if (gradients) memset(args.dTable, 0, args.numItems * args.width * sizeof(float));
    return;
  }
  const HeadPlan p = planHead(args);
  const float gradientScale = 1.f / (static_cast<float>(args.numRows) * args.temperature);
  Scratch<float> hiddenT(args.width * p.tokenStride), hiddenRows(gradients ? p.blockTokens * p.widthStride : 0);
  Scratch<float> tileMax(p.tiles * p.tokenStride), tileSum(p.tiles * p.tokenStride);
  Scratch<float> targetLogit(p.blockTokens), logSumExp(p.blockTokens);
  Scratch<uint32_t> hiddenPairsT(p.bf16 ? (args.width + 1) / 2 * p.tokenStride : 0);
  Scratch<uint32_t> hiddenRowPairs(p.bf16 && gradients ? (p.blockTokens + 1) / 2 * p.widthStride : 0);
  const int64_t tileSize = p.tileRows * p.tokenStride;
  Scratch<float> stored(p.stored * tileSize);
  const int64_t sliceSize = int64_t(p.blockTokens) * p.padded;
  Scratch<float> dHiddenSlices(gradients ? p.slices * sliceSize : 0);
  Scratch<double> mean(args.width);
  double meanBias = 0;
  if (args.labelSmoothing > 0) meanItem(args, mean, &meanBias);

  double loss = 0;
  for (int64_t b = 0; b < p.blocks; b++) {
    HeadBlock block;
    block.firstToken = b * p.blockTokens;
    block.tokens = static_cast<int>(lesser64(p.blockTokens, args.numRows - block.firstToken));
    block.paddedTokens = roundUp(block.tokens, PANEL);
    block.hiddenRows = hiddenRows, block.hiddenPairsT = hiddenPairsT, block.hiddenRowPairs = hiddenRowPairs;
    block.hiddenT = hiddenT, block.tileMax = tileMax, block.tileSum = tileSum, block.targetLogit = targetLogit;
    const float* const hidden = args.hidden + block.firstToken * args.width;
    parallelSlices(block.paddedTokens, PANEL, [&](int64_t n0, int64_t n1) {
      const int real = greater(0, static_cast<int>(lesser64(n1, block.tokens) - n0));
      stageTransposed(hidden + n0 * args.width, args.width, real, args.width, static_cast<int>(n1 - n0),
                      1.f / args.temperature, hiddenT + n0, p.tokenStride);
      if (gradients) {
        stageRows(hidden + n0 * args.width, args.width, real, static_cast<int>(args.width), p.padded,
                  hiddenRows + n0 * p.widthStride, p.widthStride);
      }
      if (!p.bf16) return;
      pairRows(hiddenT + n0, p.tokenStride, static_cast<int>(args.width), static_cast<int>(n1 - n0), hiddenPairsT + n0,
               p.tokenStride);
      if (gradients)
        pairRows(hiddenRows + n0 * p.widthStride, p.widthStride, real, p.padded,
                 hiddenRowPairs + n0 / 2 * p.widthStride, p.widthStride);
    });
    parallelFor(static_cast<int>(p.tiles), [&](int tile) {
      const HeadSpace space(p);
      if (tile < p.stored) return headTile(args, p, block, tile, space, stored + tile * tileSize, false);
      Scratch<float> e(tileSize);
      headTile(args, p, block, tile, space, e, false);
    });
    headCombine(p, block, gradientScale, logSumExp);
    for (int n = 0; n < block.tokens; n++) {
      double tokenLoss = logSumExp[n] - (1.0 - args.labelSmoothing) * targetLogit[n];
      if (args.labelSmoothing > 0) {
        double z = meanBias;
        for (int64_t d = 0; d < args.width; d++) z += hidden[n * args.width + d] * mean[d];
        tokenLoss -= args.labelSmoothing * z / args.temperature;
      }
      loss += tokenLoss;
    }
    if (!gradients) continue;
    parallelFor(static_cast<int>(p.slices), [&](int slice) {
      const HeadSpace space(p);
      Scratch<float> dZ(tileSize);
      const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices;
      for (int64_t tile = tile0; tile < tile1; tile++) {
        const float* exponentials = stored + tile * tileSize;
        if (tile >= p.stored) {
          headTile(args, p, block, tile, space, dZ, true);
          exponentials = dZ;
        }
        headGradientTile(args, p, block, tile, gradientScale, exponentials, dZ);
        headProducts(args, p, block, tile, dZ, space, tile == tile0, gradientScale, dHiddenSlices + slice * sliceSize);
      }
    });
    parallelSlices(block.tokens, 24, [&](int64_t n0, int64_t n1) {
      for (int64_t n = n0; n < n1; n++) {
        float* const out = args.dHidden + (block.firstToken + n) * args.width;
        for (int d = 0; d < args.width; d += VL) {
          V sum = load(dHiddenSlices + n * p.padded + d);
          for (int64_t s = 1; s < p.slices; s++) sum = sum + load(dHiddenSlices + s * sliceSize + n * p.padded + d);
          if (d + VL <= args.width) store(out + d, sum);
          else storePart(out + d, sum, static_cast<int>(args.width - d));
        }
      }
    });
  }
  *args.loss = loss / static_cast<double>(args.numRows);
}

}  // namespace
