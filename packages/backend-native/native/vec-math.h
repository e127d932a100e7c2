// exp, sigmoid, tanh and the normal distribution on registers; a few units in the last place.
#pragma once
#include "vec.h"

namespace {

/**
 * eˣ: 2ⁿ · eʳ with r = x − n ln 2 in two parts and a polynomial of degree 6 (Cephes expf); about 1 ulp. Below −87.3 it
 * stays at 1.2e-38, above 88.7 at 3.2e38; NaN stays NaN.
 */
INLINE V vexp(V x) {
  x = vmin(splat(88.72f), vmax(splat(-87.33f), x));
  const V magic = splat(12582912.f);
  V t = fma(x, splat(1.44269504088896341f), magic);
  V n = t - magic;
  V r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  V p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r) + splat(1.f);
  return asFloat(asInt(p) + (asInt(t) << 23));
}

/**
 * x[i] = e^x[i] for x ≤ 88, about 1 ulp, as `vexp` but step by step for all K registers: neighbours in the program are
 * then independent of each other, which keeps the multipliers busy where one register would wait for its own results.
 */
template <int K>
INLINE void vexpAll(V (&x)[K]) {
  V t[K], r[K], p[K];
  const V magic = splat(12582912.f);
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) x[i] = vmax(splat(-87.33f), x[i]);
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) t[i] = fma(x[i], splat(1.44269504088896341f), magic);
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) r[i] = fma(t[i] - magic, splat(-0.693359375f), x[i]);
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) r[i] = fma(t[i] - magic, splat(2.12194440e-4f), r[i]);
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(splat(1.9875691500e-4f), r[i], splat(1.3981999507e-3f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(8.3334519073e-3f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(4.1665795894e-2f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(1.6666665459e-1f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(5.0000001201e-1f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(1.f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) p[i] = fma(p[i], r[i], splat(1.f));
#pragma GCC unroll 8
  for (int i = 0; i < K; i++) x[i] = asFloat(asInt(p[i]) + (asInt(t[i]) << 23));
}

INLINE V vsigmoid(V x) { return splat(1.f) / (splat(1.f) + vexp(-x)); }

/** tanh x: an odd polynomial below 0.625, 1 − 2 / (e²ˣ + 1) above (Cephes tanhf). */
INLINE V vtanh(V x) {
  const V a = vabs(x);
  const V s = x * x;
  V p = splat(-5.70498872745e-3f);
  p = fma(p, s, splat(2.06390887954e-2f));
  p = fma(p, s, splat(-5.37397155531e-2f));
  p = fma(p, s, splat(1.33314422036e-1f));
  p = fma(p, s, splat(-3.33332819422e-1f));
  const V small = fma(p * s, x, x);
  const V magnitude = splat(1.f) - splat(2.f) / (vexp(a + a) + splat(1.f));
  const V large = asFloat(asInt(magnitude) | (asInt(x) & splatInt(static_cast<int32_t>(0x80000000))));
  return select(a < splat(0.625f), small, large);
}

/** Φ(x) = erfc(−x / √2) / 2, erfc as in Numerical Recipes (2nd ed., §6.2): relative error below 1.2e-7. */
INLINE V vnormalCdf(V x) {
  const V z = vabs(x) * splat(0.70710678118654752f);
  const V t = splat(1.f) / fma(z, splat(0.5f), splat(1.f));
  V e = splat(0.17087277f);
  e = fma(e, t, splat(-0.82215223f));
  e = fma(e, t, splat(1.48851587f));
  e = fma(e, t, splat(-1.13520398f));
  e = fma(e, t, splat(0.27886807f));
  e = fma(e, t, splat(-0.18628806f));
  e = fma(e, t, splat(0.09678418f));
  e = fma(e, t, splat(0.37409196f));
  e = fma(e, t, splat(1.00002368f));
  e = fma(e, t, splat(-1.26551223f));
  const V tail = splat(0.5f) * t * vexp(e - z * z);
  return select(x >= splat(0.f), splat(1.f) - tail, tail);
}

/** Standard normal density. */
INLINE V vnormalPdf(V x) { return splat(0.39894228040143268f) * vexp(x * x * splat(-0.5f)); }

}  // namespace
