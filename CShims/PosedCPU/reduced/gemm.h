// Products of bfloat16 and of 8-bit integers. At their heart is the microtile:
//
//   tile[i, j] = Σ_k a[i, k] · b[k, j],   i < rows, j < 32
//
// In bfloat16 a is row-major and b a *panel*: [k/2][32][2], pairs of consecutive k side by side, as both
// `vdpbf16ps` and `tdpbf16ps` want them. A matrix [N, K] is ⌈N/32⌉ panels, the last filled with zeros;
// k beyond K is filled with zeros up to what the engine asks for.
//
// 8-bit integers lie in memory as pairs of bfloat16 do, a *quad* of k in each pair's place. A row of x is
// rounded to 0 … 255 between its least and its greatest value (dynamic quantization per token), a row of W to
// −127 … 127 (per channel):
//
//   x[k] ≈ least + step · a[k],  W[n, k] ≈ width[n] · b[n, k]
//   Σ_k x[k] · W[n, k] ≈ width[n] · (step · Σ_k a[k] b[n, k] + least · Σ_k b[n, k])
//
// The sums of integers are exact.
#pragma once

#include "avx512.h"
#include "posed_backend.h"

namespace posed::reduced {

constexpr int64_t panel_columns = 32;
constexpr int64_t most_tile_rows = 32;
/// Features of an 8-bit product at most, so that no sum overflows.
constexpr int64_t most_int8_features = 65536;

/// How a row of x was rounded to 8 bits.
struct RowRange {
  float step, least;
};

/// How the rows of W behind a panel's columns were rounded to 8 bits.
struct PanelRange {
  alignas(64) float width[panel_columns], sum[panel_columns]; // sum: Σ_k b
};

struct Microtile {
  const bf16 *a;
  int64_t ld_a; // elements between rows of a
  const bf16 *panel;
  int64_t pairs; // k / 2
  float *tile;
  int64_t ld_tile;
  const char *ahead;  // memory that will be wanted next: one line is prefetched per pair …
  int64_t ahead_step; // … this many bytes further each time
  // Of int8 engines: how the rows of a and the columns of the panel were rounded.
  const RowRange *ranges = nullptr;
  const PanelRange *columns = nullptr;
};

using MicrotileFunction = void (*)(const Microtile &);

/// What happens to a tile of float32 sums on its way to memory:
///
///   linear:  y = residual + gate · act(sum + bias)
///   conv2d:  y = act(sum + bias + residual)
///
/// A tile is `rows` × `cols` float32, row-major; row r of the tile goes to y + r · ld_y.
struct Epilogue {
  const float *bias = nullptr;    // [N], NULL: zero
  const float *gate = nullptr;    // [N], NULL: one
  const void *residual = nullptr; // rows ld_residual apart, NULL: none
  void *y = nullptr;
  int64_t ld_residual = 0; // elements
  int64_t ld_y = 0;        // elements
  bool residual_f32 = false;
  bool y_f32 = false;
  bool residual_first = false; // conv2d's order
  uint32_t activation = 0;     // posed_activation

  /// The same, `row` rows down and `col` columns right.
  Epilogue moved(int64_t row, int64_t col) const {
    Epilogue e = *this;
    if (bias) e.bias += col;
    if (gate) e.gate += col;
    if (residual) e.residual = (const char *)residual + (row * ld_residual + col) * (residual_f32 ? 4 : 2);
    e.y = (char *)y + (row * ld_y + col) * (y_f32 ? 4 : 2);
    return e;
  }
};

/// Applies `e`, whose pointers stand at the tile's first row and column, to a tile.
using EpilogueFunction = void (*)(const Epilogue &e, const float *tile, int64_t ld_tile, int64_t rows,
                                  int64_t cols);

/// Places of a window of Winograd's F(2×2, 3×3), numbered row by row.
constexpr int places = 16;

/// The functions that round float32 to bfloat16 on their way: compiled for AVX-512 with BF16's instructions
/// and without them.
struct Rounding {
  /// The function for the types, the order and the activation that `e` names.
  EpilogueFunction (*epilogue)(const Epilogue &e);
  /// Transforms one window of Winograd's F(2×2, 3×3); see winograd.cpp. `pixels` are its 16 pixels [C],
  /// bfloat16 or float32; place p of the result goes to to[p * stride + c]. C is a multiple of 16.
  void (*winograd_input)(const void *const *pixels, bool f32, int64_t channels, bf16 *to, int64_t stride);
  /// Turns one row of scores [padded], `keys` of them real, into probabilities times their sum, bfloat16 in
  /// the row's own place, and returns that sum: softmax(scale2 · ln 2 · score).
  float (*softmax_row)(float *row, int64_t keys, int64_t padded, float scale2);
  /// y[i] = tile[i] / sums[i] for rows of a tile, ld_y elements apart.
  void (*store_scaled)(const float *tile, int64_t rows, int64_t cols, const float *sums, bf16 *y,
                       int64_t ld_y);
};

extern const Rounding native_rounding, widened_rounding;

/// One way to compute tiles.
struct Engine {
  const char *name;
  int64_t tile_rows;                  // rows of a full tile
  int64_t task_products;              // multiplications that are worth a task of their own
  int64_t pair_multiple;              // `pairs` must be a multiple of this
  bool even_tiles;                    // a change of rows from tile to tile costs nothing
  const MicrotileFunction *microtile; // by rows, 1 … tile_rows
  const Rounding *rounding;
  void (*enter)(); // a thread calls these before and after its tiles, or NULL
  void (*leave)();

  /// Pairs that K takes, padding included.
  int64_t pairs(int64_t k) const { return round_up(ceil_div(k, 2), pair_multiple); }
};

/// 14 × 32 sums in registers, two `vdpbf16ps` per row and pair.
extern const Engine bf16_avx512_bf16;
/// Without that instruction: 12 × 32 sums, pairs widened to float32.
extern const Engine bf16_avx512;
/// 14 × 32 sums, two `vpdpbusd` per row and quad; with and without BF16 around them.
extern const Engine int8_vnni_bf16, int8_vnni;
/// 32 × 32 sums in four tiles of AMX; and the same with tiles in memory, for tests.
extern const Engine bf16_amx, int8_amx, bf16_amx_emulated, int8_amx_emulated;

/// Whether an engine gives whole layers of bfloat16, or of 8 bits, the results of a known one, on this
/// processor.
bool layers_agree(const Engine &engine, const Engine &known, bool int8);

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
inline int64_t panel_elements(int64_t pairs) { return pairs * panel_columns * 2; }
/// Elements of a packed matrix of n rows.
inline int64_t packed_elements(int64_t n, int64_t pairs) {
  return ceil_div(n, panel_columns) * panel_elements(pairs);
}

/// A block of rows of a against packed weights.
struct GemmBlock {
  const Engine *engine = nullptr;
  const bf16 *a = nullptr;
  int64_t ld_a = 0;
  int64_t rows = 0;
  const bf16 *packed = nullptr; // panels of [pairs][32][2]
  int64_t pairs = 0;
  int64_t n = 0;                       // columns, not padded
  const RowRange *ranges = nullptr;    // of int8 engines: of each row of a,
  const PanelRange *columns = nullptr; // and of each panel
  Epilogue epilogue;                   // at row 0 and column 0 of the block
  EpilogueFunction apply = nullptr;
  // Where rows are pixels of an image whose lines do not follow on: row r is pixel origin + r, lines
  // have `line` pixels and start `line_stride` elements of y and of the residual apart, and the
  // epilogue stands at pixel 0. 0: rows go on for ever.
  int64_t line = 0, line_stride = 0, origin = 0;

  /// Tiles, counted panel by panel and within a panel by row cut.
  int64_t tiles() const { return ceil_div(n, panel_columns) * RowCut(rows, *engine).count; }
};

/// Carries out tiles [first, last). While one panel is at work, the next one is prefetched into the
/// second-level cache.
void gemm(const GemmBlock &block, int64_t first, int64_t last);

/// Rounds x [count], POSED_F32 or POSED_BF16, to 8 bits in `to`, with zeros up to `padded`. A row that is not
/// finite gets a range that is not. Needs AVX-512.
RowRange quantize_row(const void *x, uint32_t dtype, int64_t count, int64_t padded, uint8_t *to);
/// Rounds a row of W [count]; gives its width, and the sum of what it became.
float quantize_weights(const float *w, int64_t count, int8_t *to, float &sum);

} // namespace posed::reduced
