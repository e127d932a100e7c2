// The Node-API side: one function per kernel. Sizes come first, then arrays, whose lengths must follow from the sizes.
#include "calls-catalogue.h"
#include "calls-optimizer.h"
#include "calls-process.h"
#include "calls-rows.h"
#include "calls-sequence.h"
#include "calls-tensorflow.h"

namespace nimue {
namespace {

struct Entry {
  const char* name;
  napi_value (*run)(Call&);
};

constexpr Entry ENTRIES[] = {
    {"matMul", runMatMul},
    {"gather", runGather},
    {"scatter", runScatter},
    {"embed", runEmbed},
    {"residualAdd", runResidualAdd},
    {"norm", runNorm},
    {"normGradient", runNormGradient},
    {"linear", runLinear},
    {"linearGradient", runLinearGradient},
    {"attention", runAttention},
    {"attentionGradient", runAttentionGradient},
    {"gru", runGru},
    {"gruGradient", runGruGradient},
    {"recurrence", runRecurrence},
    {"recurrenceGradient", runRecurrenceGradient},
    {"head", runHead},
    {"sampledHead", runSampledHead},
    {"scores", runScores},
    {"sampleItems", runSampleItems},
    {"adam", runAdam},
    {"adagrad", runAdagrad},
    {"sgd", runSgd},
    {"sumSquares", runSumSquares},
    {"scale", runScale},
    {"binary", runBinary},
    {"unary", runUnary},
    {"evaluate", runEvaluate},
    {"sums", runSums},
    {"transpose", runTranspose},
    {"measurePeak", runMeasurePeak},
    {"setNumThreads", runSetNumThreads},
    {"setInstructionSet", runSetInstructionSet},
    {"instructionSets", runInstructionSets},
    {"prepareBuffer", runPrepareBuffer},
    {"hasBf16", runHasBf16},
    {"emulateBf16", runEmulateBf16},
    {"takeScratchPeak", runScratchPeak},
    {"idleScratchBytes", runIdleScratch},
};

napi_value dispatch(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const Entry* const entry = static_cast<const Entry*>(data);
  Call call(env, info, entry->name);
  return call.failed() ? nullptr : entry->run(call);
}

}  // namespace
}  // namespace nimue

NAPI_MODULE_INIT() {
  using namespace nimue;
  if (!active.load()) active.store(kernelsFor(*supportedInstructionSets()));
  for (const Entry& entry : ENTRIES) {
    napi_value function;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, dispatch, const_cast<Entry*>(&entry), &function) != napi_ok ||
        napi_set_named_property(env, exports, entry.name, function) != napi_ok)
      return nullptr;
  }
  return exports;
}
