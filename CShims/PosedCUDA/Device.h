// The objects behind the ABI's opaque pointers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "Kernels.h"
#include "Launch.h"
#include "MatrixLibrary.h"
#include "MemoryPool.h"
#include "Staging.h"
#include "posed_plugin/objects.h"
#include "posed_plugin/recording.h"

namespace posed::cuda {

/// What is known of a GPU before it is opened.
struct Gpu {
  DeviceNumber number = 0;
  std::string name;
  int capability = 0; // 90 for 9.0
};

/// The GPUs that the kernels can be compiled for, in the driver's order.
std::vector<Gpu> usable_gpus(const Driver &driver);

constexpr int least_capability = 80;

/// Keeps a device's primary context while it is open.
class ContextOwner {
public:
  ContextOwner(const Driver &driver, DeviceNumber device);
  ~ContextOwner();
  ContextOwner(const ContextOwner &) = delete;
  ContextOwner &operator=(const ContextOwner &) = delete;
  /// Makes it this thread's.
  void enter() const;

private:
  const Driver &driver_;
  const DeviceNumber device_;
  Context context_ = nullptr;
};

/// Device memory that is given back to its pool.
class DeviceMemory {
public:
  DeviceMemory() = default;
  DeviceMemory(MemoryPool &pool, uint64_t bytes) : pool_(&pool), block_(pool.take(bytes)) {}
  ~DeviceMemory() {
    if (pool_ != nullptr) pool_->give_back(block_);
  }
  DeviceMemory(DeviceMemory &&other) noexcept { swap(other); }
  DeviceMemory &operator=(DeviceMemory &&other) noexcept {
    DeviceMemory taken(std::move(other));
    swap(taken);
    return *this;
  }

  Address address() const { return block_.address; }
  uint64_t bytes() const { return block_.bytes; }

private:
  void swap(DeviceMemory &other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(block_, other.block_);
  }

  MemoryPool *pool_ = nullptr;
  Block block_;
};

struct DeviceBuffer final : posed_buffer {
  DeviceBuffer(posed_device *device, DeviceMemory taken, uint64_t bytes)
      : posed_buffer(device, reinterpret_cast<std::byte *>(taken.address()), bytes),
        memory(std::move(taken)) {}
  const DeviceMemory memory;
};

/// A matrix or a filter, packed by rows of whole steps and whole tiles; behind it the bias in float32, and
/// in the compute type where that is another.
struct PackedWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return memory.bytes(); }

  DeviceMemory memory;
  int64_t rows = 0, row = 0;      // padded N, padded K, in elements
  int64_t channels = 0;           // of a filter: padded C
  int64_t phase = 0;              // elements from one phase's filter to the next
  Address bias = 0, own_bias = 0; // float32; of the compute type
};

} // namespace posed::cuda

struct posed_device {
  posed_device(const posed_device_options &options);
  ~posed_device();

  /// Every call of the ABI that reaches the driver begins with it: throws where the device is lost, and
  /// makes its context this thread's.
  void enter();
  /// Notes the loss of the device among the failures of calls.
  void note(posed_status status) {
    if (status == POSED_DEVICE_LOST) lost = true;
  }
  /// "cuda-nvrtc13.2-sm_90x132-groups-lt13.1.0"
  std::string numerics();
  /// Whether groups of warps multiply: on 9.0, where they have given what single warps give.
  bool groups();

  const posed::cuda::Driver &driver;
  const posed::cuda::Compiler &compiler;
  const posed::cuda::Gpu gpu;
  const posed::cuda::ContextOwner context;
  int multiprocessors = 0;
  int shared_bytes = 0; // that a block may have
  uint64_t memory_total = 0;
  posed::cuda::Streams streams;
  posed::cuda::MemoryPool pool;
  posed::cuda::Kernels kernels;
  std::unique_ptr<posed::cuda::MatrixLibrary> matrices; // null: own kernels multiply
  std::atomic<bool> lost{false};

  /// For weights on their way, and for capture: the device's own stream, one user at a time.
  std::mutex own_mutex;
  posed::cuda::StreamHandle own_stream = nullptr;
  std::unique_ptr<posed::cuda::Staging> own_staging;

private:
  std::once_flag groups_asked_;
  bool groups_work_ = false;
};

struct posed_stream : posed::Recording<posed::cuda::Program> {
  explicit posed_stream(posed_device *device);
  ~posed_stream();

  /// Carries out a kernel now, or records it. The parameter that is `*scratch`, if any, becomes the address
  /// of at least `scratch_bytes` that are this operation's.
  template <class Parameters>
  void launch(const posed::cuda::Kernel &kernel, posed::cuda::Grid grid, const Parameters &parameters,
              const void *scratch = nullptr, uint64_t scratch_bytes = 0) {
    ptrdiff_t field = -1;
    if (scratch != nullptr) {
      field = static_cast<const std::byte *>(scratch) - reinterpret_cast<const std::byte *>(&parameters);
    }
    launch(kernel, grid, &parameters, sizeof parameters, field, scratch_bytes);
  }
  /// The same for a product by cuBLASLt.
  void launch(const posed::cuda::MatrixLaunch &launch);

  posed_device *const device;
  posed::cuda::StreamHandle handle = nullptr;
  std::unique_ptr<posed::cuda::Staging> staging;

private:
  void launch(const posed::cuda::Kernel &kernel, posed::cuda::Grid grid, const void *parameters, size_t bytes,
              ptrdiff_t scratch_field, uint64_t scratch_bytes);
  posed::cuda::Address scratch(uint64_t bytes);

  posed::cuda::DeviceMemory scratch_;
};

struct posed_event {
  posed_device *device;
  posed::cuda::EventHandle handle;
};

struct posed_graph {
  posed_device *device;
  posed::cuda::GraphExecutable executable = nullptr;
  posed::cuda::DeviceMemory scratch;
};
