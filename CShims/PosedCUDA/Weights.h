// Matrices and filters as the kernels read them.
#pragma once

#include <memory>

#include "Device.h"

namespace posed::cuda {

constexpr int64_t tile_rows = 128; // packed rows come in whole tiles of any size

/// Elements of K in a step of the product's loop, and in a chunk of 16 bytes.
inline int64_t step_of(uint32_t dtype) { return dtype == POSED_F32 ? 32 : 64; }
inline int64_t chunk_of(uint32_t dtype) { return dtype == POSED_F32 ? 4 : 8; }
inline int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

/// Packs a checked descriptor's data; returns when they are on the device.
std::unique_ptr<PackedWeight> pack(posed_device &device, const posed_linear_weight_desc &desc);
std::unique_ptr<PackedWeight> pack(posed_device &device, const posed_conv2d_weight_desc &desc);

} // namespace posed::cuda
