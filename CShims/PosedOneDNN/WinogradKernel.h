// The transforms of Winograd's F(2×2, 3×3), sixteen channels at a time:
//
//   V = Bᵀ d B,  U = G g Gᵀ,  Y = Aᵀ (U ⊙ V) A
//
// d a 4 × 4 window of the image, g a 3 × 3 filter, Y 2 × 2 outputs. The sixteen places of a 4 × 4
// tile are numbered row by row.
#pragma once

#include "Avx512.h"

namespace posed::onednn {

constexpr int kPlaces = 16;

/// Transforms one window. `pixels` are its 16 pixels [C], bfloat16 or float32; place p of the result
/// goes to to[p * stride + c], rounded to bfloat16. C is a multiple of 16.
void winograd_input_avx512(const void *const *pixels, bool f32, int64_t channels, bf16 *to, int64_t stride);

/// Transforms `tiles` neighbouring tiles of 32 channels: place p of tile t is at
/// sums[p * stride + t * 32]; outputs of row r (0, 1) go to rows[r][(2t … 2t + 1) * 32].
void winograd_output_avx512(const float *sums, int64_t stride, int64_t tiles, float *const *rows);

/// U of `count` filters: taps [9][count] to place `place`, [count].
void winograd_filter(const float *taps, int64_t count, int place, float *to);

} // namespace posed::onednn
