// y = f(x) along contiguous elements: conversion, activation, gated product, linear combination,
// quantisation. Each loop is instantiated for the pairs of element types and picked by number.

/// Runs the rest of its arguments with NAME bound to the element type of a type number.
#define POSED_BY_TYPE(NUMBER, NAME, ...)                                                                     \
  switch (NUMBER) {                                                                                          \
  case POSED_F32: {                                                                                          \
    using NAME = float;                                                                                      \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_F16: {                                                                                          \
    using NAME = Half;                                                                                       \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_BF16: {                                                                                         \
    using NAME = Brain;                                                                                      \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  default:                                                                                                   \
    break;                                                                                                   \
  }

#define POSED_BY_ACTIVATION(NUMBER, ...)                                                                     \
  switch (NUMBER) {                                                                                          \
  case POSED_ACT_NONE: {                                                                                     \
    constexpr uint32_t A = POSED_ACT_NONE;                                                                   \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_ACT_RELU: {                                                                                     \
    constexpr uint32_t A = POSED_ACT_RELU;                                                                   \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_ACT_SILU: {                                                                                     \
    constexpr uint32_t A = POSED_ACT_SILU;                                                                   \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_ACT_GELU_TANH: {                                                                                \
    constexpr uint32_t A = POSED_ACT_GELU_TANH;                                                              \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_ACT_GELU_ERF: {                                                                                 \
    constexpr uint32_t A = POSED_ACT_GELU_ERF;                                                               \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  case POSED_ACT_TANH: {                                                                                     \
    constexpr uint32_t A = POSED_ACT_TANH;                                                                   \
    __VA_ARGS__;                                                                                             \
    break;                                                                                                   \
  }                                                                                                          \
  default:                                                                                                   \
    break;                                                                                                   \
  }

template <class Y, class X, uint32_t A> static void activate_loop(Y *y, const X *x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, activated<A>(load(x + i)));
  if (i < n) store(y + i, activated<A>(load(x + i, n - i)), n - i);
}

static void activate(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t n,
                     uint32_t activation) {
  POSED_BY_TYPE(y_type, Y, POSED_BY_TYPE(x_type, X, POSED_BY_ACTIVATION(activation, {
                                           activate_loop<Y, X, A>(static_cast<Y *>(y),
                                                                  static_cast<const X *>(x), n);
                                         })))
}

static void convert(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t n) {
  if (y_type == x_type) {
    size_t size = y_type == POSED_F32 ? 4 : y_type == POSED_U8 ? 1 : 2;
    std::memcpy(y, x, static_cast<size_t>(n) * size);
    return;
  }
  activate(y, y_type, x, x_type, n, POSED_ACT_NONE);
}

template <class Y, class X, uint32_t A> static void glu_loop(Y *y, const X *a, const X *b, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, activated<A>(load(a + i)) * load(b + i));
  if (i < n) store(y + i, activated<A>(load(a + i, n - i)) * load(b + i, n - i), n - i);
}

static void glu(void *y, uint32_t y_type, const void *a, const void *b, uint32_t type, int64_t n,
                uint32_t activation){
    POSED_BY_TYPE(y_type, Y,
                  POSED_BY_TYPE(type, X,
                                POSED_BY_ACTIVATION(activation,
                                                    {
                                                      glu_loop<Y, X, A>(static_cast<Y *>(y),
                                                                        static_cast<const X *>(a),
                                                                        static_cast<const X *>(b), n);
                                                    })))}

POSED_INLINE V load_any(const void *x, uint32_t type, int64_t i, int64_t n) {
  bool whole = n >= W;
  switch (type) {
  case POSED_F16: {
    const Half *p = static_cast<const Half *>(x) + i;
    return whole ? load(p) : load(p, n);
  }
  case POSED_BF16: {
    const Brain *p = static_cast<const Brain *>(x) + i;
    return whole ? load(p) : load(p, n);
  }
  default: {
    const float *p = static_cast<const float *>(x) + i;
    return whole ? load(p) : load(p, n);
  }
  }
}

POSED_INLINE void store_any(void *y, uint32_t type, V v, int64_t i, int64_t n) {
  bool whole = n >= W;
  switch (type) {
  case POSED_F16: {
    Half *p = static_cast<Half *>(y) + i;
    whole ? store(p, v) : store(p, v, n);
    break;
  }
  case POSED_BF16: {
    Brain *p = static_cast<Brain *>(y) + i;
    whole ? store(p, v) : store(p, v, n);
    break;
  }
  default: {
    float *p = static_cast<float *>(y) + i;
    whole ? store(p, v) : store(p, v, n);
    break;
  }
  }
}

static void combine(void *y, uint32_t y_type, const void *const *x, const uint32_t *x_types,
                    const float *coefficients, uint32_t count, float bias, int64_t n) {
  for (int64_t i = 0; i < n; i += W) {
    V total = V(bias);
    for (uint32_t term = 0; term < count; ++term) {
      total = fma(V(coefficients[term]), load_any(x[term], x_types[term], i, n - i), total);
    }
    store_any(y, y_type, total, i, n - i);
  }
}

template <class X> static void quantize_loop(uint8_t *y, const X *x, int64_t n) {
  for (int64_t i = 0; i < n; i += W) {
    V v = n - i >= W ? load(x + i) : load(x + i, n - i);
    v = v > -1.0f ? v : V(-1.0f); // a NaN becomes −1
    v = (minimum(v, V(1.0f)) + 1.0f) * 127.5f;
    U rounded = as<U>(v + 12582912.0f) & 0xFF; // halves to even, in the low bits
    B bytes = __builtin_convertvector(rounded, B);
    std::memcpy(y + i, &bytes, static_cast<size_t>(n - i >= W ? W : n - i));
  }
}

static void quantize(uint8_t *y, const void *x, uint32_t x_type, int64_t n) {
  POSED_BY_TYPE(x_type, X, quantize_loop(y, static_cast<const X *>(x), n))
}

template <class Y, uint32_t A> static void epilogue_loop(const EpilogueRow &row, int64_t n) {
  Y *y = static_cast<Y *>(row.y);
  const uint32_t type = row.residual_type;
  for (int64_t i = 0; i < n; i += W) {
    int64_t left = n - i;
    bool whole = left >= W;
    V v = whole ? load(row.sum + i) : load(row.sum + i, left);
    if (row.bias != nullptr) v += whole ? load(row.bias + i) : load(row.bias + i, left);
    if (row.residual != nullptr && row.residual_first) v += load_any(row.residual, type, i, left);
    v = activated<A>(v);
    if (row.residual != nullptr && !row.residual_first) {
      V residual = load_any(row.residual, type, i, left);
      if (row.gate != nullptr) {
        v = fma(whole ? load(row.gate + i) : load(row.gate + i, left), v, residual);
      } else {
        v += residual;
      }
    } else if (row.gate != nullptr) {
      v *= whole ? load(row.gate + i) : load(row.gate + i, left);
    }
    whole ? store(y + i, v) : store(y + i, v, left);
  }
}

static void epilogue(const EpilogueRow &row, int64_t n) {
  POSED_BY_TYPE(row.y_type, Y, POSED_BY_ACTIVATION(row.activation, { epilogue_loop<Y, A>(row, n); }))
}
