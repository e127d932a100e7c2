// Compiled once per instruction set: NIMUE_ISA names the copy.
#include "attention.h"
#include "elementwise.h"
#include "gemm.h"
#include "gru.h"
#include "head.h"
#include "linear.h"
#include "norm.h"
#include "optimizers.h"
#include "recurrence.h"
#include "rows.h"
#include "sample.h"
#include "sampled-head.h"
#include "scores.h"
#include <time.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

namespace {

/** Independent multiply-adds in registers only: what no kernel can exceed. */
static double measurePeak() {
  constexpr int REGISTERS = MR * NV > 12 ? 24 : 12, ROUNDS = 40000;
  double best = 0;
  for (int attempt = 0; attempt < 12; attempt++) {
    const int tasks = nimue::numThreads() * 4;
    timespec start, end;
    Scratch<float> sink(tasks);
    clock_gettime(CLOCK_MONOTONIC, &start);
    parallelFor(tasks, [&](int task) {
      V sum[REGISTERS];
#pragma GCC unroll 24
      for (int i = 0; i < REGISTERS; i++) sum[i] = splat(static_cast<float>(i));
      V factor = splat(0.999f);
      asm volatile("" : "+m"(factor));
      for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 24
        for (int i = 0; i < REGISTERS; i++) sum[i] = fma(sum[i], factor, factor);
      }
      // Unrolled as well: with an index the sums would have to live in memory, and one of them did during the rounds.
#pragma GCC unroll 24
      for (int i = 1; i < REGISTERS; i++) sum[0] = sum[0] + sum[i];
      sink[task] = sumLanes(sum[0]);
    });
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double seconds = (end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec);
    const double rate = 2.0 * VL * REGISTERS * ROUNDS * tasks / seconds;
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace

namespace nimue {

extern const KernelTable JOIN(kernels_, NIMUE_ISA);
const KernelTable JOIN(kernels_, NIMUE_ISA) = {
    TEXT(NIMUE_ISA), [] { return hasBf16(); }, matMul,      gather,       scatter,  embed,     residualAdd, norm,       normGradient,
    linear,          linearGradient, attention, attentionGradient, gru, gruGradient, recurrence, recurrenceGradient, softmaxHead, sampledHead, scoreCatalogue, sampleItems,
    adam,        adagrad,      sgd,           sumSquares,   scaleElements, binary, unary,     columnSums, rowSums,
    transpose,       measurePeak, evaluate,
};

}  // namespace nimue
