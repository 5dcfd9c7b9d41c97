#include "engines.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "posed_host/tables.h"
#include "posed_plugin/status.h"
#include "processor.h"

namespace posed {
namespace {

using reduced::layers_agree;

bool amx_is_sound() {
  return layers_agree(reduced::bf16_amx, reduced::bf16_avx512_bf16, false) &&
         layers_agree(reduced::int8_amx, reduced::int8_vnni_bf16, true);
}

bool emulation_is_sound() {
  return layers_agree(reduced::bf16_amx_emulated, reduced::bf16_avx512, false) &&
         layers_agree(reduced::int8_amx_emulated, reduced::int8_vnni, true);
}

/// The best first.
constexpr InstructionSet table[] = {
    {.name = "amx",
     .runs = [] { return features().avx512_bf16 && features().avx512_vnni && request_amx(); },
     .is_sound = amx_is_sound,
     .is_automatic = true,
     .prefers_bf16 = true,
     .primitives = avx512::table,
     .bf16 = &reduced::bf16_amx,
     .int8 = &reduced::int8_amx,
     .summary = "bfloat16 and 8 bits on AMX, float32 on AVX-512"},
    {.name = "amx-emulated", // tiles in memory, for tests
     .runs = [] { return features().avx512_vnni; },
     .is_sound = emulation_is_sound,
     .is_automatic = false,
     .prefers_bf16 = true,
     .primitives = avx512::table,
     .bf16 = &reduced::bf16_amx_emulated,
     .int8 = &reduced::int8_amx_emulated,
     .summary = "bfloat16 and 8 bits on emulated AMX, for tests"},
    {.name = "avx512-bf16",
     .runs = [] { return features().avx512_bf16 && features().avx512_vnni; },
     .is_sound = nullptr,
     .is_automatic = true,
     .prefers_bf16 = true,
     .primitives = avx512::table,
     .bf16 = &reduced::bf16_avx512_bf16,
     .int8 = &reduced::int8_vnni_bf16,
     .summary = "bfloat16 on AVX-512 BF16, 8 bits on VNNI, float32 on AVX-512"},
    {.name = "avx512-vnni",
     .runs = [] { return features().avx512_vnni; },
     .is_sound = nullptr,
     .is_automatic = true,
     .prefers_bf16 = false,
     .primitives = avx512::table,
     .bf16 = &reduced::bf16_avx512,
     .int8 = &reduced::int8_vnni,
     .summary = "float32 on AVX-512, 8 bits on VNNI; bfloat16 is widened"},
    {.name = "avx512",
     .runs = [] { return features().avx512; },
     .is_sound = nullptr,
     .is_automatic = true,
     .prefers_bf16 = false,
     .primitives = avx512::table,
     .bf16 = &reduced::bf16_avx512,
     .int8 = nullptr,
     .summary = "float32 on AVX-512; bfloat16 is widened"},
    {.name = "avx2",
     .runs = [] { return features().avx2; },
     .is_sound = nullptr,
     .is_automatic = true,
     .prefers_bf16 = false,
     .primitives = avx2::table,
     .bf16 = nullptr,
     .int8 = nullptr,
     .summary = "float32 on AVX2"},
    {.name = "baseline",
     .runs = [] { return true; },
     .is_sound = nullptr,
     .is_automatic = true,
     .prefers_bf16 = false,
     .primitives = baseline::table,
     .bf16 = nullptr,
     .int8 = nullptr,
     .summary = "float32 with vectors of four"},
};

const InstructionSet &named(std::string_view wish) {
  std::string names;
  for (const InstructionSet &set : table) {
    if (wish != set.name) {
      names += names.empty() ? set.name : std::string(", ") + set.name;
      continue;
    }
    if (set.runs() && (set.is_sound == nullptr || set.is_sound())) return set;
    fail(POSED_UNSUPPORTED, "POSED_ISA asks for %s, which this machine cannot run.", set.name);
  }
  fail(POSED_INVALID_ARGUMENT, "POSED_ISA is \"%s\"; expected one of %s.", std::string(wish).c_str(),
       names.c_str());
}

const InstructionSet &choose() {
  const char *wish = std::getenv("POSED_ISA");
  if (wish != nullptr && *wish != 0) return named(wish);
  for (const InstructionSet &set : table) {
    if (set.is_automatic && set.runs() && (set.is_sound == nullptr || set.is_sound())) return set;
  }
  return table[std::size(table) - 1];
}

} // namespace

const InstructionSet &instruction_set() {
  static const InstructionSet &chosen = choose();
  return chosen;
}

const Primitives &primitives() {
  static const Primitives &chosen = instruction_set().primitives();
  return chosen;
}

} // namespace posed
