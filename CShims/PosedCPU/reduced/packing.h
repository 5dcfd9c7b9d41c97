// Packing into panels by 16 × 16 transposes of pairs, for AVX-512.
#pragma once

#include "gemm.h"

namespace posed::reduced {

/// Rows of bfloat16, `ld` elements apart.
struct Rows {
  const bf16 *data = nullptr;
  int64_t ld = 0;
  int64_t count = 0;
};

/// Writes row `row` of the matrix being packed, as bfloat16, zeros included, to `to` [pairs * 2].
class RowSource {
public:
  virtual ~RowSource() = default;
  virtual void row(int64_t row, bf16 *to) const = 0;
};

/// Packs n rows of `source` into panels.
void pack_matrix(const RowSource &source, int64_t n, int64_t pairs, bf16 *to);

/// The keys of a head, own rows first and cached ones after, as panels [pairs][32 keys][2], `padded` keys in
/// all. Where `pairs` has room for more than `head_size` features it must hold zeros.
void pack_keys(const Rows &own, const Rows &cached, int64_t head_size, int64_t pairs, int64_t padded,
               bf16 *to);
/// Its values as panels [padded / 2][32 features][2].
void pack_values(const Rows &own, const Rows &cached, int64_t head_size, int64_t padded, bf16 *to);

/// A row of scores becomes scale · score + bias, in the bias's `keys` first places, scale · score after.
void add_bias(float *row, const float *bias, int64_t keys, int64_t padded, float scale);

} // namespace posed::reduced
