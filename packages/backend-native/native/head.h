// Softmax cross-entropy over the whole catalogue with both gradients, without an N × V array.
//
// For a block of tokens, tiles of items compute Zᵀ[item, token] = table · hiddenᵀ, so that tokens are lanes and sums over
// items are vertical. A first visit of every tile makes e^(z − shift), their sums s, and dHidden before its division by
// s; a second one makes dTable = Σ e^(z − shift) · hidden / s. Dividing tokens, not probabilities, leaves nothing to do
// between the products. The exponentials wait in memory where a block's fit into it, and are computed twice elsewhere.
// Items are cut over the threads, so the table's gradient needs no copies.
//
// The shift is 0 where |hidden| · |item| shows that no exponential can leave the range of floats, and the token's largest
// logit, found by one more product, elsewhere.
//
// With bfloat16 operands the three products run on pairs (bf16.h); softmax, loss and the one-hot term stay in single
// precision.
#pragma once
#include <math.h>

#include "head-tiles.h"

namespace {

/** Largest |logit| for which sums of e^z, and of their reciprocals times gradients, stay normal floats. */
constexpr float MAX_UNSHIFTED = 70.f;

/** Upper bound of |item · x| / |x| and of |bias| over the catalogue; NaN or infinity where a number is not finite. */
static void itemBounds(const nimue::HeadArgs& args, float* norm, float* bias) {
  constexpr int64_t SLICE = 1024;
  const int64_t items = args.numItems - args.firstRow, slices = (items + SLICE - 1) / SLICE;
  Scratch<float> largest(2 * slices);
  parallelFor(static_cast<int>(slices), [&](int slice) {
    float square = 0, absolute = 0;
    const int64_t end = lesser64(items, (slice + 1) * SLICE);
    for (int64_t i = slice * SLICE; i < end; i++) {
      const float* const row = args.table + (args.firstRow + i) * args.width;
      V sum{};
      int64_t d = 0;
      for (; d + VL <= args.width; d += VL) sum = fma(load(row + d), load(row + d), sum);
      if (d < args.width) {
        const V last = loadPart(row + d, static_cast<int>(args.width - d));
        sum = fma(last, last, sum);
      }
      const float total = sumLanes(sum);
      if (!(total <= square)) square = total;
      if (args.bias && !(fabsf(args.bias[args.firstRow + i]) <= absolute)) absolute = fabsf(args.bias[args.firstRow + i]);
      if (isnan(square) || isnan(absolute)) break;
    }
    largest[2 * slice] = square, largest[2 * slice + 1] = absolute;
  });
  float square = 0, absolute = 0;
  for (int64_t s = 0; s < slices && !isnan(square + absolute); s++) {
    if (!(largest[2 * s] <= square)) square = largest[2 * s];
    if (!(largest[2 * s + 1] <= absolute)) absolute = largest[2 * s + 1];
  }
  *norm = sqrtf(square), *bias = absolute;
}

/** Whether e^z needs no shift for any token of the block. */
static bool isBounded(const nimue::HeadArgs& args, const HeadBlock& block, float itemNorm, float itemBias) {
  for (int n = 0; n < block.tokens; n++) {
    const float* const h = args.hidden + (block.firstToken + n) * args.width;
    V sum{};
    int64_t d = 0;
    for (; d + VL <= args.width; d += VL) sum = fma(load(h + d), load(h + d), sum);
    if (d < args.width) {
      const V last = loadPart(h + d, static_cast<int>(args.width - d));
      sum = fma(last, last, sum);
    }
    if (!((sqrtf(sumLanes(sum)) * itemNorm + itemBias) / args.temperature <= MAX_UNSHIFTED)) return false;
  }
  return true;
}

/** Every token's largest logit, into block.shift. `maxima` [slices, tokens] is working space. */
static void headMaxima(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, float* maxima) {
  parallelFor(static_cast<int>(p.slices), [&](int slice) {
    const HeadSpace space(p);
    float* const max = maxima + slice * p.tokenStride;
    const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices;
    for (int64_t tile = tile0; tile < tile1; tile++) {
      const HeadTile t(args, p, tile);
      stageTile(args, p, t, space);
      for (int first = 0; first < block.paddedTokens; first += PANEL) {
        scoreStrip(args, p, block, t, space, first, space.scores, PANEL);
        for (int j = 0; j < PANEL; j += VL) {
          V largest = tile == tile0 ? load(space.scores + j) : load(max + first + j);
          for (int r = 0; r < t.rows; r++) largest = vmax(largest, load(space.scores + r * PANEL + j));
          store(max + first + j, largest);
        }
      }
    }
  });
  for (int j = 0; j < block.paddedTokens; j += VL) {
    V largest = load(maxima + j);
    for (int64_t s = 1; s < p.slices; s++) largest = vmax(largest, load(maxima + s * p.tokenStride + j));
    store(block.shift + j, largest);
  }
}

/** The one-hot term of dTable and dBias for the targets among the items item0 … item1 − 1. */
static void headTargets(const nimue::HeadArgs& args, const HeadBlock& block, int64_t item0, int64_t item1,
                        float onTarget) {
  const int64_t width = args.width;
  for (int n = 0; n < block.tokens; n++) {
    const int64_t item = args.targetIds[block.firstToken + n];
    if (item < item0 || item >= item1) continue;
    const float* const h = args.hidden + (block.firstToken + n) * width;
    float* const out = args.dTable + item * width;
    for (int64_t d = 0; d < width; d++) out[d] -= onTarget * h[d];
    if (args.dBias) args.dBias[item] -= onTarget;
  }
}

/** Mean row of the table and mean bias, which label smoothing needs. */
static double meanItem(const nimue::HeadArgs& args, double* mean) {
  const int64_t items = args.numItems - args.firstRow;
  double meanBias = 0;
  for (int64_t d = 0; d < args.width; d++) mean[d] = 0;
  for (int64_t v = args.firstRow; v < args.numItems; v++) {
    for (int64_t d = 0; d < args.width; d++) mean[d] += args.table[v * args.width + d];
    if (args.bias) meanBias += args.bias[v];
  }
  for (int64_t d = 0; d < args.width; d++) mean[d] /= items;
  return meanBias / items;
}

/** Label smoothing's part of dTable and dBias: the same for every item. */
static void spreadGradient(const nimue::HeadArgs& args, float gradientScale) {
  const float spread = args.labelSmoothing / static_cast<float>(args.numItems - args.firstRow) * gradientScale;
  Scratch<float> total(args.width);
  for (int64_t d = 0; d < args.width; d++) {
    double sum = 0;
    for (int64_t n = 0; n < args.numRows; n++) sum += args.hidden[n * args.width + d];
    total[d] = static_cast<float>(sum * spread);
  }
  const float onBias = spread * static_cast<float>(args.numRows);
  parallelSlices(args.numItems - args.firstRow, 512, [&](int64_t i0, int64_t i1) {
    for (int64_t v = args.firstRow + i0; v < args.firstRow + i1; v++) {
      for (int64_t d = 0; d < args.width; d++) args.dTable[v * args.width + d] -= total[d];
      if (args.dBias) args.dBias[v] -= onBias;
    }
  });
}

static void softmaxHead(const nimue::HeadArgs& args) {
  const bool gradients = args.dHidden != nullptr;
  const int64_t width = args.width;
  if (gradients && args.dBias) memset(args.dBias, 0, args.numItems * sizeof(float));
  if (gradients) memset(args.dTable, 0, args.firstRow * width * sizeof(float));
  *args.loss = 0;
  if (args.numRows == 0) {
    if (gradients) memset(args.dTable, 0, args.numItems * width * sizeof(float));
    return;
  }
  const HeadPlan p = planHead(args);
  const float gradientScale = 1.f / (static_cast<float>(args.numRows) * args.temperature);
  const float onTarget = (1.f - args.labelSmoothing) * gradientScale;
  Scratch<float> hiddenT(width * p.tokenStride), scaledRows(gradients && !p.bf16 ? p.blockTokens * p.widthStride : 0);
  Scratch<float> sums(p.slices * p.tokenStride), shift(p.blockTokens), factor(p.blockTokens);
  Scratch<float> targetLogit(p.blockTokens);
  Scratch<double> tokenLoss(p.blockTokens), mean(width);
  Scratch<uint32_t> hiddenPairsT(p.bf16 ? (width + 1) / 2 * p.tokenStride : 0);
  Scratch<uint32_t> scaledPairs(p.bf16 && gradients ? p.blockTokens / 2 * p.widthStride : 0);
  Scratch<float> kept(p.kept && !p.bf16 ? p.tiles * p.tileSize : 0);
  Scratch<uint32_t> keptPairs(p.kept && p.bf16 ? p.tiles * p.tileSize : 0);
  const int64_t sliceSize = int64_t(p.blockTokens) * p.padded;
  Scratch<float> dHiddenSlices(gradients ? p.slices * sliceSize : 0);
  float itemNorm, itemBias;
  itemBounds(args, &itemNorm, &itemBias);
  const double meanBias = args.labelSmoothing > 0 ? meanItem(args, mean) : 0;

  double loss = 0;
  for (int64_t b = 0; b < p.blocks; b++) {
    HeadBlock block;
    block.firstToken = b * p.blockTokens;
    block.tokens = static_cast<int>(lesser64(p.blockTokens, args.numRows - block.firstToken));
    block.paddedTokens = roundUp(block.tokens, PANEL);
    block.hiddenT = hiddenT, block.hiddenPairsT = hiddenPairsT;
    block.shift = shift, block.factor = factor, block.targetLogit = targetLogit;
    block.scaledRows = scaledRows, block.scaledPairs = scaledPairs;
    const float* const hidden = args.hidden + block.firstToken * width;
    parallelSlices(block.paddedTokens, PANEL, [&](int64_t n0, int64_t n1) {
      const int real = greater(0, static_cast<int>(lesser64(n1, block.tokens) - n0));
      stageTransposed(hidden + n0 * width, width, real, width, static_cast<int>(n1 - n0), 1.f / args.temperature,
                      hiddenT + n0, p.tokenStride);
      if (p.bf16)
        pairRows(hiddenT + n0, p.tokenStride, static_cast<int>(width), static_cast<int>(n1 - n0), hiddenPairsT + n0,
                 p.tokenStride);
    });
    if (isBounded(args, block, itemNorm, itemBias)) memset(shift, 0, block.paddedTokens * sizeof(float));
    else headMaxima(args, p, block, sums);

    parallelFor(static_cast<int>(p.slices), [&](int slice) {
      const HeadSpace space(p);
      float* const sliceSums = sums + slice * p.tokenStride;
      memset(sliceSums, 0, block.paddedTokens * sizeof(float));
      const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices;
      for (int64_t tile = tile0; tile < tile1; tile++)
        headForward(args, p, block, HeadTile(args, p, tile), space, kept + tile * p.tileSize,
                    keptPairs + tile * p.tileSize, sliceSums, gradients ? dHiddenSlices + slice * sliceSize : nullptr,
                    tile > tile0);
    });

    parallelSlices(block.paddedTokens, PANEL, [&](int64_t n0, int64_t n1) {
      alignas(64) float row[2 * VL];
      for (int64_t n = n0; n < n1; n++) {
        if (n >= block.tokens) {
          factor[n] = 0;
          continue;
        }
        double sum = 0;
        for (int64_t s = 0; s < p.slices; s++) sum += sums[s * p.tokenStride + n];
        factor[n] = static_cast<float>(gradientScale / sum);
        tokenLoss[n] = shift[n] + log(sum) - (1.0 - args.labelSmoothing) * targetLogit[n];
        if (args.labelSmoothing > 0) {
          double z = meanBias;
          for (int64_t d = 0; d < width; d++) z += hidden[n * width + d] * mean[d];
          tokenLoss[n] -= args.labelSmoothing * z / args.temperature;
        }
        if (!gradients) continue;
        float* const out = args.dHidden + (block.firstToken + n) * width;
        const float* const target = args.table + args.targetIds[block.firstToken + n] * width;
        const V scale = splat(factor[n]), minus = splat(-onTarget);
        for (int64_t d = 0; d < width; d += VL) {
          const int part = static_cast<int>(lesser64(VL, width - d));
          V total = load(dHiddenSlices + n * p.padded + d);
          for (int64_t s = 1; s < p.slices; s++) total = total + load(dHiddenSlices + s * sliceSize + n * p.padded + d);
          V gradient = fma(minus, part == VL ? load(target + d) : loadPart(target + d, part), total * scale);
          if (args.labelSmoothing > 0) {
            for (int i = 0; i < part; i++)
              row[i] = static_cast<float>(mean[d + i] * args.labelSmoothing * gradientScale);
            gradient = gradient - load(row);
          }
          if (part == VL) store(out + d, gradient);
          else storePart(out + d, gradient, part);
        }
      }
      if (!gradients) return;
      for (int64_t n = n0; n < n1; n += 2) {
        for (int64_t d = 0; d < p.padded; d += VL) {
          const auto scaled = [&](int64_t token) {
            if (token >= block.tokens || d >= width) return V{};
            const float* const from = hidden + token * width + d;
            return (d + VL <= width ? load(from) : loadPart(from, static_cast<int>(width - d))) * splat(factor[token]);
          };
          const V low = scaled(n), high = scaled(n + 1);
          if (p.bf16) {
            storePairs(scaledPairs + n / 2 * p.widthStride + d, pairOf(low, high));
          } else {
            store(scaledRows + n * p.widthStride + d, low);
            store(scaledRows + (n + 1) * p.widthStride + d, high);
          }
        }
      }
    });
    for (int n = 0; n < block.tokens; n++) loss += tokenLoss[n];
    if (!gradients) continue;

    parallelFor(static_cast<int>(p.slices), [&](int slice) {
      const HeadSpace space(p);
      const int64_t tile0 = slice * p.tiles / p.slices, tile1 = (slice + 1) * p.tiles / p.slices;
      for (int64_t tile = tile0; tile < tile1; tile++)
        headTableGradient(args, p, block, HeadTile(args, p, tile), space, kept + tile * p.tileSize,
                          keptPairs + tile * p.tileSize);
      headTargets(args, block, args.firstRow + tile0 * p.tileRows,
                  lesser64(args.numItems, args.firstRow + tile1 * p.tileRows), onTarget);
    });
  }
  if (gradients && args.labelSmoothing > 0) spreadGradient(args, gradientScale);
  *args.loss = loss / static_cast<double>(args.numRows);
}

}  // namespace
