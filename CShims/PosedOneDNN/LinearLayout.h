// How the rows of a linear call lie in memory.
#pragma once

#include "posed_cpu/backend.h"

namespace posed::onednn {

/// Rows at one stride: the whole batch as one long sequence where its elements follow each other and
/// share the gate, or else one group for each element. Strides count elements.
struct Layout {
  int64_t groups, rows; // groups × rows = B × T
  int64_t x_row, y_row, residual_row;
  int64_t x_group, y_group, residual_group, gate_group;
};

Layout lay_out(const LinearCall &call);

} // namespace posed::onednn
