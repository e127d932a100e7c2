// A bias by the kind of a pair of query and key, such as the time between them.
#pragma once
#include "attention-head.h"

namespace {

static void addPairBias(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t i0, int queries, int64_t keys,
                        int tile, float* scores) {
  if (!args.pairBias) return;
  for (int l = 0; l < queries; l++) {
    const uint8_t* const kinds = h.pairKinds + (i0 + l) * h.length;
    for (int64_t j = 0; j < keys; j++) scores[j * tile + l] += args.pairBias[kinds[j] * args.numHeads + h.head];
  }
}

/** Adds a tile of score gradients, times the scale, up by kind: each (session, head) on its own. */
static void collectPairs(const nimue::AttentionArgs& args, const AttentionHead& h, int64_t i0, int queries, int64_t keys,
                         int tile, const float* dScores, float* sums) {
  if (!args.pairBias) return;
  for (int l = 0; l < queries; l++) {
    const uint8_t* const kinds = h.pairKinds + (i0 + l) * h.length;
    for (int64_t j = 0; j < keys; j++) sums[kinds[j]] += dScores[j * tile + l];
  }
}

/** Sums the parts [session, head, kind] in their order; they carry the scale, which the bias does not. */
static void sumPairBias(const nimue::AttentionArgs& args, const float* parts) {
  for (int64_t kind = 0; kind < args.numKinds; kind++) {
    for (int64_t head = 0; head < args.numHeads; head++) {
      double sum = 0;
      for (int64_t b = 0; b < args.numSessions; b++) sum += parts[(b * args.numHeads + head) * args.numKinds + kind];
      args.dPairBias[kind * args.numHeads + head] = static_cast<float>(sum / args.scale);
    }
  }
}

}  // namespace
