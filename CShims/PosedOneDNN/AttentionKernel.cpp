// Packing by 16 × 16 transposes of pairs, softmax sixteen keys at a time.
#include "AttentionKernel.h"

#include <algorithm>

#include "Avx512Math.h"

namespace posed::onednn {

constexpr int64_t kMaxGroup = 128;

AttentionShape AttentionShape::fitting(const Engine &engine, int64_t keys, int64_t head_size) {
  AttentionShape shape{&engine, keys, head_size, engine.tile_rows};
  // Short rows: scores stay in the first cache. Long ones: keys pass through the caches, so that
  // several tiles share each pass.
  constexpr int64_t near = 128 << 10, scores = 256 << 10;
  if (shape.padded_keys() * shape.padded_head() * 4 <= near) return shape;
  int64_t tiles = scores / (shape.ld_scores() * 4) / engine.tile_rows;
  shape.group *= std::clamp<int64_t>(tiles, 1, kMaxGroup / engine.tile_rows);
  return shape;
}

int64_t AttentionShape::scratch_bytes() const {
  int64_t packed = 2 * padded_keys() * padded_head() * 2;
  return packed + group * padded_head() * 2 + group * ld_scores() * 4;
}

AttentionHead::AttentionHead(const AttentionShape &shape, void *scratch) : shape_(shape) {
  int64_t elements = shape.padded_keys() * shape.padded_head();
  keys_ = static_cast<bf16 *>(scratch);
  values_ = keys_ + elements;
  queries_ = values_ + elements;
  scores_ = reinterpret_cast<float *>(queries_ + shape.group * shape.padded_head());
}

} // namespace posed::onednn

POSED_AVX512_BEGIN

namespace posed::onednn {
namespace {

/// Row j of `own` followed by `cached`; null past the end.
inline const bf16 *row_of(const Rows &own, const Rows &cached, int64_t j) {
  if (j < own.count) return own.data + j * own.ld;
  j -= own.count;
  return j < cached.count ? cached.data + j * cached.ld : nullptr;
}

void pack_keys(const AttentionShape &shape, const Rows &own, const Rows &cached, bf16 *to) {
  const int64_t pairs = shape.pairs();
  if (shape.copies_queries()) std::fill_n(to, shape.padded_keys() * pairs * 2, bf16(0));
  for (int64_t first = 0; first < shape.padded_keys(); first += 16) {
    bf16 *panel = to + first / kPanel * panel_elements(pairs) + first % kPanel * 2;
    for (int64_t from = 0; from < shape.head_size; from += 32) {
      const bf16 *rows[16];
      for (int i = 0; i < 16; i++) {
        rows[i] = row_of(own, cached, first + i);
        if (rows[i]) rows[i] += from;
      }
      pack_square_avx512(rows, std::min<int64_t>(32, shape.head_size - from), panel + from * kPanel);
    }
  }
}

alignas(64) constexpr uint16_t kLowWords[32] = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                                8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
alignas(64) constexpr uint16_t kHighWords[32] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21,
                                                 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58,
                                                 27, 59, 28, 60, 29, 61, 30, 62, 31, 63};

void pack_values(const AttentionShape &shape, const Rows &own, const Rows &cached, bf16 *to) {
  const __m512i low = _mm512_load_si512(kLowWords), high = _mm512_load_si512(kHighWords);
  const int64_t keys = shape.padded_keys();
  for (int64_t j = 0; j < keys; j += 2) {
    const bf16 *even = row_of(own, cached, j), *odd = row_of(own, cached, j + 1);
    for (int64_t from = 0; from < shape.head_size; from += kPanel) {
      int64_t features = std::min<int64_t>(kPanel, shape.head_size - from);
      __mmask32 mask = features == 32 ? ~0u : (1u << features) - 1;
      __m512i a = even ? _mm512_maskz_loadu_epi16(mask, even + from) : _mm512_setzero_si512();
      __m512i b = odd ? _mm512_maskz_loadu_epi16(mask, odd + from) : _mm512_setzero_si512();
      bf16 *panel = to + from * keys + j * kPanel;
      _mm512_storeu_si512(panel, _mm512_permutex2var_epi16(a, low, b));
      _mm512_storeu_si512(panel + kPanel, _mm512_permutex2var_epi16(a, high, b));
    }
  }
}

inline f32x16 row_maximum(const float *row, int64_t keys, f32x16 scale) {
  f32x16 lowest = _mm512_set1_ps(-3.4e38f), most[4] = {lowest, lowest, lowest, lowest};
  int64_t j = 0;
  for (; j + 64 <= keys; j += 64)
#pragma unroll
    for (int u = 0; u < 4; u++)
      most[u] = _mm512_max_ps(most[u], _mm512_mul_ps(_mm512_loadu_ps(row + j + 16 * u), scale));
  for (; j < keys; j += 16) {
    __mmask16 mask = keys - j >= 16 ? 0xffff : __mmask16((1u << (keys - j)) - 1);
    f32x16 s = _mm512_mask_loadu_ps(lowest, mask, row + j);
    most[0] = _mm512_mask_max_ps(most[0], mask, most[0], _mm512_mul_ps(s, scale));
  }
  most[0] = _mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3]));
  return _mm512_set1_ps(_mm512_reduce_max_ps(most[0]));
}

/// A row of scores becomes scale · score + bias, in the bias's `keys` first places, scale · score after.
inline void add_bias(float *row, const float *bias, int64_t keys, int64_t padded, float scale) {
  const f32x16 factor = _mm512_set1_ps(scale);
  for (int64_t j = 0; j < padded; j += 16) {
    const int64_t left = std::clamp<int64_t>(keys - j, 0, 16);
    const f32x16 more = _mm512_maskz_loadu_ps(__mmask16((1u << left) - 1), bias + std::min(j, keys));
    _mm512_storeu_ps(row + j, _mm512_fmadd_ps(_mm512_loadu_ps(row + j), factor, more));
  }
}

/// Turns one row of scores into probabilities times their sum, in place, and returns that sum. The
/// bfloat16 written at j lie below the float32 still to be read.
inline float softmax_row(float *row, int64_t keys, int64_t padded, float scale2) {
  f32x16 scale = _mm512_set1_ps(scale2);
  f32x16 most = row_maximum(row, keys, scale);
  f32x16 sum0 = _mm512_setzero_ps(), sum1 = sum0;
  bf16 *out = reinterpret_cast<bf16 *>(row);
  int64_t j = 0;
  for (; j + 32 <= keys; j += 32) {
    f32x16 p0 = exp2_coarse(_mm512_fmsub_ps(_mm512_loadu_ps(row + j), scale, most));
    f32x16 p1 = exp2_coarse(_mm512_fmsub_ps(_mm512_loadu_ps(row + j + 16), scale, most));
    sum0 = _mm512_add_ps(sum0, p0);
    sum1 = _mm512_add_ps(sum1, p1);
    _mm512_storeu_si512(out + j, (__m512i)_mm512_cvtne2ps_pbh(p1, p0));
  }
  for (; j < padded; j += 16) {
    int64_t left = std::max<int64_t>(0, keys - j);
    __mmask16 mask = left >= 16 ? 0xffff : __mmask16((1u << left) - 1);
    f32x16 x = _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, row + j), scale, most);
    f32x16 p = _mm512_maskz_mov_ps(mask, exp2_coarse(_mm512_maskz_mov_ps(mask, x)));
    sum0 = _mm512_add_ps(sum0, p);
    _mm256_storeu_si256((__m256i *)(out + j), narrow(p));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

void store_scaled(const float *tile, int64_t rows, int64_t cols, const float *sums, bf16 *y, int64_t ld_y) {
  for (int64_t i = 0; i < rows; i++) {
    f32x16 share = _mm512_set1_ps(1.f / sums[i]);
    for (int64_t c = 0; c < cols; c += 16) {
      int64_t left = cols - c;
      __m256i out = narrow(_mm512_mul_ps(_mm512_loadu_ps(tile + i * kPanel + c), share));
      if (left >= 16) {
        _mm256_storeu_si256((__m256i *)(y + i * ld_y + c), out);
      } else {
        _mm256_mask_storeu_epi16(y + i * ld_y + c, __mmask16((1u << left) - 1), out);
      }
    }
  }
}

} // namespace

void AttentionHead::pack(const Rows &k, const Rows &cached_k, const Rows &v, const Rows &cached_v) {
  pack_keys(shape_, k, cached_k, keys_);
  pack_values(shape_, v, cached_v, values_);
}

void AttentionHead::attend(const Rows &q, bf16 *y, int64_t ld_y, float scale, const BiasRows &bias) {
  const RowCut cut(q.count, *shape_.engine);
  const int64_t ld = shape_.ld_scores(), pairs = shape_.pairs();
  float sums[kMaxGroup];
  alignas(64) float tile[kMaxTileRows * kPanel];
  Rows queries = q;
  if (shape_.copies_queries()) { // the last pairs must not read the neighbour's features
    for (int64_t i = 0; i < q.count; i++) {
      bf16 *row = queries_ + i * pairs * 2;
      std::copy_n(q.data + i * q.ld, shape_.head_size, row);
      std::fill_n(row + shape_.head_size, pairs * 2 - shape_.head_size, bf16(0));
    }
    queries = {queries_, pairs * 2, q.count};
  }
  Microtile m{};
  m.ld_a = queries.ld;
  m.pairs = pairs;
  m.ld_tile = ld;
  m.ahead_step = 64;
  for (int64_t j = 0; j < shape_.padded_keys(); j += kPanel) {
    m.panel = keys_ + j * pairs * 2;
    for (int64_t c = 0; c < cut.count; c++) {
      int64_t row = cut.first(c);
      m.a = queries.data + row * queries.ld;
      m.tile = scores_ + row * ld + j;
      m.ahead = (const char *)(m.panel + pairs * kPanel * 2) + c % 2 * pairs * 64;
      shape_.engine->microtile[cut.first(c + 1) - row](m);
    }
  }
  for (int64_t i = 0; i < q.count; i++) {
    float *row = scores_ + i * ld;
    if (bias.data) add_bias(row, bias.data + i * bias.ld, bias.keys, shape_.padded_keys(), scale);
    const float factor = (bias.data ? 1.f : scale) * 1.44269504f;
    sums[i] = softmax_row(row, shape_.keys, shape_.padded_keys(), factor);
  }
  m.ld_a = ld * 2;
  m.pairs = shape_.padded_keys() / 2;
  m.tile = tile;
  m.ld_tile = kPanel;
  for (int64_t f = 0; f < shape_.head_size; f += kPanel) {
    m.panel = values_ + f * shape_.padded_keys();
    for (int64_t c = 0; c < cut.count; c++) {
      int64_t row = cut.first(c), rows = cut.first(c + 1) - row;
      m.a = reinterpret_cast<const bf16 *>(scores_) + row * ld * 2;
      m.ahead = (const char *)(m.panel + m.pairs * kPanel * 2) + c % 2 * m.pairs * 64;
      shape_.engine->microtile[rows](m);
      store_scaled(tile, rows, std::min(kPanel, shape_.head_size - f), sums + row, y + row * ld_y + f, ld_y);
    }
  }
}

} // namespace posed::onednn

POSED_AVX512_END
