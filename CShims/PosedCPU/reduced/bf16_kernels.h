// The functions that round to bfloat16 on their way to memory, and the microtile of bfloat16. Included by
// bf16_kernels.cpp twice, each time in a namespace of its own: with POSED_BF16 1 for processors that have the
// instructions of BF16, with 0 for those that have AVX-512 alone.

#if POSED_BF16
inline __m256i narrow(f32x16 value) { return (__m256i)_mm512_cvtneps_pbh(value); }
/// `low` in the first half.
inline __m512i narrow(f32x16 low, f32x16 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }
#else
/// Rounds to nearest, ties to even; a NaN stays one.
inline __m256i narrow(f32x16 value) {
  const __m512i bits = _mm512_castps_si512(value), high = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  const __m512i result =
      _mm512_mask_or_epi32(_mm512_srli_epi32(rounded, 16), nan, high, _mm512_set1_epi32(0x40));
  return _mm512_cvtepi32_epi16(result);
}
inline __m512i narrow(f32x16 low, f32x16 high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(narrow(low)), narrow(high), 1);
}
#endif

// ---- Products ----

/// Adds the products of a broadcast pair of a and sixteen pairs of a panel.
#if POSED_BF16
constexpr int tile_rows = 14; // 28 registers of sums leave two for the panel's row, one for each pair of a
struct Pairs {
  __m512bh value;
  explicit Pairs(__m512i bits) : value((__m512bh)bits) {}
};
inline f32x16 add_products(f32x16 sum, const Pairs &a, const Pairs &b) {
  return _mm512_dpbf16_ps(sum, a.value, b.value);
}
#else
constexpr int tile_rows = 12; // 24 registers of sums, four for the panel's row, two for a pair of a
struct Pairs {
  f32x16 even, odd; // as float32
  explicit Pairs(__m512i bits)
      : even(_mm512_castsi512_ps(_mm512_slli_epi32(bits, 16))),
        odd(_mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(int(0xffff0000))))) {}
};
inline f32x16 add_products(f32x16 sum, const Pairs &a, const Pairs &b) {
  return _mm512_fmadd_ps(a.even, b.even, _mm512_fmadd_ps(a.odd, b.odd, sum));
}
#endif

template <int rows> void microtile(const Microtile &m) {
  f32x16 left[rows], right[rows];
#pragma unroll
  for (int i = 0; i < rows; i++) left[i] = right[i] = _mm512_setzero_ps();
  const bf16 *a = m.a, *b = m.panel;
  const char *ahead = m.ahead;
  const int64_t ld = m.ld_a, step = m.ahead_step;
  for (int64_t k = m.pairs; k > 0; k--) {
    const Pairs b0(_mm512_loadu_si512(b)), b1(_mm512_loadu_si512(b + panel_columns));
#pragma unroll
    for (int i = 0; i < rows; i++) {
      const Pairs pair(_mm512_set1_epi32(unit_at(a + i * ld)));
      left[i] = add_products(left[i], pair, b0);
      right[i] = add_products(right[i], pair, b1);
    }
    _mm_prefetch(ahead, _MM_HINT_T1);
    ahead += step;
    a += 2;
    b += panel_columns * 2;
  }
#pragma unroll
  for (int i = 0; i < rows; i++) {
    _mm512_storeu_ps(m.tile + i * m.ld_tile, left[i]);
    _mm512_storeu_ps(m.tile + i * m.ld_tile + 16, right[i]);
  }
}

template <int... rows> constexpr auto microtiles(std::integer_sequence<int, rows...>) {
  return std::array<MicrotileFunction, sizeof...(rows) + 1>{nullptr, microtile<rows + 1>...};
}
constexpr auto microtile_table = microtiles(std::make_integer_sequence<int, tile_rows>());

// ---- Epilogues: residual kinds are 0 none, 1 float32, 2 bfloat16 ----

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

template <uint32_t activation, bool y_f32> EpilogueFunction by_residual(const Epilogue &e) {
  if (!e.residual) return apply<activation, y_f32, 0, false>;
  if (e.residual_f32)
    return e.residual_first ? apply<activation, y_f32, 1, true> : apply<activation, y_f32, 1, false>;
  return e.residual_first ? apply<activation, y_f32, 2, true> : apply<activation, y_f32, 2, false>;
}

template <uint32_t activation> EpilogueFunction by_type(const Epilogue &e) {
  return e.y_f32 ? by_residual<activation, true>(e) : by_residual<activation, false>(e);
}

EpilogueFunction choose_epilogue(const Epilogue &e) {
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

// ---- Winograd ----

template <bool f32> inline f32x16 load_pixel(const void *pixel, int64_t at) {
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
    f32x16 d[places];
#pragma unroll
    for (int p = 0; p < places; p++) d[p] = load_pixel<f32>(pixels[p], at);
#pragma unroll
    for (int j = 0; j < 4; j++) input_step(d[j], d[4 + j], d[8 + j], d[12 + j]);
#pragma unroll
    for (int i = 0; i < places; i += 4) input_step(d[i], d[i + 1], d[i + 2], d[i + 3]);
#pragma unroll
    for (int p = 0; p < places; p++) _mm256_storeu_si256((__m256i *)(to + p * stride + at), narrow(d[p]));
  }
}

void winograd_input(const void *const *pixels, bool f32, int64_t channels, bf16 *to, int64_t stride) {
  if (f32) {
    transform_input<true>(pixels, channels, to, stride);
  } else {
    transform_input<false>(pixels, channels, to, stride);
  }
}

// ---- Attention ----

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
    _mm512_storeu_si512(out + j, narrow(p0, p1));
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
      __m256i out = narrow(_mm512_mul_ps(_mm512_loadu_ps(tile + i * panel_columns + c), share));
      if (left >= 16) {
        _mm256_storeu_si256((__m256i *)(y + i * ld_y + c), out);
      } else {
        _mm256_mask_storeu_epi16(y + i * ld_y + c, __mmask16((1u << left) - 1), out);
      }
    }
  }
}

constexpr Rounding rounding = {choose_epilogue, winograd_input, softmax_row, store_scaled};
