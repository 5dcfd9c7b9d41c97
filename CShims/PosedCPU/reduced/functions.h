// Sixteen values at a time: conversions, 2^x, and the activations built on it.
//
// exp2:  2^x = 2^n · p(f), n = round(x), f = x − n in [−½, ½], p of degree 5 (relative error 2e-7);
//        for results that become bfloat16 n = ⌊x⌋ and a p of degree 3 (7e-5).
// silu:  x / (1 + e^−x);   gelu (tanh):  x / (1 + e^(−2u)), u = √(2/π)·(x + 0.044715·x³)
// tanh: 1 − 2 / (1 + e^2x)
// gelu (erf):  x/2 · (1 + erf(x/√2)), erf by Abramowitz and Stegun's 7.1.26 (1.5e-7 absolute).
#pragma once

#include "avx512.h"

POSED_AVX512_BEGIN

namespace posed::reduced {
namespace {

using f32x16 = __m512;

[[maybe_unused]] inline __mmask16 lanes(int64_t left) {
  return left >= 16 ? __mmask16(0xffff) : left <= 0 ? __mmask16(0) : __mmask16((1u << left) - 1);
}

[[maybe_unused]] inline f32x16 load_bf16(const bf16 *from) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16));
}

[[maybe_unused]] inline f32x16 load_bf16(const bf16 *from, __mmask16 mask) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from)), 16));
}

[[maybe_unused]] inline f32x16 exp2_fine(f32x16 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-150.f));
  f32x16 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  f32x16 f = _mm512_sub_ps(x, n);
  f32x16 p = _mm512_set1_ps(1.3333558e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.6181291e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.f));
  return _mm512_scalef_ps(p, n);
}

/// One instruction finds f, and `scalef` takes the floor by itself; infinities need no care.
[[maybe_unused]] inline f32x16 exp2_coarse(f32x16 x) {
  f32x16 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  f32x16 p = _mm512_set1_ps(0.07802455f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.22606719f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.6958335f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.99992526f));
  return _mm512_scalef_ps(p, x);
}

/// How exact a result must be: as float32, or as bfloat16 (7e-5, fifty times finer than its step).
enum class Precision { fine, coarse };

template <Precision precision> inline f32x16 exp2(f32x16 x) {
  return precision == Precision::fine ? exp2_fine(x) : exp2_coarse(x);
}

/// 1 / x: the hardware's 14 bits, and one Newton step more where it matters.
template <Precision precision> inline f32x16 reciprocal(f32x16 x) {
  f32x16 r = _mm512_rcp14_ps(x);
  if constexpr (precision == Precision::coarse) return r;
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.f)));
}

/// 1 / (1 + 2^x). The Newton step cannot take an infinity, so x is bounded where there is one.
template <Precision precision> inline f32x16 logistic2(f32x16 x) {
  if constexpr (precision == Precision::fine) x = _mm512_min_ps(x, _mm512_set1_ps(126.f));
  return reciprocal<precision>(_mm512_add_ps(_mm512_set1_ps(1.f), exp2<precision>(x)));
}

template <Precision precision> inline f32x16 silu(f32x16 x) {
  return _mm512_mul_ps(x, logistic2<precision>(_mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f))));
}

/// 1 − 2 / (1 + e^2x): near 0 a difference, so always fine.
[[maybe_unused]] inline f32x16 tanh(f32x16 x) {
  f32x16 y = _mm512_fnmadd_ps(logistic2<Precision::fine>(_mm512_mul_ps(x, _mm512_set1_ps(2.88539008f))),
                              _mm512_set1_ps(2.f), _mm512_set1_ps(1.f));
  return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x); // a NaN stays one
}

template <Precision precision> inline f32x16 gelu_tanh(f32x16 x) {
  constexpr float a = float(-2 * 1.4426950408889634 * 0.7978845608028654);
  f32x16 squared = _mm512_mul_ps(x, x);
  f32x16 u = _mm512_fmadd_ps(squared, _mm512_set1_ps(a * 0.044715f), _mm512_set1_ps(a));
  return _mm512_mul_ps(x, logistic2<precision>(_mm512_mul_ps(u, x)));
}

template <Precision precision> inline f32x16 gelu_erf(f32x16 x) {
  f32x16 z = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(0.70710678f));
  f32x16 t = reciprocal<precision>(_mm512_fmadd_ps(z, _mm512_set1_ps(0.3275911f), _mm512_set1_ps(1.f)));
  f32x16 p = _mm512_set1_ps(1.061405429f);
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
  p = _mm512_mul_ps(p, t);
  f32x16 decay = exp2<precision>(_mm512_mul_ps(_mm512_mul_ps(z, z), _mm512_set1_ps(-1.44269504f)));
  f32x16 tail = _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_mul_ps(p, decay)); // 1 − Φ(|x|)
  // x ≥ 0: x · (1 − tail);  x < 0: x · tail
  __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  f32x16 phi = _mm512_mask_blend_ps(negative, _mm512_sub_ps(_mm512_set1_ps(1.f), tail), tail);
  return _mm512_mul_ps(x, phi);
}

[[maybe_unused]] inline f32x16 relu(f32x16 x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }

} // namespace
} // namespace posed::reduced

POSED_AVX512_END
