// The product at the heart of linear, conv2d and attention:
//
//   tile[i, j] = Σ_k a[i, k] · b[k, j],   i < rows, j < 32
//
// a is bfloat16, row-major; b is a *panel*: [k/2][32][2], pairs of consecutive k side by side, as both
// `vdpbf16ps` and `tdpbf16ps` want them. A matrix [N, K] is ⌈N/32⌉ panels, the last filled with zeros;
// k beyond K is filled with zeros up to what the engine asks for.
#pragma once

#include "Avx512.h"

namespace posed::onednn {

constexpr int64_t kPanel = 32;
constexpr int64_t kMaxTileRows = 32;

struct RowRange;
struct PanelRange;

struct Microtile {
  const bf16 *a;
  int64_t ld_a; // elements between rows of a
  const bf16 *panel;
  int64_t pairs; // k / 2
  float *tile;
  int64_t ld_tile;
  const char *ahead;  // memory that will be wanted next: one line is prefetched per pair …
  int64_t ahead_step; // … this many bytes further each time
  // Of 8-bit engines: how the rows of a and the columns of the panel were rounded.
  const RowRange *ranges = nullptr;
  const PanelRange *columns = nullptr;
};

using MicrotileFn = void (*)(const Microtile &);

/// One way to compute tiles.
struct Engine {
  const char *name;
  int64_t tile_rows;            // rows of a full tile
  int64_t task_products;        // multiplications that are worth a task of their own
  int64_t pair_multiple;        // `pairs` must be a multiple of this
  bool even_tiles;              // a change of rows from tile to tile costs nothing
  const MicrotileFn *microtile; // by rows, 1 … tile_rows
  void (*enter)();              // a thread calls these before and after its tiles, or NULL
  void (*leave)();

  /// Pairs that K takes, padding included.
  int64_t pairs(int64_t k) const { return round_up(ceil_div(k, 2), pair_multiple); }
};

/// 14 × 32 sums in registers, two `vdpbf16ps` per row and pair.
extern const Engine kAvx512Engine;
/// 32 × 32 sums in four tiles of AMX; and the same with tiles in memory, for tests.
extern const Engine kAmxEngine, kEmulatedAmxEngine;

/// Whether an engine's tiles are those of another one.
bool agree(const Engine &engine, const Engine &other);

/// A thread's use of an engine, for the length of a task.
class EngineUse {
public:
  explicit EngineUse(const Engine &engine) : engine_(engine) {
    if (engine_.enter) engine_.enter();
  }
  ~EngineUse() {
    if (engine_.leave) engine_.leave();
  }
  EngineUse(const EngineUse &) = delete;
  EngineUse &operator=(const EngineUse &) = delete;

private:
  const Engine &engine_;
};

/// How rows are cut into tiles, none much smaller than the others: as evenly as can be, or equal but for the
/// last.
struct RowCut {
  int64_t rows, count, step;
  bool even;
  RowCut(int64_t rows, const Engine &engine)
      : rows(rows), count(ceil_div(rows, engine.tile_rows)), step(ceil_div(rows, count)),
        even(engine.even_tiles) {}
  int64_t first(int64_t index) const {
    const int64_t at = even ? rows * index / count : index * step;
    return at < rows ? at : rows;
  }
};

/// Elements of one panel.
inline int64_t panel_elements(int64_t pairs) { return pairs * kPanel * 2; }
/// Elements of a packed matrix of n rows.
inline int64_t packed_elements(int64_t n, int64_t pairs) {
  return ceil_div(n, kPanel) * panel_elements(pairs);
}

/// Transposes features [0, count), count ≤ 32, of 16 rows into a panel: pair p of row r goes to
/// to[p * 64 + r * 2]. A null row counts as zeros; an odd count gets a zero.
void pack_square_avx512(const bf16 *const *rows, int64_t count, bf16 *to);

} // namespace posed::onednn
