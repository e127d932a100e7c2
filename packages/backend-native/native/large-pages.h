// Large pages for large arrays: an optimizer step or a norm walks through hundreds of megabytes, and with pages of 4 KiB
// the processor spends more time on looking up addresses than on arithmetic.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace nimue {

/** Smaller arrays would waste a noticeable part of a page of 2 MiB. */
constexpr size_t LARGE_PAGES_FROM = size_t(4) << 20;

/** Asks the system for large pages where it grants them on request; what lies in the memory stays as it is. */
inline void preferLargePages(void* memory, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__)
  if (bytes < LARGE_PAGES_FROM) return;
  constexpr uintptr_t page = 4096;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
  // A refusal only costs speed.
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

}  // namespace nimue
