// The three products of a linear layer with bfloat16 operands (bf16.h); bias, activation and sums stay in single precision.
#pragma once
#include "bf16.h"
#include "gemm.h"

namespace {

/** C[m, n] = A[m, k] · B[k, n], A and B row-major; then bias and activation as `finishBlock` applies them. */
static void pairGemm(const Gemm& g) {
  const int64_t padded = roundUp(static_cast<int>(g.n), VL), depth = (g.k + 1) / 2;
  Scratch<uint32_t> right(depth * padded);
  parallelSlices(depth, greater(1, static_cast<int>(8192 / padded)), [&](int64_t d0, int64_t d1) {
    pairRows(g.b + 2 * d0 * g.bRow, g.bRow, lesser64(g.k, 2 * d1) - 2 * d0, g.n, right + d0 * padded, padded);
  });
  const int64_t rowsPerTask = roundUp(static_cast<int>(lesser64(96, (g.m + 15) / 16)), 12);
  parallelSlices(g.m, rowsPerTask, [&](int64_t row0, int64_t row1) {
    const int64_t leftStride = spreadStride((g.k + VL - 1) / VL * (VL / 2));
    Scratch<uint32_t> left((row1 - row0) * leftStride);
    pairColumns(g.a + row0 * g.aRow, g.aRow, row1 - row0, g.k, left, leftStride);
    if (g.n % VL == 0) {
      pairProduct<false>(row1 - row0, padded, depth, left, leftStride, 1, right, padded, g.c + row0 * g.cRow, g.cRow);
    } else {
      Scratch<float> edge((row1 - row0) * padded);
      pairProduct<false>(row1 - row0, padded, depth, left, leftStride, 1, right, padded, edge, padded);
      unstageRows<false>(edge, padded, row1 - row0, static_cast<int>(g.n), g.c + row0 * g.cRow, g.cRow);
    }
    finishBlock(g, row0, row1, 0, g.n);
  });
}

/** C[m, n] = Aᵀ · B with A[k, m] and B[k, n] row-major and k long: slices of k with sums of their own, added in order. */
static void deepPairGemm(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c) {
  const int64_t paddedM = roundUp(static_cast<int>(m), VL), paddedN = roundUp(static_cast<int>(n), VL);
  constexpr int64_t CHUNK = 128;
  const int64_t slices = lesser64(greater(1, static_cast<int>((int64_t(4) << 20) / (m * paddedN))),
                                  lesser64((k + 2 * CHUNK - 1) / (2 * CHUNK), 32));
  const int64_t perSlice = ((k + slices - 1) / slices + CHUNK - 1) / CHUNK * CHUNK;
  const int64_t used = (k + perSlice - 1) / perSlice;
  Scratch<float> sums(used * m * paddedN);
  parallelFor(static_cast<int>(used), [&](int slice) {
    float* const sum = sums + slice * m * paddedN;
    Scratch<uint32_t> left(CHUNK / 2 * paddedM), right(CHUNK / 2 * paddedN);
    const int64_t begin = slice * perSlice, end = lesser64(k, begin + perSlice);
    for (int64_t k0 = begin; k0 < end; k0 += CHUNK) {
      const int64_t rows = lesser64(CHUNK, end - k0);
      pairRows(a + k0 * m, m, rows, m, left, paddedM);
      pairRows(b + k0 * n, n, rows, n, right, paddedN);
      const int64_t depth = (rows + 1) / 2;
      if (k0 == begin) pairProduct<false>(m, paddedN, depth, left, 1, paddedM, right, paddedN, sum, paddedN);
      else pairProduct<true>(m, paddedN, depth, left, 1, paddedM, right, paddedN, sum, paddedN);
    }
  });
  for (int64_t r = 0; r < m; r++) {
    for (int64_t j = 0; j < n; j += VL) {
      V total = load(sums + r * paddedN + j);
      for (int64_t s = 1; s < used; s++) total = total + load(sums + (s * m + r) * paddedN + j);
      const int part = static_cast<int>(lesser64(VL, n - j));
      if (part == VL) store(c + r * n + j, total);
      else storePart(c + r * n + j, total, part);
    }
  }
}

/** Whether the layer's products run on pairs: asked for, at hand, and something to multiply. */
static bool usesPairs(const nimue::LinearArgs& args) {
  return args.bf16 && hasBf16() && args.numRows > 0 && args.inputs > 0 && args.outputs > 0;
}

/** dx = dz · weightsᵀ and dWeights = xᵀ · dz. */
static void linearPairGradients(const nimue::LinearArgs& args, const float* dz) {
  const int64_t inputs = args.inputs, outputs = args.outputs;
  Scratch<float> transposed(inputs * outputs);
  for (int64_t i = 0; i < inputs; i++)
    for (int64_t o = 0; o < outputs; o++) transposed[o * inputs + i] = args.weights[i * outputs + o];
  pairGemm(Gemm{args.numRows, inputs, outputs, dz, outputs, 1, transposed, inputs, 1, args.dx, inputs});
  deepPairGemm(inputs, outputs, args.numRows, args.x, dz, args.dWeights);
}

}  // namespace
