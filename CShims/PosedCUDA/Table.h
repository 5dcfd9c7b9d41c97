// The parts of the table that are filled in their own files, and what they share.
#pragma once

#include "Device.h"
#include "posed_backend.h"

namespace posed::cuda {

void fill_memory(posed_backend &table);
void fill_streams(posed_backend &table);
void fill_operations(posed_backend &table);

/// Puts a launch on a stream at once. `scratch`: memory that is its own while it runs.
void carry_out(posed_device &device, StreamHandle stream, const Launch &launch, Address scratch);

/// `guard`, and a note where the device has been lost.
template <class Body> posed_status guard_on(posed_device *device, posed_error *error, Body &&body) noexcept {
  posed_status status = guard(error, [&] {
    require(device, "device");
    device->enter();
    body();
  });
  if (device != nullptr) device->note(status);
  return status;
}

} // namespace posed::cuda
