// Copies into working memory: padded to whole registers, or transposed so that rows become lanes.
#pragma once
#include "vec.h"

namespace {

/** A row stride of whole registers and an odd number of cache lines, so that rows spread over all cache sets. */
INLINE int64_t spreadStride(int64_t columns) {
  const int64_t lines = (columns + 15) / 16;
  return (lines | 1) * 16;
}

/** to[r, c] = from[r, c] for c < columns, 0 for columns ≤ c < padded. */
static void stageRows(const float* from, int64_t fromStride, int64_t rows, int columns, int padded, float* to,
                      int64_t toStride) {
  const int whole = columns / VL * VL;
  for (int64_t r = 0; r < rows; r++, from += fromStride, to += toStride) {
    int c = 0;
    for (; c < whole; c += VL) store(to + c, load(from + c));
    if (c < columns) {
      store(to + c, loadPart(from + c, columns - c));
      c += VL;
    }
    for (; c < padded; c += VL) store(to + c, V{});
  }
}

/** to[c, r] = factor · from[r, c] for r < rows, 0 for rows ≤ r < paddedRows. */
static void stageTransposed(const float* from, int64_t fromStride, int rows, int64_t columns, int paddedRows,
                            float factor, float* to, int64_t toStride) {
  int r = 0;
  for (; r + 8 <= rows; r += 8) {
    const float* f = from + r * fromStride;
    for (int64_t c = 0; c < columns; c++) {
      float* t = to + c * toStride + r;
      for (int i = 0; i < 8; i++) t[i] = f[i * fromStride + c] * factor;
    }
  }
  for (; r < paddedRows; r++) {
    if (r < rows) {
      for (int64_t c = 0; c < columns; c++) to[c * toStride + r] = from[r * fromStride + c] * factor;
    } else {
      for (int64_t c = 0; c < columns; c++) to[c * toStride + r] = 0.f;
    }
  }
}

/** to[r, c] (=, +=) from[r, c] for c < columns, from padded working memory into an exact array. */
template <bool ADD_TO>
static void unstageRows(const float* from, int64_t fromStride, int64_t rows, int columns, float* to,
                        int64_t toStride) {
  const int whole = columns / VL * VL;
  for (int64_t r = 0; r < rows; r++, from += fromStride, to += toStride) {
    int c = 0;
    for (; c < whole; c += VL) store(to + c, ADD_TO ? load(to + c) + load(from + c) : load(from + c));
    if (c < columns) {
      V v = loadPart(from + c, columns - c);
      if (ADD_TO) v = v + loadPart(to + c, columns - c);
      storePart(to + c, v, columns - c);
    }
  }
}

}  // namespace
