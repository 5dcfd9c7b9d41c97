// The plugin `cuda`: probe, devices, and the table.
#include <cstdio>

#include "Table.h"
#include "posed_plugin/calls.h"

namespace posed::cuda {
namespace {

constexpr int32_t full_score = 100, score_without_matrices = 90;

std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

/// What there is, or throws what is missing.
void look(posed_probe_result &answer) {
  const Driver &driver = Driver::shared();
  std::vector<Gpu> gpus = usable_gpus(driver);
  if (gpus.empty()) {
    fail(POSED_UNSUPPORTED, "No GPU here has compute capability %s or higher.",
         capability_text(least_capability).c_str());
  }
  const Compiler &compiler = Compiler::shared(driver.version);
  for (const Gpu &gpu : gpus) (void)compiler.target(gpu.capability);
  const std::string missing = MatrixLibrary::missing(driver);
  answer.score = missing.empty() ? full_score : score_without_matrices;
  answer.devices = static_cast<int32_t>(gpus.size());
  std::string more = gpus.size() == 1 ? "" : " and " + std::to_string(gpus.size() - 1) + " more";
  std::snprintf(answer.summary, sizeof answer.summary, "%s%s, driver for CUDA %d.%d, NVRTC %s, %s.",
                gpus[0].name.c_str(), more.c_str(), driver.version / 1000, driver.version / 10 % 100,
                compiler.version().c_str(),
                missing.empty() ? "cuBLASLt" : ("own products, since " + missing).c_str());
}

posed_status probe(posed_probe_result *result, posed_error *error) {
  return guard(error, [&] {
    require(result, "result");
    posed_probe_result answer = {};
    try {
      look(answer);
    } catch (const Failure &missing) {
      answer = {};
      std::snprintf(answer.summary, sizeof answer.summary, "%s", missing.what());
    }
    *result = answer;
  });
}

posed_status device_open(const posed_device_options *options, posed_device **device, posed_error *error) {
  return guard(error, [&] {
    require(options, "options");
    require(device, "device");
    *device = new posed_device(*options);
  });
}

void device_close(posed_device *device) { delete device; }

posed_status device_info(posed_device *device, posed_device_info *info, posed_error *error) {
  return guard(error, [&] {
    require(device, "device");
    require(info, "info");
    device->context.enter();
    posed_device_info answer = {};
    std::snprintf(answer.name, sizeof answer.name, "%s", device->gpu.name.c_str());
    std::snprintf(answer.numerics, sizeof answer.numerics, "%s", device->numerics().c_str());
    answer.dtypes = 1u << POSED_F32 | 1u << POSED_F16 | 1u << POSED_BF16;
    answer.preferred = POSED_BF16;
    answer.memory_total = device->memory_total;
    answer.memory_used = device->pool.used();
    answer.host_visible = 0;
    *info = answer;
  });
}

} // namespace
} // namespace posed::cuda

extern "C" POSED_EXPORT const posed_backend *posed_backend_entry(uint32_t host_abi) {
  if (host_abi >> 16 != POSED_BACKEND_ABI_MAJOR) return nullptr;
  static const posed_backend table = [] {
    posed_backend made = {};
    made.abi = POSED_BACKEND_ABI;
    made.struct_size = sizeof(posed_backend);
    made.name = "cuda";
    made.version = "1.0";
    made.probe = posed::cuda::probe;
    made.device_open = posed::cuda::device_open;
    made.device_close = posed::cuda::device_close;
    made.device_info = posed::cuda::device_info;
    posed::cuda::fill_memory(made);
    posed::cuda::fill_streams(made);
    posed::cuda::fill_operations(made);
    return made;
  }();
  return &table;
}
