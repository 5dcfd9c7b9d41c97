#include "Table.h"

namespace posed::cuda {
namespace {

void put(const Driver &driver, StreamHandle stream, const Kernel &kernel, Grid grid, void *parameters) {
  void *arguments[] = {parameters};
  driver.require(driver.launch(kernel.function, grid.x, grid.y, grid.z, kernel.threads, 1, 1,
                               kernel.shared_bytes, stream, arguments, nullptr),
                 "launching a kernel");
}

} // namespace

void carry_out(posed_device &device, StreamHandle stream, const Launch &launch, Address scratch) {
  if (const auto *product = std::get_if<MatrixLaunch>(&launch)) {
    device.matrices->multiply(product->product, product->algorithm, scratch, stream);
    return;
  }
  const auto &kernel = std::get<KernelLaunch>(launch);
  std::vector<std::byte> parameters = kernel.parameters;
  if (kernel.scratch_field >= 0) {
    std::memcpy(parameters.data() + kernel.scratch_field, &scratch, sizeof scratch);
  }
  put(device.driver, stream, kernel.kernel, kernel.grid, parameters.data());
}

} // namespace posed::cuda

using namespace posed::cuda;

posed_stream::posed_stream(posed_device *device) : device(device) {
  const auto create = [&] { return device->driver.stream_create(&handle, stream_non_blocking); };
  device->driver.require(device->pool.with_room(create), "making a stream");
  try {
    staging = std::make_unique<Staging>(device->driver, handle);
    device->streams.add(handle);
  } catch (...) {
    device->driver.stream_destroy(handle);
    throw;
  }
}

posed_stream::~posed_stream() {
  device->driver.stream_synchronize(handle); // pinned memory may still be read
  device->streams.remove(handle);
  staging = nullptr;
  scratch_ = {};
  device->driver.stream_destroy(handle);
}

/// Scratch memory for work that is carried out now. What it replaces rests until earlier work is done.
Address posed_stream::scratch(uint64_t bytes) {
  if (scratch_.bytes() < bytes) {
    scratch_ = {};
    scratch_ = DeviceMemory(device->pool, bytes);
  }
  return scratch_.address();
}

void posed_stream::launch(const Kernel &kernel, Grid grid, const void *parameters, size_t bytes,
                          ptrdiff_t scratch_field, uint64_t scratch_bytes) {
  auto *begin = static_cast<const std::byte *>(parameters);
  if (Program *program = recorded()) {
    program->launches.push_back(KernelLaunch{kernel, grid, {begin, begin + bytes}, scratch_field});
    program->scratch_bytes = std::max(program->scratch_bytes, scratch_bytes);
    return;
  }
  alignas(16) std::byte copy[4096];
  if (bytes > sizeof copy) posed::fail(POSED_INTERNAL, "A kernel takes %zu bytes of parameters.", bytes);
  std::memcpy(copy, parameters, bytes);
  if (scratch_field >= 0) {
    const Address address = scratch(scratch_bytes);
    std::memcpy(copy + scratch_field, &address, sizeof address);
  }
  put(device->driver, handle, kernel, grid, copy);
}

void posed_stream::launch(const MatrixLaunch &launch) {
  if (Program *program = recorded()) {
    program->launches.push_back(launch);
    program->scratch_bytes = std::max<uint64_t>(program->scratch_bytes, launch.algorithm.workspace);
    return;
  }
  const Address workspace = launch.algorithm.workspace == 0 ? 0 : scratch(launch.algorithm.workspace);
  device->matrices->multiply(launch.product, launch.algorithm, workspace, handle);
}
