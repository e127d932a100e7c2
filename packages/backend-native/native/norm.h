// y = norm(residual + dropout(x)) · gamma + beta and its gradient, one row at a time.
#pragma once
#include <math.h>

#include "keep.h"
#include "scratch.h"
#include "staging.h"
#include "thread-pool.h"

namespace {

constexpr int64_t NORM_ROWS_PER_TASK = 256;

/**
 * s = residual + dropout(x) of one row into padded working memory (0 beyond the width). The arguments must be the
 * caller's own copy: the compiler keeps in registers only what no store could change.
 */
INLINE void normInput(const nimue::NormArgs& args, int64_t row, float* s) {
  const float* const x = args.x + row * args.width;
  const float* const residual = args.residual ? args.residual + row * args.width : nullptr;
  const uint32_t hash = rowHash(args.dropout, static_cast<uint32_t>(row));
  for (int64_t d = 0; d < args.width; d += VL) {
    const int part = static_cast<int>(lesser64(VL, args.width - d));
    V v = part == VL ? load(x + d) : loadPart(x + d, part);
    if (args.dropout.active) v = dropped(args.dropout, v, keptColumns(args.dropout, hash, static_cast<uint32_t>(d)));
    if (residual) v = v + (part == VL ? load(residual + d) : loadPart(residual + d, part));
    store(s + d, v);
  }
}

/** gamma (or beta, or zeros) padded with zeros to whole registers. */
static void padRow(const float* from, int64_t width, float* to) {
  if (from) {
    stageRows(from, width, 1, static_cast<int>(width), roundUp(static_cast<int>(width), VL), to, width);
  } else {
    memset(to, 0, roundUp(static_cast<int>(width), VL) * sizeof(float));
  }
}

static void norm(const nimue::NormArgs& shared) {
  const int64_t width = shared.width;
  const int padded = roundUp(static_cast<int>(width), VL);
  Scratch<float> gammaRow(padded), betaRow(padded);
  padRow(shared.gamma, width, gammaRow);
  padRow(shared.beta, width, betaRow);
  parallelSlices(shared.numRows, NORM_ROWS_PER_TASK, [&](int64_t row0, int64_t row1) {
    const nimue::NormArgs args = shared;
    const int64_t width = args.width;
    const int padded = roundUp(static_cast<int>(width), VL);
    const float *const gamma = gammaRow, *const beta = betaRow;
    Scratch<float> working(padded);
    float* const s = working;
    for (int64_t r = row0; r < row1; r++) {
      normInput(args, r, s);
      float mean = 0.f;
      if (!args.rms) {
        V sum{};
        for (int d = 0; d < padded; d += VL) sum = sum + load(s + d);
        mean = sumLanes(sum) / static_cast<float>(width);
      }
      const V centre = splat(mean);
      V squares{};
      for (int64_t d = 0; d < width; d += VL) {
        const V c = load(s + d) - centre;
        if (d + VL <= width) squares = fma(c, c, squares);
        else squares = fma(c, select(lanes() < splatInt(static_cast<int>(width - d)), c, V{}), squares);
      }
      const float inverse = 1.f / sqrtf(sumLanes(squares) / static_cast<float>(width) + args.epsilon);
      args.rowStats[2 * r] = mean;
      args.rowStats[2 * r + 1] = inverse;
      const V scale = splat(inverse);
      float* const y = args.y + r * width;
      for (int64_t d = 0; d < width; d += VL) {
        const V v = fma((load(s + d) - centre) * scale, load(gamma + d), load(beta + d));
        if (d + VL <= width) store(y + d, v);
        else storePart(y + d, v, static_cast<int>(width - d));
      }
    }
  });
}

/**
 * With n = (s − mean) / σ and g = dy · gamma: ds = (g − mean(g) − n · mean(g n)) / σ (without mean(g) for the RMS
 * kind); dResidual = ds, dx = dropout(ds), dGamma = Σ dy n, dBeta = Σ dy.
 */
static void normGradient(const nimue::NormArgs& shared) {
  const int64_t width = shared.width;
  const int padded = roundUp(static_cast<int>(width), VL);
  Scratch<float> gammaRow(padded);
  padRow(shared.gamma, width, gammaRow);
  const int64_t tasks = (shared.numRows + NORM_ROWS_PER_TASK - 1) / NORM_ROWS_PER_TASK;
  Scratch<float> sums(tasks * 2 * padded);
  parallelSlices(shared.numRows, NORM_ROWS_PER_TASK, [&](int64_t row0, int64_t row1) {
    const nimue::NormArgs args = shared;
    const int64_t width = args.width;
    const int padded = roundUp(static_cast<int>(width), VL);
    const float* const gamma = gammaRow;
    Scratch<float> working(2 * padded);
    float *const s = working, *const g = working + padded;
    float* const dGamma = sums + row0 / NORM_ROWS_PER_TASK * 2 * padded;
    float* const dBeta = dGamma + padded;
    memset(dGamma, 0, 2 * padded * sizeof(float));
    for (int64_t r = row0; r < row1; r++) {
      normInput(args, r, s);
      const float* const dy = args.dy + r * width;
      const V centre = splat(args.rowStats[2 * r]), inverse = splat(args.rowStats[2 * r + 1]);
      V sumG{}, sumGN{};
      for (int64_t d = 0; d < width; d += VL) {
        const V grad = d + VL <= width ? load(dy + d) : loadPart(dy + d, static_cast<int>(width - d));
        const V normal = (load(s + d) - centre) * inverse;
        const V weighted = grad * load(gamma + d);
        store(dGamma + d, fma(grad, normal, load(dGamma + d)));
        store(dBeta + d, load(dBeta + d) + grad);
        sumG = sumG + weighted;
        sumGN = fma(weighted, normal, sumGN);
        store(s + d, normal);
        store(g + d, weighted);
      }
      const V meanG = splat(args.rms ? 0.f : sumLanes(sumG) / static_cast<float>(width));
      const V meanGN = splat(sumLanes(sumGN) / static_cast<float>(width));
      const uint32_t hash = rowHash(args.dropout, static_cast<uint32_t>(r));
      for (int64_t d = 0; d < width; d += VL) {
        const V ds = (load(g + d) - meanG - load(s + d) * meanGN) * inverse;
        V dx = ds;
        if (args.dropout.active)
          dx = dropped(args.dropout, ds, keptColumns(args.dropout, hash, static_cast<uint32_t>(d)));
        const int part = static_cast<int>(lesser64(VL, width - d));
        const int64_t at = r * width + d;
        if (part == VL) {
          store(args.dx + at, dx);
          if (args.dResidual) store(args.dResidual + at, ds);
        } else {
          storePart(args.dx + at, dx, part);
          if (args.dResidual) storePart(args.dResidual + at, ds, part);
        }
      }
    }
  });
  for (int64_t d = 0; d < width; d++) {
    float gammaSum = 0.f, betaSum = 0.f;
    for (int64_t t = 0; t < tasks; t++) {
      gammaSum += sums[t * 2 * padded + d];
      betaSum += sums[t * 2 * padded + padded + d];
    }
    shared.dGamma[d] = gammaSum;
    if (shared.dBeta) shared.dBeta[d] = betaSum;
  }
}

}  // namespace
