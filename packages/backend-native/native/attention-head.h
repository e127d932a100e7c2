// One (session, head) of an attention: where it lies, and how its rows are read.
#pragma once
#include <type_traits>

#include "gemm.h"

namespace {

/** One session's part of one head: matrices [length, headWidth] with row stride `width`. */
struct AttentionHead {
  int64_t at;  // offset of the first element in query, key, value, y
  int64_t session, firstRow, length, head;
  const uint8_t *mask, *pairKinds;  // of the session; null without
  int headWidth, padded;
};

/** Heads of long sessions first, so that the threads end together. */
static void sortSessions(const int32_t* offsets, int64_t numSessions, int32_t* order) {
  int32_t longest = 0;
  for (int64_t b = 0; b < numSessions; b++) longest = greater(longest, offsets[b + 1] - offsets[b]);
  Scratch<int32_t> start(longest + 2);
  memset(start, 0, (longest + 2) * sizeof(int32_t));
  for (int64_t b = 0; b < numSessions; b++) start[longest - (offsets[b + 1] - offsets[b]) + 1]++;
  for (int32_t i = 0; i <= longest; i++) start[i + 1] += start[i];
  for (int64_t b = 0; b < numSessions; b++)
    order[start[longest - (offsets[b + 1] - offsets[b])]++] = static_cast<int32_t>(b);
}

template <typename Body>
static void forEachHead(const nimue::AttentionArgs& args, const Body& body) {
  Scratch<int32_t> order(args.numSessions);
  sortSessions(args.offsets, args.numSessions, order);
  const bool hasPairs = args.mask || args.pairKinds;
  Scratch<int64_t> firstPair(hasPairs ? args.numSessions : 0);
  for (int64_t b = 0, start = 0; hasPairs && b < args.numSessions; b++) {
    const int64_t length = args.offsets[b + 1] - args.offsets[b];
    firstPair[b] = start;
    start += length * length;
  }
  const int headWidth = static_cast<int>(args.width / args.numHeads);
  parallelSlices(args.numSessions * args.numHeads, 1, [&](int64_t i0, int64_t i1) {
    for (int64_t i = i0; i < i1; i++) {
      const int64_t session = order[i / args.numHeads], head = i % args.numHeads;
      const int64_t first = args.offsets[session], length = args.offsets[session + 1] - first;
      if (length == 0 || headWidth == 0) continue;
      body(AttentionHead{first * args.width + head * headWidth, session, first, length, head,
                         args.mask ? args.mask + firstPair[session] : nullptr,
                         args.pairKinds ? args.pairKinds + firstPair[session] : nullptr, headWidth, roundUp(headWidth, VL)});
    }
  });
}

/** Rows that may be read in whole registers: in place where the width allows, else a padded copy. */
struct WholeRows {
  const float* data;
  int64_t stride;
};

INLINE WholeRows wholeRows(const float* from, int64_t stride, int64_t rows, const AttentionHead& h, float* scratch) {
  if (h.headWidth % VL == 0) return {from, stride};
  stageRows(from, stride, rows, h.headWidth, h.padded, scratch, h.padded);
  return {scratch, h.padded};
}

INLINE int queryTile(int64_t length) { return length <= VL ? VL : PANEL; }

/** In the place of working memory that is not needed: short sessions notice every piece that is taken. */
struct NoScratch {
  explicit NoScratch(int64_t) {}
  operator float*() const { return nullptr; }
};

template <bool GENERAL>
using GeneralScratch = std::conditional_t<GENERAL, Scratch<float>, NoScratch>;

}  // namespace
