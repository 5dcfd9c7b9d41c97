// linear, conv2d and attention in float32, for every CPU plugin. Weights are packed into panels of
// columns; a product engine multiplies rows by a panel.
#pragma once

#include <string>

#include "posed_cpu/backend.h"
#include "posed_cpu/primitives.h"

namespace posed::float32 {

/// Multiplies rows by a panel of packed weights.
struct Engine {
  std::string name; // "avx512", for the numerics
  int64_t panel;    // columns of a panel
  // A row's bits do not depend on its place among the rows nor on their number. Without it, rows of
  // different members of the batch are never multiplied together.
  bool exact_rows;
  void (*product)(const Product &product, int64_t columns);
};

/// The kernels of this library for the machine at hand.
const Engine &own_engine();

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const Engine &engine,
                                          const posed_linear_weight_desc &desc);
std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const Engine &engine,
                                          const posed_conv2d_weight_desc &desc);
/// The weight must come from pack_linear with the same engine; x, y and residual are float32.
OperationPointer plan_linear(posed_device &device, const Engine &engine, const LinearCall &call);
/// Likewise from pack_conv2d.
OperationPointer plan_conv2d(posed_device &device, const Engine &engine, const ConvCall &call);
/// q, k, v and y are float32.
OperationPointer plan_attention(posed_device &device, const AttentionCall &call);

} // namespace posed::float32
