// Tiles are taken panel by panel, so that a panel stays in the first caches for all rows of the
// block, and a share of the work is a run of tiles: equal to within one tile whatever the shape.
#include "gemm.h"

#include <algorithm>

namespace posed::reduced {

namespace {

/// Applies the epilogue to the tile at (row, col), line by line.
void finish(const GemmBlock &block, const float *tile, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  if (block.line == 0) return block.apply(block.epilogue.moved(row, col), tile, panel_columns, rows, cols);
  for (int64_t done = 0; done < rows;) {
    const int64_t pixel = block.origin + row + done, x = pixel % block.line;
    const int64_t run = std::min(rows - done, block.line - x);
    Epilogue e = block.epilogue.moved(x, col);
    const int64_t down = pixel / block.line * block.line_stride;
    e.y = (char *)e.y + down * (e.y_f32 ? 4 : 2);
    if (e.residual) e.residual = (const char *)e.residual + down * (e.residual_f32 ? 4 : 2);
    block.apply(e, tile + done * panel_columns, panel_columns, run, cols);
    done += run;
  }
}

} // namespace

void gemm(const GemmBlock &block, int64_t first, int64_t last) {
  alignas(64) float tile[most_tile_rows * panel_columns];
  const RowCut cut(block.rows, *block.engine);
  const int64_t elements = panel_elements(block.pairs), panels = ceil_div(block.n, panel_columns);
  Microtile m{};
  m.ld_a = block.ld_a;
  m.pairs = block.pairs;
  m.tile = tile;
  m.ld_tile = panel_columns;
  // One line a pair at most, and the whole panel over its tiles.
  m.ahead_step = std::min<int64_t>(128, ceil_div(elements * 2, cut.count * block.pairs));
  for (int64_t at = first; at < last;) {
    const int64_t panel = at / cut.count, from = at % cut.count;
    const int64_t to = std::min(cut.count, from + last - at);
    const int64_t col = panel * panel_columns, cols = std::min(panel_columns, block.n - col);
    m.panel = block.packed + panel * elements;
    if (block.columns) m.columns = block.columns + panel;
    const bf16 *next = panel + 1 < panels ? m.panel + elements : block.packed;
    for (int64_t c = from; c < to; c++) {
      const int64_t row = cut.first(c), rows = cut.first(c + 1) - row;
      m.a = block.a + row * block.ld_a;
      if (block.ranges) m.ranges = block.ranges + row;
      m.ahead = (const char *)next + c * m.ahead_step * block.pairs;
      block.engine->microtile[rows](m);
      finish(block, tile, row, rows, col, cols);
    }
    at += to - from;
  }
}

} // namespace posed::reduced
