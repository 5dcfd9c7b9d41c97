// linear, conv2d and attention by a BLAS and plain loops: the short and portable form of each.
#pragma once

#include "posed_host/backend.h"
#include "posed_host/device.h"

namespace posed::blas {

/// A weight as it came, in float32: a matrix [out, in], or a filter [out][ky][kx][in].
struct PlainWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return memory.bytes(); }
  const float *values() const { return memory.as<float>(); }

  Memory memory;
  const float *bias = nullptr; // behind the values, or null
};

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const posed_linear_weight_desc &desc);
std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const posed_conv2d_weight_desc &desc);
OperationPointer plan_linear(const LinearCall &call);
OperationPointer plan_conv2d(const ConvCall &call);
OperationPointer plan_attention(const AttentionCall &call);

} // namespace posed::blas
