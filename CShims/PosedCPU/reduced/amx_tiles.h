// The eight tile registers of AMX: on the processor, or in memory where it has none, so that the
// kernels above them are tested on any machine.
//
// A tile has up to 16 rows of up to 64 bytes. `product` is TDPBF16PS:
//   c[m][n] += Σ_k a[m][2k] · b[k][2n] + a[m][2k + 1] · b[k][2n + 1]
// and `product_of_bytes` TDPBUSD, of four unsigned bytes of a, four signed ones of b, in integers.
#pragma once

#include "avx512.h"

// clang-format off
#define POSED_AMX_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512vl,avx512dq\"))), apply_to = function)")
#define POSED_AMX_END _Pragma("clang attribute pop")
// clang-format on

namespace posed::reduced {

/// The operand of LDTILECFG.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

/// Tiles in memory, one set for each thread.
class EmulatedTiles {
public:
  static void configure(const TileShapes &shapes);
  static void release();
  template <int tile> static void zero() { clear(tile); }
  template <int tile> static void load(const void *from, int64_t stride) { read(tile, from, stride); }
  template <int tile> static void store(void *to, int64_t stride) { write(tile, to, stride); }
  template <int c, int a, int b> static void product() { multiply(c, a, b); }
  template <int c, int a, int b> static void product_of_bytes() { multiply_bytes(c, a, b); }

private:
  static void clear(int tile);
  static void read(int tile, const void *from, int64_t stride);
  static void write(int tile, void *to, int64_t stride);
  static void multiply(int c, int a, int b);
  static void multiply_bytes(int c, int a, int b);
};

} // namespace posed::reduced

POSED_AMX_BEGIN

namespace posed::reduced {
namespace {

/// The processor's own.
class HardwareTiles {
public:
  static void configure(const TileShapes &shapes) { _tile_loadconfig(&shapes); }
  static void release() { _tile_release(); }
  template <int tile> static void zero() { _tile_zero(tile); }
  template <int tile> static void load(const void *from, int64_t stride) { _tile_loadd(tile, from, stride); }
  template <int tile> static void store(void *to, int64_t stride) { _tile_stored(tile, to, stride); }
  template <int c, int a, int b> static void product() { _tile_dpbf16ps(c, a, b); }
  template <int c, int a, int b> static void product_of_bytes() { _tile_dpbusd(c, a, b); }
};

} // namespace
} // namespace posed::reduced

POSED_AMX_END
