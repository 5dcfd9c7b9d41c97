// What computes here: one row for each set of instructions, with the kernels of every precision.
#pragma once

#include "posed_host/primitives.h"
#include "reduced/gemm.h"

namespace posed {

/// A set of instructions that kernels were written for.
struct InstructionSet {
  const char *name;                  // as POSED_ISA has it
  bool (*runs)();                    // on this processor, under this system
  bool (*is_sound)();                // its results are right here; NULL: nobody doubts it
  bool is_automatic;                 // taken where it runs; else only when POSED_ISA names it
  bool prefers_bf16;                 // bfloat16 is faster than float32
  const Primitives &(*primitives)(); // float32 products, and the loops of all other operations
  const reduced::Engine *bf16;       // NULL: not computed
  const reduced::Engine *int8;       // NULL: not computed
  const char *summary;               // "bfloat16 and 8 bits on AMX tiles"
};

/// The best set that runs here, or the one that the environment's POSED_ISA names. Chosen once.
///
/// Throws a Failure where POSED_ISA names a set that is unknown or does not run here.
const InstructionSet &instruction_set();

} // namespace posed
