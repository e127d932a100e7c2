// Draws an item per row from the softmax of its scores: blocks of rows, their scores by one product, then by inversion.
#pragma once
#include <math.h>

#include "gemm.h"
#include "vec-math.h"

namespace {

/** Scores held at a time: 4 million, or those of one row. */
constexpr int64_t SAMPLED_SCORES = 1 << 22;
/** Items whose sum is kept, so that the draw looks at few of them one by one. */
constexpr int64_t SUMMED_ITEMS = 512;

/** @returns the place of the drawn score; −1 when one is not finite */
static int64_t drawFrom(float* scores, const float* bias, int64_t count, float perTemperature, double uniform) {
  const V factor = splat(perTemperature);
  V highest = splat(-INFINITY), wrong{};
  for (int64_t i = 0; i < count; i += VL) {
    const int n = static_cast<int>(lesser64(VL, count - i));
    V z = n == VL ? load(scores + i) : loadPart(scores + i, n);
    if (bias) z = z + (n == VL ? load(bias + i) : loadPart(bias + i, n));
    wrong = wrong + z * splat(0.f);  // NaN as soon as one is not finite
    z = z * factor;
    if (n == VL) {
      store(scores + i, z);
      highest = vmax(highest, z);
    } else {
      storePart(scores + i, z, n);
      for (int l = 0; l < n; l++) highest[0] = z[l] > highest[0] ? z[l] : highest[0];
    }
  }
  if (!(sumLanes(wrong) == 0.f)) return -1;
  float best = highest[0];
  for (int l = 1; l < VL; l++) best = highest[l] > best ? highest[l] : best;
  const int64_t parts = (count + SUMMED_ITEMS - 1) / SUMMED_ITEMS;
  Scratch<double> sums(parts);
  double total = 0;
  for (int64_t part = 0; part < parts; part++) {
    const int64_t end = lesser64(count, (part + 1) * SUMMED_ITEMS);
    double sum = 0;
    for (int64_t i = part * SUMMED_ITEMS; i < end; i += VL) {
      const int n = static_cast<int>(lesser64(VL, end - i));
      const V z = (n == VL ? load(scores + i) : loadPart(scores + i, n)) - splat(best);
      const V e = select(z < splat(-87.f), V{}, vexp(z));
      if (n == VL) store(scores + i, e);
      else storePart(scores + i, e, n);
      for (int l = 0; l < n; l++) sum += e[l];
    }
    sums[part] = sum;
    total += sum;
  }
  double left = uniform * total;
  int64_t part = 0;
  while (part < parts - 1 && left >= sums[part]) left -= sums[part++];
  int64_t i = part * SUMMED_ITEMS;
  const int64_t end = lesser64(count, i + SUMMED_ITEMS);
  for (; i < end - 1; i++) {
    left -= scores[i];
    if (left < 0) break;
  }
  return i;
}

static void sampleItems(const nimue::SampleArgs& args) {
  const int64_t count = args.numItems - args.firstRow;
  int64_t block = SAMPLED_SCORES / (count + 1) + 1;
  block = lesser64(block, args.numRows);
  Scratch<float> scores(block * count);
  *args.nonFiniteRow = -1;
  for (int64_t row0 = 0; row0 < args.numRows; row0 += block) {
    const int64_t rows = lesser64(block, args.numRows - row0);
    nimue::MatMulArgs product{};
    product.batch = 1, product.m = rows, product.n = count, product.k = args.width;
    product.a = args.hidden + row0 * args.width, product.b = args.table + args.firstRow * args.width;
    product.transposeB = true, product.c = scores;
    matMul(product);
    parallelSlices(rows, 4, [&](int64_t r0, int64_t r1) {
      for (int64_t r = r0; r < r1; r++) {
        const float* const bias = args.bias ? args.bias + args.firstRow : nullptr;
        const int64_t place = drawFrom(scores + r * count, bias, count, args.perTemperature, args.uniforms[row0 + r]);
        args.itemIds[row0 + r] = place < 0 ? -1 : static_cast<int32_t>(args.firstRow + place);
      }
    });
  }
  for (int64_t r = 0; r < args.numRows && *args.nonFiniteRow < 0; r++)
    if (args.itemIds[r] < 0) *args.nonFiniteRow = r;
}

}  // namespace
