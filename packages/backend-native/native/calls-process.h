// Calls that choose threads and instruction set or look into the engine.
#pragma once
#include "call-arguments.h"
#include "instruction-sets.h"
#include "scratch.h"
#include "large-pages.h"
#include "thread-pool.h"

namespace nimue {
namespace {

napi_value runMeasurePeak(Call& call) { return numberValue(call, kernels().measurePeak()); }

napi_value runSetNumThreads(Call& call) {
  const int64_t count = call.size();
  if (!call.failed()) setNumThreads(static_cast<int>(count));
  return numberValue(call, numThreads());
}

/** Chooses a copy of the kernels by name; false when this processor cannot run it. */
napi_value runSetInstructionSet(Call& call) {
  char name[32] = "";
  size_t length = 0;
  napi_value argument = call.value(), result;
  bool found = false;
  if (argument && napi_get_value_string_utf8(call.env(), argument, name, sizeof name, &length) == napi_ok) {
    if (const KernelTable* table = kernelsFor(name)) active.store(table, std::memory_order_release), found = true;
  }
  return napi_get_boolean(call.env(), found, &result) == napi_ok ? result : nullptr;
}

napi_value runInstructionSets(Call& call) {
  napi_value list;
  if (napi_create_array(call.env(), &list) != napi_ok) return nullptr;
  uint32_t index = 0;
  for (const char* const* name = supportedInstructionSets(); *name; name++) {
    napi_value text;
    if (napi_create_string_utf8(call.env(), *name, NAPI_AUTO_LENGTH, &text) != napi_ok) return nullptr;
    napi_set_element(call.env(), list, index++, text);
  }
  return list;
}

/** Makes a fresh ArrayBuffer ready for tensors; gives the bytes from its start to the next address that is a multiple of 64. */
napi_value runPrepareBuffer(Call& call) {
  void* data = nullptr;
  size_t length = 0;
  napi_value buffer = call.value();
  if (!buffer || napi_get_arraybuffer_info(call.env(), buffer, &data, &length) != napi_ok) {
    call.fail("argument", "an ArrayBuffer", "something else");
    return nullptr;
  }
  preferLargePages(data, length);
  return numberValue(call, static_cast<double>((64 - reinterpret_cast<uintptr_t>(data) % 64) % 64));
}

napi_value runHasBf16(Call& call) { return numberValue(call, kernels().hasBf16() ? 1 : 0); }

/** Whether instruction sets without bfloat16 products make them of single-precision ones. */
napi_value runEmulateBf16(Call& call) {
  const bool emulate = call.boolean();
  if (!call.failed()) emulatesBf16.store(emulate);
  return nullptr;
}

napi_value runScratchPeak(Call& call) { return numberValue(call, static_cast<double>(takeScratchPeak())); }
napi_value runIdleScratch(Call& call) { return numberValue(call, static_cast<double>(idleScratchBytes())); }

}  // namespace
}  // namespace nimue
