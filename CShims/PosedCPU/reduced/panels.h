// Linear in bfloat16 and in 8 bits, conv2d and attention in bfloat16, on packed panels. The engine decides
// how a tile is multiplied and how results are rounded, nothing else.
#pragma once

#include "gemm.h"
#include "posed_host/device.h"

namespace posed::reduced {

/// Columns of `out`, features of `in`, as the engine likes them, with a bias or without.
struct PackedWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return panels.bytes() + bias.bytes() + columns.bytes(); }
  const float *bias_or_null() const { return bias.as<float>(); }
  const PanelRange *columns_or_null() const { return columns.as<PanelRange>(); }

  Memory panels;     // [matrices][⌈N/32⌉][pairs][32][2]
  Memory bias;       // [N], or empty
  Memory columns;    // of 8-bit panels, [⌈N/32⌉]: how they were rounded; or empty
  int64_t pairs = 0; // per matrix
  int matrices = 1;
  bool winograd = false;

  const bf16 *matrix(int index, int64_t n) const {
    return panels.as<bf16>() + index * packed_elements(n, pairs);
  }
};

/// Copies a bias of n into counted memory; empty when there is none.
Memory pack_bias(posed_device &device, const float *bias, int64_t n);

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const Engine &engine,
                                          const posed_linear_weight_desc &desc);
OperationPointer plan_linear(posed_device &device, const Engine &engine, const LinearCall &call);

std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const Engine &engine,
                                          const posed_conv2d_weight_desc &desc);
OperationPointer plan_conv2d(posed_device &device, const Engine &engine, const ConvCall &call);

/// Whether a filter is served by Winograd's method.
bool suits_winograd(const posed_conv2d_weight_desc &desc);
std::unique_ptr<posed_weight> pack_winograd(posed_device &device, const Engine &engine,
                                            const posed_conv2d_weight_desc &desc);
OperationPointer plan_winograd(posed_device &device, const Engine &engine, const ConvCall &call);

/// A call's epilogue at y's first element.
Epilogue epilogue_of(const ConvCall &call);

OperationPointer plan_attention(posed_device &device, const Engine &engine, const AttentionCall &call);

/// Rows of a that, `pairs` wide, fill half of a core's second-level cache; whole tiles.
int64_t rows_in_cache(const Engine &engine, int64_t pairs);

} // namespace posed::reduced
