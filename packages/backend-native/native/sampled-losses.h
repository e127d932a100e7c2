// The losses that tell a row's target from its sampled negatives: each turns the row's logits into d loss / d logit in place.
#pragma once
#include <math.h>

#include "elementwise.h"

namespace {

/** Logit of a negative that takes no part; far below any other, and finite. */
constexpr float MASKED_LOGIT = -1e30f;

/** −1 in the lanes that take part; a logit that is not a number does. */
INLINE VI takesPart(V z) { return ~(z <= splat(0.5f * MASKED_LOGIT)); }

/** log(1 + u) for 0 ≤ u ≤ 1: 2 artanh(u / (2 + u)) as a series, exact to rounding. */
INLINE V vlog1p(V u) {
  const V w = u / (u + splat(2.f));
  const V s = w * w;
  V p = splat(1.f / 15);
  p = fma(p, s, splat(1.f / 13));
  p = fma(p, s, splat(1.f / 11));
  p = fma(p, s, splat(1.f / 9));
  p = fma(p, s, splat(1.f / 7));
  p = fma(p, s, splat(1.f / 5));
  p = fma(p, s, splat(1.f / 3));
  p = fma(p, s, splat(1.f));
  return (w + w) * p;
}

INLINE V vsoftplus(V x) { return vmax(splat(0.f), x) + vlog1p(vexp(-vabs(x))); }

INLINE float softplusOf(float x) { return (x > 0 ? x : 0) + log1pf(expf(-fabsf(x))); }
INLINE float sigmoidOf(float x) { return 1.f / (1.f + expf(-x)); }

INLINE float largestLane(V v) {
  float max = v[0];
  for (int i = 1; i < VL; i++) max = v[i] > max ? v[i] : max;
  return max;
}

/** One row: its target's logit, its negatives' logits (later their gradients), `count` of them in whole registers. */
struct SampledRow {
  float target;
  float* z;
  int64_t count;
  /** 1 / N */
  float scale;
  float dTarget;
};

static float largestLogit(const SampledRow& row) {
  V max = splat(MASKED_LOGIT);
  for (int64_t j = 0; j < row.count; j += VL) max = vmax(max, load(row.z + j));
  return largestLane(max);
}

static float sampledSoftmaxRow(SampledRow& row) {
  const float negativeMax = largestLogit(row);
  const float max = row.target > negativeMax ? row.target : negativeMax;
  V sums{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const V e = select(takesPart(z), vexp(z - splat(max)), V{});
    store(row.z + j, e);
    sums = sums + e;
  }
  const float negatives = sumLanes(sums), own = expf(row.target - max);
  const float factor = row.scale / (negatives + own);
  for (int64_t j = 0; j < row.count; j += VL) store(row.z + j, load(row.z + j) * splat(factor));
  row.dTarget = -negatives * factor;
  return max + logf(negatives + own) - row.target;
}

static float binaryRow(SampledRow& row, float positivePower) {
  V losses{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    losses = losses + select(part, vsoftplus(z), V{});
    store(row.z + j, select(part, vsigmoid(z) * splat(row.scale), V{}));
  }
  row.dTarget = -positivePower * row.scale * sigmoidOf(-row.target);
  return positivePower * softplusOf(-row.target) + sumLanes(losses);
}

/** How many negatives take part. */
static float negativesOf(const SampledRow& row) {
  V count{};
  for (int64_t j = 0; j < row.count; j += VL) count = count + select(takesPart(load(row.z + j)), splat(1.f), V{});
  return sumLanes(count);
}

/** What scores x pass through before a pairwise loss sees them: α (eˣ − 1) below 0 where α > 0, tanh x, or nothing. */
struct Bend {
  float elu;
  bool tanh;
};

static void bendScores(const Bend& bend, SampledRow& row) {
  if (bend.tanh) {
    for (int64_t j = 0; j < row.count; j += VL) {
      const V z = load(row.z + j);
      store(row.z + j, select(takesPart(z), vtanh(z), z));
    }
    row.target = tanhf(row.target);
  } else if (bend.elu > 0) {
    for (int64_t j = 0; j < row.count; j += VL) {
      const V z = load(row.z + j);
      const V bent = select((VI)(z < V{}) & takesPart(z), splat(bend.elu) * (vexp(z) - splat(1.f)), z);
      store(row.z + j, bent);
    }
    if (row.target < 0) row.target = bend.elu * expm1f(row.target);
  }
}

/** Slope of a bend where its value is y: tanh has 1 − y², the exponential linear unit α eˣ = y + α below 0. */
INLINE V bendSlope(const Bend& bend, V y) {
  const V one = splat(1.f);
  if (bend.tanh) return one - y * y;
  return bend.elu > 0 ? select((VI)(y < V{}), y + splat(bend.elu), one) : one;
}
INLINE float bendSlope(const Bend& bend, float y) { return bendSlope(bend, splat(y))[0]; }

static float bprRow(SampledRow& row, const Bend& bend) {
  const float count = negativesOf(row);
  const V target = splat(row.target), factor = splat(row.scale / (count > 0 ? count : 1));
  V losses{}, dTarget{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V slope = select(part, vsigmoid(z - target) * factor, V{});
    losses = losses + select(part, vsoftplus(z - target), V{});
    dTarget = dTarget + slope;
    store(row.z + j, select(part, slope * bendSlope(bend, z), V{}));
  }
  row.dTarget = -sumLanes(dTarget) * bendSlope(bend, row.target);
  return count > 0 ? sumLanes(losses) / count : 0;
}

static float top1Row(SampledRow& row, const Bend& bend) {
  const float count = negativesOf(row);
  const V target = splat(row.target), factor = splat(row.scale / (count > 0 ? count : 1)), one = splat(1.f);
  V losses{}, dTarget{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V above = vsigmoid(z - target), square = vsigmoid(z * z);
    const V dAbove = select(part, above * (one - above) * factor, V{});
    losses = losses + select(part, above + square, V{});
    dTarget = dTarget + dAbove;
    const V slope = dAbove + (z + z) * square * (one - square) * factor;
    store(row.z + j, select(part, slope * bendSlope(bend, z), V{}));
  }
  row.dTarget = -sumLanes(dTarget) * bendSlope(bend, row.target);
  return count > 0 ? sumLanes(losses) / count : 0;
}

/** The row's loss is log Σ eᶻ − log Σ eᶻ σ(s − z) + λ Σ w z². */
static float bprMaxRow(SampledRow& row, const Bend& bend, float bpreg) {
  const V max = splat(largestLogit(row)), target = splat(row.target);
  V wonMax = splat(2 * MASKED_LOGIT);
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    wonMax = vmax(wonMax, z - vsoftplus(z - target));
  }
  const V wonLargest = splat(largestLane(wonMax));
  V sums{}, wonSums{}, squares{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V e = select(part, vexp(z - max), V{});
    sums = sums + e;
    squares = squares + select(part, e * z * z, V{});
    wonSums = wonSums + select(part, vexp(z - vsoftplus(z - target) - wonLargest), V{});
  }
  const float sum = sumLanes(sums), wonSum = sumLanes(wonSums);
  row.dTarget = 0;
  if (sum == 0) {
    memset(row.z, 0, row.count * sizeof(float));
    return 0;
  }
  const float penalty = sumLanes(squares) / sum;
  const V factor = splat(row.scale / sum), wonFactor = splat(row.scale / wonSum);
  const V lambda = splat(bpreg), two = splat(2.f);
  V dTarget{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V weight = vexp(z - max) * factor;
    const V won = vexp(z - vsoftplus(z - target) - wonLargest) * wonFactor;
    const V ranking = weight - won * vsigmoid(target - z);
    const V regularising = weight * lambda * (z * z - splat(penalty) + two * z);
    store(row.z + j, select(part, (ranking + regularising) * bendSlope(bend, z), V{}));
    dTarget = dTarget + select(part, won * vsigmoid(z - target), V{});
  }
  row.dTarget = -sumLanes(dTarget) * bendSlope(bend, row.target);
  return max[0] + logf(sum) - wonLargest[0] - logf(wonSum) + bpreg * penalty;
}

static float top1MaxRow(SampledRow& row, const Bend& bend) {
  const V max = splat(largestLogit(row)), target = splat(row.target), one = splat(1.f);
  V sums{}, losses{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V e = select(part, vexp(z - max), V{});
    sums = sums + e;
    losses = losses + select(part, e * (vsigmoid(z - target) + vsigmoid(z * z)), V{});
  }
  const float sum = sumLanes(sums);
  row.dTarget = 0;
  if (sum == 0) {
    memset(row.z, 0, row.count * sizeof(float));
    return 0;
  }
  const float loss = sumLanes(losses) / sum;
  const V factor = splat(row.scale / sum);
  V dTarget{};
  for (int64_t j = 0; j < row.count; j += VL) {
    const V z = load(row.z + j);
    const VI part = takesPart(z);
    const V weight = vexp(z - max) * factor;
    const V above = vsigmoid(z - target), square = vsigmoid(z * z);
    const V dAbove = above * (one - above), dSquare = (z + z) * square * (one - square);
    const V slope = weight * (above + square - splat(loss) + dAbove + dSquare);
    store(row.z + j, select(part, slope * bendSlope(bend, z), V{}));
    dTarget = dTarget + select(part, weight * dAbove, V{});
  }
  row.dTarget = -sumLanes(dTarget) * bendSlope(bend, row.target);
  return loss;
}

static float sampledRowLoss(const nimue::SampledHeadArgs& args, SampledRow& row) {
  switch (args.form) {
    case nimue::SAMPLED_SOFTMAX: return sampledSoftmaxRow(row);
    case nimue::SAMPLED_BINARY: return binaryRow(row, args.parameter);
    default: break;
  }
  const Bend bend{args.elu, args.tanh};
  bendScores(bend, row);
  switch (args.form) {
    case nimue::SAMPLED_BPR_MAX: return bprMaxRow(row, bend, args.parameter);
    case nimue::SAMPLED_TOP1_MAX: return top1MaxRow(row, bend);
    case nimue::SAMPLED_BPR: return bprRow(row, bend);
    case nimue::SAMPLED_TOP1: return top1Row(row, bend);
    default: return 0;
  }
}

}  // namespace
