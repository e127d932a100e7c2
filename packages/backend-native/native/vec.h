// One register of floats and what the kernels do with it, for the instruction set this file is compiled for.
// V: VL floats. VI: VL 32-bit integers. A micro-kernel tile is MR rows by NV registers.
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))
/** After a lambda's parameters: its body is laid into every place that calls it. */
#define ALWAYS_INLINE __attribute__((always_inline))

namespace {

#if defined(__AVX512F__)
constexpr int VL = 16, MR = 12, NV = 2;
#elif defined(__AVX2__)
constexpr int VL = 8, MR = 6, NV = 2;
#elif defined(__ARM_NEON)
constexpr int VL = 4, MR = 12, NV = 2;
#else
constexpr int VL = 4, MR = 4, NV = 2;
#endif

typedef float V __attribute__((vector_size(VL * 4), may_alias));
typedef int32_t VI __attribute__((vector_size(VL * 4), may_alias));
typedef uint32_t VU __attribute__((vector_size(VL * 4), may_alias));
typedef float UnalignedV __attribute__((vector_size(VL * 4), aligned(4)));

INLINE V load(const float* p) { return *reinterpret_cast<const UnalignedV*>(p); }
INLINE void store(float* p, V v) { *reinterpret_cast<UnalignedV*>(p) = v; }
INLINE V splat(float x) { return x - V{}; }
INLINE VI splatInt(int32_t x) { return x - VI{}; }
INLINE VU splatBits(uint32_t x) { return x - VU{}; }
INLINE VI asInt(V v) { return reinterpret_cast<VI>(v); }
INLINE V asFloat(VI v) { return reinterpret_cast<V>(v); }
/** Lane numbers 0 … VL − 1. */
INLINE VI lanes() {
  VI v{};
  for (int i = 0; i < VL; i++) v[i] = i;
  return v;
}

/** a · b + c, rounded once where the processor can. */
INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON)
  return (V)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

/** The larger one; `b` where either is NaN. */
INLINE V vmax(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (V)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (V)_mm_max_ps((__m128)a, (__m128)b);
#else
  return asFloat((asInt(a) & (a > b)) | (asInt(b) & ~(a > b)));
#endif
}

/** The smaller one; `b` where either is NaN. */
INLINE V vmin(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (V)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (V)_mm_min_ps((__m128)a, (__m128)b);
#else
  return asFloat((asInt(a) & (a < b)) | (asInt(b) & ~(a < b)));
#endif
}

INLINE V vsqrt(V a) {
#if defined(__AVX512F__)
  return (V)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX2__)
  return (V)_mm256_sqrt_ps((__m256)a);
#elif defined(__SSE2__)
  return (V)_mm_sqrt_ps((__m128)a);
#else
  return (V)vsqrtq_f32((float32x4_t)a);
#endif
}

INLINE V vabs(V a) { return asFloat(asInt(a) & splatInt(0x7fffffff)); }
INLINE V select(VI mask, V yes, V no) { return asFloat((asInt(yes) & mask) | (asInt(no) & ~mask)); }

/** Sum of all lanes, always in the same order: the upper half is added to the lower one until one lane is left. */
INLINE float sumLanes(V v) {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#else
  const __m256 half = (__m256)v;
#endif
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
  float lane[VL];
  memcpy(lane, &v, sizeof lane);
  for (int width = VL / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  return lane[0];
#endif
}

/** The first n lanes of p, 0 beyond. */
INLINE V loadPart(const float* p, int n) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  V v{};
  memcpy(&v, p, n * sizeof(float));
  return v;
#endif
}

INLINE void storePart(float* p, V v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  memcpy(p, &v, n * sizeof(float));
#endif
}

/** A truth value as a type, for lambdas that need one at compile time. */
struct False {
  static constexpr bool value = false;
};
struct True {
  static constexpr bool value = true;
};

INLINE int roundUp(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }
INLINE int lesser(int a, int b) { return a < b ? a : b; }
INLINE int greater(int a, int b) { return a > b ? a : b; }
INLINE int64_t lesser64(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace
