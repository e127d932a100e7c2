// One layer of gated recurrent units over time. The input's part of the gates is one product over all positions; the
// recurrent part runs in groups of sessions, longest first, so that the active ones of a step are always a prefix.
#pragma once
#include "attention.h"
#include "elementwise.h"
#include "gemm.h"

namespace {

struct GruPlan {
  int groupSize;
  int64_t groups;
  int padded;
  /** Row strides of the staged recurrent weights [D, 3 · padded] and of their transpose [3 · padded, padded]. */
  int64_t gateStride, widthStride;
};

static GruPlan planGru(const nimue::GruArgs& args) {
  GruPlan p;
  const int64_t wanted = (args.numSessions + 7) / 8;
  p.groupSize = roundUp(static_cast<int>(lesser64(48, wanted > MR ? wanted : MR)), MR);
  p.groups = (args.numSessions + p.groupSize - 1) / p.groupSize;
  p.padded = roundUp(static_cast<int>(args.width), VL);
  p.gateStride = spreadStride(3 * p.padded);
  p.widthStride = spreadStride(p.padded);
  return p;
}

/** A row [3 D] as three parts of whole registers each, 0 between. */
INLINE void stageGates(const float* from, int64_t fromStride, int64_t rows, int width, int padded, float* to,
                       int64_t toStride) {
  for (int gate = 0; gate < 3; gate++)
    stageRows(from + gate * width, fromStride, rows, width, padded, to + gate * padded, toStride);
}

struct GruGroup {
  const int32_t* sessions;
  int count;
  int32_t longest;
};

INLINE int32_t lengthOf(const nimue::GruArgs& args, int32_t session) {
  return args.offsets[session + 1] - args.offsets[session];
}

template <typename Body>
static void forEachGroup(const nimue::GruArgs& args, const GruPlan& p, const Body& body) {
  Scratch<int32_t> order(args.numSessions);
  sortSessions(args.offsets, args.numSessions, order);
  parallelSlices(p.groups, 1, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++) {
      const int32_t* sessions = order + i * p.groupSize;
      const int count = static_cast<int>(lesser64(p.groupSize, args.numSessions - i * p.groupSize));
      body(GruGroup{sessions, count, lengthOf(args, sessions[0])});
    }
  });
}

INLINE int activeAt(const nimue::GruArgs& args, const GruGroup& g, int32_t step, int before) {
  while (before > 0 && lengthOf(args, g.sessions[before - 1]) <= step) before--;
  return before;
}

static void gru(const nimue::GruArgs& args) {
  const GruPlan p = planGru(args);
  const int64_t width = args.width, gates = 3 * width;
  Scratch<float> fromInput(args.numPositions * gates);
  Gemm g{args.numPositions, gates, args.inputs, args.x, args.inputs, 1, args.inputWeights, gates, 1, fromInput, gates};
  g.bias = args.inputBias;
  gemm(g);
  Scratch<float> weights(width * p.gateStride), bias(3 * p.padded);
  stageGates(args.recurrentWeights, gates, width, static_cast<int>(width), p.padded, weights, p.gateStride);
  stageGates(args.recurrentBias, gates, 1, static_cast<int>(width), p.padded, bias, p.gateStride);
  forEachGroup(args, p, [&](const GruGroup& group) {
    Scratch<float> hidden(p.groupSize * p.padded), recurrent(p.groupSize * p.gateStride);
    memset(hidden, 0, p.groupSize * p.padded * sizeof(float));
    int active = group.count;
    for (int32_t step = 0; step < group.longest; step++) {
      active = activeAt(args, group, step, active);
      if (step == 0) {
        for (int i = 0; i < active; i++) memset(recurrent + i * p.gateStride, 0, 3 * p.padded * sizeof(float));
      } else {
        blockProduct<false>(active, 3 * p.padded, width,
                            Tile{hidden, p.padded, 1, weights, p.gateStride, recurrent, p.gateStride});
      }
      for (int i = 0; i < active; i++) {
        const int64_t row = args.offsets[group.sessions[i]] + step;
        const float *const in = fromInput + row * gates, *const rec = recurrent + i * p.gateStride;
        float *const h = hidden + i * p.padded, *const y = args.y + row * width, *const saved = args.saved + row * 4 * width;
        for (int64_t d = 0; d < width; d += VL) {
          const int n = static_cast<int>(lesser64(VL, width - d));
          const bool full = n == VL;
          const auto at = [&](const float* from) { return full ? load(from + d) : loadPart(from + d, n); };
          const auto to = [&](float* out, V v) { full ? store(out + d, v) : storePart(out + d, v, n); };
          const V r = vsigmoid(at(in) + load(rec + d) + load(bias + d));
          const V z = vsigmoid(at(in + width) + load(rec + p.padded + d) + load(bias + p.padded + d));
          const V u = load(rec + 2 * p.padded + d) + load(bias + 2 * p.padded + d);
          const V c = vtanh(fma(r, u, at(in + 2 * width)));
          const V next = fma(z, load(h + d) - c, c);
          store(h + d, next);
          to(y, next);
          to(saved, r), to(saved + width, z), to(saved + 2 * width, c), to(saved + 3 * width, u);
        }
      }
    }
  });
}

static void gruGradient(const nimue::GruArgs& args) {
  const GruPlan p = planGru(args);
  const int64_t width = args.width, gates = 3 * width;
  // Gradients of the gates' input side and recurrent side, and the state before every position.
  Scratch<float> dInput(args.numPositions * gates), dRecurrent(args.numPositions * gates);
  Scratch<float> before(args.numPositions * width);
  const int64_t transposedRows = 3 * p.padded;
  Scratch<float> weightsT(transposedRows * p.widthStride);
  memset(weightsT, 0, transposedRows * p.widthStride * sizeof(float));
  for (int gate = 0; gate < 3; gate++)
    for (int64_t d = 0; d < width; d++)
      for (int64_t j = 0; j < width; j++)
        weightsT[(gate * p.padded + j) * p.widthStride + d] = args.recurrentWeights[d * gates + gate * width + j];
  forEachGroup(args, p, [&](const GruGroup& group) {
    Scratch<float> carry(p.groupSize * p.padded), dGates(p.groupSize * p.gateStride);
    memset(carry, 0, p.groupSize * p.padded * sizeof(float));
    for (int32_t step = group.longest - 1; step >= 0; step--) {
      const int active = activeAt(args, group, step, group.count);
      for (int i = 0; i < active; i++) {
        const int64_t row = args.offsets[group.sessions[i]] + step;
        const float *const saved = args.savedGates + row * 4 * width, *const dy = args.dy + row * width;
        float *const dIn = dInput + row * gates, *const dRec = dRecurrent + row * gates;
        float *const dg = dGates + i * p.gateStride, *const h = carry + i * p.padded, *const prior = before + row * width;
        for (int64_t d = 0; d < width; d += VL) {
          const int n = static_cast<int>(lesser64(VL, width - d));
          const bool full = n == VL;
          const auto at = [&](const float* from) { return full ? load(from + d) : loadPart(from + d, n); };
          const auto to = [&](float* out, V v) { full ? store(out + d, v) : storePart(out + d, v, n); };
          const V one = splat(1.f);
          const V r = at(saved), z = at(saved + width), c = at(saved + 2 * width), u = at(saved + 3 * width);
          const V last = step > 0 ? at(args.savedY + (row - 1) * width) : V{};
          const V dh = at(dy) + load(h + d);
          const V dz = dh * (last - c) * z * (one - z);
          const V dc = dh * (one - z) * (one - c * c);
          const V dr = dc * u * r * (one - r);
          const V du = dc * r;
          to(prior, last);
          to(dIn, dr), to(dIn + width, dz), to(dIn + 2 * width, dc);
          to(dRec, dr), to(dRec + width, dz), to(dRec + 2 * width, du);
          store(dg + d, dr), store(dg + p.padded + d, dz), store(dg + 2 * p.padded + d, du);
          store(h + d, dh * z);
        }
      }
      if (step > 0) {
        blockProduct<true>(active, p.padded, transposedRows,
                           Tile{dGates, p.gateStride, 1, weightsT, p.widthStride, carry, p.padded});
      }
    }
  });
  gemm(Gemm{args.numPositions, args.inputs, gates, dInput, gates, 1, args.inputWeights, 1, gates, args.dx, args.inputs});
  gemm(Gemm{args.inputs, gates, args.numPositions, args.x, 1, args.inputs, dInput, gates, 1, args.dInputWeights, gates});
  gemm(Gemm{width, gates, args.numPositions, before, 1, width, dRecurrent, gates, 1, args.dRecurrentWeights, gates});
  columnSums(dInput, args.numPositions, gates, args.dInputBias);
  columnSums(dRecurrent, args.numPositions, gates, args.dRecurrentBias);
}

}  // namespace
