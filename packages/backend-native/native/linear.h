// y = activation(x · weights + bias) and its gradient.
#pragma once
#include "elementwise.h"
#include "gemm.h"
#include "linear-bf16.h"

namespace {

static void linear(const nimue::LinearArgs& args) {
  Gemm g{args.numRows, args.outputs, args.inputs, args.x, args.inputs, 1, args.weights, args.outputs, 1,
         args.y, args.outputs};
  g.bias = args.bias, g.activation = args.activation, g.preActivation = args.preActivation;
  usesPairs(args) ? pairGemm(g) : gemm(g);
}

/** dy · activation′, from the value where that is enough and from the pre-activation otherwise. */
template <nimue::Activation KIND>
INLINE V activationGradient(V dy, V y, V z) {
  const V one = splat(1.f);
  if constexpr (KIND == nimue::RELU) return select(y > V{}, dy, V{});
  if constexpr (KIND == nimue::TANH) return dy * (one - y * y);
  if constexpr (KIND == nimue::SIGMOID) return dy * y * (one - y);
  if constexpr (KIND == nimue::GELU) return dy * fma(z, vnormalPdf(z), vnormalCdf(z));
  if constexpr (KIND == nimue::SILU) {
    const V s = vsigmoid(z);
    return dy * s * fma(z, one - s, one);
  }
  return dy;
}

template <nimue::Activation KIND>
static void backThroughActivation(const nimue::LinearArgs& args, float* dz) {
  const float* const z = args.savedPreActivation ? args.savedPreActivation : args.savedY;
  parallelSlices(args.numRows * args.outputs, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += VL) {
      if (i + VL <= end) {
        store(dz + i, activationGradient<KIND>(load(args.dy + i), load(args.savedY + i), load(z + i)));
      } else {
        const int n = static_cast<int>(end - i);
        storePart(dz + i, activationGradient<KIND>(loadPart(args.dy + i, n), loadPart(args.savedY + i, n), loadPart(z + i, n)), n);
      }
    }
  });
}

static void linearGradient(const nimue::LinearArgs& args) {
  const int64_t size = args.numRows * args.outputs;
  Scratch<float> scratch(args.activation == nimue::NONE ? 0 : size);
  const float* dz = args.activation == nimue::NONE ? args.dy : static_cast<const float*>(scratch);
  switch (args.activation) {
    case nimue::NONE: break;
    case nimue::RELU: backThroughActivation<nimue::RELU>(args, scratch); break;
    case nimue::GELU: backThroughActivation<nimue::GELU>(args, scratch); break;
    case nimue::SILU: backThroughActivation<nimue::SILU>(args, scratch); break;
    case nimue::TANH: backThroughActivation<nimue::TANH>(args, scratch); break;
    case nimue::SIGMOID: backThroughActivation<nimue::SIGMOID>(args, scratch); break;
  }
  if (usesPairs(args)) {
    linearPairGradients(args, dz);
  } else {
    gemm(Gemm{args.numRows, args.inputs, args.outputs, dz, args.outputs, 1, args.weights, 1, args.outputs, args.dx,
              args.inputs});
    gemm(Gemm{args.inputs, args.outputs, args.numRows, args.x, 1, args.inputs, dz, args.outputs, 1, args.dWeights,
              args.outputs});
  }
  if (args.dBias) columnSums(dz, args.numRows, args.outputs, args.dBias);
}

}  // namespace
