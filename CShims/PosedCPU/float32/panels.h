// Packed weights and the product of rows with them.
#pragma once

#include <algorithm>

#include "float32.h"
#include "posed_host/device.h"

namespace posed::float32 {

/// One matrix [columns, depth] as panels: [blocks(columns, panel)][depth][panel], zeros behind the
/// last column.
class Panels {
public:
  Panels() = default;
  Panels(int64_t columns, int64_t depth, int64_t panel) : columns_(columns), depth_(depth), panel_(panel) {}

  int64_t floats() const { return count() * depth_ * panel_; }
  int64_t count() const { return blocks(columns_, panel_); }
  int64_t columns() const { return columns_; }
  int64_t depth() const { return depth_; }
  int64_t panel() const { return panel_; }
  /// No more than half of a panel's columns are real.
  bool narrow(int64_t panel) const { return columns_ - panel * panel_ <= panel_ / 2; }
  const float *at(int64_t panel, int64_t step) const { return data_ + (panel * depth_ + step) * panel_; }

  /// Where the packed floats live; `floats()` of them.
  void place(float *data) { data_ = data; }
  /// Rows that are transposed together.
  static constexpr int64_t strip = 8;
  /// Packs rows [column, column + strip) from [strip][depth]; column is a multiple of strip.
  void put(int64_t column, const float *rows) const {
    float *to = data_ + column / panel_ * depth_ * panel_ + column % panel_;
    for (int64_t step = 0; step < depth_; ++step, to += panel_) {
      for (int64_t i = 0; i < strip; ++i) to[i] = rows[i * depth_ + step];
    }
  }
  /// Packs all rows; `row(column, into)` delivers one as float32. `buffer`: [strip][depth].
  template <class Row> void fill(float *buffer, Row &&row) const {
    for (int64_t column = 0; column < count() * panel_; column += strip) {
      std::fill_n(buffer, strip * depth_, 0.0f);
      for (int64_t i = 0; i < std::min(strip, columns_ - column); ++i) row(column + i, buffer + i * depth_);
      put(column, buffer);
    }
  }

private:
  int64_t columns_ = 0, depth_ = 0, panel_ = 1;
  float *data_ = nullptr;
};

/// A weight with its panels and its bias, in one block of device memory.
struct PackedWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return memory.bytes(); }

  Memory memory;
  float *bias = nullptr; // [columns], or null
  // One for a matrix or an ordinary filter; four, one for each parity of the output's row and
  // column, for a filter that enlarges; sixteen, one for each place of a transformed patch, with
  // `winograd`.
  Panels variant[16];
  bool winograd = false;
};

/// What follows the product of rows: where results go and what is added.
struct RowsCall {
  const float *x;
  int64_t x_group, x_row; // strides; `groups` times `rows` rows
  int64_t groups, rows;
  const Panels *panels;
  const float *bias;
  uint32_t activation;
  // Row r of group g is token (g * rows + r) of [batch, tokens]:
  int64_t tokens;
  View y, gate, residual; // [B, T, N], [B, N], [B, T, N]
  bool residual_first;
};

/// A 3×3 convolution of stride 1 and padding 1 whose weight is transformed.
OperationPointer plan_winograd(posed_device &device, const ConvCall &call);

OperationPointer plan_rows(posed_device &device, const RowsCall &call);

} // namespace posed::float32
