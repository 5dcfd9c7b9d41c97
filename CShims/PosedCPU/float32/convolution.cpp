// y = act(conv(x, W) + bias + residual). x [N, H, W, C]; W in panels, [O / panel][kh][kw][C][panel].
//
// A task makes a band of output rows. It keeps the padded input rows that the kernel covers in a ring
// in the worker's scratch, where a tap of the kernel is a plain matrix of pixels: no patch is copied
// out. The enlargement by 2 is never built: an output pixel of given parity sees a 2×2 kernel on the
// small image whose weights are sums of the 3×3's, so four small convolutions make the picture.
#include <algorithm>
#include <cstring>

#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::float32 {
namespace {

constexpr int64_t depth_step = 512;

/// Everything about the loops that the shapes decide.
struct Geometry {
  int64_t images, height, width, channels;
  int64_t out_height, out_width, out_channels;
  int64_t grid_height, grid_width; // output pixels of one variant
  int64_t step;                    // 1, or 2 when enlarging: output pixels between two of a variant
  int64_t kernel_h, kernel_w;      // of one variant
  int64_t stride_h, stride_w, pad_top, pad_left;
  int64_t reach;     // input rows that one row of the grid needs
  int64_t row_width; // pixels of a padded input row
  int64_t pixel;     // floats between two pixels of the ring
  int64_t segments, length;
  int64_t sub_rows; // grid rows made together
  int64_t ring_rows;
  int64_t row_floats() const { return row_width * pixel; }
};

Geometry geometry(const ConvCall &call) {
  const Filter &filter = call.weight->filter;
  const bool enlarges = filter.upsample == 2;
  Geometry g = {};
  g.images = call.x.shape[0];
  g.height = call.x.shape[1];
  g.width = call.x.shape[2];
  g.channels = call.x.shape[3];
  g.out_height = call.y.shape[1];
  g.out_width = call.y.shape[2];
  g.out_channels = call.y.shape[3];
  g.step = filter.upsample;
  g.grid_height = g.out_height / g.step;
  g.grid_width = g.out_width / g.step;
  g.kernel_h = enlarges ? 2 : filter.kernel_h;
  g.kernel_w = enlarges ? 2 : filter.kernel_w;
  g.stride_h = filter.stride_h;
  g.stride_w = filter.stride_w;
  g.pad_top = filter.pad_top;
  g.pad_left = filter.pad_left;
  g.reach = enlarges ? 3 : filter.kernel_h;
  g.row_width = g.width + filter.pad_left + filter.pad_right;
  // Few channels: a row of the kernel is one piece. Many: an odd number of cache lines for each pixel
  // spreads them over all sets of the first-level cache.
  bool few = g.channels < 64;
  g.pixel = few ? g.channels : (blocks(g.channels, 16) | 1) * 16;
  g.segments = few ? g.kernel_h : g.kernel_h * g.kernel_w;
  g.length = few ? g.kernel_w * g.channels : g.channels;
  g.sub_rows = std::min(blocks(128, g.grid_width), g.grid_height);
  g.ring_rows = (g.sub_rows - 1) * g.stride_h + g.reach;
  return g;
}

struct Cut {
  int64_t bands, column_blocks;
};

Cut cut(const Geometry &g, const Panels &panels, int threads) {
  int64_t finest = blocks(g.grid_height, g.sub_rows);
  int64_t wanted = threads == 1 ? 1 : blocks(4 * threads, g.images);
  Cut result = {std::clamp<int64_t>(wanted, 1, finest), 1};
  while (result.bands * result.column_blocks < wanted && result.column_blocks * 4 <= panels.count()) {
    result.column_blocks *= 2;
  }
  return result;
}

class Conv final : public Operation {
public:
  Conv(const ConvCall &call, const Geometry &g, const Cut &cut)
      : Operation({static_cast<int>(g.images * cut.bands * cut.column_blocks)},
                  scratch_bytes(g, static_cast<const PackedWeight &>(*call.weight))),
        call_(call), weight_(static_cast<const PackedWeight &>(*call.weight)), g_(g), cut_(cut) {}

  void run(int, int task, Worker &worker) override {
    int64_t band = task % cut_.bands;
    int64_t columns = task / cut_.bands % cut_.column_blocks;
    int64_t image = task / cut_.bands / cut_.column_blocks;
    Range subs = piece(blocks(g_.grid_height, g_.sub_rows), band, cut_.bands);
    Range panels = piece(weight_.variant[0].count(), columns, cut_.column_blocks);
    auto *ring = reinterpret_cast<float *>(worker.scratch);
    int64_t ready = 0; // the first padded input row that the ring has not seen
    for (int64_t sub = subs.first; sub < subs.last; ++sub) {
      int64_t first = sub * g_.sub_rows;
      int64_t last = std::min(first + g_.sub_rows, g_.grid_height);
      int64_t end = (last - 1) * g_.stride_h + g_.reach;
      for (int64_t row = std::max(ready, first * g_.stride_h); row < end; ++row) {
        fetch(image, row, ring + row % g_.ring_rows * g_.row_floats());
      }
      ready = end;
      for (int64_t parity = 0; parity < g_.step * g_.step; ++parity) {
        for (int64_t panel = panels.first; panel < panels.last; panel += panel_step(weight_)) {
          Range some = {panel, std::min(panel + panel_step(weight_), panels.last)};
          make(image, {first, last}, parity, some, worker);
        }
      }
    }
  }

private:
  /// Panels whose sums are kept at once: 256 columns.
  static int64_t panel_step(const PackedWeight &weight) {
    return std::max<int64_t>(256 / weight.variant[0].panel(), 1);
  }
  static int64_t ring_floats(const Geometry &g) { return blocks(g.ring_rows * g.row_floats(), 16) * 16; }
  static int64_t sum_width(const PackedWeight &weight) {
    return std::min(panel_step(weight), weight.variant[0].count()) * weight.variant[0].panel();
  }
  static size_t scratch_bytes(const Geometry &g, const PackedWeight &weight) {
    int64_t floats = ring_floats(g) + g.sub_rows * g.grid_width * sum_width(weight);
    return static_cast<size_t>(floats) * sizeof(float) +
           static_cast<size_t>(g.sub_rows * g.segments) * sizeof(int64_t);
  }

  /// Copies a padded input row into the ring: zeros outside the image.
  void fetch(int64_t image, int64_t padded_row, float *to) const {
    int64_t row = padded_row - g_.pad_top;
    if (row < 0 || row >= g_.height) {
      std::fill_n(to, g_.row_floats(), 0.0f);
      return;
    }
    const float *from = call_.x.as<float>() + (image * g_.height + row) * g_.width * g_.channels;
    std::fill_n(to, g_.pad_left * g_.pixel, 0.0f);
    float *inside = to + g_.pad_left * g_.pixel;
    const size_t bytes = static_cast<size_t>(g_.channels) * sizeof(float);
    if (g_.pixel == g_.channels) {
      std::memcpy(inside, from, bytes * static_cast<size_t>(g_.width));
    } else {
      for (int64_t i = 0; i < g_.width; ++i) {
        std::memcpy(inside + i * g_.pixel, from + i * g_.channels, bytes);
      }
    }
    int64_t right = g_.row_width - g_.pad_left - g_.width;
    std::fill_n(inside + g_.width * g_.pixel, right * g_.pixel, 0.0f);
  }

  /// The rows [first, last) of one variant's grid, some panels of columns.
  void make(int64_t image, Range rows, int64_t parity, Range some, Worker &worker) const {
    const Panels &panels = weight_.variant[parity];
    auto *ring = reinterpret_cast<float *>(worker.scratch);
    float *sums = ring + ring_floats(g_);
    auto *offsets = reinterpret_cast<int64_t *>(sums + g_.sub_rows * g_.grid_width * sum_width(weight_));
    const int64_t width = some.size() * panels.panel();
    const int64_t together = std::max<int64_t>(depth_step / g_.length, 1);
    for (int64_t row = rows.first; row < rows.last; ++row) {
      place(row, parity, offsets + (row - rows.first) * g_.segments);
    }
    for (int64_t segment = 0; segment < g_.segments; segment += together) {
      for (int64_t panel = some.first; panel < some.last; ++panel) {
        for (int64_t row = 0; row < rows.size(); ++row) {
          primitives().product(
              {.a = ring,
               .a_stride = g_.stride_w * g_.pixel,
               .offsets = offsets + row * g_.segments + segment,
               .segments = std::min(together, g_.segments - segment),
               .length = g_.length,
               .b = panels.at(panel, segment * g_.length),
               .b_row = panels.panel(),
               .c = sums + row * g_.grid_width * width + (panel - some.first) * panels.panel(),
               .c_row = width,
               .rows = g_.grid_width,
               .add = segment > 0,
               .narrow = panels.narrow(panel)});
        }
      }
    }
    finish(image, rows, parity, some.first * panels.panel(),
           std::min(some.last * panels.panel(), panels.columns()), sums, width);
  }

  /// Where in the ring the pieces of the kernel begin for the first pixel of a grid row.
  void place(int64_t row, int64_t parity, int64_t *offsets) const {
    int64_t down = parity / g_.step, right = parity % g_.step;
    int64_t in_row = g_.segments / g_.kernel_h; // pieces of one row of the kernel
    for (int64_t i = 0; i < g_.segments; ++i) {
      int64_t input_row = row * g_.stride_h + i / in_row + down;
      offsets[i] = input_row % g_.ring_rows * g_.row_floats() + (i % in_row + right) * g_.pixel;
    }
  }

  void finish(int64_t image, Range rows, int64_t parity, int64_t first, int64_t last, const float *sums,
              int64_t width) const {
    int64_t down = parity / g_.step, right = parity % g_.step;
    for (int64_t row = rows.first; row < rows.last; ++row) {
      int64_t line = image * g_.out_height + row * g_.step + down;
      for (int64_t column = 0; column < g_.grid_width; ++column, sums += width) {
        int64_t pixel = line * g_.out_width + column * g_.step + right;
        int64_t at = pixel * g_.out_channels + first;
        primitives().epilogue({.sum = sums,
                               .bias = weight_.bias == nullptr ? nullptr : weight_.bias + first,
                               .gate = nullptr,
                               .residual = call_.residual ? call_.residual.as<float>() + at : nullptr,
                               .y = call_.y.as<float>() + at,
                               .residual_type = POSED_F32,
                               .y_type = POSED_F32,
                               .activation = call_.activation,
                               .residual_first = true},
                              last - first);
      }
    }
  }

  const ConvCall call_;
  const PackedWeight &weight_;
  const Geometry g_;
  const Cut cut_;
};

bool pointwise(const Filter &filter) {
  return filter.kernel_h == 1 && filter.kernel_w == 1 && filter.stride_h == 1 && filter.stride_w == 1 &&
         filter.pad_top == 0 && filter.pad_left == 0 && filter.pad_bottom == 0 && filter.pad_right == 0 &&
         filter.upsample == 1;
}

/// [images, pixels, C] of a dense [N, H, W, C].
View as_tokens(const View &image) {
  View view = image;
  if (!view) return view;
  view.rank = 3;
  view.shape[1] = image.shape[1] * image.shape[2];
  view.shape[2] = image.shape[3];
  view.stride[2] = 1;
  view.stride[1] = image.shape[3];
  view.stride[0] = view.shape[1] * view.stride[1];
  return view;
}

} // namespace

OperationPointer plan_conv2d(posed_device &device, const ConvCall &call) {
  auto &weight = static_cast<const PackedWeight &>(*call.weight);
  if (pointwise(weight.filter)) {
    View x = as_tokens(call.x), y = as_tokens(call.y);
    return plan_rows(device, {.x = call.x.as<float>(),
                              .x_group = x.stride[0],
                              .x_row = x.stride[1],
                              .groups = 1,
                              .rows = y.shape[0] * y.shape[1],
                              .panels = &weight.variant[0],
                              .bias = weight.bias,
                              .activation = call.activation,
                              .tokens = y.shape[1],
                              .y = y,
                              .gate = {},
                              .residual = as_tokens(call.residual),
                              .residual_first = true});
  }
  if (weight.winograd) return plan_winograd(device, call);
  Geometry g = geometry(call);
  return std::make_unique<Conv>(call, g, cut(g, weight.variant[0], device.pool.threads()));
}

} // namespace posed::float32
