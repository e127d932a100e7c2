// Calls of the kernels that work on the whole item table: heads, rank of the target, the best items.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

napi_value runHead(Call& call) {
  HeadArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.firstRow = call.size();
  if (a.firstRow >= a.numItems) call.fail("argument", "a first row inside the table", "one beyond it");
  a.temperature = static_cast<float>(call.number());
  a.labelSmoothing = static_cast<float>(call.number());
  a.bf16 = call.boolean();
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.targetIds = call.integers(a.numRows);
  a.dHidden = call.optionalFloats(a.numRows * a.width);
  a.dTable = call.optionalFloats(a.numItems * a.width);
  a.dBias = call.optionalFloats(a.numItems);
  if (!a.dHidden != !a.dTable) call.fail("argument", "both gradients or none", "one");
  double loss = 0;
  a.loss = &loss;
  if (!call.failed()) kernels().head(a);
  return numberValue(call, loss);
}

void readExcluded(Call& call, int64_t numRows, const int32_t** offsets, const int32_t** ids) {
  *offsets = call.optionalIntegers(numRows + 1);
  const int64_t count = call.peekLength();
  *ids = call.optionalIntegers(count);
  if (!*offsets != !*ids) call.fail("argument", "excluded offsets together with ids", "one of them");
  if (call.failed() || !*offsets) return;
  bool rising = (*offsets)[0] == 0 && (*offsets)[numRows] == count;
  for (int64_t n = 0; rising && n < numRows; n++) rising = (*offsets)[n] <= (*offsets)[n + 1];
  if (!rising) call.fail("argument", "excluded offsets that rise from 0 to the number of ids", "others");
}

napi_value runSampledHead(Call& call) {
  SampledHeadArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.numNegatives = call.size();
  if (a.numRows < 1 || a.numNegatives < 1) call.fail("argument", "at least one row and one negative", "none");
  a.shared = call.boolean();
  const int64_t form = call.size();
  if (form > SAMPLED_TOP1) call.fail("argument", "a form from 0 to 5", "another number");
  a.form = static_cast<SampledForm>(form);
  a.parameter = static_cast<float>(call.number());
  a.elu = static_cast<float>(call.number());
  a.tanh = call.boolean();
  const int64_t negatives = a.shared ? a.numNegatives : a.numRows * a.numNegatives;
  if (a.numRows + negatives > INT32_MAX) call.fail("argument", "fewer than 2³¹ targets and negatives", "more");
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.targetIds = call.integers(a.numRows);
  a.negativeIds = call.integers(negatives);
  readExcluded(call, a.numRows, &a.excludedOffsets, &a.excludedPlaces);
  if (!call.failed() && a.excludedOffsets) {
    if (!a.shared) call.fail("argument", "excluded places with shared negatives only", "own negatives");
    for (int64_t i = 0; i < a.excludedOffsets[a.numRows]; i++) {
      if (a.excludedPlaces[i] >= 0 && a.excludedPlaces[i] < a.numNegatives) continue;
      call.fail("argument", "excluded places inside the shared list", "one outside");
      break;
    }
  }
  a.logQTargets = call.optionalFloats(a.numRows);
  a.logQNegatives = call.optionalFloats(negatives);
  a.dHidden = call.optionalFloats(a.numRows * a.width);
  a.dTable = call.optionalFloats(a.numItems * a.width);
  a.dBias = call.optionalFloats(a.numItems);
  if (!a.dHidden != !a.dTable) call.fail("argument", "both gradients or none", "one");
  double loss = 0;
  a.loss = &loss;
  if (!call.failed()) kernels().sampledHead(a);
  return numberValue(call, loss);
}

napi_value runScores(Call& call) {
  ScoresArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.firstRow = call.size(), a.k = call.size();
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.targetIds = call.optionalIntegers(a.numRows);
  readExcluded(call, a.numRows, &a.excludedOffsets, &a.excludedIds);
  a.ranks = call.optionalIntegers(a.numRows);
  a.itemIds = call.optionalIntegers(a.numRows * a.k);
  a.scores = call.optionalFloats(a.numRows * a.k);
  if (!a.targetIds != !a.ranks) call.fail("argument", "targets together with ranks", "one of them");
  if (!a.itemIds != (a.k == 0) || !a.scores != (a.k == 0)) call.fail("argument", "places for the best items together with k", "one of them");
  if (!a.ranks && a.k == 0) call.fail("argument", "ranks, k ≥ 1 or both", "none of them");
  int64_t nonFiniteRow = -1;
  a.nonFiniteRow = &nonFiniteRow;
  if (!call.failed()) kernels().scores(a);
  return numberValue(call, static_cast<double>(nonFiniteRow));
}

napi_value runSampleItems(Call& call) {
  SampleArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.firstRow = call.size();
  if (a.firstRow >= a.numItems) call.fail("argument", "a first row inside the table", "one beyond it");
  a.perTemperature = static_cast<float>(1 / call.number());
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.uniforms = call.doubles(a.numRows);
  a.itemIds = call.integers(a.numRows);
  int64_t nonFiniteRow = -1;
  a.nonFiniteRow = &nonFiniteRow;
  if (!call.failed()) kernels().sampleItems(a);
  return numberValue(call, static_cast<double>(nonFiniteRow));
}

}  // namespace
}  // namespace nimue
