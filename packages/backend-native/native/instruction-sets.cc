#include "instruction-sets.h"

#include <string.h>

namespace nimue {

std::atomic<bool> emulatesBf16{false};

#if defined(__x86_64__)
extern const KernelTable kernels_avx512;
extern const KernelTable kernels_avx2;
extern const KernelTable kernels_sse2;
#elif defined(__aarch64__)
extern const KernelTable kernels_neon;
#endif

namespace {

struct Candidate {
  const KernelTable* kernels;
  bool (*runsHere)();
};

const Candidate CANDIDATES[] = {
#if defined(__x86_64__)
    {&kernels_avx512,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("fma") != 0;
     }},
    {&kernels_avx2, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
    {&kernels_sse2, [] { return true; }},
#elif defined(__aarch64__)
    {&kernels_neon, [] { return true; }},
#endif
};

}  // namespace

const char* const* supportedInstructionSets() {
  static const char* names[sizeof CANDIDATES / sizeof *CANDIDATES + 1];
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  int count = 0;
  for (const Candidate& c : CANDIDATES)
    if (c.runsHere()) names[count++] = c.kernels->name;
  names[count] = nullptr;
  return names;
}

const KernelTable* kernelsFor(const char* name) {
  for (const Candidate& c : CANDIDATES)
    if (strcmp(c.kernels->name, name) == 0 && c.runsHere()) return c.kernels;
  return nullptr;
}

}  // namespace nimue
