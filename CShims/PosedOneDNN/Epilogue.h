// What happens to a tile of float32 sums on its way to memory:
//
//   linear:  y = residual + gate · act(sum + bias)
//   conv2d:  y = act(sum + bias + residual)
//
// A tile is `rows` × `cols` float32, row-major; row r of the tile goes to y + r · ld_y.
#pragma once

#include "Avx512.h"

namespace posed::onednn {

struct Epilogue {
  const float *bias = nullptr;    // [N], NULL: zero
  const float *gate = nullptr;    // [N], NULL: one
  const void *residual = nullptr; // rows ld_residual apart, NULL: none
  void *y = nullptr;
  int64_t ld_residual = 0; // elements
  int64_t ld_y = 0;        // elements
  bool residual_f32 = false;
  bool y_f32 = false;
  bool residual_first = false; // conv2d's order
  uint32_t activation = 0;     // posed_activation
};

/// Applies `e`, whose pointers stand at the tile's first row and column, to a tile.
using EpilogueFn = void (*)(const Epilogue &e, const float *tile, int64_t ld_tile, int64_t rows,
                            int64_t cols);

/// The function for the types, the order and the activation that `e` names.
EpilogueFn choose_epilogue_avx512(const Epilogue &e);

/// `e` moved `row` rows down and `col` columns right.
inline Epilogue moved(Epilogue e, int64_t row, int64_t col) {
  if (e.bias) e.bias += col;
  if (e.gate) e.gate += col;
  if (e.residual)
    e.residual = (const char *)e.residual + (row * e.ld_residual + col) * (e.residual_f32 ? 4 : 2);
  e.y = (char *)e.y + (row * e.ld_y + col) * (e.y_f32 ? 4 : 2);
  return e;
}

} // namespace posed::onednn
