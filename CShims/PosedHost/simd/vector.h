// The vector type of one instruction set and the conversions of stored elements to it and from it.
// Included inside namespace posed::POSED_ISA with POSED_WIDTH defined, under the set's target
// attribute. Written with vector extensions, so that one text serves all sets.

constexpr int W = POSED_WIDTH;
typedef float V __attribute__((ext_vector_type(POSED_WIDTH)));
typedef int32_t I __attribute__((ext_vector_type(POSED_WIDTH)));
typedef uint32_t U __attribute__((ext_vector_type(POSED_WIDTH)));
typedef uint16_t H __attribute__((ext_vector_type(POSED_WIDTH)));
typedef uint8_t B __attribute__((ext_vector_type(POSED_WIDTH)));

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};

#define POSED_INLINE static inline __attribute__((always_inline))

template <class To, class From> POSED_INLINE To as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

POSED_INLINE V load(const float *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
POSED_INLINE void store(float *p, V v) { __builtin_memcpy(p, &v, sizeof v); }

POSED_INLINE V load(const Brain *p) {
  H h;
  __builtin_memcpy(&h, p, sizeof h);
  return as<V>(__builtin_convertvector(h, U) << 16);
}

/// Rounds to nearest, ties to even; a NaN stays one.
POSED_INLINE void store(Brain *p, V v) {
  U u = as<U>(v);
  U rounded = (u + 0x7FFF + ((u >> 16) & 1)) >> 16;
  U quiet = (u >> 16) | 0x40;
  I nan = v != v;
  H h = __builtin_convertvector((rounded & ~as<U>(nan)) | (quiet & as<U>(nan)), H);
  __builtin_memcpy(p, &h, sizeof h);
}

#if POSED_WIDTH == 16
POSED_INLINE V load(const Half *p) {
  return as<V>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p))));
}
POSED_INLINE void store(Half *p, V v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p),
                      _mm512_cvtps_ph(as<__m512>(v), _MM_FROUND_TO_NEAREST_INT));
}
#elif POSED_WIDTH == 8
POSED_INLINE V load(const Half *p) {
  return as<V>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
}
POSED_INLINE void store(Half *p, V v) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(p), _mm256_cvtps_ph(as<__m256>(v), _MM_FROUND_TO_NEAREST_INT));
}
#else
/// Without F16C: shift the exponent into place and let one multiplication renormalise.
POSED_INLINE V load(const Half *p) {
  H h;
  __builtin_memcpy(&h, p, sizeof h);
  U u = __builtin_convertvector(h, U);
  U magnitude = (u & 0x7FFF) << 13;
  V scaled = as<V>(magnitude) * 0x1p112f;
  I special = magnitude >= U(0x7C00u << 13);
  U finite = as<U>(scaled);
  U bits = (finite & ~as<U>(special)) | ((magnitude | 0x7F800000u) & as<U>(special));
  return as<V>(bits | ((u & 0x8000) << 16));
}
POSED_INLINE void store(Half *p, V v) {
  U u = as<U>(v), sign = (u >> 16) & 0x8000, magnitude = u & 0x7FFFFFFF;
  // Normal results: rebias and round in integers. Small ones: add 0.5, which aligns the last bit.
  U normal = (magnitude - (112u << 23) + 0xFFF + ((magnitude >> 13) & 1)) >> 13;
  U small = as<U>(as<V>(magnitude) + 0.5f) - 0x3F000000u;
  I is_small = magnitude < U(113u << 23);
  I is_large = magnitude >= U(0x477FF000u);
  I is_nan = magnitude > U(0x7F800000u);
  U h = (small & as<U>(is_small)) | (normal & ~as<U>(is_small));
  h = (h & ~as<U>(is_large)) | (0x7C00u & as<U>(is_large));
  h |= (0x200u | ((magnitude >> 13) & 0x3FF)) & as<U>(is_nan);
  H result = __builtin_convertvector(h | sign, H);
  __builtin_memcpy(p, &result, sizeof result);
}
#endif

/// The first n < W elements, zeros after them.
template <class T> POSED_INLINE V load(const T *p, int64_t n) {
  T block[W] = {};
  std::memcpy(block, p, static_cast<size_t>(n) * sizeof(T));
  return load(block);
}
template <class T> POSED_INLINE void store(T *p, V v, int64_t n) {
  T block[W];
  store(block, v);
  std::memcpy(p, block, static_cast<size_t>(n) * sizeof(T));
}

/// Sum of the lanes, halves upon halves.
POSED_INLINE float sum(V v) {
  float lane[W];
  store(lane, v);
  for (int half = W / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
}

POSED_INLINE float largest(V v) {
  float lane[W];
  store(lane, v);
  for (int half = W / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
  }
  return lane[0];
}

POSED_INLINE V maximum(V a, V b) { return a > b ? a : b; }
POSED_INLINE V minimum(V a, V b) { return a < b ? a : b; }

/// a * b + c, fused where the set has it.
POSED_INLINE V fma(V a, V b, V c) {
#if POSED_WIDTH == 4
  return a * b + c;
#else
  return __builtin_elementwise_fma(a, b, c);
#endif
}
