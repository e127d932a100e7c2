// The Node-API side: one function per kernel. Sizes come first, then arrays, whose lengths must follow from the sizes.
#include <atomic>

#include "call.h"
#include "instruction-sets.h"
#include "scratch.h"
#include "thread-pool.h"

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
  const int64_t negatives = a.shared ? a.numNegatives : a.numRows * a.numNegatives;
  if (a.numRows + negatives > INT32_MAX) call.fail("argument", "fewer than 2³¹ targets and negatives", "more");
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.targetIds = call.integers(a.numRows);
  a.negativeIds = call.integers(negatives);
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

napi_value runRank(Call& call) {
  RankArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.firstRow = call.size();
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  a.targetIds = call.integers(a.numRows);
  readExcluded(call, a.numRows, &a.excludedOffsets, &a.excludedIds);
  a.ranks = call.integers(a.numRows);
  if (!call.failed()) kernels().rank(a);
  return nullptr;
}

napi_value runTopK(Call& call) {
  TopKArgs a{};
  a.numRows = call.size(), a.numItems = call.size(), a.width = call.size(), a.firstRow = call.size(), a.k = call.size();
  if (a.k < 1) call.fail("argument", "k ≥ 1", "0");
  a.hidden = call.floats(a.numRows * a.width);
  a.table = call.floats(a.numItems * a.width);
  a.bias = call.optionalFloats(a.numItems);
  readExcluded(call, a.numRows, &a.excludedOffsets, &a.excludedIds);
  a.itemIds = call.integers(a.numRows * a.k);
  a.scores = call.floats(a.numRows * a.k);
  int64_t nonFiniteRow = -1;
  a.nonFiniteRow = &nonFiniteRow;
  if (!call.failed()) kernels().topK(a);
  return numberValue(call, static_cast<double>(nonFiniteRow));
}

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

/** Bytes from the start of an ArrayBuffer to the next address that is a multiple of 64. */
napi_value runAlignmentOffset(Call& call) {
  void* data = nullptr;
  size_t length = 0;
  napi_value buffer = call.value();
  if (!buffer || napi_get_arraybuffer_info(call.env(), buffer, &data, &length) != napi_ok) {
    call.fail("argument", "an ArrayBuffer", "something else");
    return nullptr;
  }
  return numberValue(call, static_cast<double>((64 - reinterpret_cast<uintptr_t>(data) % 64) % 64));
}

napi_value runHasBf16(Call& call) { return numberValue(call, kernels().hasBf16() ? 1 : 0); }
napi_value runScratchPeak(Call& call) { return numberValue(call, static_cast<double>(takeScratchPeak())); }
napi_value runIdleScratch(Call& call) { return numberValue(call, static_cast<double>(idleScratchBytes())); }

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
    {"head", runHead},
    {"sampledHead", runSampledHead},
    {"rank", runRank},
    {"topK", runTopK},
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
    {"alignmentOffset", runAlignmentOffset},
    {"hasBf16", runHasBf16},
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
