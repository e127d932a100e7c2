// Calls of the kernels on rows of packed tokens: gather, scatter, embedding, residual sum, norm, linear layer.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

napi_value runGather(Call& call) {
  GatherArgs a{};
  const int64_t tableRows = call.size();
  a.numRows = call.size(), a.width = call.size();
  a.x = call.floats(tableRows * a.width);
  a.rows = call.integers(a.numRows);
  a.y = call.floats(a.numRows * a.width);
  if (!call.failed()) kernels().gather(a);
  return nullptr;
}

napi_value runScatter(Call& call) {
  ScatterArgs a{};
  a.numRows = call.size(), a.width = call.size(), a.numOutputRows = call.size();
  a.scale = static_cast<float>(call.number());
  a.dropout = readDropout(call);
  a.dy = call.floats(a.numRows * a.width);
  a.rows = call.integers(a.numRows);
  a.y = call.floats(a.numOutputRows * a.width);
  if (!call.failed()) kernels().scatter(a);
  return nullptr;
}

napi_value runEmbed(Call& call) {
  EmbedArgs a{};
  a.numRows = call.size(), a.width = call.size();
  const int64_t tableRows = call.size(), positionRows = call.size();
  a.scale = static_cast<float>(call.number());
  a.dropout = readDropout(call);
  a.table = call.floats(tableRows * a.width);
  a.itemIds = call.integers(a.numRows);
  a.positionTable = call.optionalFloats(positionRows * a.width);
  a.positions = call.optionalIntegers(a.numRows);
  a.y = call.floats(a.numRows * a.width);
  if (!a.positionTable != !a.positions) call.fail("argument", "a position table together with positions", "one of them");
  if (!call.failed()) kernels().embed(a);
  return nullptr;
}

napi_value runResidualAdd(Call& call) {
  ResidualAddArgs a{};
  a.numRows = call.size(), a.width = call.size();
  a.dropout = readDropout(call);
  a.x = call.floats(a.numRows * a.width);
  a.residual = call.optionalFloats(a.numRows * a.width);
  a.y = call.floats(a.numRows * a.width);
  if (!call.failed()) kernels().residualAdd(a);
  return nullptr;
}

NormArgs readNorm(Call& call) {
  NormArgs a{};
  a.numRows = call.size(), a.width = call.size();
  a.rms = call.boolean();
  a.epsilon = static_cast<float>(call.number());
  a.dropout = readDropout(call);
  const int64_t size = a.numRows * a.width;
  a.x = call.floats(size);
  a.residual = call.optionalFloats(size);
  a.gamma = call.floats(a.width);
  a.beta = call.optionalFloats(a.width);
  a.rowStats = call.floats(2 * a.numRows);
  return a;
}

napi_value runNorm(Call& call) {
  NormArgs a = readNorm(call);
  a.y = call.floats(a.numRows * a.width);
  if (!call.failed()) kernels().norm(a);
  return nullptr;
}

napi_value runNormGradient(Call& call) {
  NormArgs a = readNorm(call);
  const int64_t size = a.numRows * a.width;
  a.dy = call.floats(size);
  a.dx = call.floats(size);
  a.dResidual = call.optionalFloats(size);
  a.dGamma = call.floats(a.width);
  a.dBeta = call.optionalFloats(a.width);
  if (!call.failed()) kernels().normGradient(a);
  return nullptr;
}

LinearArgs readLinear(Call& call) {
  LinearArgs a{};
  a.numRows = call.size(), a.inputs = call.size(), a.outputs = call.size();
  const int64_t activation = call.size();
  if (activation > SIGMOID) call.fail("argument", "an activation from 0 to 5", "another number");
  a.activation = static_cast<Activation>(activation);
  a.bf16 = call.boolean();
  a.x = call.floats(a.numRows * a.inputs);
  a.weights = call.floats(a.inputs * a.outputs);
  return a;
}

napi_value runLinear(Call& call) {
  LinearArgs a = readLinear(call);
  const int64_t size = a.numRows * a.outputs;
  a.bias = call.optionalFloats(a.outputs);
  a.y = call.floats(size);
  a.preActivation = call.optionalFloats(size);
  if (!call.failed()) kernels().linear(a);
  return nullptr;
}

napi_value runLinearGradient(Call& call) {
  LinearArgs a = readLinear(call);
  const int64_t size = a.numRows * a.outputs;
  a.dy = call.floats(size);
  a.savedY = call.floats(size);
  a.savedPreActivation = call.optionalFloats(size);
  a.dx = call.floats(a.numRows * a.inputs);
  a.dWeights = call.floats(a.inputs * a.outputs);
  a.dBias = call.optionalFloats(a.outputs);
  if ((a.activation == GELU || a.activation == SILU) && !a.savedPreActivation)
    call.fail("argument", "the pre-activation", "nothing");
  if (!call.failed()) kernels().linearGradient(a);
  return nullptr;
}

}  // namespace
}  // namespace nimue
