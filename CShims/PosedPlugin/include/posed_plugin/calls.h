// Descriptors that have been checked against the ABI's rules: shapes agree, bounds hold, types fit. What
// is in a call a plugin may rely on. Every `check_*` throws a Failure where a rule is broken.
#pragma once

#include <vector>

#include "posed_plugin/objects.h"
#include "posed_plugin/view.h"

namespace posed {

/// y = residual + gate * act(x · Wᵀ + bias), checked: shapes agree, bounds hold.
struct LinearCall {
  View x, y;                  // [B, T, K], [B, T, N]
  const posed_weight *weight; // of kind linear, in = K, out = N
  uint32_t activation;
  View gate, residual; // [B, N] float32, [B, T, N]; may be absent
  int64_t batch, tokens;
};

/// y = act(conv(x, W) + bias + residual), checked.
struct ConvCall {
  View x, y;                  // [N, H, W, C], [N, Ho, Wo, O], dense
  const posed_weight *weight; // of kind conv2d
  uint32_t activation;
  View residual; // may be absent
};

/// One row's cached keys and values, [T, H, d]; absent where `tokens` is 0.
struct CachedKV {
  View k, v;
  int64_t tokens = 0;
};

/// Softmax attention over own keys, then cached ones; checked.
struct AttentionCall {
  View q, k, v, y;              // [B, Tq, H, d], [B, Tk, H, d] twice, [B, Tq, H, d]
  std::vector<CachedKV> cached; // empty, or one per row
  float scale;
  View bias; // [H, Tq, Tk] float32, for own keys; may be absent
  int64_t batch, queries, keys, heads, size;

  /// The bias of one query and head, [Tk]; null without.
  const float *bias_row(int64_t head, int64_t query) const {
    return bias ? bias.as<float>() + head * bias.stride[0] + query * bias.stride[1] : nullptr;
  }
};

/// y = act((x − mean) / √(variance + eps) * gamma + beta), checked.
struct GroupNormCall {
  View x, y;        // [N, H, W, C], dense
  View gamma, beta; // [C] float32
  int64_t groups;
  float eps;
  uint32_t activation;
};

/// A layer norm, checked: n * multiply + add, or n * (1 + multiply) + add, or n alone.
struct LayerNormCall {
  View x, y;          // [B, T, D]
  View multiply, add; // [D] or [B, D] float32; both absent or both there
  bool modulated;     // multiply and add are scale and shift, [B, D]
  float eps;
};

/// y = x of the same shape, checked.
struct CopyCall {
  View x, y;
};

/// y = bias + Σ coefficient[i] * x[i], checked: dense, of one shape.
struct CombineCall {
  View y;
  uint32_t count;
  View x[POSED_MAX_TERMS];
  float coefficient[POSED_MAX_TERMS];
  float bias;
};

/// y = act(x), checked: dense, of one shape.
struct ActivateCall {
  View x, y;
  uint32_t activation;
};

/// y = act(a) * b with [a | b] = x, checked.
struct GluCall {
  View x, y; // [B, T, 2·D], [B, T, D]
  uint32_t activation;
};

/// To 8 bits, checked: dense, of one shape.
struct QuantizeCall {
  View x, y;
};

LinearCall check(const posed_device &device, const posed_linear_desc &desc);
ConvCall check(const posed_device &device, const posed_conv2d_desc &desc);
AttentionCall check(const posed_device &device, const posed_attention_desc &desc);
GroupNormCall check(const posed_device &device, const posed_group_norm_desc &desc);
LayerNormCall check(const posed_device &device, const posed_layer_norm_desc &desc);
CopyCall check(const posed_device &device, const posed_copy_desc &desc);
CombineCall check(const posed_device &device, const posed_combine_desc &desc);
ActivateCall check(const posed_device &device, const posed_activate_desc &desc);
GluCall check(const posed_device &device, const posed_glu_desc &desc);
QuantizeCall check(const posed_device &device, const posed_quantize_desc &desc);
void check(const posed_linear_weight_desc &desc);
void check(const posed_conv2d_weight_desc &desc);

/// Throws unless `bytes` at `offset` lie in the buffer.
void require_bounds(const posed_buffer &buffer, uint64_t offset, uint64_t bytes);

/// Whether operation and types of a query are ones that the ABI knows and that go with a plugin's
/// compute types, bits (1 << posed_dtype). On false `why` holds a sentence.
bool plausible(const posed_op_query &query, uint32_t compute_types, const char *plugin, std::string &why);

} // namespace posed
