// The copies of the kernels that this binary holds, and which of them this processor can run.
#pragma once
#include "kernel-table.h"

namespace nimue {

/** Names of the sets that run here, best first; the list ends with null. */
const char* const* supportedInstructionSets();
/** The kernels of that set, or null when it is not supported. */
const KernelTable* kernelsFor(const char* name);

}  // namespace nimue
