// Products with bfloat16 operands and single-precision sums, where the processor multiplies pairs of them (AVX512-BF16).
//
// A "pair" is two bfloat16 numbers that follow each other along the inner dimension, in one 32-bit element: the products
// then have the shape of the single-precision ones with half the depth. The other instruction sets have the same functions
// made of two multiply-adds a pair: never faster than single precision, so nothing asks for them but the tests, which run
// everywhere that way.
#pragma once
#include "kernel-table.h"
#include "vec-math.h"

namespace {

/** The upper half of the nearest bfloat16 (ties to even), as 16 low bits; what is no number stays none. */
INLINE VU roundToBf16(V v) {
  const VU bits = (VU)asInt(v);
  const VU rounded = (bits + splatBits(0x7fff) + ((bits >> 16) & splatBits(1))) >> 16;
  const VU isNumber = (VU)(v == v);
  return (rounded & isNumber) | (splatBits(0x7fc0) & ~isNumber);
}

/** Lane by lane: `low` first, `high` second. */
INLINE VU pairOf(V low, V high) { return roundToBf16(low) | (roundToBf16(high) << 16); }

INLINE VU loadPairs(const uint32_t* p) {
  VU v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void storePairs(uint32_t* p, VU v) { memcpy(p, &v, sizeof v); }

/**
 * Rows r, r + 1 become one row of pairs: out[r / 2, c] = (from[r, c], from[r + 1, c]); an odd last row pairs with 0, and
 * the columns up to the next multiple of VL are 0.
 */
static void pairRows(const float* from, int64_t stride, int64_t rows, int64_t columns, uint32_t* out, int64_t outStride) {
  for (int64_t r = 0; r < rows; r += 2) {
    const float* const low = from + r * stride;
    const float* const high = r + 1 < rows ? low + stride : nullptr;
    for (int64_t c = 0; c < columns; c += VL) {
      const int part = static_cast<int>(lesser64(VL, columns - c));
      const auto at = [&](const float* row) { return !row ? V{} : part == VL ? load(row + c) : loadPart(row + c, part); };
      storePairs(out + r / 2 * outStride + c, pairOf(at(low), at(high)));
    }
  }
}

#if defined(__AVX512F__) && defined(__x86_64__)
INLINE bool hasBf16() { return __builtin_cpu_supports("avx512bf16"); }
constexpr int PAIR_ROWS = 12;
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512bf16"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512bf16")
#endif
/** sum + a.low · b.low + a.high · b.high, lane by lane. */
INLINE V dotPairs(V sum, VU a, VU b) { return (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b); }
#else
INLINE bool hasBf16() { return nimue::emulatesBf16.load(std::memory_order_relaxed); }
constexpr int PAIR_ROWS = 4;
INLINE V lowOfPairs(VU pairs) { return asFloat((VI)(pairs << 16)); }
INLINE V highOfPairs(VU pairs) { return asFloat((VI)(pairs & splatBits(0xffff0000u))); }
INLINE V dotPairs(V sum, VU a, VU b) {
  return fma(highOfPairs(a), highOfPairs(b), fma(lowOfPairs(a), lowOfPairs(b), sum));
}
#endif

/** VL numbers, each rounded, side by side: VL / 2 pairs. */
INLINE void storeHalves(uint32_t* p, V v) {
#if defined(__AVX512F__) && defined(__x86_64__)
  const __m256bh half = _mm512_cvtneps_pbh((__m512)v);
  memcpy(p, &half, sizeof half);
#else
  const VU rounded = roundToBf16(v);
  for (int i = 0; i < VL / 2; i++) p[i] = rounded[2 * i] | rounded[2 * i + 1] << 16;
#endif
}

/** Columns c, c + 1 become one pair: a row of bfloat16 numbers, read as 32-bit elements, 0 up to the next multiple of VL / 2. */
static void pairColumns(const float* from, int64_t stride, int64_t rows, int64_t columns, uint32_t* out,
                        int64_t outStride) {
  for (int64_t r = 0; r < rows; r++) {
    const float* const row = from + r * stride;
    for (int64_t c = 0; c < columns; c += VL) {
      const int part = static_cast<int>(lesser64(VL, columns - c));
      storeHalves(out + r * outStride + c / 2, part == VL ? load(row + c) : loadPart(row + c, part));
    }
  }
}

/**
 * e^(z − shift) of z[rows, columns] in both forms of pairs: along the columns (a row of bfloat16 numbers) and along the
 * rows, two of which make one. `stride` counts the columns of a row in either result. Adds the sums over the rows, in
 * single precision, to `sums` unless that is null.
 */
static void exponentialPairs(int rows, int columns, int stride, const float* shift, const float* z, float* sums,
                             uint32_t* alongColumns, uint32_t* alongRows) {
  for (int c = 0; c < columns; c += VL) {
    const V from = load(shift + c);
    V sum{};
    for (int r = 0; r < rows; r += 2) {
      const bool hasHigh = r + 1 < rows;
      const V low = vexp(load(z + r * columns + c) - from);
      const V high = hasHigh ? vexp(load(z + (r + 1) * columns + c) - from) : V{};
      sum = sum + low + high;
#if defined(__AVX512F__) && defined(__x86_64__)
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
      const __m256i lower = _mm512_castsi512_si256(both), upper = _mm512_extracti64x4_epi64(both, 1);
      memcpy(alongColumns + (r * stride + c) / 2, &lower, sizeof lower);
      if (hasHigh) memcpy(alongColumns + ((r + 1) * stride + c) / 2, &upper, sizeof upper);
      const __m512i pairs =
          _mm512_or_si512(_mm512_cvtepu16_epi32(lower), _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16));
      memcpy(alongRows + r / 2 * stride + c, &pairs, sizeof pairs);
#else
      storeHalves(alongColumns + (r * stride + c) / 2, low);
      if (hasHigh) storeHalves(alongColumns + ((r + 1) * stride + c) / 2, high);
      storePairs(alongRows + r / 2 * stride + c, pairOf(low, high));
#endif
    }
    if (sums) store(sums + c, load(sums + c) + sum);
  }
}

template <int ROWS, int REGS, bool ADD>
INLINE void pairTile(int64_t depth, const uint32_t* a0, int64_t aRow, int64_t aStep, const uint32_t* b, int64_t bStep,
                     float* c, int64_t cRow) {
  V acc[ROWS][REGS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) acc[i][j] = V{};
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
    for (int j = 0; j < REGS * VL; j += 16) __builtin_prefetch(c + i * cRow + j, 1);
  constexpr int GROUPS = (ROWS + 2) / 3;
  const uint32_t* a[GROUPS];
#pragma GCC unroll 6
  for (int g = 0; g < GROUPS; g++) a[g] = a0 + 3 * g * aRow;
  for (int64_t k = 0; k < depth; k++) {
    VU right[REGS];
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) right[j] = loadPairs(b + j * VL);
    b += bStep;
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const VU left = splatBits(a[i / 3][(i % 3) * aRow]);
#pragma GCC unroll 4
      for (int j = 0; j < REGS; j++) acc[i][j] = dotPairs(acc[i][j], left, right[j]);
    }
#pragma GCC unroll 6
    for (int g = 0; g < GROUPS; g++) a[g] += aStep;
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) {
      float* out = c + i * cRow + j * VL;
      store(out, ADD ? load(out) + acc[i][j] : acc[i][j]);
    }
}

template <int REGS, bool ADD>
static __attribute__((noinline)) void pairStrip(int64_t rows, int64_t depth, const uint32_t* a, int64_t aRow,
                                                int64_t aStep, const uint32_t* b, int64_t bStep, float* c, int64_t cRow) {
  if constexpr (PAIR_ROWS > 4) {
    for (; rows >= PAIR_ROWS; rows -= PAIR_ROWS, a += PAIR_ROWS * aRow, c += PAIR_ROWS * cRow)
      pairTile<PAIR_ROWS, REGS, ADD>(depth, a, aRow, aStep, b, bStep, c, cRow);
  }
  for (; rows >= 4; rows -= 4, a += 4 * aRow, c += 4 * cRow)
    pairTile<4, REGS, ADD>(depth, a, aRow, aStep, b, bStep, c, cRow);
  for (; rows >= 1; rows--, a += aRow, c += cRow) pairTile<1, REGS, ADD>(depth, a, aRow, aStep, b, bStep, c, cRow);
}

/** C[rows, columns] (=, +=) Σ over pairs of A · B; `columns` a multiple of VL. */
template <bool ADD>
static void pairProduct(int64_t rows, int64_t columns, int64_t depth, const uint32_t* a, int64_t aRow, int64_t aStep,
                        const uint32_t* b, int64_t bStep, float* c, int64_t cRow) {
  for (; columns >= 2 * VL; columns -= 2 * VL, b += 2 * VL, c += 2 * VL)
    pairStrip<2, ADD>(rows, depth, a, aRow, aStep, b, bStep, c, cRow);
  for (; columns > 0; columns -= VL, b += VL, c += VL) pairStrip<1, ADD>(rows, depth, a, aRow, aStep, b, bStep, c, cRow);
}

#if defined(__AVX512F__) && defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

}  // namespace
