// The tiles that kernels/product.cuh is compiled for, and which of them a product takes.
#pragma once

#include "Plans.h"

namespace posed::cuda {

/// A tile of sums, BM × BN, cut among warps into WM × WN; `groups`: four warps multiply together.
struct Tile {
  int bm, bn, wm, wn, stages, blocks;
  bool groups = false;
  unsigned threads() const { return static_cast<unsigned>(bm / wm * (bn / wn) * 32); }
  unsigned shared_bytes() const { return static_cast<unsigned>(stages * (bm + bn) * 128); }
  /// The module of a file of products for operands of a type.
  ModuleKey module(const char *file, uint32_t dtype) const;
};

/// Describes and launches linear's product with a given tile.
void submit(posed_stream &stream, const LinearCall &call, const Tile &tile);

/// The tile for a product of this size: the largest that still keeps all multiprocessors busy. It depends on
/// nothing but the form of the product and the device.
Tile tile_for(posed_device &device, int64_t rows, int64_t columns, uint32_t dtype);

/// Multiplies small matrices by groups of warps and by single warps, and compares. False too where groups
/// cannot be compiled.
bool groups_agree_with_warps(posed_device &device);

/// What is left of the parameters of an epilogue after `y` and `residual` have been described.
EpilogueParameters epilogue_of(const PackedWeight &weight, const View &y, const View &residual,
                               const View &gate, uint32_t activation);

} // namespace posed::cuda
