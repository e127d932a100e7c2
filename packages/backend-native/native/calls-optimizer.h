// Calls of the optimizer steps and of what gradient clipping needs.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

napi_value runAdam(Call& call) {
  AdamArgs a{};
  a.count = call.size(), a.step = call.size();
  a.numRows = call.size(), a.width = call.size();
  a.learningRate = call.number(), a.beta1 = call.number(), a.beta2 = call.number();
  a.epsilon = call.number(), a.weightDecay = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(a.count);
  a.moment1 = call.floats(a.count), a.moment2 = call.floats(a.count);
  a.rows = call.optionalIntegers(a.numRows);
  if (!call.failed()) kernels().adam(a);
  return nullptr;
}

napi_value runAdagrad(Call& call) {
  AdagradArgs a{};
  a.count = call.size();
  a.learningRate = call.number(), a.epsilon = call.number(), a.momentum = call.number(), a.weightDecay = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(a.count);
  a.accumulator = call.floats(a.count), a.velocity = call.optionalFloats(a.count);
  if (!call.failed()) kernels().adagrad(a);
  return nullptr;
}

napi_value runSgd(Call& call) {
  SgdArgs a{};
  a.count = call.size();
  a.learningRate = call.number(), a.momentum = call.number(), a.weightDecay = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(a.count), a.velocity = call.optionalFloats(a.count);
  if (!call.failed()) kernels().sgd(a);
  return nullptr;
}

napi_value runSumSquares(Call& call) {
  const int64_t count = call.size();
  const float* const x = call.floats(count);
  return call.failed() ? nullptr : numberValue(call, kernels().sumSquares(x, count));
}

napi_value runScale(Call& call) {
  const int64_t count = call.size();
  const double factor = call.number();
  float* const x = call.floats(count);
  if (!call.failed()) kernels().scale(x, count, static_cast<float>(factor));
  return nullptr;
}

}  // namespace
}  // namespace nimue
