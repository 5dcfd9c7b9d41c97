// Each operation turns a checked call into launches on a stream.
#pragma once

#include <algorithm>

#include "../Device.h"
#include "../kernels/parameters.h"
#include "posed_plugin/calls.h"

namespace posed::cuda {

void submit(posed_stream &stream, const LinearCall &call);
void submit(posed_stream &stream, const ConvCall &call);
void submit(posed_stream &stream, const GroupNormCall &call);
void submit(posed_stream &stream, const LayerNormCall &call);
void submit(posed_stream &stream, const AttentionCall &call);
void submit(posed_stream &stream, const CopyCall &call);
void submit(posed_stream &stream, const CombineCall &call);
void submit(posed_stream &stream, const ActivateCall &call);
void submit(posed_stream &stream, const GluCall &call);
void submit(posed_stream &stream, const QuantizeCall &call);

constexpr int64_t most_attention_head = 512;

/// "float", "f16" or "bf16": a type as the kernels write it.
inline const char *type_name(uint32_t dtype) {
  return dtype == POSED_F32 ? "float" : dtype == POSED_F16 ? "f16" : "bf16";
}

/// Whether four elements at once may be read or written at the start of a view.
inline bool allows_fours(const View &view) {
  return reinterpret_cast<Address>(view.data) % (4 * view.size()) == 0;
}
/// And at the start of each of its rows.
inline bool rows_allow_fours(const View &view) {
  bool whole = true;
  for (int i = 0; i + 1 < view.rank; ++i) whole = whole && (view.shape[i] == 1 || view.stride[i] % 4 == 0);
  return whole && allows_fours(view);
}

/// A one-dimensional grid of blocks of `threads` for `count` pieces of work that threads stride over.
inline Grid stride_grid(const posed_device &device, int64_t count, int64_t threads) {
  const int64_t most = int64_t(device.multiprocessors) * 16;
  return {static_cast<unsigned>(std::clamp<int64_t>((count + threads - 1) / threads, 1, most)), 1, 1};
}

/// Refuses what the kernels' 32-bit numbers cannot count.
inline int narrow_count(int64_t value, const char *operation) {
  if (value > INT32_MAX) {
    fail(POSED_UNSUPPORTED, "%s: %lld is more than the cuda backend counts to.", operation,
         static_cast<long long>(value));
  }
  return static_cast<int>(value);
}

} // namespace posed::cuda
