// Calls of the kernels that look along sessions: attention, GRU, linear recurrence.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

/** Sessions must tile the positions exactly; they steer where a kernel writes. */
const int32_t* readOffsets(Call& call, int64_t numSessions, int64_t numPositions) {
  const int32_t* const offsets = call.integers(numSessions + 1);
  if (call.failed()) return offsets;
  bool rising = offsets[0] == 0 && offsets[numSessions] == numPositions;
  for (int64_t b = 0; rising && b < numSessions; b++) rising = offsets[b] <= offsets[b + 1];
  if (!rising) call.fail("argument", "offsets that rise from 0 to the number of positions", "others");
  return offsets;
}

AttentionArgs readAttention(Call& call) {
  AttentionArgs a{};
  a.numSessions = call.size(), a.numPositions = call.size(), a.width = call.size(), a.numHeads = call.size();
  if (a.numHeads < 1 || a.width % a.numHeads != 0) call.fail("argument", "a number of heads that divides the width", "another");
  a.causal = call.boolean();
  a.scale = static_cast<float>(call.number());
  a.dropout = readDropout(call);
  const int64_t size = a.numPositions * a.width;
  a.query = call.floats(size), a.key = call.floats(size), a.value = call.floats(size);
  a.offsets = readOffsets(call, a.numSessions, a.numPositions);
  if (call.failed()) return a;
  a.silu = call.boolean();
  int64_t pairs = 0;
  for (int64_t b = 0; b < a.numSessions; b++) {
    const int64_t length = a.offsets[b + 1] - a.offsets[b];
    pairs += length * length;
  }
  a.mask = call.optionalBytes(pairs);
  const int64_t biasRows = call.size();
  if (biasRows > 0 && biasRows % 2 == 0) call.fail("argument", "an odd number of bias rows", "an even one");
  a.reach = biasRows / 2;
  a.relativeBias = call.optionalFloats(biasRows * a.numHeads);
  if (!a.relativeBias != (biasRows == 0)) call.fail("argument", "a bias together with its number of rows", "one of them");
  const int64_t keyRows = call.size();
  if (keyRows > 0 && keyRows % 2 == 0) call.fail("argument", "an odd number of keys by distance", "an even one");
  a.relativeReach = keyRows / 2;
  a.relativeQuery = call.optionalFloats(keyRows > 0 ? size : 0);
  a.relativeKeys = call.optionalFloats(keyRows * a.width);
  const bool isRelative = keyRows > 0;
  if (!a.relativeQuery == isRelative || !a.relativeKeys == isRelative)
    call.fail("argument", "queries and keys by distance together", "one of them");
  a.numKinds = call.size();
  a.pairBias = call.optionalFloats(a.numKinds * a.numHeads);
  a.pairKinds = call.optionalBytes(pairs);
  if (!a.pairBias != (a.numKinds == 0) || !a.pairKinds != (a.numKinds == 0))
    call.fail("argument", "kinds of pairs together with their bias", "one of them");
  if (call.failed()) return a;
  for (int64_t pair = 0; a.pairKinds && pair < pairs; pair++)
    if (a.pairKinds[pair] >= a.numKinds) return call.fail("argument", "kinds below their number", "one beyond it"), a;
  return a;
}

napi_value runAttention(Call& call) {
  AttentionArgs a = readAttention(call);
  a.y = call.floats(a.numPositions * a.width);
  a.logSumExp = call.floats(a.numPositions * a.numHeads);
  if (!call.failed()) kernels().attention(a);
  return nullptr;
}

napi_value runAttentionGradient(Call& call) {
  AttentionArgs a = readAttention(call);
  const int64_t size = a.numPositions * a.width;
  a.savedLogSumExp = call.floats(a.numPositions * a.numHeads);
  a.dy = call.floats(size);
  a.dQuery = call.floats(size), a.dKey = call.floats(size), a.dValue = call.floats(size);
  a.dRelativeBias = call.optionalFloats(a.relativeBias ? (2 * a.reach + 1) * a.numHeads : 0);
  if (!a.dRelativeBias != !a.relativeBias) call.fail("argument", "the bias's gradient together with the bias", "one of them");
  a.dRelativeQuery = call.optionalFloats(a.relativeQuery ? size : 0);
  a.dRelativeKeys = call.optionalFloats(a.relativeQuery ? (2 * a.relativeReach + 1) * a.width : 0);
  if (!a.dRelativeQuery != !a.relativeQuery || !a.dRelativeKeys != !a.relativeQuery)
    call.fail("argument", "the gradients by distance together with what they are of", "one of them");
  a.dPairBias = call.optionalFloats(a.numKinds * a.numHeads);
  if (!a.dPairBias != !a.pairBias) call.fail("argument", "the pairs' gradient together with their bias", "one of them");
  if (!call.failed()) kernels().attentionGradient(a);
  return nullptr;
}

GruArgs readGru(Call& call) {
  GruArgs a{};
  a.numSessions = call.size(), a.numPositions = call.size(), a.inputs = call.size(), a.width = call.size();
  a.x = call.floats(a.numPositions * a.inputs);
  a.offsets = readOffsets(call, a.numSessions, a.numPositions);
  a.inputWeights = call.floats(a.inputs * 3 * a.width);
  a.recurrentWeights = call.floats(a.width * 3 * a.width);
  a.inputBias = call.floats(3 * a.width);
  a.recurrentBias = call.floats(3 * a.width);
  return a;
}

napi_value runGru(Call& call) {
  GruArgs a = readGru(call);
  a.y = call.floats(a.numPositions * a.width);
  a.saved = call.floats(a.numPositions * 4 * a.width);
  if (!call.failed()) kernels().gru(a);
  return nullptr;
}

napi_value runGruGradient(Call& call) {
  GruArgs a = readGru(call);
  a.dy = call.floats(a.numPositions * a.width);
  a.savedY = call.floats(a.numPositions * a.width);
  a.savedGates = call.floats(a.numPositions * 4 * a.width);
  a.dx = call.floats(a.numPositions * a.inputs);
  a.dInputWeights = call.floats(a.inputs * 3 * a.width);
  a.dRecurrentWeights = call.floats(a.width * 3 * a.width);
  a.dInputBias = call.floats(3 * a.width);
  a.dRecurrentBias = call.floats(3 * a.width);
  if (!call.failed()) kernels().gruGradient(a);
  return nullptr;
}

RecurrenceArgs readRecurrence(Call& call) {
  RecurrenceArgs a{};
  a.numSessions = call.size(), a.numPositions = call.size(), a.size = call.size();
  a.offsets = readOffsets(call, a.numSessions, a.numPositions);
  a.decay = call.floats(2 * a.size);
  return a;
}

napi_value runRecurrence(Call& call) {
  RecurrenceArgs a = readRecurrence(call);
  a.x = call.floats(a.numPositions * 2 * a.size);
  a.y = call.floats(a.numPositions * 2 * a.size);
  if (!call.failed()) kernels().recurrence(a);
  return nullptr;
}

napi_value runRecurrenceGradient(Call& call) {
  RecurrenceArgs a = readRecurrence(call);
  a.savedY = call.floats(a.numPositions * 2 * a.size);
  a.dy = call.floats(a.numPositions * 2 * a.size);
  a.dx = call.floats(a.numPositions * 2 * a.size);
  a.dDecay = call.floats(2 * a.size);
  if (!call.failed()) kernels().recurrenceGradient(a);
  return nullptr;
}

}  // namespace
}  // namespace nimue
