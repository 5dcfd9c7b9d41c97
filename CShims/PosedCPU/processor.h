// What the processor offers and the operating system lets a process use: CPUID together with XCR0
// (the register state saved at a context switch) and, for AMX, the kernel's permission.
#pragma once

#include <string>

namespace posed {

struct Features {
  std::string name;    // "AMD EPYC"
  bool avx2 = false;   // with FMA and F16C
  bool avx512 = false; // F, BW, DQ, VL
  bool avx512_bf16 = false;
  bool avx512_vnni = false;
  bool amx = false;  // tiles and their products of bf16 and of bytes; the permission is asked for separately
  long l2_bytes = 0; // of one core; 0 when unknown
};

/// Read once, then constant.
const Features &features();

/// Asks Linux for the right to use AMX tiles in this process; false when it is not given.
bool request_amx();

} // namespace posed
