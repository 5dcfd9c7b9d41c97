// What argument checks must know of the objects behind the ABI's opaque pointers. A plugin derives its
// own buffers and weights, and defines posed_device as it likes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "posed_backend.h"

namespace posed {

/// A convolution's constants. A row of output pixels needs `stride` and `pad` of its input.
struct Filter {
  int64_t out, in;
  int kernel_h, kernel_w;
  int stride_h, stride_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  int upsample; // 1 or 2
};

/// The constants of a checked descriptor.
Filter filter_of(const posed_conv2d_weight_desc &desc);

} // namespace posed

/// Device memory: an address that the device works on, which the host may or may not follow.
struct posed_buffer {
  posed_buffer(posed_device *device, std::byte *data, uint64_t bytes)
      : device(device), data(data), bytes(bytes) {}

  posed_device *const device;
  std::byte *const data;
  const uint64_t bytes;
};

/// Packed weights of a linear layer or a convolution.
struct posed_weight {
  enum class Kind { linear, conv2d };

  posed_weight(posed_device *device, Kind kind) : device(device), kind(kind) {}
  virtual ~posed_weight() = default;
  /// Bytes of device memory that it holds.
  virtual uint64_t bytes() const = 0;

  posed_device *const device;
  const Kind kind;
  // linear: [out, in]
  int64_t out = 0, in = 0;
  uint32_t compute = POSED_F32;
  // conv2d
  posed::Filter filter = {};
};
