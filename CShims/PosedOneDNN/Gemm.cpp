// The AVX-512 engine. A tile of 14 × 2 registers of sums leaves two registers for the panel's row and
// one for each pair of a: 28 products per 16 loads, which two loads and two products a cycle feed.
#include "Gemm.h"

#include "Avx512Math.h"

POSED_AVX512_BEGIN

namespace posed::onednn {
namespace {

template <int rows> void microtile(const Microtile &m) {
  f32x16 left[rows], right[rows];
#pragma unroll
  for (int i = 0; i < rows; i++) left[i] = right[i] = _mm512_setzero_ps();
  const bf16 *a = m.a, *b = m.panel;
  const char *ahead = m.ahead;
  const int64_t ld = m.ld_a, step = m.ahead_step;
  for (int64_t k = m.pairs; k > 0; k--) {
    __m512bh b0 = (__m512bh)_mm512_loadu_si512(b);
    __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + kPanel);
#pragma unroll
    for (int i = 0; i < rows; i++) {
      __m512bh pair = (__m512bh)_mm512_set1_epi32(unit_at(a + i * ld));
      left[i] = _mm512_dpbf16_ps(left[i], pair, b0);
      right[i] = _mm512_dpbf16_ps(right[i], pair, b1);
    }
    _mm_prefetch(ahead, _MM_HINT_T1);
    ahead += step;
    a += 2;
    b += kPanel * 2;
  }
#pragma unroll
  for (int i = 0; i < rows; i++) {
    _mm512_storeu_ps(m.tile + i * m.ld_tile, left[i]);
    _mm512_storeu_ps(m.tile + i * m.ld_tile + 16, right[i]);
  }
}

constexpr MicrotileFn kMicrotiles[] = {
    nullptr,       microtile<1>,  microtile<2>,  microtile<3>,  microtile<4>,
    microtile<5>,  microtile<6>,  microtile<7>,  microtile<8>,  microtile<9>,
    microtile<10>, microtile<11>, microtile<12>, microtile<13>, microtile<14>,
};

/// 16 rows of 16 pairs become 16 rows of 16 pairs, transposed.
inline void transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

} // namespace

const Engine kAvx512Engine = {"avx512", 14, 2 << 20, 1, true, kMicrotiles, nullptr, nullptr};

void pack_square_avx512(const bf16 *const *rows, int64_t count, bf16 *to) {
  __m512i square[16];
  __mmask32 mask = count >= 32 ? ~0u : (1u << count) - 1;
  for (int i = 0; i < 16; i++)
    square[i] = rows[i] ? _mm512_maskz_loadu_epi16(mask, rows[i]) : _mm512_setzero_si512();
  transpose(square);
  for (int i = 0; i < (count + 1) / 2; i++) _mm512_storeu_si512(to + i * kPanel * 2, square[i]);
}

} // namespace posed::onednn

POSED_AVX512_END
