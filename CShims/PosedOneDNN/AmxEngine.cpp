// The AMX engine: a microtile of up to 32 × 32 sums in four tiles, over panels of the same layout that
// the AVX-512 engine reads. Sixteen pairs of k at a time: two tiles of a, two of the panel, four
// products.
#include <algorithm>

#include "AmxTiles.h"
#include "Eight.h"

POSED_AMX_BEGIN

namespace posed::onednn {
namespace {

constexpr int64_t kPairs = 16;

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
  for (int64_t k = 0; k < m.pairs; k += kPairs) {
    Tiles::template load<6>(panel, kPanel * 4);
    Tiles::template load<7>(panel + kPanel, kPanel * 4);
    Tiles::template load<4>(a, m.ld_a * 2);
    product<Tiles, bytes, 0, 4, 6>();
    product<Tiles, bytes, 1, 4, 7>();
    if constexpr (two) {
      Tiles::template load<5>(a + 16 * m.ld_a, m.ld_a * 2);
      product<Tiles, bytes, 2, 5, 6>();
      product<Tiles, bytes, 3, 5, 7>();
    }
    prefetch(ahead, kPairs * m.ahead_step);
    ahead += kPairs * m.ahead_step;
    a += kPairs * 2;
    panel += kPairs * kPanel * 2;
  }
  Tiles::template store<0>(m.tile, m.ld_tile * 4);
  Tiles::template store<1>(m.tile + 16, m.ld_tile * 4);
  if constexpr (two) {
    Tiles::template store<2>(m.tile + 16 * m.ld_tile, m.ld_tile * 4);
    Tiles::template store<3>(m.tile + 16 * m.ld_tile + 16, m.ld_tile * 4);
  }
  if constexpr (bytes) widen_tile_avx512(m, rows);
}

template <class Tiles> void enter() { configured = 0; }

template <class Tiles> void leave() {
  if (configured != 0) Tiles::release();
  configured = 0;
}

/// Microtiles of 1 … 32 rows behind a null for 0.
template <class Tiles, bool bytes> struct Table {
  MicrotileFn rows[kMaxTileRows + 1] = {};
  constexpr Table() { fill<1>(); }

private:
  template <int count> constexpr void fill() {
    rows[count] = microtile<Tiles, bytes, count>;
    if constexpr (count < kMaxTileRows) fill<count + 1>();
  }
};

constexpr Table<HardwareTiles, false> kHardware;
constexpr Table<EmulatedTiles, false> kEmulated;
constexpr Table<HardwareTiles, true> kHardwareBytes;
constexpr Table<EmulatedTiles, true> kEmulatedBytes;

} // namespace

const Engine kAmxEngine = {
    "amx", 32, 8 << 20, kPairs, false, kHardware.rows, enter<HardwareTiles>, leave<HardwareTiles>};
const Engine kEmulatedAmxEngine = {
    "amx-emulated", 32, 8 << 20, kPairs, false, kEmulated.rows, enter<EmulatedTiles>, leave<EmulatedTiles>};
const Engine kAmxEightEngine = {
    "amx", 32, 16 << 20, kPairs, false, kHardwareBytes.rows, enter<HardwareTiles>, leave<HardwareTiles>};
const Engine kEmulatedAmxEightEngine = {
    "amx-emulated",      32, 16 << 20, kPairs, false, kEmulatedBytes.rows, enter<EmulatedTiles>,
    leave<EmulatedTiles>};

} // namespace posed::onednn

POSED_AMX_END
