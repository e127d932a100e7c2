// Optimizer steps in place: on a whole parameter, or on its named rows with a gradient of just these.
#pragma once
#include <math.h>

#include "elementwise.h"

namespace {

INLINE V loadUpTo(const float* x, int n) { return n == VL ? load(x) : loadPart(x, n); }
INLINE void storeUpTo(float* x, V v, int n) {
  if (n == VL) store(x, v);
  else storePart(x, v, n);
}

/** `move(at, gradientAt, n)` for every register of n elements that moves: where it lies in the parameter and in the gradient. */
template <typename Move>
static void forEachMoved(int64_t count, const nimue::MovedRows& moved, const Move& move) {
  const auto span = [&](int64_t at, int64_t gradientAt, int64_t length) {
    for (; length > 0; at += VL, gradientAt += VL, length -= VL) move(at, gradientAt, static_cast<int>(lesser64(VL, length)));
  };
  if (!moved.rows) {
    parallelSlices(count, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) { span(i0, i0, i1 - i0); });
  } else {
    parallelSlices(moved.numRows, ELEMENTS_PER_TASK / (moved.width + 1) + 1, [&](int64_t r0, int64_t r1) {
      for (int64_t r = r0; r < r1; r++) span(moved.rows[r] * moved.width, r * moved.width, moved.width);
    });
  }
}

/** p ← p − η (m̂ / (√v̂ + ε) + λ p) with m and v updated. */
static void adam(const nimue::AdamArgs& args) {
  const V beta1 = splat(static_cast<float>(args.beta1)), rest1 = splat(static_cast<float>(1 - args.beta1));
  const V beta2 = splat(static_cast<float>(args.beta2)), rest2 = splat(static_cast<float>(1 - args.beta2));
  const double correction1 = 1 - pow(args.beta1, static_cast<double>(args.step));
  const double correction2 = 1 - pow(args.beta2, static_cast<double>(args.step));
  const V rate = splat(static_cast<float>(args.learningRate / correction1));
  const V root = splat(static_cast<float>(1 / sqrt(correction2)));
  const V epsilon = splat(static_cast<float>(args.epsilon));
  const V decay = splat(static_cast<float>(args.learningRate * args.weightDecay));
  forEachMoved(args.count, args.moved, [&](int64_t at, int64_t gradientAt, int n) {
    const V p = loadUpTo(args.parameter + at, n), g = loadUpTo(args.gradient + gradientAt, n);
    const V m = fma(beta1, loadUpTo(args.moment1 + at, n), rest1 * g);
    const V v = fma(beta2, loadUpTo(args.moment2 + at, n), rest2 * g * g);
    storeUpTo(args.parameter + at, p - fma(rate, m / fma(vsqrt(v), root, epsilon), decay * p), n);
    storeUpTo(args.moment1 + at, m, n);
    storeUpTo(args.moment2 + at, v, n);
  });
}

/** a ← a + g², b ← μ b + η (g / √(a + ε) + λ p), p ← p − b; without momentum b is the last term and not kept. */
static void adagrad(const nimue::AdagradArgs& args) {
  const V rate = splat(static_cast<float>(args.learningRate)), epsilon = splat(static_cast<float>(args.epsilon));
  const V momentum = splat(static_cast<float>(args.momentum));
  const V decay = splat(static_cast<float>(args.learningRate * args.weightDecay));
  forEachMoved(args.count, args.moved, [&](int64_t at, int64_t gradientAt, int n) {
    const V p = loadUpTo(args.parameter + at, n), g = loadUpTo(args.gradient + gradientAt, n);
    const V sum = fma(g, g, loadUpTo(args.accumulator + at, n));
    V update = fma(decay, p, rate * g / vsqrt(sum + epsilon));
    if (args.velocity) {
      update = fma(momentum, loadUpTo(args.velocity + at, n), update);
      storeUpTo(args.velocity + at, update, n);
    }
    storeUpTo(args.accumulator + at, sum, n);
    storeUpTo(args.parameter + at, p - update, n);
  });
}

/** b ← μ b + g + λ p, p ← p − η b; without momentum b is g + λ p and not kept. */
static void sgd(const nimue::SgdArgs& args) {
  const V rate = splat(static_cast<float>(args.learningRate)), momentum = splat(static_cast<float>(args.momentum));
  const V decay = splat(static_cast<float>(args.weightDecay));
  forEachMoved(args.count, args.moved, [&](int64_t at, int64_t gradientAt, int n) {
    const V p = loadUpTo(args.parameter + at, n);
    V direction = fma(decay, p, loadUpTo(args.gradient + gradientAt, n));
    if (args.velocity) {
      direction = fma(momentum, loadUpTo(args.velocity + at, n), direction);
      storeUpTo(args.velocity + at, direction, n);
    }
    storeUpTo(args.parameter + at, p - rate * direction, n);
  });
}

}  // namespace
