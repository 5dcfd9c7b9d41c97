// C[rows, NR] = or += Σ_s A_s · B_s in float32, NR = two vectors of columns.
//
// A register tile of C, up to POSED_TILE_ROWS × NR, takes one rank-one update a step: two vectors of
// B, and one broadcast element of A for each row. An element of C is one chain of fused
// multiply-adds in the order of the steps, whatever tile it falls into; so neither the cut into
// tiles nor what lies in other rows changes its bits.

#if POSED_WIDTH == 16
constexpr int TILE_ROWS = 14;
#elif POSED_WIDTH == 8
constexpr int TILE_ROWS = 6;
#else
constexpr int TILE_ROWS = 4;
#endif
constexpr int NR = 2 * W;

/// VECTORS: 2, or 1 where only the first half of the columns is wanted.
/// ACROSS: consecutive steps are neighbours in A (row-major A); else consecutive rows are.
template <int ROWS, bool ACROSS, int VECTORS>
static void tile(const Product &call, const float *a, float *c) {
  V total[ROWS][VECTORS];
  for (int i = 0; i < ROWS; ++i) {
    for (int j = 0; j < VECTORS; ++j) {
      total[i][j] = call.add ? load(c + i * call.c_row + j * W) : V(0.0f);
    }
  }
  const float *b = call.b;
  const int64_t stride = call.a_stride, b_row = call.b_row;
  for (int64_t segment = 0; segment < call.segments; ++segment) {
    const float *from = a + (call.offsets == nullptr ? 0 : call.offsets[segment]);
    for (int64_t step = 0; step < call.length; ++step) {
      V right[VECTORS];
      for (int j = 0; j < VECTORS; ++j) right[j] = load(b + j * W);
      b += b_row;
      for (int i = 0; i < ROWS; ++i) {
        V x = V(ACROSS ? from[i * stride + step] : from[step * stride + i]);
        for (int j = 0; j < VECTORS; ++j) total[i][j] = fma(x, right[j], total[i][j]);
      }
    }
  }
  for (int i = 0; i < ROWS; ++i) {
    for (int j = 0; j < VECTORS; ++j) store(c + i * call.c_row + j * W, total[i][j]);
  }
}

using Tile = void (*)(const Product &, const float *, float *);

template <bool ACROSS, int VECTORS, int... ROWS>
static Tile tile_of(int rows, std::integer_sequence<int, ROWS...>) {
  static constexpr Tile tiles[] = {tile<ROWS + 1, ACROSS, VECTORS>...};
  return tiles[rows - 1];
}

/// Rows in tiles of about equal height.
template <bool ACROSS> static void product(const Product &call) {
  int64_t tiles = (call.rows + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t i = 0; i < tiles; ++i) {
    int64_t first = call.rows * i / tiles, last = call.rows * (i + 1) / tiles;
    const float *a = call.a + first * (ACROSS ? call.a_stride : 1);
    auto heights = std::make_integer_sequence<int, TILE_ROWS>();
    int height = static_cast<int>(last - first);
    Tile chosen =
        ACROSS && call.narrow ? tile_of<ACROSS, 1>(height, heights) : tile_of<ACROSS, 2>(height, heights);
    chosen(call, a, call.c + first * call.c_row);
  }
}

/// One block of keys of a softmax over keys, queries in lanes: S [keys, queries] becomes
/// exp(scale · S − maximum); `maximum` and `total` [queries] are carried from block to block, and
/// `fade` [queries] is what earlier sums must be multiplied by.
static void softmax_block(float *s, int64_t keys, int64_t queries, float scale, float *maximum_of,
                          float *total_of, float *fade_of) {
  for (int64_t q = 0; q < queries; q += W) {
    V old = load(maximum_of + q), top = old;
    V top1 = old, top2 = old, top3 = old;
    int64_t key = 0;
    for (; key + 4 <= keys; key += 4) {
      const float *p = s + key * queries + q;
      top = maximum(load(p) * scale, top);
      top1 = maximum(load(p + queries) * scale, top1);
      top2 = maximum(load(p + 2 * queries) * scale, top2);
      top3 = maximum(load(p + 3 * queries) * scale, top3);
    }
    for (; key < keys; ++key) top = maximum(load(s + key * queries + q) * scale, top);
    top = maximum(maximum(top, top1), maximum(top2, top3));
    V fade = exponential(old - top), total = load(total_of + q) * fade;
    for (key = 0; key < keys; ++key) {
      float *p = s + key * queries + q;
      V weight = exponential(fma(load(p), V(scale), -top));
      store(p, weight);
      total += weight;
    }
    store(maximum_of + q, top);
    store(total_of + q, total);
    store(fade_of + q, fade);
  }
}
