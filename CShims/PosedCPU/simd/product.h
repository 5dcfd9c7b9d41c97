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

/// ACROSS: consecutive steps are neighbours in A (row-major A); else consecutive rows are.
template <int ROWS, bool ACROSS>
static void tile(const Product &call, const float *a, float *c) {
  V total[ROWS][2];
  for (int i = 0; i < ROWS; ++i) {
    total[i][0] = call.add ? load(c + i * call.c_row) : V(0.0f);
    total[i][1] = call.add ? load(c + i * call.c_row + W) : V(0.0f);
  }
  const float *b = call.b;
  const int64_t stride = call.a_stride, b_row = call.b_row;
  for (int64_t segment = 0; segment < call.segments; ++segment) {
    const float *from = a + (call.offsets == nullptr ? 0 : call.offsets[segment]);
    for (int64_t step = 0; step < call.length; ++step) {
      V b0 = load(b), b1 = load(b + W);
      b += b_row;
      for (int i = 0; i < ROWS; ++i) {
        V x = V(ACROSS ? from[i * stride + step] : from[step * stride + i]);
        total[i][0] = fma(x, b0, total[i][0]);
        total[i][1] = fma(x, b1, total[i][1]);
      }
    }
  }
  for (int i = 0; i < ROWS; ++i) {
    store(c + i * call.c_row, total[i][0]);
    store(c + i * call.c_row + W, total[i][1]);
  }
}

using Tile = void (*)(const Product &, const float *, float *);

template <bool ACROSS, int... ROWS>
static Tile tile_of(int rows, std::integer_sequence<int, ROWS...>) {
  static constexpr Tile tiles[] = {tile<ROWS + 1, ACROSS>...};
  return tiles[rows - 1];
}

/// Rows in tiles of about equal height.
template <bool ACROSS>
static void product(const Product &call) {
  int64_t tiles = (call.rows + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t i = 0; i < tiles; ++i) {
    int64_t first = call.rows * i / tiles, last = call.rows * (i + 1) / tiles;
    const float *a = call.a + first * (ACROSS ? call.a_stride : 1);
    auto heights = std::make_integer_sequence<int, TILE_ROWS>();
    Tile chosen = tile_of<ACROSS>(static_cast<int>(last - first), heights);
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
