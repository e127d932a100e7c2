// Element by element and sums: memory-bound loops in parallel slices.
#pragma once
#include <math.h>

#include "kernel-table.h"
#include "scratch.h"
#include "thread-pool.h"
#include "vec-math.h"

namespace {

constexpr int64_t ELEMENTS_PER_TASK = 32768;

template <nimue::BinaryKind KIND>
INLINE V combine(V a, V b) {
  if constexpr (KIND == nimue::ADD) return a + b;
  if constexpr (KIND == nimue::SUBTRACT) return a - b;
  if constexpr (KIND == nimue::MULTIPLY) return a * b;
  return a / b;
}

template <nimue::BinaryKind KIND>
static void combineSpan(const float* a, bool aScalar, const float* b, bool bScalar, int64_t count, float* y) {
  for (int64_t i = 0; i < count; i += VL) {
    const int n = static_cast<int>(lesser64(VL, count - i));
    const V left = aScalar ? splat(*a) : n == VL ? load(a + i) : loadPart(a + i, n);
    const V right = bScalar ? splat(*b) : n == VL ? load(b + i) : loadPart(b + i, n);
    if (n == VL) store(y + i, combine<KIND>(left, right));
    else storePart(y + i, combine<KIND>(left, right), n);
  }
}

template <nimue::BinaryKind KIND>
static void binaryOf(const nimue::BinaryArgs& args) {
  const bool aRow = args.aCount != args.count && args.aCount != 1, bRow = args.bCount != args.count && args.bCount != 1;
  if (!aRow && !bRow) {
    return parallelSlices(args.count, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) {
      combineSpan<KIND>(args.aCount == 1 ? args.a : args.a + i0, args.aCount == 1,
                        args.bCount == 1 ? args.b : args.b + i0, args.bCount == 1, i1 - i0, args.y + i0);
    });
  }
  const int64_t width = aRow ? args.aCount : args.bCount;
  parallelSlices(args.count / width, ELEMENTS_PER_TASK / width + 1, [&](int64_t r0, int64_t r1) {
    for (int64_t r = r0; r < r1; r++) {
      combineSpan<KIND>(args.aCount == 1 || aRow ? args.a : args.a + r * width, args.aCount == 1,
                        args.bCount == 1 || bRow ? args.b : args.b + r * width, args.bCount == 1, width,
                        args.y + r * width);
    }
  });
}

static void binary(const nimue::BinaryArgs& args) {
  switch (args.kind) {
    case nimue::ADD: return binaryOf<nimue::ADD>(args);
    case nimue::SUBTRACT: return binaryOf<nimue::SUBTRACT>(args);
    case nimue::MULTIPLY: return binaryOf<nimue::MULTIPLY>(args);
    case nimue::DIVIDE: return binaryOf<nimue::DIVIDE>(args);
  }
}

template <typename Function>
static void mapElements(const float* x, int64_t count, float* y, const Function& f) {
  parallelSlices(count, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) {
    int64_t i = i0;
    for (; i + VL <= i1; i += VL) store(y + i, f(load(x + i)));
    if (i < i1) storePart(y + i, f(loadPart(x + i, static_cast<int>(i1 - i))), static_cast<int>(i1 - i));
  });
}

static void unary(nimue::UnaryKind kind, const float* x, int64_t count, float* y) {
  switch (kind) {
    case nimue::U_RELU: return mapElements(x, count, y, [](V v) { return vmax(V{}, v); });
    case nimue::U_TANH: return mapElements(x, count, y, [](V v) { return vtanh(v); });
    case nimue::U_SIGMOID: return mapElements(x, count, y, [](V v) { return vsigmoid(v); });
    case nimue::U_EXP: return mapElements(x, count, y, [](V v) {
      const V e = select(v < splat(-87.33f), V{}, vexp(v));
      return select(v > splat(88.72f), splat(INFINITY), e);
    });
    case nimue::U_SQUARE: return mapElements(x, count, y, [](V v) { return v * v; });
    case nimue::U_SQRT: return mapElements(x, count, y, [](V v) { return vsqrt(v); });
    case nimue::U_NEGATE: return mapElements(x, count, y, [](V v) { return -v; });
    case nimue::U_RSQRT: return mapElements(x, count, y, [](V v) { return splat(1.f) / vsqrt(v); });
  }
}

static void evaluate(int function, const float* x, int64_t count, float* y) {
  if (function == 0) return mapElements(x, count, y, [](V v) { return vexp(v); });
  if (function == 1) return mapElements(x, count, y, [](V v) { return vsigmoid(v); });
  if (function == 2) return mapElements(x, count, y, [](V v) { return vtanh(v); });
  return mapElements(x, count, y, [](V v) { return vnormalCdf(v); });
}

static void columnSums(const float* x, int64_t numRows, int64_t width, float* y) {
  const int64_t rowsPerSlice = ELEMENTS_PER_TASK / (width + 1) + 1;
  const int64_t slices = (numRows + rowsPerSlice - 1) / rowsPerSlice;
  Scratch<float> sums(slices * width);
  parallelFor(static_cast<int>(slices), [&](int slice) {
    float* const sum = sums + slice * width;
    memset(sum, 0, width * sizeof(float));
    const int64_t end = lesser64(numRows, (slice + 1) * rowsPerSlice);
    for (int64_t r = slice * rowsPerSlice; r < end; r++) {
      const float* const row = x + r * width;
      int64_t d = 0;
      for (; d + VL <= width; d += VL) store(sum + d, load(sum + d) + load(row + d));
      for (; d < width; d++) sum[d] += row[d];
    }
  });
  for (int64_t d = 0; d < width; d++) {
    float total = 0.f;
    for (int64_t s = 0; s < slices; s++) total += sums[s * width + d];
    y[d] = total;
  }
}

static float sumSpan(const float* x, int64_t count) {
  V a{}, b{};
  int64_t i = 0;
  for (; i + 2 * VL <= count; i += 2 * VL) a = a + load(x + i), b = b + load(x + i + VL);
  for (; i + VL <= count; i += VL) a = a + load(x + i);
  if (i < count) b = b + loadPart(x + i, static_cast<int>(count - i));
  return sumLanes(a + b);
}

static void rowSums(const float* x, int64_t numRows, int64_t width, float* y) {
  if (numRows == 1) {
    // One long row: slices of its own, added in double.
    const int64_t slices = (width + ELEMENTS_PER_TASK - 1) / ELEMENTS_PER_TASK;
    Scratch<float> sums(slices);
    parallelSlices(width, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) { sums[i0 / ELEMENTS_PER_TASK] = sumSpan(x + i0, i1 - i0); });
    double total = 0;
    for (int64_t s = 0; s < slices; s++) total += sums[s];
    *y = static_cast<float>(total);
    return;
  }
  parallelSlices(numRows, ELEMENTS_PER_TASK / (width + 1) + 1, [&](int64_t r0, int64_t r1) {
    for (int64_t r = r0; r < r1; r++) y[r] = sumSpan(x + r * width, width);
  });
}

static void transpose(const float* x, int64_t numRows, int64_t width, float* y) {
  constexpr int64_t BLOCK = 32;
  parallelSlices(numRows, BLOCK, [&](int64_t r0, int64_t r1) {
    for (int64_t c0 = 0; c0 < width; c0 += BLOCK) {
      const int64_t c1 = lesser64(width, c0 + BLOCK);
      for (int64_t c = c0; c < c1; c++)
        for (int64_t r = r0; r < r1; r++) y[c * numRows + r] = x[r * width + c];
    }
  });
}

/** Squares in float, their sums over short runs in double: exact enough for any length, and in a fixed order. */
static double sumSquares(const float* x, int64_t count) {
  constexpr int64_t RUN = 64 * VL;
  const int64_t slices = (count + ELEMENTS_PER_TASK - 1) / ELEMENTS_PER_TASK;
  Scratch<double> sums(slices);
  parallelSlices(count, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) {
    double total = 0;
    for (int64_t run = i0; run < i1; run += RUN) {
      V sum{};
      const int64_t end = lesser64(i1, run + RUN);
      for (int64_t i = run; i < end; i += VL) {
        const V v = i + VL <= end ? load(x + i) : loadPart(x + i, static_cast<int>(end - i));
        sum = fma(v, v, sum);
      }
      total += sumLanes(sum);
    }
    sums[i0 / ELEMENTS_PER_TASK] = total;
  });
  double total = 0;
  for (int64_t s = 0; s < slices; s++) total += sums[s];
  return total;
}

static void scaleElements(float* x, int64_t count, float factor) {
  const V f = splat(factor);
  mapElements(x, count, x, [f](V v) { return v * f; });
}

}  // namespace
