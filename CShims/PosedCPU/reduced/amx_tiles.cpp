// Tiles in memory. A tile that was not configured, or does not fit its partner, has no rows here,
// where the processor would fault; the results then are plainly wrong.
#include "amx_tiles.h"

#include <algorithm>

namespace posed::reduced {
namespace {

struct Tile {
  int rows = 0, bytes = 0;
  alignas(64) uint8_t data[16][64] = {};
};

thread_local Tile tiles[8];

template <class T> T element(const Tile &tile, int row, int column) {
  T value;
  std::memcpy(&value, &tile.data[row][column * static_cast<int>(sizeof(T))], sizeof value);
  return value;
}

} // namespace

void EmulatedTiles::configure(const TileShapes &shapes) {
  for (int tile = 0; tile < 8; tile++) {
    tiles[tile] = Tile();
    tiles[tile].rows = shapes.rows[tile];
    tiles[tile].bytes = shapes.row_bytes[tile];
  }
}

void EmulatedTiles::release() { configure(TileShapes()); }

void EmulatedTiles::clear(int tile) { std::memset(tiles[tile].data, 0, sizeof tiles[tile].data); }

void EmulatedTiles::read(int tile, const void *from, int64_t stride) {
  Tile &t = tiles[tile];
  clear(tile);
  for (int row = 0; row < t.rows; row++)
    std::memcpy(t.data[row], static_cast<const char *>(from) + row * stride, static_cast<size_t>(t.bytes));
}

void EmulatedTiles::write(int tile, void *to, int64_t stride) {
  const Tile &t = tiles[tile];
  for (int row = 0; row < t.rows; row++)
    std::memcpy(static_cast<char *>(to) + row * stride, t.data[row], static_cast<size_t>(t.bytes));
}

namespace {

/// c[m][n] += `inner` of the 4-byte units a[m][k] and b[k][n], over all k.
template <class Sum, class Inner> void accumulate(int c, int a, int b, Inner inner) {
  Tile &sum = tiles[c];
  const Tile &left = tiles[a], &right = tiles[b];
  const int depth = std::min(left.bytes / 4, right.rows), columns = std::min(sum.bytes, right.bytes) / 4;
  for (int m = 0; m < std::min(sum.rows, left.rows); m++) {
    for (int n = 0; n < columns; n++) {
      Sum total = element<Sum>(sum, m, n);
      for (int k = 0; k < depth; k++) total = inner(total, left, m, right, k, n);
      std::memcpy(&sum.data[m][n * 4], &total, sizeof total);
    }
  }
}

} // namespace

void EmulatedTiles::multiply(int c, int a, int b) {
  accumulate<float>(c, a, b, [](float total, const Tile &left, int m, const Tile &right, int k, int n) {
    for (int half = 0; half < 2; half++)
      total +=
          to_float(element<bf16>(left, m, 2 * k + half)) * to_float(element<bf16>(right, k, 2 * n + half));
    return total;
  });
}

void EmulatedTiles::multiply_bytes(int c, int a, int b) {
  accumulate<int32_t>(c, a, b, [](int32_t total, const Tile &left, int m, const Tile &right, int k, int n) {
    for (int part = 0; part < 4; part++)
      total += element<uint8_t>(left, m, 4 * k + part) * element<int8_t>(right, k, 4 * n + part);
    return total;
  });
}

} // namespace posed::reduced
