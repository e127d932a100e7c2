// Optimizer steps in place: on a whole parameter, or on its named rows with a gradient of just these.
#pragma once
#include <math.h>

#include "elementwise.h"

namespace {

/** A whole register, or the first n elements of one. */
struct Whole {};
struct Part {
  int n;
};
INLINE V load(const float* x, Whole) { return load(x); }
INLINE V load(const float* x, Part part) { return loadPart(x, part.n); }
INLINE void store(float* x, V v, Whole) { store(x, v); }
INLINE void store(float* x, V v, Part part) { storePart(x, v, part.n); }

/**
 * `move(at, gradientAt, size)` for every register that moves: where it lies in the parameter and in the gradient. Every
 * task works with a copy of `move`: the constants in it stay in registers only where no store could change them.
 */
template <typename Move>
static void forEachMoved(int64_t count, const nimue::MovedRows& moved, const Move& shared) {
  const auto span = [](const Move& move, int64_t at, int64_t gradientAt, int64_t length) ALWAYS_INLINE {
    int64_t i = 0;
    for (; i + VL <= length; i += VL) move(at + i, gradientAt + i, Whole{});
    if (i < length) move(at + i, gradientAt + i, Part{static_cast<int>(length - i)});
  };
  if (!moved.rows) {
    parallelSlices(count, ELEMENTS_PER_TASK, [&](int64_t i0, int64_t i1) {
      const Move move = shared;
      span(move, i0, i0, i1 - i0);
    });
  } else {
    parallelSlices(moved.numRows, ELEMENTS_PER_TASK / (moved.width + 1) + 1, [&](int64_t r0, int64_t r1) {
      const Move move = shared;
      const int64_t width = moved.width;
      for (int64_t r = r0; r < r1; r++) span(move, moved.rows[r] * width, r * width, width);
    });
  }
}

/** p ← p − η (m̂ / (√v̂ + ε) + λ p) with m and v updated by g + λ₂ p. */
static void adam(const nimue::AdamArgs& args) {
  const V beta1 = splat(static_cast<float>(args.beta1)), rest1 = splat(static_cast<float>(1 - args.beta1));
  const V beta2 = splat(static_cast<float>(args.beta2)), rest2 = splat(static_cast<float>(1 - args.beta2));
  const double correction1 = 1 - pow(args.beta1, static_cast<double>(args.step));
  const double correction2 = 1 - pow(args.beta2, static_cast<double>(args.step));
  const V rate = splat(static_cast<float>(args.learningRate / correction1));
  const V root = splat(static_cast<float>(1 / sqrt(correction2)));
  const V epsilon = splat(static_cast<float>(args.epsilon));
  const V decay = splat(static_cast<float>(args.learningRate * args.weightDecay));
  const V l2 = splat(static_cast<float>(args.l2));
  float *const parameter = args.parameter, *const moment1 = args.moment1, *const moment2 = args.moment2;
  const float* const gradient = args.gradient;
  forEachMoved(args.count, args.moved, [=](int64_t at, int64_t gradientAt, auto size) ALWAYS_INLINE {
    const V p = load(parameter + at, size), g = fma(l2, p, load(gradient + gradientAt, size));
    const V m = fma(beta1, load(moment1 + at, size), rest1 * g);
    const V v = fma(beta2, load(moment2 + at, size), rest2 * g * g);
    store(parameter + at, p - fma(rate, m / fma(vsqrt(v), root, epsilon), decay * p), size);
    store(moment1 + at, m, size);
    store(moment2 + at, v, size);
  });
}

/** a ← a + g², b ← μ b + η (g / √(a + ε) + λ p), p ← p − b; without momentum b is the last term and not kept. */
static void adagrad(const nimue::AdagradArgs& args) {
  const V rate = splat(static_cast<float>(args.learningRate)), epsilon = splat(static_cast<float>(args.epsilon));
  const V momentum = splat(static_cast<float>(args.momentum));
  const V decay = splat(static_cast<float>(args.learningRate * args.weightDecay));
  float *const parameter = args.parameter, *const accumulator = args.accumulator, *const velocity = args.velocity;
  const float* const gradient = args.gradient;
  forEachMoved(args.count, args.moved, [=](int64_t at, int64_t gradientAt, auto size) ALWAYS_INLINE {
    const V p = load(parameter + at, size), g = load(gradient + gradientAt, size);
    const V sum = fma(g, g, load(accumulator + at, size));
    V update = fma(decay, p, rate * g / vsqrt(sum + epsilon));
    if (velocity) {
      update = fma(momentum, load(velocity + at, size), update);
      store(velocity + at, update, size);
    }
    store(accumulator + at, sum, size);
    store(parameter + at, p - update, size);
  });
}

/** b ← μ b + g + λ p, p ← p − η b; without momentum b is g + λ p and not kept. */
static void sgd(const nimue::SgdArgs& args) {
  const V rate = splat(static_cast<float>(args.learningRate)), momentum = splat(static_cast<float>(args.momentum));
  const V decay = splat(static_cast<float>(args.weightDecay));
  float *const parameter = args.parameter, *const velocity = args.velocity;
  const float* const gradient = args.gradient;
  forEachMoved(args.count, args.moved, [=](int64_t at, int64_t gradientAt, auto size) ALWAYS_INLINE {
    const V p = load(parameter + at, size);
    V direction = fma(decay, p, load(gradient + gradientAt, size));
    if (velocity) {
      direction = fma(momentum, load(velocity + at, size), direction);
      store(velocity + at, direction, size);
    }
    store(parameter + at, p - rate * direction, size);
  });
}

}  // namespace
