// Loss over the target and K sampled negatives per row, with gradients for hidden, table and bias.
//
// Logits Z[row, candidate] come from one matrix product when the negatives are shared, and from dot products when every row
// has its own; a row's loss (sampled-losses.h) turns its logits into d loss / d logit in place. The table's gradient is
// added up item by item in the order of the rows, so that neither threads nor blocks change a bit.
#pragma once
#include "gemm.h"
#include "rows.h"
#include "sampled-losses.h"

namespace {

/** Most logits against shared negatives at a time. */
constexpr int64_t MAX_SAMPLED_LOGITS = int64_t(4) << 20;

static float dotProduct(const float* a, const float* b, int64_t width) {
  V sum{};
  for (int64_t d = 0; d < width; d += VL) {
    const int part = static_cast<int>(lesser64(VL, width - d));
    sum = part == VL ? fma(load(a + d), load(b + d), sum) : fma(loadPart(a + d, part), loadPart(b + d, part), sum);
  }
  return sumLanes(sum);
}

/** y += factor · x */
static void addScaled(float factor, const float* x, int64_t width, float* y) {
  const V f = splat(factor);
  for (int64_t d = 0; d < width; d += VL) {
    const int part = static_cast<int>(lesser64(VL, width - d));
    if (part == VL) store(y + d, fma(f, load(x + d), load(y + d)));
    else storePart(y + d, fma(f, loadPart(x + d, part), loadPart(y + d, part)), part);
  }
}

/** What one call works on. Logits have rows of whole registers. */
struct SampledSpace {
  int64_t stride;
  /** [K, D], shared negatives only: their vectors, the gradient of these and of their biases, bias − logQ. */
  const float* items;
  float *dItems, *dItemBias;
  const float* shift;
  /** [rows of a block, stride] */
  float* logits;
  /** [N] */
  float *rowLoss, *dTarget;
};

/** Losses of the rows row0 … row1 − 1 and the gradient of every logit; the first of them is row `first` of the logits. */
static void sampledRows(const nimue::SampledHeadArgs& args, const SampledSpace& space, int64_t first, int64_t row0,
                        int64_t row1) {
  const int64_t K = args.numNegatives, width = args.width;
  for (int64_t n = row0; n < row1; n++) {
    const int32_t target = args.targetIds[n];
    const float* const hidden = args.hidden + n * width;
    const int32_t* const ids = args.negativeIds + (args.shared ? 0 : n * K);
    float* const z = space.logits + (n - first) * space.stride;
    if (args.shared) {
      for (int64_t k = 0; k < K; k++) z[k] = ids[k] == target ? MASKED_LOGIT : z[k] + space.shift[k];
      if (args.excludedOffsets) {
        for (int32_t i = args.excludedOffsets[n]; i < args.excludedOffsets[n + 1]; i++) z[args.excludedPlaces[i]] = MASKED_LOGIT;
      }
    } else {
      for (int64_t k = 0; k < K; k++) {
        if (ids[k] == target) {
          z[k] = MASKED_LOGIT;
          continue;
        }
        z[k] = dotProduct(hidden, args.table + ids[k] * width, width);
        if (args.bias) z[k] += args.bias[ids[k]];
        if (args.logQNegatives) z[k] -= args.logQNegatives[n * K + k];
      }
    }
    for (int64_t k = K; k < space.stride; k++) z[k] = MASKED_LOGIT;
    SampledRow row{dotProduct(hidden, args.table + target * width, width), z, space.stride,
                   1.f / static_cast<float>(args.numRows), 0};
    if (args.bias) row.target += args.bias[target];
    if (args.logQTargets) row.target -= args.logQTargets[n];
    space.rowLoss[n] = sampledRowLoss(args, row);
    space.dTarget[n] = row.dTarget;
  }
}

/** dTable and dBias: every item adds up its targets in order of the rows, then its negatives in theirs. */
static void sampledTableGradient(const nimue::SampledHeadArgs& args, const SampledSpace& space) {
  const int64_t width = args.width, K = args.numNegatives, N = args.numRows;
  const int64_t negatives = args.shared ? K : N * K, entries = N + negatives;
  Scratch<int32_t> start(args.numItems + 1), sources(entries);
  memset(start, 0, (args.numItems + 1) * sizeof(int32_t));
  for (int64_t n = 0; n < N; n++) start[args.targetIds[n]]++;
  for (int64_t i = 0; i < negatives; i++) start[args.negativeIds[i]]++;
  int32_t total = 0;
  for (int64_t r = 0; r <= args.numItems; r++) total += start[r], start[r] = total;
  for (int64_t i = negatives - 1; i >= 0; i--) sources[--start[args.negativeIds[i]]] = static_cast<int32_t>(N + i);
  for (int64_t n = N - 1; n >= 0; n--) sources[--start[args.targetIds[n]]] = static_cast<int32_t>(n);
  parallelSlices(args.numItems, rowsPerTask(width), [&](int64_t row0, int64_t row1) {
    memset(args.dTable + row0 * width, 0, (row1 - row0) * width * sizeof(float));
    if (args.dBias) memset(args.dBias + row0, 0, (row1 - row0) * sizeof(float));
    for (int64_t r = row0; r < row1; r++) {
      for (int32_t s = start[r]; s < start[r + 1]; s++) {
        const int64_t i = sources[s] - N;
        const float* x;
        float factor, dBias;
        if (i < 0) {
          factor = dBias = space.dTarget[i + N], x = args.hidden + (i + N) * width;
        } else if (args.shared) {
          factor = 1, dBias = args.dBias ? space.dItemBias[i] : 0, x = space.dItems + i * width;
        } else {
          factor = dBias = space.logits[i / K * space.stride + i % K], x = args.hidden + i / K * width;
        }
        addScaled(factor, x, width, args.dTable + r * width);
        if (args.dBias) args.dBias[r] += dBias;
      }
    }
  });
}

static void sampledHead(const nimue::SampledHeadArgs& args) {
  const bool gradients = args.dHidden != nullptr;
  const int64_t width = args.width, K = args.numNegatives, N = args.numRows;
  SampledSpace space;
  space.stride = (K + VL - 1) / VL * VL;
  const int64_t blockRows = args.shared ? lesser64(N, MAX_SAMPLED_LOGITS / space.stride + 1) : N;
  const int64_t shared = args.shared ? 1 : 0, dShared = shared && gradients ? 1 : 0;
  Scratch<float> logits(blockRows * space.stride), rowLoss(N), dTarget(N);
  Scratch<float> items(shared * K * width), shift(shared * K);
  Scratch<float> dItems(dShared * K * width), dItemBias(dShared * space.stride);
  const bool several = dShared && blockRows < N;
  Scratch<float> dItemsPart(several ? K * width : 0), dItemBiasPart(several ? space.stride : 0);
  space.logits = logits, space.rowLoss = rowLoss, space.dTarget = dTarget, space.items = items, space.shift = shift;
  space.dItems = dItems, space.dItemBias = dItemBias;
  if (args.shared) {
    gather(nimue::GatherArgs{args.table, args.negativeIds, K, width, items});
    for (int64_t k = 0; k < K; k++) {
      shift[k] = args.bias ? args.bias[args.negativeIds[k]] : 0;
      if (args.logQNegatives) shift[k] -= args.logQNegatives[k];
    }
  }
  for (int64_t first = 0; first < N; first += blockRows) {
    const int64_t rows = lesser64(blockRows, N - first);
    const float* const hidden = args.hidden + first * width;
    if (args.shared) gemm(Gemm{rows, K, width, hidden, width, 1, items, 1, width, logits, space.stride});
    parallelSlices(rows, greater(1, static_cast<int>(lesser64(64, 16384 / space.stride))), [&](int64_t r0, int64_t r1) {
      sampledRows(args, space, first, first + r0, first + r1);
    });
    if (!gradients) continue;
    float* const dHidden = args.dHidden + first * width;
    if (args.shared) {
      gemm(Gemm{rows, width, K, logits, space.stride, 1, items, width, 1, dHidden, width});
      const bool add = first > 0;
      float *const toItems = add ? dItemsPart : dItems, *const toBias = add ? dItemBiasPart : dItemBias;
      gemm(Gemm{K, width, rows, logits, 1, space.stride, hidden, width, 1, toItems, width});
      if (args.dBias) columnSums(logits, rows, space.stride, toBias);
      if (add) {
        addScaled(1, toItems, K * width, dItems);
        if (args.dBias) addScaled(1, toBias, space.stride, dItemBias);
      }
    }
    parallelSlices(rows, rowsPerTask(width), [&](int64_t r0, int64_t r1) {
      for (int64_t r = r0; r < r1; r++) {
        const int64_t n = first + r;
        float* const to = dHidden + r * width;
        if (!args.shared) {
          memset(to, 0, width * sizeof(float));
          for (int64_t k = 0; k < K; k++)
            addScaled(logits[n * space.stride + k], args.table + args.negativeIds[n * K + k] * width, width, to);
        }
        addScaled(dTarget[n], args.table + args.targetIds[n] * width, width, to);
      }
    });
  }
  if (gradients) sampledTableGradient(args, space);
  double loss = 0;
  for (int64_t n = 0; n < N; n++) loss += rowLoss[n];
  *args.loss = loss / static_cast<double>(N);
}

}  // namespace
