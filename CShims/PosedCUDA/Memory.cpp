// Buffers, transfers and weights.
#include "Table.h"
#include "Weights.h"
#include "posed_plugin/calls.h"

namespace posed::cuda {
namespace {

posed_status buffer_create(posed_device *device, uint64_t bytes, posed_buffer **buffer, posed_error *error) {
  return guard_on(device, error, [&] {
    require(buffer, "buffer");
    *buffer = new DeviceBuffer(device, DeviceMemory(device->pool, bytes), bytes);
  });
}

/// Runs `body` with the device's context current, lost or not: what is given back goes back all the same.
template <class Body> void release(posed_device *device, Body &&body) noexcept {
  (void)guard(nullptr, [&] {
    device->context.enter();
    return;
  });
  body();
}

void buffer_destroy(posed_device *, posed_buffer *buffer) {
  if (buffer == nullptr) return;
  release(buffer->device, [&] { delete static_cast<DeviceBuffer *>(buffer); });
}

Address place(const posed_buffer &buffer, uint64_t offset) {
  return reinterpret_cast<Address>(buffer.data) + offset;
}

posed_status upload(posed_stream *stream, posed_buffer *to, uint64_t offset_bytes, const void *from,
                    uint64_t bytes, posed_error *error) {
  return guard_on(stream == nullptr ? nullptr : stream->device, error, [&] {
    require(to, "to");
    if (bytes > 0) require(from, "from");
    stream->require_running("upload");
    require_bounds(*to, offset_bytes, bytes);
    stream->staging->upload(place(*to, offset_bytes), from, bytes);
  });
}

posed_status download(posed_stream *stream, void *to, posed_buffer *from, uint64_t offset_bytes,
                      uint64_t bytes, posed_error *error) {
  return guard_on(stream == nullptr ? nullptr : stream->device, error, [&] {
    require(from, "from");
    if (bytes > 0) require(to, "to");
    stream->require_running("download");
    require_bounds(*from, offset_bytes, bytes);
    if (bytes == 0) return;
    const Driver &driver = stream->device->driver;
    driver.require(driver.copy_out(to, place(*from, offset_bytes), bytes, stream->handle), "a download");
  });
}

posed_status weight_create_linear(posed_device *device, const posed_linear_weight_desc *desc,
                                  posed_weight **weight, posed_error *error) {
  return guard_on(device, error, [&] {
    require(desc, "desc");
    require(weight, "weight");
    check(*desc);
    *weight = pack(*device, *desc).release();
  });
}

posed_status weight_create_conv2d(posed_device *device, const posed_conv2d_weight_desc *desc,
                                  posed_weight **weight, posed_error *error) {
  return guard_on(device, error, [&] {
    require(desc, "desc");
    require(weight, "weight");
    check(*desc);
    *weight = pack(*device, *desc).release();
  });
}

void weight_destroy(posed_device *, posed_weight *weight) {
  if (weight == nullptr) return;
  release(weight->device, [&] { delete weight; });
}

uint64_t weight_bytes(const posed_weight *weight) { return weight == nullptr ? 0 : weight->bytes(); }

} // namespace

void fill_memory(posed_backend &table) {
  table.buffer_create = buffer_create;
  table.buffer_destroy = buffer_destroy;
  table.buffer_map = nullptr;
  table.upload = upload;
  table.download = download;
  table.weight_create_linear = weight_create_linear;
  table.weight_create_conv2d = weight_create_conv2d;
  table.weight_destroy = weight_destroy;
  table.weight_bytes = weight_bytes;
}

} // namespace posed::cuda
