// The planning step of each operation: a descriptor is checked and becomes an Operation. Throws a
// Failure when the descriptor breaks the ABI's rules.
#pragma once

#include <algorithm>

#include "posed_cpu/backend.h"
#include "posed_cpu/device.h"
#include "posed_cpu/operation.h"

namespace posed {

OperationPointer plan_copy(const posed_copy_desc &desc);
OperationPointer plan_combine(const posed_combine_desc &desc);
OperationPointer plan_activate(const posed_activate_desc &desc);
OperationPointer plan_glu(const posed_glu_desc &desc);
OperationPointer plan_quantize(const posed_quantize_desc &desc);
OperationPointer plan_layer_norm(const posed_layer_norm_desc &desc);
OperationPointer plan_group_norm(posed_device &device, const posed_group_norm_desc &desc);

LinearCall check_linear(const posed_device &device, const posed_linear_desc &desc);
ConvCall check_conv2d(const posed_device &device, const posed_conv2d_desc &desc);
AttentionCall check_attention(const posed_attention_desc &desc);
void check_linear_weight(const posed_linear_weight_desc &desc);
void check_conv2d_weight(const posed_conv2d_weight_desc &desc);

/// Tasks for `units` equal pieces of work that touch `elements` elements in all: enough of them to
/// share out, none so small that handing it out costs more than doing it.
inline int tasks_for(int64_t units, int64_t elements) {
  constexpr int64_t least = 8192, most = 256;
  return static_cast<int>(std::clamp<int64_t>(elements / least, 1, std::min(units, most)));
}

} // namespace posed
