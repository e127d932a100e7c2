// What the softmax head does with one tile of items (see head.h): scores, exponentials, and the products with them.
#pragma once
#include "bf16.h"
#include "gemm.h"

namespace {

/** Rows whose exponentials are computed at a time: as many as there are registers for. */
constexpr int EXP_ROWS = VL == 16 ? 2 : 1;
/** A number as a type, for lambdas that need one at compile time. */
template <int N>
struct Count {
  static constexpr int value = N;
};

constexpr int MAX_TILE_ROWS = 120, PANEL_TOKENS = 96;
/** Tokens of a block whose exponentials are kept, and of one whose exponentials are computed twice. */
constexpr int MAX_KEPT_TOKENS = 3 * PANEL_TOKENS, MAX_REPEATED_TOKENS = 12 * PANEL_TOKENS;
/** Most memory for exponentials, in 32-bit elements. */
constexpr int64_t MAX_KEPT = int64_t(14) << 20;

struct HeadPlan {
  int64_t items, tiles, slices, blocks;
  int tileRows, blockTokens, padded;
  int64_t tokenStride, widthStride;
  /** 32-bit elements of one panel of exponentials [tileRows, PANEL_TOKENS], and of all the panels that one tile keeps. */
  int64_t panelSize, tileSize;
  /** Whether exponentials of a whole block are kept; else they are computed again for the table's gradient. */
  bool kept;
  bool bf16;
};

static HeadPlan planHead(const nimue::HeadArgs& args) {
  HeadPlan p;
  p.bf16 = args.bf16 && hasBf16();
  p.items = args.numItems - args.firstRow;
  p.tiles = (p.items + MAX_TILE_ROWS - 1) / MAX_TILE_ROWS;
  p.slices = lesser64(16, p.tiles);
  p.tiles = (p.tiles + p.slices - 1) / p.slices * p.slices;
  p.tileRows = roundUp(static_cast<int>((p.items + p.tiles - 1) / p.tiles), MR);
  p.tiles = (p.items + p.tileRows - 1) / p.tileRows;
  p.slices = lesser64(p.slices, p.tiles);
  p.panelSize = p.tileRows * PANEL_TOKENS / (p.bf16 ? 2 : 1);
  const auto cut = [&](int maxTokens) {
    p.blocks = (args.numRows + maxTokens - 1) / maxTokens;
    p.blockTokens = roundUp(static_cast<int>((args.numRows + p.blocks - 1) / p.blocks), PANEL);
    p.blocks = (args.numRows + p.blockTokens - 1) / p.blockTokens;
    p.tileSize = (p.blockTokens + PANEL_TOKENS - 1) / PANEL_TOKENS * p.panelSize;
  };
  cut(MAX_KEPT_TOKENS);
  p.kept = args.dHidden && p.tiles * p.tileSize <= MAX_KEPT;
  if (!p.kept) cut(MAX_REPEATED_TOKENS);
  p.padded = roundUp(static_cast<int>(args.width), VL);
  p.tokenStride = spreadStride(p.blockTokens);
  p.widthStride = spreadStride(p.padded);
  return p;
}

/** Working space of one slice of tiles. */
struct HeadSpace {
  Scratch<float> table, scores, panel;
  Scratch<uint32_t> tablePairs, tableRowPairs, byItem, panelPairs;

  explicit HeadSpace(const HeadPlan& p)
      : table(p.tileRows * p.widthStride),
        scores(p.tileRows * PANEL),
        panel(p.kept || p.bf16 ? 0 : p.panelSize),
        tablePairs(p.bf16 ? p.tileRows * p.widthStride : 0),
        tableRowPairs(p.bf16 ? (p.tileRows + 1) / 2 * p.widthStride : 0),
        byItem(p.bf16 ? (p.tileRows + 1) / 2 * PANEL_TOKENS : 0),
        panelPairs(p.bf16 && !p.kept ? p.panelSize : 0) {}
};

/** What the tiles of one block of tokens share. */
struct HeadBlock {
  int64_t firstToken;
  int tokens, paddedTokens;
  /** hidden / temperature, transposed [D, tokens]; as pairs along D with bfloat16 operands. */
  const float* hiddenT;
  const uint32_t* hiddenPairsT;
  /** What is taken from every logit of a token before the exponential [tokens]. */
  float* shift;
  /** Logit of each token's target [tokens]. */
  float* targetLogit;
  /** Loss scale over the token's sum of exponentials: probability · loss scale = exponential · factor [tokens]. */
  float* factor;
  /** hidden · factor [tokens, D], 0 beyond the last token; as pairs along the tokens with bfloat16 operands. */
  float* scaledRows;
  uint32_t* scaledPairs;
};

/** Some items and their place in the table. */
struct HeadTile {
  int64_t item0;
  int rows;

  HeadTile(const nimue::HeadArgs& args, const HeadPlan& p, int64_t tile)
      : item0(args.firstRow + tile * p.tileRows),
        rows(static_cast<int>(lesser64(p.tileRows, args.numItems - item0))) {}
};

/** Rows of the table, padded and spread over the cache sets; as pairs along both directions with bfloat16 operands. */
static void stageTile(const nimue::HeadArgs& args, const HeadPlan& p, const HeadTile& t, const HeadSpace& space) {
  const int width = static_cast<int>(args.width);
  stageRows(args.table + t.item0 * width, width, t.rows, width, p.padded, space.table, p.widthStride);
  if (!p.bf16) return;
  pairColumns(space.table, p.widthStride, t.rows, p.padded, space.tablePairs, p.widthStride);
  pairRows(space.table, p.widthStride, t.rows, p.padded, space.tableRowPairs, p.widthStride);
}

/** Logits of the tile's items for PANEL tokens from `first` on: z[item, token], bias included. */
static void scoreStrip(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, const HeadTile& t,
                       const HeadSpace& space, int first, float* z, int64_t stride) {
  const int width = static_cast<int>(args.width);
  if (p.bf16) {
    pairProduct<false>(t.rows, PANEL, (width + 1) / 2, space.tablePairs, p.widthStride, 1, block.hiddenPairsT + first,
                       p.tokenStride, z, stride);
  } else {
    blockProduct<false>(t.rows, PANEL, width,
                        Tile{space.table, p.widthStride, 1, block.hiddenT + first, p.tokenStride, z, stride});
  }
  if (!args.bias) return;
  const float inverse = 1.f / args.temperature;
  for (int r = 0; r < t.rows; r++) {
    const V b = splat(args.bias[t.item0 + r] * inverse);
    for (int j = 0; j < PANEL; j += VL) store(z + r * stride + j, load(z + r * stride + j) + b);
  }
}

/** z becomes e^(z − shift); adds their sums over the items to `sums`, null when nobody asks. */
static void exponentialStrip(int rows, const float* shift, float* z, float* sums) {
  V from[NV], sum[NV];
  for (int j = 0; j < NV; j++) from[j] = load(shift + j * VL), sum[j] = V{};
  const auto several = [&](auto count, int r) {
    constexpr int ROWS = decltype(count)::value;
    V e[ROWS * NV];
    float* const at = z + r * PANEL_TOKENS;
#pragma GCC unroll 8
    for (int i = 0; i < ROWS * NV; i++) e[i] = load(at + i / NV * PANEL_TOKENS + i % NV * VL) - from[i % NV];
    vexpAll(e);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS * NV; i++) {
      store(at + i / NV * PANEL_TOKENS + i % NV * VL, e[i]);
      sum[i % NV] = sum[i % NV] + e[i];
    }
  };
  int r = 0;
  for (; r + EXP_ROWS <= rows; r += EXP_ROWS) several(Count<EXP_ROWS>{}, r);
  for (; r < rows; r++) several(Count<1>{}, r);
  if (sums)
    for (int j = 0; j < NV; j++) store(sums + j * VL, load(sums + j * VL) + sum[j]);
}

/** Keeps the logit of every target that is in this tile. */
static void pickTargets(const nimue::HeadArgs& args, const HeadBlock& block, const HeadTile& t, int first,
                        const float* z, int64_t stride) {
  const int tokens = lesser(PANEL, block.tokens - first);
  const int32_t* const targets = args.targetIds + block.firstToken + first;
  for (int n = 0; n < tokens; n++) {
    const int64_t row = targets[n] - t.item0;
    if (row >= 0 && row < t.rows) block.targetLogit[first + n] = z[row * stride + n];
  }
}

/**
 * First visit of a tile: exponentials (kept or not), their sums [tokens], and with gradients
 * dHidden[token] (=, +=) Σ e^(z − shift) · table[item], to be scaled when the token's sum is known.
 */
static void headForward(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, const HeadTile& t,
                        const HeadSpace& space, float* e, uint32_t* pairs, float* sums, float* dHidden, bool add) {
  stageTile(args, p, t, space);
  if (!p.kept) e = space.panel, pairs = space.panelPairs;
  for (int panel = 0; panel < block.paddedTokens; panel += PANEL_TOKENS) {
    const int columns = lesser(PANEL_TOKENS, block.paddedTokens - panel);
    for (int j = 0; j < columns; j += PANEL) {
      float* const z = p.bf16 ? static_cast<float*>(space.scores) : e + j;
      const int64_t stride = p.bf16 ? PANEL : PANEL_TOKENS;
      const int first = panel + j;
      scoreStrip(args, p, block, t, space, first, z, stride);
      pickTargets(args, block, t, first, z, stride);
      const float* const shift = block.shift + first;
      if (p.bf16)
        exponentialPairs(t.rows, PANEL, PANEL_TOKENS, shift, z, sums + first, pairs + j / 2, space.byItem + j);
      else exponentialStrip(t.rows, shift, z, sums + first);
    }
    if (dHidden) {
      float* const to = dHidden + int64_t(panel) * p.padded;
      const auto product = [&](auto addTo) {
        constexpr bool ADD = decltype(addTo)::value;
        if (p.bf16) {
          pairProduct<ADD>(columns, p.padded, (t.rows + 1) / 2, space.byItem, 1, PANEL_TOKENS, space.tableRowPairs,
                           p.widthStride, to, p.padded);
        } else {
          blockProduct<ADD>(columns, p.padded, t.rows,
                            Tile{e, 1, PANEL_TOKENS, space.table, p.widthStride, to, p.padded});
        }
      };
      add ? product(True{}) : product(False{});
    }
    if (p.kept) {
      if (p.bf16) pairs += p.panelSize;
      else e += p.panelSize;
    }
  }
}

/** Adds Σ exponential · factor over a panel's tokens to every item's bias gradient. */
static void headBiasGradient(const HeadPlan& p, const HeadTile& t, const float* e, const uint32_t* pairs,
                             const float* factor, int columns, float* dBias) {
  for (int r = 0; r < t.rows; r++) {
    V sum{};
    float odd = 0;
    if (p.bf16) {
      for (int j = 0; j < columns; j++) {
        const uint32_t pair = pairs[r * (PANEL_TOKENS / 2) + j / 2];
        const uint32_t bits = j % 2 ? pair & 0xffff0000u : pair << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        odd += value * factor[j];
      }
    } else {
      for (int j = 0; j < columns; j += VL) sum = fma(load(e + r * PANEL_TOKENS + j), load(factor + j), sum);
    }
    dBias[t.item0 + r] += sumLanes(sum) + odd;
  }
}

/** Second visit: dTable[item] (=, +=) Σ e^(z − shift) · factor · hidden over the block's tokens. */
static void headTableGradient(const nimue::HeadArgs& args, const HeadPlan& p, const HeadBlock& block, const HeadTile& t,
                              const HeadSpace& space, float* e, uint32_t* pairs) {
  const int width = static_cast<int>(args.width);
  const bool whole = width % VL == 0, firstBlock = block.firstToken == 0;
  if (!p.kept) e = space.panel, pairs = space.panelPairs, stageTile(args, p, t, space);
  float* const dTable = args.dTable + t.item0 * width;
  for (int panel = 0; panel < block.tokens; panel += PANEL_TOKENS) {
    const int columns = lesser(PANEL_TOKENS, block.paddedTokens - panel);
    if (!p.kept) {
      for (int j = 0; j < columns; j += PANEL) {
        float* const z = p.bf16 ? static_cast<float*>(space.scores) : e + j;
        scoreStrip(args, p, block, t, space, panel + j, z, p.bf16 ? PANEL : PANEL_TOKENS);
        const float* const shift = block.shift + panel + j;
        if (p.bf16) exponentialPairs(t.rows, PANEL, PANEL_TOKENS, shift, z, nullptr, pairs + j / 2, space.byItem + j);
        else exponentialStrip(t.rows, shift, z, nullptr);
      }
    }
    const int depth = lesser(columns, block.tokens - panel);
    const auto product = [&](auto addTo, float* to, int64_t stride) {
      constexpr bool ADD = decltype(addTo)::value;
      if (p.bf16) {
        pairProduct<ADD>(t.rows, p.padded, (depth + 1) / 2, pairs, PANEL_TOKENS / 2, 1,
                         block.scaledPairs + panel / 2 * p.widthStride, p.widthStride, to, stride);
      } else {
        blockProduct<ADD>(t.rows, p.padded, depth,
                          Tile{e, PANEL_TOKENS, 1, block.scaledRows + panel * p.widthStride, p.widthStride, to, stride,
                               p.kept ? e + MR * PANEL_TOKENS : nullptr});
      }
    };
    const bool fresh = firstBlock && panel == 0;
    if (whole) {
      fresh ? product(False{}, dTable, width) : product(True{}, dTable, width);
    } else {
      Scratch<float> edge(t.rows * p.widthStride);
      product(False{}, edge, p.widthStride);
      if (fresh) unstageRows<false>(edge, p.widthStride, t.rows, width, dTable, width);
      else unstageRows<true>(edge, p.widthStride, t.rows, width, dTable, width);
    }
    if (args.dBias) headBiasGradient(p, t, e, pairs, block.factor + panel, columns, args.dBias);
    if (p.kept) {
      if (p.bf16) pairs += p.panelSize;
      else e += p.panelSize;
    }
  }
}

}  // namespace
