// Scores by distance of an attention head: query′ · keys[clip(key − query)], as tiles [distance, query] that are read along
// their diagonals.
#pragma once
#include "attention-head.h"

namespace {

INLINE int64_t relativeReach(const nimue::AttentionArgs& args, const AttentionHead& h) {
  return lesser64(args.relativeReach, h.length - 1);
}
/** Distances that occur in a session, clipped: the rows that its tiles need at most. */
INLINE int64_t relativeRows(const nimue::AttentionArgs& args, const AttentionHead& h) {
  return args.relativeQuery ? 2 * relativeReach(args, h) + 1 : 0;
}
INLINE int64_t relativeColumns(const nimue::AttentionArgs& args, const AttentionHead& h) {
  return args.relativeQuery ? h.headWidth : 0;
}

/** The distances of a tile of queries, clipped to the session's reach. */
struct RelativeRange {
  int64_t reach, lowest, count;
  int64_t rowOf(int64_t distance) const {
    return (distance < -reach ? -reach : distance > reach ? reach : distance) - lowest;
  }
};

INLINE RelativeRange rangeOf(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t i0, int queries,
                             int64_t keys) {
  RelativeRange r{relativeReach(args, h), 0, 0};
  const int64_t lowest = -(i0 + queries - 1), highest = keys - 1 - i0;
  r.lowest = lowest < -r.reach ? -r.reach : lowest;
  r.count = (highest > r.reach ? r.reach : highest) - r.lowest + 1;
  return r;
}

/** First row of a head's keys at a distance. */
INLINE int64_t relativeKeyAt(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t distance) {
  return (distance + args.relativeReach) * args.width + h.head * h.headWidth;
}

static void addRelativeScores(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t i0, int queries,
                              int64_t keys, int tile, float* queryT, float* byDistance, float* scores) {
  if (!args.relativeQuery) return;
  const RelativeRange range = rangeOf(args, h, i0, queries, keys);
  stageTransposed(args.relativeQuery + h.at + i0 * args.width, args.width, queries, h.headWidth, tile, args.scale, queryT,
                  tile);
  const float* const rows = args.relativeKeys + relativeKeyAt(args, h, range.lowest);
  blockProduct<false>(range.count, tile, h.headWidth, Tile{rows, args.width, 1, queryT, tile, byDistance, tile});
  for (int64_t j = 0; j < keys; j++)
    for (int l = 0; l < queries; l++) scores[j * tile + l] += byDistance[range.rowOf(j - i0 - l) * tile + l];
}

/** What the gradient keeps for a session and head. */
struct RelativeGradient {
  WholeRows keys, query;
  float *byDistance, *dKeys, *out;
};

/** @param copies for rows that are no whole registers: of keys, of queries, of a tile that is written */
static RelativeGradient startRelative(const nimue::AttentionArgs& args, const AttentionHead& h, float* copies,
                                      float* byDistance, float* dKeys) {
  RelativeGradient r{};
  if (!args.relativeQuery) return r;
  const int64_t rows = relativeRows(args, h);
  r.byDistance = byDistance, r.dKeys = dKeys;
  memset(dKeys, 0, rows * h.padded * sizeof(float));
  r.keys = wholeRows(args.relativeKeys + relativeKeyAt(args, h, -relativeReach(args, h)), args.width, rows, h, copies);
  if (copies) copies += rows * h.padded;
  r.query = wholeRows(args.relativeQuery + h.at, args.width, h.length, h, copies);
  if (copies) r.out = copies + h.length * h.padded;
  return r;
}

/** From a tile of score gradients, times the scale: adds to dKeys, writes the queries' part of dRelativeQuery. */
static void collectRelative(const nimue::AttentionArgs& args, const AttentionHead& h, const RelativeGradient& r,
                            int64_t i0, int queries, int64_t keys, int tile, const float* dScores) {
  if (!args.relativeQuery) return;
  const RelativeRange range = rangeOf(args, h, i0, queries, keys);
  memset(r.byDistance, 0, range.count * tile * sizeof(float));
  for (int64_t j = 0; j < keys; j++)
    for (int l = 0; l < queries; l++) r.byDistance[range.rowOf(j - i0 - l) * tile + l] += dScores[j * tile + l];
  const int64_t first = range.lowest + range.reach;
  const float* const query = r.query.data + i0 * r.query.stride;
  blockProduct<true>(range.count, h.padded, queries,
                     Tile{r.byDistance, tile, 1, query, r.query.stride, r.dKeys + first * h.padded, h.padded});
  const bool whole = h.headWidth % VL == 0;
  float* const dQuery = args.dRelativeQuery + h.at + i0 * args.width;
  Tile toQuery{r.byDistance, 1, tile, r.keys.data + first * r.keys.stride, r.keys.stride, whole ? dQuery : r.out,
               whole ? args.width : h.padded};
  blockProduct<false>(queries, h.padded, range.count, toQuery);
  if (!whole) unstageRows<false>(r.out, h.padded, queries, h.headWidth, dQuery, args.width);
}

/** Where a session and head leaves the gradient of its keys by distance: 2 · length rows of the head's width. */
INLINE int64_t relativePart(const nimue::AttentionArgs& args, int64_t firstRow, int64_t length, int64_t head) {
  return 2 * (firstRow * args.width + head * length * (args.width / args.numHeads));
}

static void leaveRelative(const nimue::AttentionArgs& args, const AttentionHead& h, const RelativeGradient& r,
                          float* parts) {
  unstageRows<false>(r.dKeys, h.padded, relativeRows(args, h), h.headWidth,
                     parts + relativePart(args, h.firstRow, h.length, h.head), h.headWidth);
}

/** Sums the sessions' parts in their order, whatever thread computed them. */
static void sumRelativeKeys(const nimue::AttentionArgs& args, const float* parts) {
  const int64_t headWidth = args.width / args.numHeads;
  parallelSlices(2 * args.relativeReach + 1, 1, [&](int64_t row0, int64_t row1) {
    for (int64_t row = row0; row < row1; row++) {
      float* const sum = args.dRelativeKeys + row * args.width;
      memset(sum, 0, args.width * sizeof(float));
      for (int64_t b = 0; b < args.numSessions; b++) {
        const int64_t first = args.offsets[b], length = args.offsets[b + 1] - first;
        const int64_t reach = lesser64(args.relativeReach, length - 1), distance = row - args.relativeReach;
        if (distance < -reach || distance > reach) continue;
        for (int64_t head = 0; head < args.numHeads; head++) {
          const float* const part = parts + relativePart(args, first, length, head) + (distance + reach) * headWidth;
          for (int64_t c = 0; c < headWidth; c++) sum[head * headWidth + c] += part[c];
        }
      }
    }
  });
}

}  // namespace
