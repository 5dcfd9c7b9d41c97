// y = act(conv(x, W) + bias + residual) for 3×3 filters of stride 1 by Winograd's F(2×2, 3×3): 16
// products for four outputs instead of 36.
// x [N, H, W, C], y and residual [N, Ho, Wo, O].
//
// A task takes a run of 2×2 output tiles, few enough that their transformed windows
// V [16][tiles][C] stay in a core's second-level cache. Then for each panel of 32 output channels it
// multiplies the sixteen places, V[p] · U[p], into M [16][tiles][32], and transforms M back.
// Weights lie in the order of use: [⌈O/32⌉][16][C/2][32][2].
//
// V = Bᵀ d B, U = G g Gᵀ, Y = Aᵀ (U ⊙ V) A; d a 4 × 4 window of the image, g a 3 × 3 filter, Y 2 × 2 outputs.
// Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1],  G = [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1],
// Aᵀ = [1 1 1 0; 0 1 −1 −1].
#include <algorithm>
#include <vector>

#include "../processor.h"
#include "functions.h"
#include "packing.h"
#include "panels.h"
#include "posed_host/primitives.h"

POSED_AVX512_BEGIN

namespace posed::reduced {
namespace {

/// Transforms `tiles` neighbouring tiles of 32 channels: place p of tile t is at sums[p * stride + t * 32];
/// outputs of row r (0, 1) go to rows[r][(2t … 2t + 1) * 32].
void winograd_output(const float *sums, int64_t stride, int64_t tiles, float *const *rows) {
  for (int64_t t = 0; t < tiles; t++) {
    for (int64_t c = 0; c < 32; c += 16) {
      const float *m = sums + t * 32 + c;
      f32x16 upper[4], lower[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        f32x16 m1 = _mm512_loadu_ps(m + (4 + j) * stride), m2 = _mm512_loadu_ps(m + (8 + j) * stride);
        upper[j] = _mm512_add_ps(_mm512_loadu_ps(m + j * stride), _mm512_add_ps(m1, m2));
        lower[j] = _mm512_sub_ps(_mm512_sub_ps(m1, m2), _mm512_loadu_ps(m + (12 + j) * stride));
      }
      const f32x16 *lines[2] = {upper, lower};
#pragma unroll
      for (int r = 0; r < 2; r++) {
        const f32x16 *s = lines[r];
        float *to = rows[r] + t * 64 + c;
        _mm512_storeu_ps(to, _mm512_add_ps(s[0], _mm512_add_ps(s[1], s[2])));
        _mm512_storeu_ps(to + 32, _mm512_sub_ps(_mm512_sub_ps(s[1], s[2]), s[3]));
      }
    }
  }
}

} // namespace
} // namespace posed::reduced

POSED_AVX512_END

namespace posed::reduced {
namespace {

constexpr int64_t run_tiles = 8; // tiles that are transformed back together

/// U = G g Gᵀ of `count` filters: taps [9][count] to place `place`, [count].
void winograd_filter(const float *taps, int64_t count, int place, float *to) {
  constexpr float g[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
  for (int64_t c = 0; c < count; c++) to[c] = 0;
  for (int tap = 0; tap < 9; tap++) {
    const float factor = g[place / 4][tap / 3] * g[place % 4][tap % 3];
    if (factor == 0) continue;
    const float *from = taps + tap * count;
    for (int64_t c = 0; c < count; c++) to[c] += factor * from[c];
  }
}

class FilterRows final : public RowSource {
public:
  FilterRows(const float *taps, int64_t channels, int place)
      : taps_(taps), channels_(channels), place_(place), row_(static_cast<size_t>(channels)) {}
  void row(int64_t row, bf16 *to) const override {
    winograd_filter(taps_ + row * 9 * channels_, channels_, place_, row_.data());
    primitives().convert(to, POSED_BF16, row_.data(), POSED_F32, channels_);
  }

private:
  const float *taps_; // [rows][9][C]
  const int64_t channels_;
  const int place_;
  mutable std::vector<float> row_;
};

/// Filter `row` as [9][C] float32.
void load_taps(const posed_conv2d_weight_desc &desc, int64_t row, float *source, float *taps) {
  const int64_t count = int64_t(desc.in) * 9;
  auto *from =
      static_cast<const std::byte *>(desc.data) + row * count * static_cast<int64_t>(size_of(desc.dtype));
  primitives().convert(source, POSED_F32, from, desc.dtype, count);
  for (int64_t c = 0; c < desc.in; c++)
    for (int64_t tap = 0; tap < 9; tap++) taps[tap * desc.in + c] = source[c * 9 + tap];
}

struct Cut {
  int64_t rows, columns; // of tiles, in an image
  int64_t blocks;        // of tiles, in an image
  int64_t block_tiles;   // at most
  int64_t channels;

  int64_t v_elements() const { return places * block_tiles * channels; }
  int64_t m_elements() const { return places * block_tiles * panel_columns; }
  size_t scratch() const { return static_cast<size_t>(v_elements() * 2 + m_elements() * 4 + channels * 4); }
};

Cut cut(const posed_device &device, const Engine &engine, const ConvCall &call) {
  Cut result{};
  result.channels = call.weight->filter.in;
  result.rows = ceil_div(call.y.shape[1], 2);
  result.columns = ceil_div(call.y.shape[2], 2);
  const int64_t tiles = result.rows * result.columns, images = call.x.shape[0];
  const int64_t cache = std::max<int64_t>(features().l2_bytes, 512 << 10) * 3 / 4;
  const int64_t each = places * (result.channels * 2 + panel_columns * 4);
  const int64_t fitting = cache / each / engine.tile_rows * engine.tile_rows;
  result.blocks = ceil_div(tiles, std::clamp<int64_t>(fitting, engine.tile_rows, 128));
  const int64_t threads = device.pool.threads();
  const int64_t even = ceil_div(ceil_div(result.blocks * images, threads) * threads, images);
  result.blocks = std::min(even, tiles);
  result.block_tiles = ceil_div(tiles, result.blocks);
  return result;
}

class Winograd final : public Operation {
public:
  Winograd(const Engine &engine, const ConvCall &call, const Cut &cut)
      : Operation({static_cast<int>(call.x.shape[0] * cut.blocks)}, cut.scratch()), engine_(engine),
        x_(call.x), y_(call.y), weight_(static_cast<const PackedWeight &>(*call.weight)), cut_(cut),
        epilogue_(epilogue_of(call)), apply_(engine.rounding->epilogue(epilogue_)) {}

  void run(int, int task, Worker &worker) override {
    const int64_t image = task / cut_.blocks;
    const Range tiles = piece(cut_.rows * cut_.columns, task % cut_.blocks, cut_.blocks);
    auto *v = reinterpret_cast<bf16 *>(worker.scratch);
    auto *m = reinterpret_cast<float *>(v + cut_.v_elements());
    float *zeros = m + cut_.m_elements();
    std::fill_n(zeros, cut_.channels, 0.f);
    for (int64_t t = tiles.first; t < tiles.last; t++)
      transform(image, t, zeros, v + (t - tiles.first) * cut_.channels);
    const EngineUse use(engine_);
    for (int64_t first = 0; first < weight_.filter.out; first += panel_columns) {
      multiply(first / panel_columns, tiles.size(), v, m);
      for (int64_t t = tiles.first; t < tiles.last;) {
        const int64_t x = t % cut_.columns;
        const int64_t run = std::min({run_tiles, tiles.last - t, cut_.columns - x});
        finish(image, t, run, first, m + (t - tiles.first) * panel_columns);
        t += run;
      }
    }
  }

private:
  /// V of tile `t`, places block_tiles · C apart.
  void transform(int64_t image, int64_t t, const float *zeros, bf16 *to) const {
    const int64_t height = x_.shape[1], width = x_.shape[2];
    const int64_t y0 = t / cut_.columns * 2 - weight_.filter.pad_top;
    const int64_t x0 = t % cut_.columns * 2 - weight_.filter.pad_left;
    const void *pixels[places];
    for (int p = 0; p < places; p++) {
      const int64_t y = y0 + p / 4, x = x0 + p % 4;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      const int64_t at = ((image * height + y) * width + x) * cut_.channels;
      pixels[p] = inside ? static_cast<const void *>(x_.data + at * int64_t(x_.size())) : zeros;
    }
    engine_.rounding->winograd_input(pixels, x_.dtype == POSED_F32, cut_.channels, to,
                                     cut_.block_tiles * cut_.channels);
  }

  void multiply(int64_t panel, int64_t tiles, const bf16 *v, float *m) const {
    const RowCut rows(tiles, engine_);
    const int64_t elements = panel_elements(weight_.pairs);
    Microtile tile{};
    tile.ld_a = cut_.channels;
    tile.pairs = weight_.pairs;
    tile.ld_tile = panel_columns;
    tile.ahead_step = std::min<int64_t>(128, ceil_div(128, rows.count));
    for (int place = 0; place < places; place++) {
      tile.panel = weight_.panels.as<bf16>() + (panel * places + place) * elements;
      for (int64_t c = 0; c < rows.count; c++) {
        const int64_t row = rows.first(c);
        tile.a = v + (place * cut_.block_tiles + row) * cut_.channels;
        tile.tile = m + (place * cut_.block_tiles + row) * panel_columns;
        tile.ahead = (const char *)(tile.panel + elements) + c * tile.ahead_step * tile.pairs;
        engine_.microtile[rows.first(c + 1) - row](tile);
      }
    }
  }

  /// Outputs of `run` tiles from tile `t` on, one tile row, channels from `first` on.
  void finish(int64_t image, int64_t t, int64_t run, int64_t first, const float *m) const {
    alignas(64) float lines[2][2 * run_tiles * panel_columns];
    float *const targets[2] = {lines[0], lines[1]};
    winograd_output(m, cut_.block_tiles * panel_columns, run, targets);
    const int64_t height = y_.shape[1], width = y_.shape[2];
    const int64_t y = t / cut_.columns * 2, x = t % cut_.columns * 2;
    const int64_t pixels = std::min(2 * run, width - x);
    const int64_t columns = std::min(panel_columns, weight_.filter.out - first);
    for (int64_t r = 0; r < std::min<int64_t>(2, height - y); r++) {
      const Epilogue e = epilogue_.moved((image * height + y + r) * width + x, first);
      apply_(e, lines[r], panel_columns, pixels, columns);
    }
  }

  const Engine &engine_;
  const View x_, y_;
  const PackedWeight &weight_;
  const Cut cut_;
  const Epilogue epilogue_;
  const EpilogueFunction apply_;
};

} // namespace

bool suits_winograd(const posed_conv2d_weight_desc &desc) {
  return desc.kernel_h == 3 && desc.kernel_w == 3 && desc.stride_h == 1 && desc.stride_w == 1 &&
         desc.upsample == 1 && desc.in % 32 == 0 && desc.out >= 16;
}

std::unique_ptr<posed_weight> pack_winograd(posed_device &device, const Engine &engine,
                                            const posed_conv2d_weight_desc &desc) {
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::conv2d);
  weight->winograd = true;
  weight->pairs = engine.pairs(desc.in);
  const int64_t elements = panel_elements(weight->pairs), panels = ceil_div(desc.out, panel_columns);
  weight->panels = device.allocate(static_cast<uint64_t>(panels * places * elements) * sizeof(bf16));
  const auto filter = static_cast<size_t>(desc.in) * 9;
  std::vector<float> source(filter), taps(filter * panel_columns);
  for (int64_t panel = 0; panel < panels; panel++) {
    const int64_t first = panel * panel_columns, count = std::min<int64_t>(panel_columns, desc.out - first);
    for (int64_t row = 0; row < count; row++)
      load_taps(desc, first + row, source.data(), taps.data() + static_cast<size_t>(row) * filter);
    for (int place = 0; place < places; place++)
      pack_matrix(FilterRows(taps.data(), desc.in, place), count, weight->pairs,
                  weight->panels.as<bf16>() + (panel * places + place) * elements);
  }
  weight->bias = pack_bias(device, desc.bias, desc.out);
  return weight;
}

OperationPointer plan_winograd(posed_device &device, const Engine &engine, const ConvCall &call) {
  return std::make_unique<Winograd>(engine, call, cut(device, engine, call));
}

} // namespace posed::reduced
