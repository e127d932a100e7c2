// A diagonal complex linear recurrence over time: sessions side by side, columns are lanes.
#pragma once
#include "scratch.h"
#include "thread-pool.h"
#include "vec-math.h"

namespace {

constexpr int64_t SESSIONS_PER_RECURRENCE = 8;

INLINE V loadColumns(const float* x, int n) { return n == VL ? load(x) : loadPart(x, n); }
INLINE void storeColumns(float* x, V v, int n) {
  if (n == VL) store(x, v);
  else storePart(x, v, n);
}

/** y[t] = λ y[t − 1] + x[t] within each session. */
static void recurrence(const nimue::RecurrenceArgs& args) {
  const int64_t size = args.size, width = 2 * size;
  parallelSlices(args.numSessions, SESSIONS_PER_RECURRENCE, [&](int64_t b0, int64_t b1) {
    for (int64_t d = 0; d < size; d += VL) {
      const int n = static_cast<int>(lesser64(VL, size - d));
      const V real = loadColumns(args.decay + d, n), imaginary = loadColumns(args.decay + size + d, n);
      for (int64_t b = b0; b < b1; b++) {
        V re{}, im{};
        for (int64_t t = args.offsets[b]; t < args.offsets[b + 1]; t++) {
          const float* const x = args.x + t * width + d;
          const V nextRe = real * re - imaginary * im + loadColumns(x, n);
          im = imaginary * re + real * im + loadColumns(x + size, n);
          re = nextRe;
          storeColumns(args.y + t * width + d, re, n);
          storeColumns(args.y + t * width + size + d, im, n);
        }
      }
    }
  });
}

/** dx[t] = dy[t] + conj(λ) dx[t + 1]; dλ = Σ conj(y[t − 1]) dx[t], each slice of sessions on its own, then in order. */
static void recurrenceGradient(const nimue::RecurrenceArgs& args) {
  const int64_t size = args.size, width = 2 * size;
  const int64_t slices = (args.numSessions + SESSIONS_PER_RECURRENCE - 1) / SESSIONS_PER_RECURRENCE;
  Scratch<float> sums(slices * width);
  parallelSlices(args.numSessions, SESSIONS_PER_RECURRENCE, [&](int64_t b0, int64_t b1) {
    float* const sum = sums + b0 / SESSIONS_PER_RECURRENCE * width;
    for (int64_t d = 0; d < size; d += VL) {
      const int n = static_cast<int>(lesser64(VL, size - d));
      const V real = loadColumns(args.decay + d, n), imaginary = loadColumns(args.decay + size + d, n);
      V dReal{}, dImaginary{};
      for (int64_t b = b0; b < b1; b++) {
        V re{}, im{};
        for (int64_t t = args.offsets[b + 1] - 1; t >= args.offsets[b]; t--) {
          const float* const dy = args.dy + t * width + d;
          const V nextRe = real * re + imaginary * im + loadColumns(dy, n);
          im = real * im - imaginary * re + loadColumns(dy + size, n);
          re = nextRe;
          storeColumns(args.dx + t * width + d, re, n);
          storeColumns(args.dx + t * width + size + d, im, n);
          if (t == args.offsets[b]) continue;
          const float* const before = args.savedY + (t - 1) * width + d;
          const V a = loadColumns(before, n), c = loadColumns(before + size, n);
          dReal = dReal + re * a + im * c;
          dImaginary = dImaginary + im * a - re * c;
        }
      }
      storeColumns(sum + d, dReal, n);
      storeColumns(sum + size + d, dImaginary, n);
    }
  });
  for (int64_t i = 0; i < width; i++) {
    float total = 0.f;
    for (int64_t s = 0; s < slices; s++) total += sums[s * width + i];
    args.dDecay[i] = total;
  }
}

}  // namespace
