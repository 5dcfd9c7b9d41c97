// The mathematics of the onednn plugin, and the choice between its kernels.
#pragma once

#include <memory>
#include <string>

#include "posed_cpu/backend.h"

namespace posed::onednn {

/// Which kernels may serve bfloat16: the best ones, oneDNN's, the hand-written ones on AVX-512, or
/// those on AMX tiles, which are emulated, for tests, where the machine has none.
enum class Choice { automatic, library, own, tiles };
/// From POSED_ONEDNN_KERNELS: auto, onednn, own or tiles. Throws for anything else.
Choice choice_from_environment();

/// What this process can run on this machine.
struct Ability {
  bool own = false;          // hand-written bfloat16 kernels
  bool eight = false;        // their products of 8 bits, outside of tiles
  bool amx = false;          // their tiles, granted by the system
  bool library_bf16 = false; // oneDNN's bfloat16, at speed
  bool library_amx = false;  // and on tiles
};
Ability ability();

/// "2.6.3"
std::string library_version();

std::unique_ptr<Kernels> make_kernels(Choice choice, int threads);

} // namespace posed::onednn
