// Loops of layer norm and group norm.

/// A row is read three times: sum, squared differences, result. It stays in the first-level cache.
template <class Y, class X> static void layer_norm_loop(const LayerNormRow &row, int64_t n) {
  const X *x = static_cast<const X *>(row.x);
  Y *y = static_cast<Y *>(row.y);
  int64_t whole = n / W * W, left = n - whole;
  V total[4] = {V(0.0f), V(0.0f), V(0.0f), V(0.0f)};
  int64_t i = 0;
  for (; i + 4 * W <= whole; i += 4 * W) {
    for (int part = 0; part < 4; ++part) total[part] += load(x + i + part * W);
  }
  for (; i < whole; i += W) total[0] += load(x + i);
  if (left > 0) total[1] += load(x + i, left);
  float mean = sum((total[0] + total[1]) + (total[2] + total[3])) / static_cast<float>(n);

  V square[4] = {V(0.0f), V(0.0f), V(0.0f), V(0.0f)};
  for (i = 0; i + 4 * W <= whole; i += 4 * W) {
    for (int part = 0; part < 4; ++part) {
      V difference = load(x + i + part * W) - mean;
      square[part] = fma(difference, difference, square[part]);
    }
  }
  for (; i < whole; i += W) {
    V difference = load(x + i) - mean;
    square[0] = fma(difference, difference, square[0]);
  }
  if (left > 0) {
    float block[W] = {};
    store(block, load(x + i, left) - mean);
    V difference = load(block, left); // the lanes past the end count nothing
    square[1] = fma(difference, difference, square[1]);
  }
  float variance = sum((square[0] + square[1]) + (square[2] + square[3])) / static_cast<float>(n);
  float rstd = 1.0f / std::sqrt(variance + row.eps);

  const float extra = row.plus_one ? 1.0f : 0.0f;
  for (i = 0; i < n; i += W) {
    bool full = n - i >= W;
    V v = ((full ? load(x + i) : load(x + i, n - i)) - mean) * rstd;
    if (row.multiply != nullptr) {
      V gain = full ? load(row.multiply + i) : load(row.multiply + i, n - i);
      V offset = full ? load(row.add + i) : load(row.add + i, n - i);
      v = fma(v, gain + extra, offset);
    }
    full ? store(y + i, v) : store(y + i, v, n - i);
  }
}

static void layer_norm(const LayerNormRow &row, int64_t n) {
  POSED_BY_TYPE(row.y_type, Y, POSED_BY_TYPE(row.x_type, X, layer_norm_loop<Y, X>(row, n)))
}

typedef double D __attribute__((ext_vector_type(POSED_WIDTH)));

/// Channels in strips that keep their sums in registers; rows inside, one after another.
template <class X, int STRIP>
POSED_INLINE void strip_sums(const X *x, int64_t rows, int64_t channels, int64_t limit, double *sums,
                             double *squares) {
  D total[STRIP], square[STRIP];
  for (int part = 0; part < STRIP; ++part) total[part] = square[part] = D(0.0);
  for (int64_t row = 0; row < rows; ++row) {
    const X *p = x + row * channels;
    for (int part = 0; part < STRIP; ++part) {
      V v = limit >= STRIP * W ? load(p + part * W) : load(p, limit);
      D d = __builtin_convertvector(v, D);
      total[part] += d;
      square[part] += d * d;
    }
  }
  size_t bytes = static_cast<size_t>(limit < STRIP * W ? limit : STRIP * W) * sizeof(double);
  std::memcpy(sums, total, bytes);
  std::memcpy(squares, square, bytes);
}

template <class X>
static void channel_sums_loop(const X *x, int64_t rows, int64_t channels, double *sums, double *squares) {
  int64_t c = 0;
  for (; c + 4 * W <= channels; c += 4 * W) {
    strip_sums<X, 4>(x + c, rows, channels, 4 * W, sums + c, squares + c);
  }
  for (; c < channels; c += W) {
    strip_sums<X, 1>(x + c, rows, channels, channels - c, sums + c, squares + c);
  }
}

static void channel_sums(const void *x, uint32_t x_type, int64_t rows, int64_t channels, double *sums,
                         double *squares) {
  POSED_BY_TYPE(x_type, X, channel_sums_loop(static_cast<const X *>(x), rows, channels, sums, squares))
}

template <class Y, class X, uint32_t A>
static void scale_shift_loop(Y *y, const X *x, int64_t rows, int64_t channels, const float *scale,
                             const float *shift) {
  int64_t whole = channels / W * W, left = channels - whole;
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    for (int64_t c = 0; c < whole; c += W) {
      store(y + c, activated<A>(fma(load(x + c), load(scale + c), load(shift + c))));
    }
    if (left > 0) {
      V v = fma(load(x + whole, left), load(scale + whole, left), load(shift + whole, left));
      store(y + whole, activated<A>(v), left);
    }
  }
}

static void scale_shift(void *y, uint32_t y_type, const void *x, uint32_t x_type, int64_t rows,
                        int64_t channels, const float *scale, const float *shift, uint32_t activation) {
  POSED_BY_TYPE(y_type, Y, POSED_BY_TYPE(x_type, X, POSED_BY_ACTIVATION(activation, {
                                           scale_shift_loop<Y, X, A>(static_cast<Y *>(y),
                                                                     static_cast<const X *>(x), rows,
                                                                     channels, scale, shift);
                                         })))
}
