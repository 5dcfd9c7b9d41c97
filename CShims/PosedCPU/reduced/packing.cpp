#include "packing.h"

#include <algorithm>
#include <vector>

#include "functions.h"

POSED_AVX512_BEGIN

namespace posed::reduced {
namespace {

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

/// Transposes features [0, count), count ≤ 32, of 16 rows into a panel: pair p of row r goes to
/// to[p * 64 + r * 2]. A null row counts as zeros; an odd count gets a zero.
void pack_square(const bf16 *const *rows, int64_t count, bf16 *to) {
  __m512i square[16];
  __mmask32 mask = count >= 32 ? ~0u : (1u << count) - 1;
  for (int i = 0; i < 16; i++)
    square[i] = rows[i] ? _mm512_maskz_loadu_epi16(mask, rows[i]) : _mm512_setzero_si512();
  transpose(square);
  for (int i = 0; i < (count + 1) / 2; i++) _mm512_storeu_si512(to + i * panel_columns * 2, square[i]);
}

/// Row j of `own` followed by `cached`; null past the end.
inline const bf16 *row_of(const Rows &own, const Rows &cached, int64_t j) {
  if (j < own.count) return own.data + j * own.ld;
  j -= own.count;
  return j < cached.count ? cached.data + j * cached.ld : nullptr;
}

alignas(64) constexpr uint16_t low_words[32] = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                                8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
alignas(64) constexpr uint16_t high_words[32] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21,
                                                 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58,
                                                 27, 59, 28, 60, 29, 61, 30, 62, 31, 63};

} // namespace

void pack_keys(const Rows &own, const Rows &cached, int64_t head_size, int64_t pairs, int64_t padded,
               bf16 *to) {
  for (int64_t first = 0; first < padded; first += 16) {
    bf16 *panel = to + first / panel_columns * panel_elements(pairs) + first % panel_columns * 2;
    for (int64_t from = 0; from < head_size; from += 32) {
      const bf16 *rows[16];
      for (int i = 0; i < 16; i++) {
        rows[i] = row_of(own, cached, first + i);
        if (rows[i]) rows[i] += from;
      }
      pack_square(rows, std::min<int64_t>(32, head_size - from), panel + from * panel_columns);
    }
  }
}

void pack_values(const Rows &own, const Rows &cached, int64_t head_size, int64_t padded, bf16 *to) {
  const __m512i low = _mm512_load_si512(low_words), high = _mm512_load_si512(high_words);
  for (int64_t j = 0; j < padded; j += 2) {
    const bf16 *even = row_of(own, cached, j), *odd = row_of(own, cached, j + 1);
    for (int64_t from = 0; from < head_size; from += panel_columns) {
      int64_t features = std::min<int64_t>(panel_columns, head_size - from);
      __mmask32 mask = features == 32 ? ~0u : (1u << features) - 1;
      __m512i a = even ? _mm512_maskz_loadu_epi16(mask, even + from) : _mm512_setzero_si512();
      __m512i b = odd ? _mm512_maskz_loadu_epi16(mask, odd + from) : _mm512_setzero_si512();
      bf16 *panel = to + from * padded + j * panel_columns;
      _mm512_storeu_si512(panel, _mm512_permutex2var_epi16(a, low, b));
      _mm512_storeu_si512(panel + panel_columns, _mm512_permutex2var_epi16(a, high, b));
    }
  }
}

void add_bias(float *row, const float *bias, int64_t keys, int64_t padded, float scale) {
  const f32x16 factor = _mm512_set1_ps(scale);
  for (int64_t j = 0; j < padded; j += 16) {
    const int64_t left = std::clamp<int64_t>(keys - j, 0, 16);
    const f32x16 more = _mm512_maskz_loadu_ps(lanes(left), bias + std::min(j, keys));
    _mm512_storeu_ps(row + j, _mm512_fmadd_ps(_mm512_loadu_ps(row + j), factor, more));
  }
}

} // namespace posed::reduced

POSED_AVX512_END

namespace posed::reduced {

void pack_matrix(const RowSource &source, int64_t n, int64_t pairs, bf16 *to) {
  const int64_t width = pairs * 2;
  std::vector<bf16> rows(static_cast<size_t>(panel_columns * width));
  for (int64_t first = 0; first < n; first += panel_columns, to += panel_elements(pairs)) {
    const int64_t present = std::min(panel_columns, n - first);
    for (int64_t r = 0; r < present; r++) source.row(first + r, rows.data() + r * width);
    for (int64_t half = 0; half < panel_columns; half += 16) {
      for (int64_t from = 0; from < width; from += 32) {
        const bf16 *square[16];
        for (int64_t r = 0; r < 16; r++)
          square[r] = half + r < present ? rows.data() + (half + r) * width + from : nullptr;
        pack_square(square, std::min<int64_t>(32, width - from), to + from * panel_columns + half * 2);
      }
    }
  }
}

} // namespace posed::reduced
