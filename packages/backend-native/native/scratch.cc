#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>

#include <mutex>

#include "large-pages.h"

namespace nimue {
namespace {

constexpr size_t ALIGNMENT = 64;
/** Idle memory beyond this goes back to the system. */
#if defined(__SANITIZE_ADDRESS__)
// Every block exact and fresh, so that the sanitizer sees a step beyond its end or use after its return.
constexpr size_t MAX_IDLE_BYTES = 0;
#else
constexpr size_t MAX_IDLE_BYTES = size_t(96) << 20;
#endif
constexpr int NUM_CLASSES = 128;

struct Block {
  Block* next;
};

struct Cache {
  std::mutex lock;
  Block* idle[NUM_CLASSES] = {};
  size_t idleBytes = 0;
  size_t usedBytes = 0;
  size_t peakBytes = 0;
};

Cache& cache() {
  static Cache* const instance = new Cache;
  return *instance;
}

/** Size classes in quarters of powers of two from 256 bytes on: at most a quarter is wasted. */
int classOf(size_t bytes, size_t* capacity) {
  if (MAX_IDLE_BYTES == 0) {
    *capacity = bytes;
    return 0;
  }
  size_t size = 256;
  int index = 0;
  while (size * 2 <= bytes) size *= 2, index += 4;
  const size_t quarter = size / 4;
  size_t fitted = size;
  while (fitted < bytes) fitted += quarter, index++;
  *capacity = fitted;
  return index;
}

}  // namespace

void* takeScratch(size_t bytes) {
  size_t capacity;
  const int index = classOf(bytes, &capacity);
  Cache& c = cache();
  {
    std::lock_guard<std::mutex> guard(c.lock);
    c.usedBytes += capacity;
    if (c.usedBytes > c.peakBytes) c.peakBytes = c.usedBytes;
    if (Block* block = c.idle[index]) {
      c.idle[index] = block->next;
      c.idleBytes -= capacity;
      return block;
    }
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, ALIGNMENT, capacity) != 0) memory = nullptr;
  if (memory) {
    preferLargePages(memory, capacity);
    return memory;
  }
  fprintf(stderr, "nimue native backend: no memory left for %zu bytes of working space\n", capacity);
  abort();
}

void returnScratch(void* memory, size_t bytes) {
  size_t capacity;
  const int index = classOf(bytes, &capacity);
  Cache& c = cache();
  {
    std::lock_guard<std::mutex> guard(c.lock);
    c.usedBytes -= capacity;
    if (c.idleBytes + capacity <= MAX_IDLE_BYTES) {
      Block* const block = static_cast<Block*>(memory);
      block->next = c.idle[index];
      c.idle[index] = block;
      c.idleBytes += capacity;
      return;
    }
  }
  free(memory);
}

size_t idleScratchBytes() {
  Cache& c = cache();
  std::lock_guard<std::mutex> guard(c.lock);
  return c.idleBytes;
}

size_t takeScratchPeak() {
  Cache& c = cache();
  std::lock_guard<std::mutex> guard(c.lock);
  const size_t peak = c.peakBytes;
  c.peakBytes = c.usedBytes;
  return peak;
}

}  // namespace nimue
