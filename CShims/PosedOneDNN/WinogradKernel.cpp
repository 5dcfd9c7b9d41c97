// Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1],  G = [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1],
// Aᵀ = [1 1 1 0; 0 1 −1 −1].
#include "WinogradKernel.h"

#include "Avx512Math.h"

namespace posed::onednn {

void winograd_filter(const float *taps, int64_t count, int place, float *to) {
  constexpr float g[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
  for (int64_t c = 0; c < count; c++) to[c] = 0;
  for (int tap = 0; tap < 9; tap++) {
    const float factor = g[place / 4][tap / 3] * g[place % 4][tap % 3];
    if (factor == 0) continue;
    const float *from = taps + tap * count;
    for (int64_t c = 0; c < count; c++) to[c] += factor * from[c];
  }
}

} // namespace posed::onednn

POSED_AVX512_BEGIN

namespace posed::onednn {
namespace {

template <bool f32> inline f32x16 load(const void *pixel, int64_t at) {
  if constexpr (f32) return _mm512_loadu_ps((const float *)pixel + at);
  return load_bf16((const bf16 *)pixel + at);
}

/// (a, b, c, d) ↦ (a − c, b + c, c − b, b − d)
inline void input_step(f32x16 &a, f32x16 &b, f32x16 &c, f32x16 &d) {
  f32x16 sum = _mm512_add_ps(b, c), difference = _mm512_sub_ps(c, b);
  a = _mm512_sub_ps(a, c);
  d = _mm512_sub_ps(b, d);
  b = sum;
  c = difference;
}

template <bool f32>
void transform_input(const void *const *pixels, int64_t channels, bf16 *to, int64_t stride) {
  for (int64_t at = 0; at < channels; at += 16) {
    f32x16 d[kPlaces];
#pragma unroll
    for (int p = 0; p < kPlaces; p++) d[p] = load<f32>(pixels[p], at);
#pragma unroll
    for (int j = 0; j < 4; j++) input_step(d[j], d[4 + j], d[8 + j], d[12 + j]);
#pragma unroll
    for (int i = 0; i < kPlaces; i += 4) input_step(d[i], d[i + 1], d[i + 2], d[i + 3]);
#pragma unroll
    for (int p = 0; p < kPlaces; p++) _mm256_storeu_si256((__m256i *)(to + p * stride + at), narrow(d[p]));
  }
}

} // namespace

void winograd_input_avx512(const void *const *pixels, bool f32, int64_t channels, bf16 *to, int64_t stride) {
  if (f32) {
    transform_input<true>(pixels, channels, to, stride);
  } else {
    transform_input<false>(pixels, channels, to, stride);
  }
}

void winograd_output_avx512(const float *sums, int64_t stride, int64_t tiles, float *const *rows) {
  for (int64_t t = 0; t < tiles; t++) {
    for (int64_t c = 0; c < 32; c += 16) {
      const float *m = sums + t * 32 + c;
      f32x16 upper[4], lower[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        f32x16 m1 = _mm512_loadu_ps(m + (4 + j) * stride), m2 = _mm512_loadu_ps(m + (8 + j) * stride);
        upper[j] = _mm512_add_ps(_mm512_loadu_ps(m + j * stride), _mm512_add_ps(m1, m2));
        lower[j] = _mm512_sub_ps(_mm512_sub_ps(m1, m2), _mm512_loadu_ps(m + (12 + j) * stride));
      }
      const f32x16 *lines[2] = {upper, lower};
#pragma unroll
      for (int r = 0; r < 2; r++) {
        const f32x16 *s = lines[r];
        float *to = rows[r] + t * 64 + c;
        _mm512_storeu_ps(to, _mm512_add_ps(s[0], _mm512_add_ps(s[1], s[2])));
        _mm512_storeu_ps(to + 32, _mm512_sub_ps(_mm512_sub_ps(s[1], s[2]), s[3]));
      }
    }
  }
}

} // namespace posed::onednn

POSED_AVX512_END
