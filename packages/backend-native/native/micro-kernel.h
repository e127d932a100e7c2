// The one inner loop that matrix products, softmax head, attention and GRU share.
//
//   C[i, j] (=, +=) Σₖ A[i, k] · B[k, j]      i < rows ≤ MR, j < registers · VL
//
// A is read one element at a time with any two strides, B and C along registers. Every element of C is one chain of
// fused multiply-adds over k, whatever the tile it falls into: equal inputs give equal bits.
#pragma once
#include "vec.h"

namespace {

/** Where a tile's operands lie. Strides count floats. */
struct Tile {
  const float* a;
  int64_t aRow, aStep;
  const float* b;
  int64_t bStep;
  float* c;
  int64_t cRow;
  /** What is needed soon: one cache line of it, and of those that follow, is asked for at every step; null for nothing. */
  const float* ahead = nullptr;
};

template <int ROWS, int REGS, bool ADD>
INLINE void microTile(int64_t depth, const Tile& t) {
  V acc[ROWS][REGS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) acc[i][j] = V{};
  // Rows in groups of three: base, base + stride, base + 2 strides are single addressing modes.
  constexpr int GROUPS = (ROWS + 2) / 3;
  const float* a[GROUPS];
#pragma GCC unroll 6
  for (int g = 0; g < GROUPS; g++) a[g] = t.a + 3 * g * t.aRow;
  const int64_t aRow = t.aRow, aStep = t.aStep, bStep = t.bStep;
  const float* b = t.b;
  const auto multiply = [&]() __attribute__((always_inline)) {
    V right[REGS];
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) right[j] = load(b + j * VL);
    b += bStep;
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const V left = splat(a[i / 3][(i % 3) * aRow]);
#pragma GCC unroll 4
      for (int j = 0; j < REGS; j++) acc[i][j] = fma(left, right[j], acc[i][j]);
    }
#pragma GCC unroll 6
    for (int g = 0; g < GROUPS; g++) a[g] += aStep;
  };
  // The output is needed last: ask for it first, a row at a time so that no other request waits behind it.
  int64_t k = 0;
  const float* row = t.c;
  for (const int64_t rows = depth < ROWS ? depth : ROWS; k < rows; k++, row += t.cRow) {
#pragma GCC unroll 2
    for (int j = 0; j < REGS * VL; j += 16) __builtin_prefetch(row + j, 1);
    multiply();
  }
  if (t.ahead) {
    const float* ahead = t.ahead;
    for (; k < depth; k++, ahead += 16) {
      __builtin_prefetch(ahead);
      multiply();
    }
  } else {
    for (; k < depth; k++) multiply();
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
    for (int j = 0; j < REGS; j++) {
      float* c = t.c + i * t.cRow + j * VL;
      store(c, ADD ? load(c) + acc[i][j] : acc[i][j]);
    }
}

template <int REGS, bool ADD>
static __attribute__((noinline)) void fullTile(int64_t depth, const Tile& t) {
  microTile<MR, REGS, ADD>(depth, t);
}

template <int REGS, bool ADD>
static __attribute__((noinline)) void partTile(int rows, int64_t depth, Tile t) {
  if constexpr (MR > 8) {
    if (rows >= 8) {
      microTile<8, REGS, ADD>(depth, t);
      t.a += 8 * t.aRow, t.c += 8 * t.cRow, rows -= 8;
    }
  }
  if constexpr (MR > 4) {
    if (rows >= 4) {
      microTile<4, REGS, ADD>(depth, t);
      t.a += 4 * t.aRow, t.c += 4 * t.cRow, rows -= 4;
    }
  }
  if (rows >= 2) {
    microTile<2, REGS, ADD>(depth, t);
    t.a += 2 * t.aRow, t.c += 2 * t.cRow, rows -= 2;
  }
  if (rows >= 1) microTile<1, REGS, ADD>(depth, t);
}

/** One column strip (REGS registers wide) of a product with any number of rows. */
template <int REGS, bool ADD>
static void strip(int64_t rows, int64_t depth, Tile t) {
  for (; rows >= MR; rows -= MR, t.a += MR * t.aRow, t.c += MR * t.cRow) {
    fullTile<REGS, ADD>(depth, t);
    if (t.ahead) t.ahead += MR * t.aRow;
  }
  if (rows > 0) partTile<REGS, ADD>(static_cast<int>(rows), depth, t);
}

/**
 * C[rows, columns] (=, +=) A · B with `columns` a multiple of VL; B and C must be readable and writable in whole
 * registers. Strips of B are revisited for every row, so keep depth · NV · VL floats within the first cache.
 */
template <bool ADD>
static void blockProduct(int64_t rows, int64_t columns, int64_t depth, Tile t) {
  for (; columns >= NV * VL; columns -= NV * VL, t.b += NV * VL, t.c += NV * VL) strip<NV, ADD>(rows, depth, t);
  for (; columns > 0; columns -= VL, t.b += VL, t.c += VL) strip<1, ADD>(rows, depth, t);
}

}  // namespace
