// Calls of the optimizer steps and of what gradient clipping needs.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

/** Number of rows, their width and the rows; each must lie within the parameter. */
MovedRows readMovedRows(Call& call, int64_t count) {
  MovedRows moved{};
  moved.numRows = call.size(), moved.width = call.size();
  moved.rows = call.optionalIntegers(moved.numRows);
  const int64_t numParameterRows = moved.width > 0 ? count / moved.width : moved.numRows > 0 ? INT32_MAX : 0;
  for (int64_t i = 0; moved.rows && !call.failed() && i < moved.numRows; i++) {
    if (moved.rows[i] < 0 || moved.rows[i] >= numParameterRows) call.fail("argument", "rows of the parameter", "others");
  }
  return moved;
}

int64_t gradientLength(int64_t count, const MovedRows& moved) { return moved.rows ? moved.numRows * moved.width : count; }

napi_value runAdam(Call& call) {
  AdamArgs a{};
  a.count = call.size();
  a.moved = readMovedRows(call, a.count);
  a.step = call.size();
  a.learningRate = call.number(), a.beta1 = call.number(), a.beta2 = call.number();
  a.epsilon = call.number(), a.weightDecay = call.number(), a.l2 = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(gradientLength(a.count, a.moved));
  a.moment1 = call.floats(a.count), a.moment2 = call.floats(a.count);
  if (!call.failed()) kernels().adam(a);
  return nullptr;
}

napi_value runAdagrad(Call& call) {
  AdagradArgs a{};
  a.count = call.size();
  a.moved = readMovedRows(call, a.count);
  a.learningRate = call.number(), a.epsilon = call.number(), a.momentum = call.number(), a.weightDecay = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(gradientLength(a.count, a.moved));
  a.accumulator = call.floats(a.count), a.velocity = call.optionalFloats(a.count);
  if (!call.failed()) kernels().adagrad(a);
  return nullptr;
}

napi_value runSgd(Call& call) {
  SgdArgs a{};
  a.count = call.size();
  a.moved = readMovedRows(call, a.count);
  a.learningRate = call.number(), a.momentum = call.number(), a.weightDecay = call.number();
  a.parameter = call.floats(a.count), a.gradient = call.floats(gradientLength(a.count, a.moved));
  a.velocity = call.optionalFloats(a.count);
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
