// Quantization to 8 bits, and the engine of AVX-512 VNNI.
#include "gemm.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "functions.h"
#include "posed_backend.h"

namespace posed::reduced {
namespace {

/// A row whose values differ by less counts as constant, so that nothing is divided by zero.
constexpr float least_span = 1e-30f;

} // namespace

float quantize_weights(const float *w, int64_t count, int8_t *to, float &sum) {
  float greatest = 0, nothing = 0;
  for (int64_t k = 0; k < count; k++) {
    greatest = std::fmax(greatest, std::fabs(w[k]));
    nothing += w[k] * 0; // a NaN where w is not finite
  }
  const bool empty = !(greatest > least_span) || nothing != 0;
  const float scale = empty ? 0 : 127 / greatest;
  int64_t total = 0;
  for (int64_t k = 0; k < count; k++) {
    const long rounded = empty ? 0 : std::lrint(w[k] * scale);
    to[k] = static_cast<int8_t>(rounded);
    total += rounded;
  }
  sum = static_cast<float>(total);
  return greatest / 127 + nothing;
}

} // namespace posed::reduced

POSED_AVX512_VNNI_BEGIN

namespace posed::reduced {
namespace {

inline f32x16 load(const float *x) { return _mm512_loadu_ps(x); }
inline f32x16 load(const bf16 *x) { return load_bf16(x); }
inline f32x16 load(const float *x, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, x); }
inline f32x16 load(const bf16 *x, __mmask16 mask) { return load_bf16(x, mask); }

/// The least and the greatest value so far, and a NaN where one is not finite.
struct Extent {
  f32x16 least, most, nothing;

  Extent()
      : least(_mm512_set1_ps(std::numeric_limits<float>::infinity())),
        most(_mm512_set1_ps(-std::numeric_limits<float>::infinity())), nothing(_mm512_setzero_ps()) {}
  void see(f32x16 v, __mmask16 mask = 0xffff) {
    least = _mm512_mask_min_ps(least, mask, least, v);
    most = _mm512_mask_max_ps(most, mask, most, v);
    nothing = _mm512_fmadd_ps(v, _mm512_setzero_ps(), nothing);
  }
  void see(const Extent &other) {
    least = _mm512_min_ps(least, other.least);
    most = _mm512_max_ps(most, other.most);
    nothing = _mm512_add_ps(nothing, other.nothing);
  }
};

inline __m512i round(f32x16 v, f32x16 least, f32x16 scale) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(v, least), scale));
}

template <class T> RowRange round_row(const T *x, int64_t count, int64_t padded, uint8_t *to) {
  constexpr int64_t strip = 64;
  Extent extent[4];
  int64_t at = 0;
  for (; at + strip <= count; at += strip)
#pragma unroll
    for (int i = 0; i < 4; i++) extent[i].see(load(x + at + i * 16));
  for (; at < count; at += 16) extent[0].see(load(x + at, lanes(count - at)), lanes(count - at));
  for (int i = 1; i < 4; i++) extent[0].see(extent[i]);
  const float least = _mm512_reduce_min_ps(extent[0].least);
  const float span = _mm512_reduce_max_ps(extent[0].most) - least;
  const bool finite =
      _mm512_reduce_add_ps(extent[0].nothing) == 0 && span <= std::numeric_limits<float>::max();
  const f32x16 scale = _mm512_set1_ps(finite && span > least_span ? 255 / span : 0),
               from = _mm512_set1_ps(least);
  for (at = 0; at + 16 <= count; at += 16)
    _mm_storeu_si128((__m128i *)(to + at), _mm512_cvtusepi32_epi8(round(load(x + at), from, scale)));
  for (; at < padded; at += 16) {
    const __mmask16 there = lanes(count - at);
    __m512i last = _mm512_maskz_mov_epi32(there, round(load(x + at, there), from, scale));
    _mm_mask_storeu_epi8(to + at, lanes(padded - at), _mm512_cvtusepi32_epi8(last));
  }
  if (!finite) return {std::numeric_limits<float>::quiet_NaN(), 0};
  return {span / 255, least};
}

template <int rows> void microtile(const Microtile &m) {
  __m512i left[rows], right[rows];
#pragma unroll
  for (int i = 0; i < rows; i++) left[i] = right[i] = _mm512_setzero_si512();
  const bf16 *a = m.a, *b = m.panel;
  const char *ahead = m.ahead;
  const int64_t ld = m.ld_a, step = m.ahead_step;
  for (int64_t k = m.pairs; k > 0; k--) {
    __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + panel_columns);
#pragma unroll
    for (int i = 0; i < rows; i++) {
      __m512i quad = _mm512_set1_epi32(unit_at(a + i * ld));
      left[i] = _mm512_dpbusd_epi32(left[i], quad, b0);
      right[i] = _mm512_dpbusd_epi32(right[i], quad, b1);
    }
    _mm_prefetch(ahead, _MM_HINT_T1);
    ahead += step;
    a += 2;
    b += panel_columns * 2;
  }
  f32x16 width0 = _mm512_load_ps(m.columns->width), width1 = _mm512_load_ps(m.columns->width + 16);
  f32x16 sum0 = _mm512_load_ps(m.columns->sum), sum1 = _mm512_load_ps(m.columns->sum + 16);
#pragma unroll
  for (int i = 0; i < rows; i++) {
    f32x16 by = _mm512_set1_ps(m.ranges[i].step), least = _mm512_set1_ps(m.ranges[i].least);
    f32x16 v0 = _mm512_fmadd_ps(_mm512_cvtepi32_ps(left[i]), by, _mm512_mul_ps(least, sum0));
    f32x16 v1 = _mm512_fmadd_ps(_mm512_cvtepi32_ps(right[i]), by, _mm512_mul_ps(least, sum1));
    _mm512_storeu_ps(m.tile + i * m.ld_tile, _mm512_mul_ps(v0, width0));
    _mm512_storeu_ps(m.tile + i * m.ld_tile + 16, _mm512_mul_ps(v1, width1));
  }
}

template <int... rows> constexpr auto microtiles(std::integer_sequence<int, rows...>) {
  return std::array<MicrotileFunction, sizeof...(rows) + 1>{nullptr, microtile<rows + 1>...};
}
constexpr int tile_rows = 14;
constexpr auto microtile_table = microtiles(std::make_integer_sequence<int, tile_rows>());

constexpr Engine engine(const Rounding *rounding) {
  return {.name = "avx512-vnni",
          .tile_rows = tile_rows,
          .task_products = 4 << 20,
          .pair_multiple = 1,
          .even_tiles = true,
          .microtile = microtile_table.data(),
          .rounding = rounding,
          .enter = nullptr,
          .leave = nullptr};
}

} // namespace

const Engine int8_vnni_bf16 = engine(&native_rounding), int8_vnni = engine(&widened_rounding);

RowRange quantize_row(const void *x, uint32_t dtype, int64_t count, int64_t padded, uint8_t *to) {
  return dtype == POSED_F32 ? round_row(static_cast<const float *>(x), count, padded, to)
                            : round_row(static_cast<const bf16 *>(x), count, padded, to);
}

} // namespace posed::reduced

POSED_AVX512_END
