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

typedef float Four __attribute__((vector_size(16)));
typedef float UnalignedFour __attribute__((vector_size(16), aligned(4)));

/** Rows become columns. */
INLINE void transposeFours(Four& a, Four& b, Four& c, Four& d) {
#if defined(__SSE2__)
  __m128 w = (__m128)a, x = (__m128)b, y = (__m128)c, z = (__m128)d;
  _MM_TRANSPOSE4_PS(w, x, y, z);
  a = (Four)w, b = (Four)x, c = (Four)y, d = (Four)z;
#else
  const Four rows[4] = {a, b, c, d};
  Four* const columns[4] = {&a, &b, &c, &d};
  for (int i = 0; i < 4; i++) *columns[i] = Four{rows[0][i], rows[1][i], rows[2][i], rows[3][i]};
#endif
}

/** to[c, r] = factor · from[r, c] for r < rows, 0 for rows ≤ r < paddedRows, which is a multiple of 4. */
static void stageTransposed(const float* from, int64_t fromStride, int rows, int64_t columns, int paddedRows,
                            float factor, float* to, int64_t toStride) {
  const Four factors = Four{factor, factor, factor, factor};
  for (int r = 0; r < paddedRows; r += 4) {
    const int count = lesser(4, rows - r);
    const float* const f = from + r * fromStride;
    float* const t = to + r;
    if (count <= 0) {
      for (int64_t c = 0; c < columns; c++) *reinterpret_cast<UnalignedFour*>(t + c * toStride) = Four{};
      continue;
    }
    int64_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const auto row = [&](int i) ALWAYS_INLINE {
        return i < count ? *reinterpret_cast<const UnalignedFour*>(f + i * fromStride + c) * factors : Four{};
      };
      Four v0 = row(0), v1 = row(1), v2 = row(2), v3 = row(3);
      transposeFours(v0, v1, v2, v3);
      *reinterpret_cast<UnalignedFour*>(t + c * toStride) = v0;
      *reinterpret_cast<UnalignedFour*>(t + (c + 1) * toStride) = v1;
      *reinterpret_cast<UnalignedFour*>(t + (c + 2) * toStride) = v2;
      *reinterpret_cast<UnalignedFour*>(t + (c + 3) * toStride) = v3;
    }
    for (; c < columns; c++)
      for (int i = 0; i < 4; i++) t[c * toStride + i] = i < count ? f[i * fromStride + c] * factor : 0.f;
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
