// The epilogue in sixteen lanes. Residual kinds: 0 none, 1 float32, 2 bfloat16.
#include "Epilogue.h"

#include "Avx512Math.h"
#include "posed_backend.h"

POSED_AVX512_BEGIN

namespace posed::onednn {
namespace {

template <uint32_t activation, bool y_f32> inline f32x16 activate(f32x16 v) {
  [[maybe_unused]] constexpr Precision precision = y_f32 ? Precision::fine : Precision::coarse;
  if constexpr (activation == POSED_ACT_RELU) return relu(v);
  if constexpr (activation == POSED_ACT_SILU) return silu<precision>(v);
  if constexpr (activation == POSED_ACT_GELU_TANH) return gelu_tanh<precision>(v);
  if constexpr (activation == POSED_ACT_GELU_ERF) return gelu_erf<precision>(v);
  if constexpr (activation == POSED_ACT_TANH) return tanh(v);
  return v;
}

template <int kind> inline f32x16 load_residual(const void *row, int64_t at, __mmask16 mask) {
  if constexpr (kind == 1) return _mm512_maskz_loadu_ps(mask, (const float *)row + at);
  return load_bf16((const bf16 *)row + at, mask);
}

/// One column strip of up to 16, down all rows: bias and gate stay in registers.
template <uint32_t activation, bool y_f32, int kind, bool residual_first>
inline void strip(const Epilogue &e, const float *tile, int64_t ld_tile, int64_t rows, int64_t at,
                  __mmask16 mask) {
  f32x16 zero = _mm512_setzero_ps();
  f32x16 bias = e.bias ? _mm512_maskz_loadu_ps(mask, e.bias + at) : zero;
  f32x16 gate = e.gate ? _mm512_maskz_loadu_ps(mask, e.gate + at) : _mm512_set1_ps(1.f);
  const char *residual = (const char *)e.residual;
  char *y = (char *)e.y;
  for (int64_t r = 0; r < rows; r++) {
    f32x16 v = _mm512_add_ps(_mm512_loadu_ps(tile + at), bias);
    if constexpr (kind != 0 && residual_first) {
      v = activate<activation, y_f32>(_mm512_add_ps(v, load_residual<kind>(residual, at, mask)));
    } else if constexpr (kind != 0) {
      v = activate<activation, y_f32>(v);
      v = _mm512_fmadd_ps(v, gate, load_residual<kind>(residual, at, mask));
    } else {
      v = _mm512_mul_ps(activate<activation, y_f32>(v), gate);
    }
    if constexpr (y_f32) {
      _mm512_mask_storeu_ps((float *)y + at, mask, v);
    } else if (mask == 0xffff) {
      _mm256_storeu_si256((__m256i *)((bf16 *)y + at), narrow(v));
    } else {
      _mm256_mask_storeu_epi16((bf16 *)y + at, mask, narrow(v));
    }
    tile += ld_tile;
    if constexpr (kind != 0) residual += e.ld_residual * (kind == 1 ? 4 : 2);
    y += e.ld_y * (y_f32 ? 4 : 2);
  }
}

template <uint32_t activation, bool y_f32, int kind, bool residual_first>
void apply(const Epilogue &e, const float *tile, int64_t ld_tile, int64_t rows, int64_t cols) {
  for (int64_t at = 0; at < cols; at += 16) {
    int64_t left = cols - at;
    __mmask16 mask = left >= 16 ? __mmask16(0xffff) : __mmask16((1u << left) - 1);
    strip<activation, y_f32, kind, residual_first>(e, tile, ld_tile, rows, at, mask);
  }
}

template <uint32_t activation, bool y_f32> EpilogueFn by_residual(const Epilogue &e) {
  if (!e.residual) return apply<activation, y_f32, 0, false>;
  if (e.residual_f32)
    return e.residual_first ? apply<activation, y_f32, 1, true> : apply<activation, y_f32, 1, false>;
  return e.residual_first ? apply<activation, y_f32, 2, true> : apply<activation, y_f32, 2, false>;
}

template <uint32_t activation> EpilogueFn by_type(const Epilogue &e) {
  return e.y_f32 ? by_residual<activation, true>(e) : by_residual<activation, false>(e);
}

} // namespace

EpilogueFn choose_epilogue_avx512(const Epilogue &e) {
  switch (e.activation) {
  case POSED_ACT_RELU:
    return by_type<POSED_ACT_RELU>(e);
  case POSED_ACT_SILU:
    return by_type<POSED_ACT_SILU>(e);
  case POSED_ACT_GELU_TANH:
    return by_type<POSED_ACT_GELU_TANH>(e);
  case POSED_ACT_GELU_ERF:
    return by_type<POSED_ACT_GELU_ERF>(e);
  case POSED_ACT_TANH:
    return by_type<POSED_ACT_TANH>(e);
  default:
    return by_type<POSED_ACT_NONE>(e);
  }
}

} // namespace posed::onednn

POSED_AVX512_END
