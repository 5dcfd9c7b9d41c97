// y = act(conv(x, W) + bias + residual) for a 3×3 filter of stride 1 and padding 1, by Winograd's
// F(2×2, 3×3): 16 products of channels for 4 pixels, where the direct way takes 36.
//
// A task makes a band of rows of tiles; a tile is 2×2 output pixels. Its 4×4 patch of the input is
// transformed channel by channel, V = Bᵀ d B; at each of the 16 places the patches of some tiles form a
// matrix that is multiplied by that place's weights, [tiles, C] · [C, O]; and M becomes Y = Aᵀ M A. The
// sums are short, so the rounding is about that of the direct way.
#include <algorithm>

#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::float32 {
namespace {

constexpr int64_t places = 16;

struct Grid {
  int64_t images, height, width, channels, columns;
  int64_t down, across; // tiles of an image
  int64_t together;     // tiles transformed at once
  int64_t groups;       // of tiles, in an image
  int64_t pixel;        // floats between two tiles of V: an odd number of cache lines
  int64_t some;         // panels multiplied at once
  int64_t shares;       // tasks that make the columns of one group
  // Offsets in the scratch, in floats.
  int64_t v, m, y, zeros, end;
};

Grid grid(const ConvCall &call, const Panels &panels, int threads) {
  Grid g = {};
  g.images = call.x.shape[0];
  g.height = call.x.shape[1];
  g.width = call.x.shape[2];
  g.channels = call.x.shape[3];
  g.columns = call.y.shape[3];
  g.down = blocks(g.height, 2);
  g.across = blocks(g.width, 2);
  // V of about 1.5 MiB: much of a second-level cache, and enough rows to make up for reading the weights.
  int64_t fitting = std::clamp<int64_t>(24576 / g.channels, 28, 112) / 14 * 14;
  g.groups = blocks(g.down * g.across, fitting);
  g.together = blocks(g.down * g.across, g.groups);
  g.pixel = (blocks(g.channels, 16) | 1) * 16;
  g.some = std::min(std::max<int64_t>(128 / panels.panel(), 1), panels.count());
  // A small picture leaves threads idle: rather transform its patches more than once.
  g.shares = 1;
  while (g.images * g.groups * g.shares < 2 * threads && g.shares * 2 * g.some <= panels.count())
    g.shares *= 2;
  int64_t width = g.some * panels.panel();
  g.v = 0;
  g.m = g.v + places * g.together * g.pixel;
  g.y = g.m + places * g.together * width;
  g.zeros = g.y + 4 * width;
  g.end = g.zeros + blocks(g.channels, 16) * 16;
  return g;
}

class Winograd final : public Operation {
public:
  Winograd(const ConvCall &call, const Grid &grid)
      : Operation({static_cast<int>(grid.images * grid.groups * grid.shares)},
                  static_cast<size_t>(grid.end) * sizeof(float)),
        call_(call), weight_(static_cast<const PackedWeight &>(*call.weight)), g_(grid) {}

  void run(int, int task, Worker &worker) override {
    auto *scratch = reinterpret_cast<float *>(worker.scratch);
    int64_t image = task / g_.groups % g_.images, share = task / g_.groups / g_.images;
    Range tiles = piece(g_.down * g_.across, task % g_.groups, g_.groups);
    std::fill_n(scratch + g_.zeros, g_.channels, 0.0f);
    for (int64_t tile = tiles.first; tile < tiles.last; ++tile) {
      gather(image, tile, scratch + g_.v + (tile - tiles.first) * g_.pixel, scratch + g_.zeros);
    }
    const Panels &shape = weight_.variant[0];
    Range panels = piece(shape.count(), share, g_.shares);
    for (int64_t panel = panels.first; panel < panels.last; panel += g_.some) {
      Range some = {panel, std::min(panel + g_.some, panels.last)};
      multiply(some, tiles.size(), scratch);
      int64_t first = some.first * shape.panel();
      int64_t columns = std::min(some.last * shape.panel(), shape.columns()) - first;
      for (int64_t tile = tiles.first; tile < tiles.last; ++tile) {
        scatter(image, tile, tile - tiles.first, first, columns, some.size() * shape.panel(), scratch);
      }
    }
  }

private:
  /// Transforms the patch of a tile; pixels outside the image are zeros.
  void gather(int64_t image, int64_t tile, float *v, const float *zeros) const {
    const float *pixels[places];
    int64_t top = tile / g_.across * 2 - 1, left = tile % g_.across * 2 - 1;
    for (int64_t i = 0; i < places; ++i) {
      int64_t row = top + i / 4, column = left + i % 4;
      bool inside = row >= 0 && row < g_.height && column >= 0 && column < g_.width;
      int64_t pixel = (image * g_.height + row) * g_.width + column;
      pixels[i] = inside ? call_.x.as<float>() + pixel * g_.channels : zeros;
    }
    primitives().winograd_input(pixels, g_.channels, v, g_.together * g_.pixel);
  }

  void multiply(Range some, int64_t tiles, float *scratch) const {
    const int64_t panel_width = weight_.variant[0].panel(), width = some.size() * panel_width;
    for (int64_t place = 0; place < places; ++place) {
      for (int64_t panel = some.first; panel < some.last; ++panel) {
        primitives().product(
            {.a = scratch + g_.v + place * g_.together * g_.pixel,
             .a_stride = g_.pixel,
             .offsets = nullptr,
             .segments = 1,
             .length = g_.channels,
             .b = weight_.variant[place].at(panel, 0),
             .b_row = panel_width,
             .c = scratch + g_.m + place * g_.together * width + (panel - some.first) * panel_width,
             .c_row = width,
             .rows = tiles,
             .add = false});
      }
    }
  }

  /// Transforms a tile's products to pixels and finishes those inside the image.
  void scatter(int64_t image, int64_t tile, int64_t number, int64_t first, int64_t columns, int64_t width,
               float *scratch) const {
    float *y = scratch + g_.y;
    primitives().winograd_output(scratch + g_.m + number * width, g_.together * width, width, y, width);
    for (int64_t i = 0; i < 4; ++i) {
      int64_t row = tile / g_.across * 2 + i / 2, column = tile % g_.across * 2 + i % 2;
      if (row >= g_.height || column >= g_.width) continue;
      int64_t at = ((image * g_.height + row) * g_.width + column) * g_.columns + first;
      primitives().epilogue({.sum = y + i * width,
                             .bias = weight_.bias == nullptr ? nullptr : weight_.bias + first,
                             .gate = nullptr,
                             .residual = call_.residual ? call_.residual.as<float>() + at : nullptr,
                             .y = call_.y.as<float>() + at,
                             .residual_type = POSED_F32,
                             .y_type = POSED_F32,
                             .activation = call_.activation,
                             .residual_first = true},
                            columns);
    }
  }

  const ConvCall call_;
  const PackedWeight &weight_;
  const Grid g_;
};

} // namespace

OperationPointer plan_winograd(posed_device &device, const ConvCall &call) {
  auto &weight = static_cast<const PackedWeight &>(*call.weight);
  return std::make_unique<Winograd>(call, grid(call, weight.variant[0], device.pool.threads()));
}

} // namespace posed::float32
