// The k best items of one row, gathered one by one.
#pragma once
#include <math.h>
#include <stdint.h>

namespace {

/** The k best seen so far as a heap with the worst on top. Worse: lower score, at equal scores the higher id. */
struct BestItems {
  float* score;
  int32_t* id;
  int64_t size, capacity;

  static inline bool worse(float s, int32_t i, float t, int32_t j) { return s < t || (s == t && i > j); }

  void sink(int64_t at, int64_t count, float s, int32_t i) {
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
      if (child + 1 < count && worse(score[child + 1], id[child + 1], score[child], id[child])) child++;
      if (!worse(score[child], id[child], s, i)) break;
      score[at] = score[child], id[at] = id[child];
    }
    score[at] = s, id[at] = i;
  }

  void offer(float s, int32_t i) {
    if (size == capacity) {
      if (worse(score[0], id[0], s, i)) sink(0, size, s, i);
      return;
    }
    int64_t at = size++;
    while (at > 0) {
      const int64_t parent = (at - 1) / 2;
      if (!worse(s, i, score[parent], id[parent])) break;
      score[at] = score[parent], id[at] = id[parent];
      at = parent;
    }
    score[at] = s, id[at] = i;
  }

  /** Best first. */
  void sort() {
    for (int64_t last = size - 1; last > 0; last--) {
      const float s = score[last];
      const int32_t i = id[last];
      score[last] = score[0], id[last] = id[0];
      sink(0, last, s, i);
    }
  }

  float threshold() const { return size == capacity ? score[0] : -INFINITY; }
};

}  // namespace
