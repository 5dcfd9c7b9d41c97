// The objects behind the ABI's opaque pointers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "posed_backend.h"
#include "posed_host/backend.h"
#include "posed_host/memory.h"
#include "posed_host/pool.h"
#include "posed_plugin/objects.h"
#include "posed_plugin/recording.h"

namespace posed {

/// Host memory that the device works on directly.
struct HostBuffer final : posed_buffer {
  HostBuffer(posed_device *device, Memory memory)
      : posed_buffer(device, memory.as<std::byte>(), memory.bytes()), memory_(std::move(memory)) {}

private:
  Memory memory_;
};

} // namespace posed

struct posed_device {
  posed_device(std::unique_ptr<posed::Kernels> kernels, int threads, uint64_t limit, const char *name);

  /// Counted memory, for weights and planned operations.
  posed::Memory allocate(uint64_t bytes) { return posed::Memory(account, bytes); }

  const std::shared_ptr<posed::Account> account;
  const std::unique_ptr<posed::Kernels> kernels;
  posed::Pool pool;
};

/// Work is done before a call returns, so a stream is only the place where operations are recorded.
struct posed_stream : posed::Recording<std::unique_ptr<posed::Program>> {
  explicit posed_stream(posed_device *device) : device(device), immediate(device->pool.threads()) {}
  /// Runs a planned operation now, or records it.
  void submit(posed::OperationPointer operation);
  /// Plans with `plan()` and submits what it returns; a failure ends a recording.
  template <class Plan> posed_status perform(posed_error *error, Plan &&plan) noexcept;

  posed_device *const device;
  posed::Program immediate;
};

struct posed_event {
  posed_device *device;
};

struct posed_graph {
  posed_device *device;
  std::unique_ptr<posed::Program> program;
};

template <class Plan> posed_status posed_stream::perform(posed_error *error, Plan &&plan) noexcept {
  posed_error own = {};
  posed_status status = posed::guard(&own, [&] { submit(plan()); });
  if (status == POSED_OK) return status;
  note_failure(status, own);
  if (error != nullptr) *error = own;
  return status;
}
