// Drives an engine's microtile over a block of rows and a range of panels.
#pragma once

#include "Epilogue.h"
#include "Gemm.h"

namespace posed::onednn {

/// A block of rows of a, in bfloat16, against packed weights.
struct GemmBlock {
  const Engine *engine = nullptr;
  const bf16 *a = nullptr;
  int64_t ld_a = 0;
  int64_t rows = 0;
  const bf16 *packed = nullptr; // panels of [pairs][32][2]
  int64_t pairs = 0;
  int64_t n = 0;                       // columns, not padded
  const RowRange *ranges = nullptr;    // of 8-bit engines: of each row of a,
  const PanelRange *columns = nullptr; // and of each panel
  Epilogue epilogue;                   // at row 0 and column 0 of the block
  EpilogueFn apply = nullptr;
  // Where rows are pixels of an image whose lines do not follow on: row r is pixel origin + r, lines
  // have `line` pixels and start `line_stride` elements of y and of the residual apart, and the
  // epilogue stands at pixel 0. 0: rows go on for ever.
  int64_t line = 0, line_stride = 0, origin = 0;

  /// Tiles, counted panel by panel and within a panel by row cut.
  int64_t tiles() const { return ceil_div(n, kPanel) * RowCut(rows, *engine).count; }
};

/// Carries out tiles [first, last). While one panel is at work, the next one is prefetched into the
/// second-level cache.
void gemm(const GemmBlock &block, int64_t first, int64_t last);

} // namespace posed::onednn
