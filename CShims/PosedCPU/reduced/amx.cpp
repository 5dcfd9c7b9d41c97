// The AMX engine: a microtile of up to 32 × 32 sums in four tiles, over panels of the same layout that
// the AVX-512 engine reads. Sixteen pairs of k at a time: two tiles of a, two of the panel, four
// products.
#include <algorithm>

#include "amx_tiles.h"
#include "gemm.h"

POSED_AMX_BEGIN

namespace posed::reduced {
namespace {

constexpr int64_t tile_pairs = 16;

/// Tiles 0 … 3: sums, upper left, upper right, lower left, lower right. 4, 5: a, upper and lower.
/// 6, 7: the panel, left and right.
constexpr TileShapes shapes_for(int rows) {
  TileShapes shapes;
  const auto upper = static_cast<uint8_t>(std::min(rows, 16));
  const auto lower = static_cast<uint8_t>(rows - upper);
  const uint8_t heights[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
  for (int tile = 0; tile < 8; tile++) {
    shapes.rows[tile] = heights[tile];
    shapes.row_bytes[tile] = heights[tile] > 0 ? 64 : 0;
  }
  return shapes;
}

/// Rows that this thread's tiles are configured for; 0: not configured.
thread_local int configured = 0;

inline void prefetch(const char *from, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += 64) _mm_prefetch(from + at, _MM_HINT_T1);
}

template <class Tiles, bool bytes, int c, int a, int b> inline void product() {
  if constexpr (bytes) {
    Tiles::template product_of_bytes<c, a, b>();
  } else {
    Tiles::template product<c, a, b>();
  }
}

/// Makes sums in int32, as tiles leave them, into float32, in place.
inline void dequantize(const Microtile &m, int64_t rows) {
  for (int64_t i = 0; i < rows; i++) {
    float *row = m.tile + i * m.ld_tile;
    for (int64_t at = 0; at < panel_columns; at += 16) {
      __m512 v = _mm512_cvtepi32_ps(_mm512_loadu_si512(row + at));
      __m512 base = _mm512_mul_ps(_mm512_set1_ps(m.ranges[i].least), _mm512_load_ps(m.columns->sum + at));
      v = _mm512_fmadd_ps(v, _mm512_set1_ps(m.ranges[i].step), base);
      _mm512_storeu_ps(row + at, _mm512_mul_ps(v, _mm512_load_ps(m.columns->width + at)));
    }
  }
}

template <class Tiles, bool bytes, int rows> void microtile(const Microtile &m) {
  constexpr bool two = rows > 16;
  static constexpr TileShapes shapes = shapes_for(rows);
  if (configured != rows) {
    Tiles::configure(shapes);
    configured = rows;
  }
  Tiles::template zero<0>();
  Tiles::template zero<1>();
  if constexpr (two) {
    Tiles::template zero<2>();
    Tiles::template zero<3>();
  }
  const bf16 *a = m.a, *panel = m.panel;
  const char *ahead = m.ahead;
  for (int64_t k = 0; k < m.pairs; k += tile_pairs) {
    Tiles::template load<6>(panel, panel_columns * 4);
    Tiles::template load<7>(panel + panel_columns, panel_columns * 4);
    Tiles::template load<4>(a, m.ld_a * 2);
    product<Tiles, bytes, 0, 4, 6>();
    product<Tiles, bytes, 1, 4, 7>();
    if constexpr (two) {
      Tiles::template load<5>(a + 16 * m.ld_a, m.ld_a * 2);
      product<Tiles, bytes, 2, 5, 6>();
      product<Tiles, bytes, 3, 5, 7>();
    }
    prefetch(ahead, tile_pairs * m.ahead_step);
    ahead += tile_pairs * m.ahead_step;
    a += tile_pairs * 2;
    panel += tile_pairs * panel_columns * 2;
  }
  Tiles::template store<0>(m.tile, m.ld_tile * 4);
  Tiles::template store<1>(m.tile + 16, m.ld_tile * 4);
  if constexpr (two) {
    Tiles::template store<2>(m.tile + 16 * m.ld_tile, m.ld_tile * 4);
    Tiles::template store<3>(m.tile + 16 * m.ld_tile + 16, m.ld_tile * 4);
  }
  if constexpr (bytes) dequantize(m, rows);
}

template <class Tiles> void enter() { configured = 0; }

template <class Tiles> void leave() {
  if (configured != 0) Tiles::release();
  configured = 0;
}

/// Microtiles of 1 … 32 rows behind a null for 0.
template <class Tiles, bool bytes> struct Table {
  MicrotileFunction rows[most_tile_rows + 1] = {};
  constexpr Table() { fill<1>(); }

private:
  template <int count> constexpr void fill() {
    rows[count] = microtile<Tiles, bytes, count>;
    if constexpr (count < most_tile_rows) fill<count + 1>();
  }
};

constexpr Table<HardwareTiles, false> hardware_bf16;
constexpr Table<HardwareTiles, true> hardware_int8;
constexpr Table<EmulatedTiles, false> emulated_bf16;
constexpr Table<EmulatedTiles, true> emulated_int8;

template <class Tiles>
constexpr Engine engine(const char *name, int64_t task_products, const MicrotileFunction *microtile,
                        const Rounding *rounding) {
  return {.name = name,
          .tile_rows = most_tile_rows,
          .task_products = task_products,
          .pair_multiple = tile_pairs,
          .even_tiles = false,
          .microtile = microtile,
          .rounding = rounding,
          .enter = enter<Tiles>,
          .leave = leave<Tiles>};
}

} // namespace

const Engine bf16_amx = engine<HardwareTiles>("amx", 8 << 20, hardware_bf16.rows, &native_rounding);
const Engine int8_amx = engine<HardwareTiles>("amx", 16 << 20, hardware_int8.rows, &native_rounding);
// The emulation needs AVX-512, not BF16.
const Engine bf16_amx_emulated =
    engine<EmulatedTiles>("amx-emulated", 8 << 20, emulated_bf16.rows, &widened_rounding);
const Engine int8_amx_emulated =
    engine<EmulatedTiles>("amx-emulated", 16 << 20, emulated_int8.rows, &widened_rounding);

} // namespace posed::reduced

POSED_AMX_END
