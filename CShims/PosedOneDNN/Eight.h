// Products of 8-bit integers: four to a lane where bfloat16 has two.
//
// A row of x is rounded to 0 … 255 between its least and its greatest value, a row of W to −127 … 127:
//
//   x[k] ≈ least + step · a[k],  W[n, k] ≈ width[n] · b[n, k]
//   Σ_k x[k] · W[n, k] ≈ width[n] · (step · Σ_k a[k] b[n, k] + least · Σ_k b[n, k])
//
// The sums of integers are exact. a and b lie in memory as pairs of bfloat16 do, a *quad* of k in each pair's
// place: rows of `pairs` 4-byte units, panels [pairs][32][4].
#pragma once

#include "Gemm.h"

namespace posed::onednn {

/// How a row of x was rounded.
struct RowRange {
  float step, least;
};

/// How the rows of W behind a panel's columns were rounded.
struct PanelRange {
  alignas(64) float width[kPanel], sum[kPanel]; // sum: Σ_k b
};

/// Features at most, so that no sum overflows.
constexpr int64_t kMostEightBit = 65536;

/// Rounds x [count], POSED_F32 or POSED_BF16, to `to`, with zeros up to `padded`. A row that is not finite
/// gets a range that is not.
RowRange round_row_avx512(const void *x, uint32_t dtype, int64_t count, int64_t padded, uint8_t *to);

/// Rounds a row of W [count]; gives its width, and the sum of what came out.
float round_weights(const float *w, int64_t count, int8_t *to, float &sum);

/// Makes sums in int32, as tiles leave them, into float32, in place.
void widen_tile_avx512(const Microtile &m, int64_t rows);

/// 14 × 32 sums in registers, two `vpdpbusd` per row and quad.
extern const Engine kVnniEngine;
/// Tiles of AMX; and the same in memory.
extern const Engine kAmxEightEngine, kEmulatedAmxEightEngine;

} // namespace posed::onednn
