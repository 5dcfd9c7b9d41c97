// Loops over rows of contiguous elements, compiled once for each instruction set and chosen at run
// time. Elements are of any float type; arithmetic is float32. A result does not depend on the
// neighbours of an element, only on its place in the row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "posed_backend.h"

namespace posed {

/// y = residual + gate * act(sum + bias), over n columns of one output row.
struct EpilogueRow {
  const float *sum;     // [n]
  const float *bias;    // [n] or null
  const float *gate;    // [n] or null
  const void *residual; // [n] of residual_type, or null
  void *y;              // [n] of y_type; may be the residual or the sum
  uint32_t residual_type, y_type, activation;
  bool residual_first; // true: y = act(sum + bias + residual), as a convolution has it
};

/// One row of a layer norm: n = (x − mean) · rstd, then n · gain + offset, where gain is `multiply`
/// (plus 1 when `plus_one`) and offset is `add`; both null: n alone.
struct LayerNormRow {
  const void *x;
  void *y;
  uint32_t x_type, y_type;
  const float *multiply, *add;
  bool plus_one;
  float eps;
};

/// C[rows, panel] = or += Σ_s A_s · B_s, with `segments` pieces of A of `length` steps each.
/// product: A's element (row, step) of piece s is a[offsets[s] + row * a_stride + step].
/// product_transposed: it is a[offsets[s] + step * a_stride + row].
struct Product {
  const float *a;
  int64_t a_stride;
  const int64_t *offsets; // [segments], or null: one piece at 0
  int64_t segments, length;
  const float *b; // [segments * length, panel], rows b_row apart
  int64_t b_row;
  float *c; // [rows, panel], rows c_row apart
  int64_t c_row, rows;
  bool add;            // += instead of =
  bool narrow = false; // product may leave the second half of C's columns as they are
};

struct Primitives {
  /// y = x with conversion of the type. Any pair of float types; u8 converts to and from u8 alone.
  void (*convert)(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t n);
  /// y = act(x)
  void (*activate)(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t n, uint32_t activation);
  /// y = act(a) * b, both of one type
  void (*glu)(void *y, uint32_t y_type, const void *a, const void *b, uint32_t type, int64_t n,
              uint32_t activation);
  /// y = bias + Σ coefficient[i] * x[i], in the order given
  void (*combine)(void *y, uint32_t y_type, const void *const *x, const uint32_t *x_types,
                  const float *coefficients, uint32_t count, float bias, int64_t n);
  /// y = round((clamp(x, −1, 1) + 1) * 127.5), halves to even
  void (*quantize)(uint8_t *y, const void *x, uint32_t x_type, int64_t n);
  void (*epilogue)(const EpilogueRow &row, int64_t n);
  void (*layer_norm)(const LayerNormRow &row, int64_t n);
  /// Sums of x and x² of each channel over rows [rows, channels], in double: sums[0…C) and squares.
  void (*channel_sums)(const void *x, uint32_t x_type, int64_t rows, int64_t channels, double *sums,
                       double *squares);
  /// y = act(x * scale[c] + shift[c]) over rows [rows, channels]
  void (*scale_shift)(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t rows,
                      int64_t channels, const float *scale, const float *shift, uint32_t activation);

  int64_t panel; // columns of C that `product` makes at once
  void (*product)(const Product &product);
  void (*product_transposed)(const Product &product);
  /// S [keys, queries] becomes exp(scale · S − maximum), queries a multiple of `panel`; see
  /// simd/product.h.
  void (*softmax_block)(float *s, int64_t keys, int64_t queries, float scale, float *maximum, float *total,
                        float *fade);

  /// The transforms of Winograd's F(2×2, 3×3); see simd/winograd.h.
  void (*winograd_input)(const float *const *pixels, int64_t channels, float *v, int64_t v_step);
  void (*winograd_output)(const float *m, int64_t m_step, int64_t columns, float *y, int64_t y_step);
};

/// The plugin's choice of a table; every plugin defines it. `baseline::table()` runs anywhere.
const Primitives &primitives();

} // namespace posed
