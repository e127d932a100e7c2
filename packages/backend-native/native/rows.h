// Ops on rows of packed tokens: gather, scatter, embedding, dropout, residual sum.
#pragma once
#include "keep.h"
#include "scratch.h"
#include "thread-pool.h"

namespace {

/** Rows per task so that a task moves about 64 KiB. */
INLINE int64_t rowsPerTask(int64_t width) { return lesser64(16384, 16384 / (width + 1) + 1); }

static void gather(const nimue::GatherArgs& args) {
  parallelSlices(args.numRows, rowsPerTask(args.width), [&](int64_t row0, int64_t row1) {
    for (int64_t r = row0; r < row1; r++)
      memcpy(args.y + r * args.width, args.x + args.rows[r] * args.width, args.width * sizeof(float));
  });
}

/** y[rows[n]] += scale · dropout(dy[n]); every output row adds up in order of n. */
static void scatter(const nimue::ScatterArgs& args) {
  const int64_t width = args.width;
  // Counting sort: sources[start[r] … start[r + 1]) are the rows of dy that go to output row r.
  Scratch<int32_t> start(args.numOutputRows + 1), sources(args.numRows);
  memset(start, 0, (args.numOutputRows + 1) * sizeof(int32_t));
  for (int64_t n = 0; n < args.numRows; n++) start[args.rows[n]]++;
  int32_t total = 0;
  for (int64_t r = 0; r <= args.numOutputRows; r++) total += start[r], start[r] = total;
  for (int64_t n = args.numRows - 1; n >= 0; n--) sources[--start[args.rows[n]]] = static_cast<int32_t>(n);
  const V scale = splat(args.scale);
  parallelSlices(args.numOutputRows, rowsPerTask(width), [&](int64_t row0, int64_t row1) {
    for (int64_t r = row0; r < row1; r++) {
      float* const y = args.y + r * width;
      memset(y, 0, width * sizeof(float));
      for (int32_t s = start[r]; s < start[r + 1]; s++) {
        const int64_t n = sources[s];
        const float* const dy = args.dy + n * width;
        const uint32_t hash = rowHash(args.dropout, static_cast<uint32_t>(n));
        for (int64_t d = 0; d < width; d += VL) {
          const int part = static_cast<int>(lesser64(VL, width - d));
          V v = part == VL ? load(dy + d) : loadPart(dy + d, part);
          if (args.dropout.active)
            v = dropped(args.dropout, v, keptColumns(args.dropout, hash, static_cast<uint32_t>(d)));
          v = v * scale;
          if (part == VL) store(y + d, load(y + d) + v);
          else storePart(y + d, loadPart(y + d, part) + v, part);
        }
      }
    }
  });
}

static void embed(const nimue::EmbedArgs& args) {
  const int64_t width = args.width;
  const V scale = splat(args.scale);
  parallelSlices(args.numRows, rowsPerTask(width), [&](int64_t row0, int64_t row1) {
    for (int64_t r = row0; r < row1; r++) {
      const float* const item = args.table + args.itemIds[r] * width;
      const float* const position = args.positionTable ? args.positionTable + args.positions[r] * width : nullptr;
      const uint32_t hash = rowHash(args.dropout, static_cast<uint32_t>(r));
      for (int64_t d = 0; d < width; d += VL) {
        const int part = static_cast<int>(lesser64(VL, width - d));
        V v;
        if (part == VL) {
          v = load(item + d) * scale;
          if (position) v = v + load(position + d);
        } else {
          v = loadPart(item + d, part) * scale;
          if (position) v = v + loadPart(position + d, part);
        }
        if (args.dropout.active)
          v = dropped(args.dropout, v, keptColumns(args.dropout, hash, static_cast<uint32_t>(d)));
        if (part == VL) store(args.y + r * width + d, v);
        else storePart(args.y + r * width + d, v, part);
      }
    }
  });
}

/** y = residual + dropout(x); dropout alone without a residual. */
static void residualAdd(const nimue::ResidualAddArgs& args) {
  const int64_t width = args.width;
  parallelSlices(args.numRows, rowsPerTask(width), [&](int64_t row0, int64_t row1) {
    for (int64_t r = row0; r < row1; r++) {
      const uint32_t hash = rowHash(args.dropout, static_cast<uint32_t>(r));
      for (int64_t d = 0; d < width; d += VL) {
        const int part = static_cast<int>(lesser64(VL, width - d));
        const int64_t at = r * width + d;
        V v = part == VL ? load(args.x + at) : loadPart(args.x + at, part);
        if (args.dropout.active)
          v = dropped(args.dropout, v, keptColumns(args.dropout, hash, static_cast<uint32_t>(d)));
        if (args.residual) v = v + (part == VL ? load(args.residual + at) : loadPart(args.residual + at, part));
        if (part == VL) store(args.y + at, v);
        else storePart(args.y + at, v, part);
      }
    }
  });
}

}  // namespace
