// Matrix product of any shape and strides, cut into tasks; with bias and activation on the way out.
#pragma once
#include "kernel-table.h"
#include "micro-kernel.h"
#include "scratch.h"
#include "staging.h"
#include "thread-pool.h"
#include "vec-math.h"

namespace {

constexpr int PANEL = NV * VL;

struct Gemm {
  int64_t m, n, k;
  const float* a;
  int64_t aRow, aColumn;
  const float* b;
  int64_t bRow, bColumn;
  float* c;
  int64_t cRow;
  const float* bias = nullptr;
  nimue::Activation activation = nimue::NONE;
  float* preActivation = nullptr;
};

template <nimue::Activation KIND>
INLINE V activate(V z) {
  if constexpr (KIND == nimue::RELU) return vmax(splat(0.f), z);
  if constexpr (KIND == nimue::GELU) return z * vnormalCdf(z);
  if constexpr (KIND == nimue::SILU) return z * vsigmoid(z);
  if constexpr (KIND == nimue::TANH) return vtanh(z);
  if constexpr (KIND == nimue::SIGMOID) return vsigmoid(z);
  return z;
}

template <nimue::Activation KIND>
static void finish(const Gemm& g, int64_t row0, int64_t row1, int64_t column0, int64_t column1) {
  for (int64_t r = row0; r < row1; r++) {
    float* c = g.c + r * g.cRow;
    float* pre = g.preActivation ? g.preActivation + r * g.cRow : nullptr;
    for (int64_t j = column0; j < column1; j += VL) {
      const int width = static_cast<int>(lesser64(VL, column1 - j));
      V z = width == VL ? load(c + j) : loadPart(c + j, width);
      if (g.bias) z = z + (width == VL ? load(g.bias + j) : loadPart(g.bias + j, width));
      const V y = activate<KIND>(z);
      if (width == VL) {
        if (pre) store(pre + j, z);
        store(c + j, y);
      } else {
        if (pre) storePart(pre + j, z, width);
        storePart(c + j, y, width);
      }
    }
  }
}

/** Adds the bias and applies the activation to part of C while it is still in the cache. */
static void finishBlock(const Gemm& g, int64_t row0, int64_t row1, int64_t column0, int64_t column1) {
  switch (g.activation) {
    case nimue::NONE:
      if (g.bias || g.preActivation) finish<nimue::NONE>(g, row0, row1, column0, column1);
      return;
    case nimue::RELU: return finish<nimue::RELU>(g, row0, row1, column0, column1);
    case nimue::GELU: return finish<nimue::GELU>(g, row0, row1, column0, column1);
    case nimue::SILU: return finish<nimue::SILU>(g, row0, row1, column0, column1);
    case nimue::TANH: return finish<nimue::TANH>(g, row0, row1, column0, column1);
    case nimue::SIGMOID: return finish<nimue::SIGMOID>(g, row0, row1, column0, column1);
  }
}

/** Few outputs over a long inner dimension (weight gradients): slices of k with sums of their own, added in order. */
static void deepGemm(const Gemm& g) {
  const int64_t padded = roundUp(static_cast<int>(g.n), VL);
  constexpr int64_t CHUNK = 128;
  const int64_t maxSlices = (int64_t(4) << 20) / (g.m * padded) + 1;
  int64_t slices = lesser64(lesser64((g.k + 255) / 256, maxSlices), 32);
  const int64_t perSlice = ((g.k + slices - 1) / slices + CHUNK - 1) / CHUNK * CHUNK;
  slices = (g.k + perSlice - 1) / perSlice;
  const bool direct = g.bColumn == 1 && g.n % VL == 0;
  Scratch<float> sums(slices * g.m * padded);
  parallelFor(static_cast<int>(slices), [&](int slice) {
    float* const sum = sums + slice * g.m * padded;
    const int64_t stride = spreadStride(padded);
    Scratch<float> staged(direct ? 0 : CHUNK * stride);
    const int64_t end = lesser64(g.k, (slice + 1) * perSlice);
    for (int64_t k0 = slice * perSlice; k0 < end; k0 += CHUNK) {
      const int64_t depth = lesser64(CHUNK, end - k0);
      Tile t{g.a + k0 * g.aColumn, g.aRow, g.aColumn, g.b + k0 * g.bRow, g.bRow, sum, padded};
      if (!direct) {
        if (g.bColumn == 1) {
          stageRows(g.b + k0 * g.bRow, g.bRow, depth, static_cast<int>(g.n), static_cast<int>(padded), staged, stride);
        } else {
          stageTransposed(g.b + k0 * g.bRow, g.bColumn, static_cast<int>(g.n), depth, static_cast<int>(padded), 1.f,
                          staged, stride);
        }
        t.b = staged, t.bStep = stride;
      }
      if (k0 == slice * perSlice) blockProduct<false>(g.m, padded, depth, t);
      else blockProduct<true>(g.m, padded, depth, t);
    }
  });
  parallelSlices(g.m, greater(1, static_cast<int>(8192 / padded)), [&](int64_t row0, int64_t row1) {
    for (int64_t r = row0; r < row1; r++) {
      for (int64_t j = 0; j < g.n; j += VL) {
        V total = load(sums + r * padded + j);
        for (int64_t s = 1; s < slices; s++) total = total + load(sums + (s * g.m + r) * padded + j);
        if (j + VL <= g.n) store(g.c + r * g.cRow + j, total);
        else storePart(g.c + r * g.cRow + j, total, static_cast<int>(g.n - j));
      }
    }
    finishBlock(g, row0, row1, 0, g.n);
  });
}

/** Packs B[k0 … k0 + depth, column0 … column0 + columns] into panels of whole registers: [panel][depth][PANEL]. */
static void packPanel(const Gemm& g, int64_t k0, int64_t depth, int64_t column, int columns, float* to) {
  const int padded = roundUp(columns, VL);
  if (g.bColumn == 1) {
    stageRows(g.b + k0 * g.bRow + column, g.bRow, depth, columns, padded, to, PANEL);
  } else {
    // The rows of Bᵀ are contiguous when bRow is 1; any other stride walks along k in the same way.
    if (g.bRow == 1) {
      stageTransposed(g.b + k0 + column * g.bColumn, g.bColumn, columns, depth, padded, 1.f, to, PANEL);
    } else {
      for (int64_t k = 0; k < depth; k++)
        for (int j = 0; j < padded; j++)
          to[k * PANEL + j] = j < columns ? g.b[(k0 + k) * g.bRow + (column + j) * g.bColumn] : 0.f;
    }
  }
}

static void wideGemm(const Gemm& g) {
  constexpr int64_t MAX_DEPTH = 320, MAX_COLUMNS = 1024;
  const int64_t depthChunks = (g.k + MAX_DEPTH - 1) / MAX_DEPTH;
  const int64_t chunk = (g.k + depthChunks - 1) / depthChunks;
  const bool direct = g.bColumn == 1 && g.n % VL == 0 && depthChunks == 1 && g.bRow <= 256 && g.m >= MR;
  // About 16 tasks or more when there is work for them, each of some micro-kernel rows.
  int64_t rowsPerTask = roundUp(static_cast<int>(lesser64(96, (g.m + 15) / 16)), MR);
  for (int64_t column0 = 0; column0 < g.n; column0 += MAX_COLUMNS) {
    const int64_t columns = lesser64(MAX_COLUMNS, g.n - column0);
    const int panels = static_cast<int>((columns + PANEL - 1) / PANEL);
    Scratch<float> packed(direct ? 0 : panels * chunk * PANEL);
    for (int64_t k0 = 0; k0 < g.k; k0 += chunk) {
      const int64_t depth = lesser64(chunk, g.k - k0);
      const auto packOne = [&](int panel) {
        const int64_t column = column0 + panel * PANEL;
        packPanel(g, k0, depth, column, static_cast<int>(lesser64(PANEL, g.n - column)),
                  packed + panel * chunk * PANEL);
      };
      if (!direct) {
        if (depth * columns < 16384) {
          for (int panel = 0; panel < panels; panel++) packOne(panel);
        } else {
          parallelFor(panels, packOne);
        }
      }
      const int64_t rowTasks = (g.m + rowsPerTask - 1) / rowsPerTask;
      const int64_t columnTasks = rowTasks >= 8 ? 1 : lesser64(panels, 8);
      parallelFor(static_cast<int>(rowTasks * columnTasks), [&](int task) {
        const int64_t row0 = task / columnTasks * rowsPerTask;
        const int64_t row1 = lesser64(g.m, row0 + rowsPerTask);
        const int64_t columnTask = task % columnTasks;
        const int panel0 = static_cast<int>(columnTask * panels / columnTasks);
        const int panel1 = static_cast<int>((columnTask + 1) * panels / columnTasks);
        // Rows a multiple of a page's quarter apart share cache sets: copy them side by side first.
        const bool packA = g.aColumn == 1 && g.aRow % 256 == 0 && depth >= 64 && panel1 - panel0 >= 3;
        const int64_t aStride = spreadStride(depth);
        Scratch<float> rowsOfA(packA ? (row1 - row0) * aStride : 0);
        Scratch<float> edge((row1 - row0) * PANEL);
        Tile t{g.a + row0 * g.aRow + k0 * g.aColumn, g.aRow, g.aColumn, nullptr, 0, nullptr, 0};
        if (packA) {
          stageRows(t.a, g.aRow, row1 - row0, static_cast<int>(depth), static_cast<int>(depth), rowsOfA, aStride);
          t.a = rowsOfA, t.aRow = aStride;
        }
        for (int panel = panel0; panel < panel1; panel++) {
          const int64_t column = column0 + panel * PANEL;
          const int width = static_cast<int>(lesser64(PANEL, g.n - column));
          t.b = direct ? g.b + column : packed + panel * chunk * PANEL;
          t.bStep = direct ? g.bRow : PANEL;
          t.c = g.c + row0 * g.cRow + column, t.cRow = g.cRow;
          if (width % VL == 0) {
            if (k0 == 0) blockProduct<false>(row1 - row0, width, depth, t);
            else blockProduct<true>(row1 - row0, width, depth, t);
          } else {
            float* const c = t.c;
            t.c = edge, t.cRow = PANEL;
            blockProduct<false>(row1 - row0, roundUp(width, VL), depth, t);
            if (k0 == 0) unstageRows<false>(edge, PANEL, row1 - row0, width, c, g.cRow);
            else unstageRows<true>(edge, PANEL, row1 - row0, width, c, g.cRow);
          }
        }
        if (k0 + depth == g.k) {
          finishBlock(g, row0, row1, column0 + panel0 * PANEL, lesser64(g.n, column0 + panel1 * PANEL));
        }
      });
    }
  }
}

static void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    for (int64_t r = 0; r < g.m; r++) memset(g.c + r * g.cRow, 0, g.n * sizeof(float));
    finishBlock(g, 0, g.m, 0, g.n);
    return;
  }
  const bool rowsOfB = g.bColumn == 1 || g.bRow == 1;
  if (rowsOfB && g.k >= 1024 && g.m * g.n <= 512 * 512 && g.m < 1024) deepGemm(g);
  else wideGemm(g);
}

static void matMul(const nimue::MatMulArgs& args) {
  const auto one = [&](int64_t i) {
    Gemm g{args.m, args.n, args.k, args.a + i * args.aBatch, 0, 0, args.b + i * args.bBatch, 0, 0,
           args.c + i * args.m * args.n, args.n};
    g.aRow = args.transposeA ? 1 : args.k, g.aColumn = args.transposeA ? args.m : 1;
    g.bRow = args.transposeB ? 1 : args.n, g.bColumn = args.transposeB ? args.k : 1;
    gemm(g);
  };
  // Inside a task the product runs on one thread with the same slices: the same bits either way.
  if (args.batch >= 4 && args.batch <= nimue::MAX_TASKS) {
    parallelFor(static_cast<int>(args.batch), [&](int task) { one(task); });
  } else {
    for (int64_t i = 0; i < args.batch; i++) one(i);
  }
}

}  // namespace
