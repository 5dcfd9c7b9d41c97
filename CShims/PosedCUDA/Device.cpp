#include "Device.h"

#include <cstdlib>
#include <cstring>

#include "operations/Tiles.h"

namespace posed::cuda {
namespace {

int attribute(const Driver &driver, DeviceNumber device, int which) {
  int value = 0;
  driver.require(driver.device_attribute(&value, which, device), "asking a device's attribute");
  return value;
}

Gpu gpu_of(const posed_device_options &options, const Driver &driver) {
  std::vector<Gpu> gpus = usable_gpus(driver);
  if (options.threads < 0) {
    fail(POSED_INVALID_ARGUMENT, "%d threads; expected 0 or more.", options.threads);
  }
  if (options.index < 0 || static_cast<size_t>(options.index) >= gpus.size()) {
    fail(POSED_INVALID_ARGUMENT, "Device %d of cuda does not exist; there are %zu.", options.index,
         gpus.size());
  }
  return gpus[static_cast<size_t>(options.index)];
}

uint64_t memory_of(const Driver &driver, DeviceNumber device) {
  size_t bytes = 0;
  driver.require(driver.device_memory(&bytes, device), "asking a device's memory");
  return bytes;
}

/// The limit of the device's memory in bytes: the host's, else what POSED_CUDA_MEMORY says in MiB; 0: none.
uint64_t limit_of(const posed_device_options &options) {
  const char *named = std::getenv("POSED_CUDA_MEMORY");
  if (options.memory_limit != 0 || named == nullptr) return options.memory_limit;
  char *end = nullptr;
  const unsigned long long mebibytes = std::strtoull(named, &end, 10);
  if (end == named || *end != 0 || mebibytes > UINT64_MAX >> 20) {
    fail(POSED_INVALID_ARGUMENT, "POSED_CUDA_MEMORY is \"%s\"; expected a number of MiB, 0 for no limit.",
         named);
  }
  return uint64_t(mebibytes) << 20;
}

/// Whether POSED_CUDA_PRODUCT has `word` among its words: "own" leaves cuBLASLt alone, "warps" groups of
/// warps.
bool product_wanted(const char *word) {
  const char *wanted = std::getenv("POSED_CUDA_PRODUCT");
  return wanted != nullptr && std::strstr(wanted, word) != nullptr;
}

std::unique_ptr<MatrixLibrary> open_matrices(const Driver &driver) {
  return product_wanted("own") ? nullptr : MatrixLibrary::open(driver);
}

} // namespace

std::vector<Gpu> usable_gpus(const Driver &driver) {
  std::vector<Gpu> gpus;
  for (int i = 0; i < driver.devices; ++i) {
    Gpu gpu;
    driver.require(driver.device_get(&gpu.number, i), "asking for a device");
    gpu.capability = 10 * attribute(driver, gpu.number, attribute_capability_major) +
                     attribute(driver, gpu.number, attribute_capability_minor);
    if (gpu.capability < least_capability) continue;
    char name[256] = {};
    driver.require(driver.device_name(name, sizeof name - 1, gpu.number), "asking a device's name");
    gpu.name = name;
    gpus.push_back(gpu);
  }
  return gpus;
}

ContextOwner::ContextOwner(const Driver &driver, DeviceNumber device) : driver_(driver), device_(device) {
  driver_.require(driver_.context_retain(&context_, device_), "opening a device");
  Result result = driver_.context_set(context_);
  if (result == success) return;
  driver_.context_release(device_);
  driver_.require(result, "entering a device's context");
}

ContextOwner::~ContextOwner() { driver_.context_release(device_); }

void ContextOwner::enter() const {
  driver_.require(driver_.context_set(context_), "entering a device's context");
}

} // namespace posed::cuda

posed_device::posed_device(const posed_device_options &options)
    : driver(posed::cuda::Driver::shared()), compiler(posed::cuda::Compiler::shared(driver.version)),
      gpu(posed::cuda::gpu_of(options, driver)), context(driver, gpu.number), streams(driver),
      pool(driver, streams, posed::cuda::limit_of(options)),
      kernels(driver, compiler, pool, gpu.capability,
              options.cache_folder == nullptr ? "" : options.cache_folder),
      matrices(posed::cuda::open_matrices(driver)) {
  multiprocessors = posed::cuda::attribute(driver, gpu.number, posed::cuda::attribute_multiprocessors);
  shared_bytes = posed::cuda::attribute(driver, gpu.number, posed::cuda::attribute_shared_per_block);
  memory_total = posed::cuda::memory_of(driver, gpu.number);
  if (pool.limit() != 0) memory_total = std::min<uint64_t>(memory_total, pool.limit());
  driver.require(driver.stream_create(&own_stream, posed::cuda::stream_non_blocking), "making a stream");
  own_staging = std::make_unique<posed::cuda::Staging>(driver, own_stream);
}

posed_device::~posed_device() {
  try {
    context.enter();
  } catch (...) {
    // A lost device is given back all the same.
  }
  own_staging = nullptr;
  if (own_stream != nullptr) driver.stream_destroy(own_stream);
  matrices = nullptr;
  kernels.close();
  pool.close();
  streams.close();
}

void posed_device::enter() {
  if (lost) posed::fail(POSED_DEVICE_LOST, "The device %s is lost; it must be closed.", gpu.name.c_str());
  context.enter();
}

std::string posed_device::numerics() {
  return "cuda-nvrtc" + compiler.version() + "-sm_" + std::to_string(gpu.capability) + "x" +
         std::to_string(multiprocessors) + (groups() ? "-groups" : "") +
         (matrices == nullptr ? "-own" : "-lt" + matrices->version());
}

bool posed_device::groups() {
  std::call_once(groups_asked_, [&] {
    if (gpu.capability != 90 || posed::cuda::product_wanted("warps")) return;
    try {
      groups_work_ = posed::cuda::groups_agree_with_warps(*this);
    } catch (const posed::Failure &failure) {
      note(failure.status); // single warps multiply, unless the device is lost
    }
  });
  return groups_work_;
}
