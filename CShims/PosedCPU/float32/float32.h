// linear, conv2d and attention in float32. Weights are packed into panels of columns, as wide as
// `primitives().product` makes at once.
#pragma once

#include "posed_host/backend.h"

namespace posed::float32 {

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const posed_linear_weight_desc &desc);
std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const posed_conv2d_weight_desc &desc);
/// The weight must come from pack_linear; x, y and residual are float32.
OperationPointer plan_linear(posed_device &device, const LinearCall &call);
/// Likewise from pack_conv2d.
OperationPointer plan_conv2d(posed_device &device, const ConvCall &call);
/// q, k, v and y are float32.
OperationPointer plan_attention(posed_device &device, const AttentionCall &call);

} // namespace posed::float32
