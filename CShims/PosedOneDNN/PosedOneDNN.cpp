// The onednn plugin: what it says of this machine, and its entry point.
#include <cstdio>

#include "Kernels.h"
#include "posed_cpu/features.h"

namespace posed::onednn {
namespace {

void say(posed_probe_result &result, int score, const char *what) {
  result.score = score;
  result.devices = 1;
  std::snprintf(result.summary, sizeof result.summary, "oneDNN %s on %s: %s", library_version().c_str(),
                features().name.c_str(), what);
}

void probe(posed_probe_result &result) {
  const Ability found = ability();
  if (found.amx) return say(result, 60, "bfloat16 on AMX.");
  const bool bf16 = found.own || found.library_bf16;
  if (bf16 && features().amx)
    return say(result, 40, "bfloat16 on AVX-512; the system refuses the use of AMX.");
  if (bf16) return say(result, 40, "bfloat16 on AVX-512, no AMX.");
  say(result, 20,
      features().avx512 ? "float32 on AVX-512; no bfloat16."
      : features().avx2 ? "float32 on AVX2; no bfloat16."
                        : "float32; no bfloat16.");
}

std::unique_ptr<Kernels> open(const posed_device_options &, int threads) {
  return make_kernels(choice_from_environment(), threads);
}

constexpr Plugin kPlugin = {"onednn", "1.0.0", probe, open};

} // namespace
} // namespace posed::onednn

extern "C" POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi) {
  return posed::make_backend(posed::onednn::kPlugin, host_abi);
}
