// What the processor offers and the operating system lets a process use: CPUID together with XCR0
// (the register state saved at a context switch) and, for AMX, the kernel's permission.
#pragma once

#include <string>

namespace posed {

/// The instruction sets that the generic operations are compiled for.
enum class Isa { baseline, avx2, avx512 };

struct Features {
  std::string vendor; // "GenuineIntel", "AuthenticAMD", …
  std::string name;   // "AMD EPYC"
  int family = 0, model = 0;
  bool avx2 = false;   // with FMA and F16C
  bool avx512 = false; // F, BW, DQ, VL
  bool avx512_bf16 = false;
  bool avx512_vnni = false;
  bool avx512_fp16 = false;
  bool amx = false;  // tiles and their products of bf16 and of bytes; the permission is asked for separately
  long l2_bytes = 0; // of one core; 0 when unknown

  /// The best of the three that runs here.
  Isa isa() const { return avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::baseline; }
};

/// Read once, then constant.
const Features &features();

/// Asks Linux for the right to use AMX tiles in this process; false when it is not given.
bool request_amx();

/// "avx512", "avx2" or "baseline".
const char *name(Isa isa);

/// How many threads this process may run at once: the affinity mask, cut to the control group's quota.
int usable_threads();

} // namespace posed
