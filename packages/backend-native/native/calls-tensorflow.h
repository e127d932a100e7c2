// Calls of the kernels behind operations of TensorFlow.js.
#pragma once
#include "call-arguments.h"

namespace nimue {
namespace {

napi_value runMatMul(Call& call) {
  MatMulArgs a{};
  a.batch = call.size(), a.m = call.size(), a.n = call.size(), a.k = call.size();
  const bool sharedA = call.boolean(), sharedB = call.boolean();
  a.transposeA = call.boolean(), a.transposeB = call.boolean();
  a.aBatch = sharedA ? 0 : a.m * a.k, a.bBatch = sharedB ? 0 : a.k * a.n;
  a.a = call.floats((sharedA ? 1 : a.batch) * a.m * a.k);
  a.b = call.floats((sharedB ? 1 : a.batch) * a.k * a.n);
  a.c = call.floats(a.batch * a.m * a.n);
  if (!call.failed()) kernels().matMul(a);
  return nullptr;
}

napi_value runBinary(Call& call) {
  BinaryArgs a{};
  const int64_t kind = call.size();
  a.count = call.size(), a.aCount = call.size(), a.bCount = call.size();
  a.kind = static_cast<BinaryKind>(kind);
  const auto fits = [&](int64_t n) { return n == a.count || (n > 0 && a.count % n == 0); };
  const bool rowsOfBoth = a.aCount != a.count && a.aCount != 1 && a.bCount != a.count && a.bCount != 1;
  if (kind > DIVIDE || !fits(a.aCount) || !fits(a.bCount) || rowsOfBoth) call.fail("argument", "sizes that broadcast", "others");
  a.a = call.floats(a.aCount), a.b = call.floats(a.bCount), a.y = call.floats(a.count);
  if (!call.failed()) kernels().binary(a);
  return nullptr;
}

napi_value runUnary(Call& call) {
  const int64_t kind = call.size(), count = call.size();
  if (kind > U_RSQRT) call.fail("argument", "a function from 0 to 7", "another number");
  const float* const x = call.floats(count);
  float* const y = call.floats(count);
  if (!call.failed()) kernels().unary(static_cast<UnaryKind>(kind), x, count, y);
  return nullptr;
}

napi_value runEvaluate(Call& call) {
  const int64_t kind = call.size(), count = call.size();
  const float* const x = call.floats(count);
  float* const y = call.floats(count);
  if (!call.failed()) kernels().evaluate(static_cast<int>(kind), x, count, y);
  return nullptr;
}

/** Sums over rows (0) or columns (1). */
napi_value runSums(Call& call) {
  const bool overColumns = call.boolean();
  const int64_t numRows = call.size(), width = call.size();
  const float* const x = call.floats(numRows * width);
  float* const y = call.floats(overColumns ? numRows : width);
  if (call.failed()) return nullptr;
  if (overColumns) kernels().rowSums(x, numRows, width, y);
  else kernels().columnSums(x, numRows, width, y);
  return nullptr;
}

napi_value runTranspose(Call& call) {
  const int64_t numRows = call.size(), width = call.size();
  const float* const x = call.floats(numRows * width);
  float* const y = call.floats(numRows * width);
  if (!call.failed()) kernels().transpose(x, numRows, width, y);
  return nullptr;
}

}  // namespace
}  // namespace nimue
