// The kernels in use, and arguments that several calls share.
#pragma once
#include <atomic>

#include "call.h"
#include "kernel-table.h"

namespace nimue {
namespace {

std::atomic<const KernelTable*> active{nullptr};

const KernelTable& kernels() { return *active.load(std::memory_order_acquire); }

Dropout readDropout(Call& call) {
  Dropout d;
  d.active = call.boolean();
  d.seed = static_cast<uint32_t>(static_cast<int64_t>(call.number()));
  d.threshold = static_cast<uint32_t>(static_cast<int64_t>(call.number()));
  d.scale = static_cast<float>(call.number());
  return d;
}

napi_value numberValue(Call& call, double value) {
  napi_value result;
  return napi_create_double(call.env(), value, &result) == napi_ok ? result : nullptr;
}

}  // namespace
}  // namespace nimue
