// What every instruction set's copy of the kernels offers. Shapes: N rows, D width, T positions, B sessions, V items,
// H heads. All matrices are row-major without gaps; arguments have been checked by the caller.
#pragma once
#include <stdint.h>
#include <atomic>

namespace nimue {

/** Instruction sets without bfloat16 products make them of single-precision ones, for tests. */
extern std::atomic<bool> emulatesBf16;

enum Activation { NONE = 0, RELU = 1, GELU = 2, SILU = 3, TANH = 4, SIGMOID = 5 };
enum SampledForm {
  SAMPLED_SOFTMAX = 0,
  SAMPLED_BINARY = 1,
  SAMPLED_BPR_MAX = 2,
  SAMPLED_TOP1_MAX = 3,
  SAMPLED_BPR = 4,
  SAMPLED_TOP1 = 5
};
enum BinaryKind { ADD = 0, SUBTRACT = 1, MULTIPLY = 2, DIVIDE = 3 };
enum UnaryKind { U_RELU = 0, U_TANH = 1, U_SIGMOID = 2, U_EXP = 3, U_SQUARE = 4, U_SQRT = 5, U_NEGATE = 6, U_RSQRT = 7 };

/** Element (row, column) stays, times `scale`, when its hash is at least `threshold`. */
struct Dropout {
  bool active;
  uint32_t seed, threshold;
  float scale;
};

struct MatMulArgs {
  int64_t batch, m, n, k;
  const float *a, *b;
  int64_t aBatch, bBatch;
  bool transposeA, transposeB;
  float* c;
};

struct GatherArgs {
  const float* x;
  const int32_t* rows;
  int64_t numRows, width;
  float* y;
};

struct ScatterArgs {
  const float* dy;
  const int32_t* rows;
  int64_t numRows, width, numOutputRows;
  float scale;
  Dropout dropout;
  float* y;
};

struct EmbedArgs {
  const float* table;
  const int32_t* itemIds;
  const float* positionTable;
  const int32_t* positions;
  int64_t numRows, width;
  float scale;
  Dropout dropout;
  float* y;
};

struct ResidualAddArgs {
  const float* x;
  const float* residual;
  int64_t numRows, width;
  Dropout dropout;
  float* y;
};

struct NormArgs {
  const float *x, *residual, *gamma, *beta;
  int64_t numRows, width;
  bool rms;
  float epsilon;
  Dropout dropout;
  float *y, *rowStats;
  /* Gradient only. */
  const float* dy;
  float *dx, *dResidual, *dGamma, *dBeta;
};

struct LinearArgs {
  const float *x, *weights, *bias;
  int64_t numRows, inputs, outputs;
  Activation activation;
  /* Operands rounded to bfloat16 where the instruction set multiplies those. */
  bool bf16;
  float *y, *preActivation;
  /* Gradient only. */
  const float *dy, *savedY, *savedPreActivation;
  float *dx, *dWeights, *dBias;
};

struct AttentionArgs {
  const float *query, *key, *value;
  const int32_t* offsets;
  int64_t numSessions, numPositions, width, numHeads;
  bool causal;
  float scale;
  Dropout dropout;
  /* Weights silu(score) / length instead of a softmax. */
  bool silu;
  /* Null without: per session a length × length block, 0 hides the key (column) from the query (row). */
  const uint8_t* mask;
  /* Null without: [2 reach + 1, H], added to the scores by clipped distance key − query. */
  const float* relativeBias;
  int64_t reach;
  /* Null without: [T, D] and [2 relativeReach + 1, D], whose products by distance are added to the scores. */
  const float *relativeQuery, *relativeKeys;
  int64_t relativeReach;
  /* Null without: [numKinds, H], the row of a pair's kind is added to its score; kinds as the mask lies. */
  const float* pairBias;
  const uint8_t* pairKinds;
  int64_t numKinds;
  float *y, *logSumExp;
  /* Gradient only. */
  const float *dy, *savedLogSumExp;
  float *dQuery, *dKey, *dValue, *dRelativeBias, *dRelativeQuery, *dRelativeKeys, *dPairBias;
};

struct GruArgs {
  const float* x;
  const int32_t* offsets;
  int64_t numSessions, numPositions, inputs, width;
  const float *inputWeights, *recurrentWeights, *inputBias, *recurrentBias;
  /* saved [T, 4 D]: reset, update, candidate, recurrent part of the candidate. */
  float *y, *saved;
  /* Gradient only. */
  const float *dy, *savedY, *savedGates;
  float *dx, *dInputWeights, *dRecurrentWeights, *dInputBias, *dRecurrentBias;
};

/** Columns: real parts, then imaginary ones. */
struct RecurrenceArgs {
  const int32_t* offsets;
  int64_t numSessions, numPositions, size;
  /* [T, 2 size] and [2, size]. */
  const float *x, *decay;
  float* y;
  /* Gradient only. */
  const float *dy, *savedY;
  float *dx, *dDecay;
};

struct SampleArgs {
  const float *hidden, *table, *bias;
  int64_t numRows, numItems, width, firstRow;
  float perTemperature;
  /* In [0, 1), one per row. */
  const double* uniforms;
  int32_t* itemIds;
  /* First row with a score that is not finite, or −1. */
  int64_t* nonFiniteRow;
};

struct HeadArgs {
  const float *hidden, *table, *bias;
  const int32_t* targetIds;
  int64_t numRows, numItems, width, firstRow;
  float temperature, labelSmoothing;
  bool bf16;
  double* loss;
  /* Null without gradients. */
  float *dHidden, *dTable, *dBias;
};

struct SampledHeadArgs {
  const float *hidden, *table, *bias;
  /* negativeIds: [K] when shared, else [N · K]. */
  const int32_t *targetIds, *negativeIds;
  /* Places of the shared list that row n leaves out: excludedPlaces[excludedOffsets[n]] …; null without any. */
  const int32_t *excludedOffsets, *excludedPlaces;
  /* Null without corrections. */
  const float *logQTargets, *logQNegatives;
  int64_t numRows, numItems, width, numNegatives;
  bool shared;
  SampledForm form;
  /* Power of the target's sigmoid (binary), weight of the penalty (BPR-max). */
  float parameter;
  /* Of the exponential linear unit on the scores of the pairwise losses, 0 for none; or tanh on them. */
  float elu;
  bool tanh;
  double* loss;
  /* Null without gradients. */
  float *dHidden, *dTable, *dBias;
};

/** Ranks when `ranks` is there, the k best when k > 0; at least one of them. */
struct ScoresArgs {
  const float *hidden, *table, *bias;
  /* targetIds only with ranks. */
  const int32_t *targetIds, *excludedOffsets, *excludedIds;
  int64_t numRows, numItems, width, firstRow, k;
  int32_t *ranks, *itemIds;
  float* scores;
  /* First row with a score that is not finite, or −1. */
  int64_t* nonFiniteRow;
};

/** Rows of `width` elements, each named at most once, with a gradient [numRows, width]; `rows` is null when all moves. */
struct MovedRows {
  const int32_t* rows;
  int64_t numRows, width;
};

struct AdamArgs {
  float *parameter, *moment1, *moment2;
  const float* gradient;
  int64_t count;
  double learningRate, beta1, beta2, epsilon, weightDecay, l2;
  int64_t step;
  MovedRows moved;
};

/** `velocity` is null without momentum. */
struct AdagradArgs {
  float *parameter, *accumulator, *velocity;
  const float* gradient;
  int64_t count;
  double learningRate, epsilon, momentum, weightDecay;
  MovedRows moved;
};

/** `velocity` is null without momentum. */
struct SgdArgs {
  float *parameter, *velocity;
  const float* gradient;
  int64_t count;
  double learningRate, momentum, weightDecay;
  MovedRows moved;
};

/** y[i] = a[i mod aCount] ∘ b[i mod bCount]: equal sizes, a scalar, or a row for every row. */
struct BinaryArgs {
  BinaryKind kind;
  const float *a, *b;
  int64_t count, aCount, bCount;
  float* y;
};

struct KernelTable {
  const char* name;
  /** Whether the head can multiply bfloat16 operands on this processor. */
  bool (*hasBf16)();
  void (*matMul)(const MatMulArgs&);
  void (*gather)(const GatherArgs&);
  void (*scatter)(const ScatterArgs&);
  void (*embed)(const EmbedArgs&);
  void (*residualAdd)(const ResidualAddArgs&);
  void (*norm)(const NormArgs&);
  void (*normGradient)(const NormArgs&);
  void (*linear)(const LinearArgs&);
  void (*linearGradient)(const LinearArgs&);
  void (*attention)(const AttentionArgs&);
  void (*attentionGradient)(const AttentionArgs&);
  void (*gru)(const GruArgs&);
  void (*gruGradient)(const GruArgs&);
  void (*recurrence)(const RecurrenceArgs&);
  void (*recurrenceGradient)(const RecurrenceArgs&);
  void (*head)(const HeadArgs&);
  void (*sampledHead)(const SampledHeadArgs&);
  void (*scores)(const ScoresArgs&);
  void (*sampleItems)(const SampleArgs&);
  void (*adam)(const AdamArgs&);
  void (*adagrad)(const AdagradArgs&);
  void (*sgd)(const SgdArgs&);
  double (*sumSquares)(const float* x, int64_t count);
  void (*scale)(float* x, int64_t count, float factor);
  void (*binary)(const BinaryArgs&);
  void (*unary)(UnaryKind kind, const float* x, int64_t count, float* y);
  /** y[c] = Σ over rows of x[r, c] */
  void (*columnSums)(const float* x, int64_t numRows, int64_t width, float* y);
  /** y[r] = Σ over columns of x[r, c] */
  void (*rowSums)(const float* x, int64_t numRows, int64_t width, float* y);
  void (*transpose)(const float* x, int64_t numRows, int64_t width, float* y);
  /** Fused multiply-adds per second on all threads together, for the benchmark's share of peak. */
  double (*measurePeak)();
  /** y = f(x) with the kernels' own exp (0), sigmoid (1), tanh (2), normal distribution (3). */
  void (*evaluate)(int function, const float* x, int64_t count, float* y);
};

}  // namespace nimue
