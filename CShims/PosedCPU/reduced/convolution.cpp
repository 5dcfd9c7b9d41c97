// y = act(conv(x, W) + bias + residual) as a product: pixels × (kernel rows, kernel columns, channels).
// x [N, H, W, C], y and residual [N, Ho, Wo, O].
//
// A task gathers a block of pixels' receptive fields into scratch, one copy a kernel row, since the
// channels of neighbouring pixels lie side by side, and multiplies it by all panels. `upsample` 2 is
// four such products, one for each parity of the output pixel.
//
// With `upsample` 2 a 3×3 filter over the enlarged image is four 2×2 filters over the image itself,
// one for each parity (a, b) of the output pixel (2i + a, 2j + b): for a = 0 the kernel's rows act on
// x's rows i − 1, i, i as (w0, w1 + w2), for a = 1 on i, i, i + 1 as (w0 + w1, w2); columns alike.
// Any other convolution is one filter, the given one.
#include <algorithm>
#include <vector>

#include "packing.h"
#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::reduced {
namespace {

/// A convolution's constants for one matrix of its weight.
struct Geometry {
  int kernel_h, kernel_w, stride_h, stride_w, top, left; // top, left: pixels of padding
};

inline int matrix_count(int upsample) { return upsample == 2 ? 4 : 1; }

/// Matrix `index` = 2a + b of a convolution.
inline Geometry geometry(const Filter &filter, int index) {
  if (filter.upsample == 2) return {2, 2, 1, 1, 1 - index / 2, 1 - index % 2};
  return {filter.kernel_h, filter.kernel_w, filter.stride_h,
          filter.stride_w, filter.pad_top,  filter.pad_left};
}

/// Columns of `filter_row` of the matrix `index`.
inline int64_t filter_columns(const posed_conv2d_weight_desc &desc, int64_t channels) {
  return channels * (desc.upsample == 2 ? 4 : int64_t(desc.kernel_h) * desc.kernel_w);
}

/// Row or column of the filter for parity `parity` that the given filter's row or column falls on.
int fold(const posed_conv2d_weight_desc &desc, int at, int parity) {
  return desc.upsample == 2 ? (at + 1 - parity) / 2 : at;
}

/// Output channel `row` of matrix `index` as [kernel row][kernel column][C] float32, added to `to`; `source`
/// has room for the channel as given.
void filter_row(const posed_conv2d_weight_desc &desc, int index, int64_t row, float *source, float *to) {
  const int height = desc.kernel_h, width = desc.kernel_w, area = height * width;
  const int64_t count = int64_t(desc.in) * area;
  auto *from =
      static_cast<const std::byte *>(desc.data) + row * count * static_cast<int64_t>(size_of(desc.dtype));
  primitives().convert(source, POSED_F32, from, desc.dtype, count);
  const int columns = desc.upsample == 2 ? 2 : width;
  for (int u = 0; u < height; u++) {
    for (int v = 0; v < width; v++) {
      const int place = fold(desc, u, index / 2) * columns + fold(desc, v, index % 2);
      float *sum = to + int64_t(place) * desc.in;
      const float *value = source + u * width + v;
      for (int c = 0; c < desc.in; c++) sum[c] += value[c * area];
    }
  }
}

/// Rows of a matrix: output channels; columns: kernel row, kernel column, channel.
class ConvRows final : public RowSource {
public:
  ConvRows(const posed_conv2d_weight_desc &desc, int matrix, int64_t pairs)
      : desc_(desc), matrix_(matrix), pairs_(pairs),
        source_(static_cast<size_t>(desc.in) * desc.kernel_h * desc.kernel_w),
        sums_(static_cast<size_t>(pairs) * 2) {}

  void row(int64_t row, bf16 *to) const override {
    std::fill(sums_.begin(), sums_.end(), 0.f);
    filter_row(desc_, matrix_, row, source_.data(), sums_.data());
    primitives().convert(to, POSED_BF16, sums_.data(), POSED_F32, pairs_ * 2);
  }

private:
  const posed_conv2d_weight_desc &desc_;
  const int matrix_;
  const int64_t pairs_;
  mutable std::vector<float> source_, sums_;
};

struct Cut {
  int64_t pairs, ld;     // of a gathered row
  int64_t height, width; // output pixels of one matrix
  int64_t blocks;        // of pixels, in an image
  bool direct;           // x's pixels are the rows of the product as they are
};

Cut cut(const posed_device &device, const Engine &engine, const ConvCall &call) {
  auto &weight = static_cast<const PackedWeight &>(*call.weight);
  const Filter &f = weight.filter;
  Cut result{};
  result.pairs = weight.pairs;
  result.ld = weight.pairs * 2 * 2 % 4096 == 0 ? weight.pairs * 2 + 32 : weight.pairs * 2;
  result.height = call.y.shape[1] / f.upsample;
  result.width = call.y.shape[2] / f.upsample;
  const int64_t pixels = result.height * result.width, threads = device.pool.threads();
  const int64_t matrices = weight.matrices * call.x.shape[0];
  result.blocks = ceil_div(pixels, rows_in_cache(engine, weight.pairs));
  // Few blocks are made equal in number for the threads, if tiles stay of some size.
  int64_t even = ceil_div(ceil_div(result.blocks * matrices, threads) * threads, matrices);
  result.blocks = std::min(even, ceil_div(pixels, 8));
  result.direct = f.kernel_h == 1 && f.kernel_w == 1 && f.stride_h == 1 && f.stride_w == 1 &&
                  f.pad_top + f.pad_left + f.pad_bottom + f.pad_right == 0 && call.x.dtype == POSED_BF16 &&
                  f.in == weight.pairs * 2;
  return result;
}

size_t scratch_bytes(const Cut &cut) {
  if (cut.direct) return 0;
  int64_t rows = ceil_div(cut.height * cut.width, cut.blocks);
  return static_cast<size_t>(round_up(rows * cut.ld * 2, 64));
}

class Convolution final : public Operation {
public:
  Convolution(const Engine &engine, const ConvCall &call, const Cut &cut)
      : Operation({static_cast<int>(call.x.shape[0] * matrices(call) * cut.blocks)}, scratch_bytes(cut)),
        x_(call.x), y_(call.y), weight_(static_cast<const PackedWeight &>(*call.weight)), cut_(cut) {
    block_.engine = &engine;
    block_.pairs = cut.pairs;
    block_.n = weight_.filter.out;
    block_.ld_a = cut.direct ? weight_.filter.in : cut.ld;
    block_.epilogue = epilogue_of(call);
    block_.apply = engine.rounding->epilogue(block_.epilogue);
  }

  void run(int, int task, Worker &worker) override {
    const int matrix = static_cast<int>(task / cut_.blocks % weight_.matrices);
    const int64_t image = task / cut_.blocks / weight_.matrices;
    const int64_t pixels = cut_.height * cut_.width;
    const Range range = piece(pixels, task % cut_.blocks, cut_.blocks);
    GemmBlock block = block_;
    block.rows = range.size();
    block.packed = weight_.matrix(matrix, block.n);
    if (cut_.direct) {
      block.a = x_.as<bf16>() + (image * pixels + range.first) * weight_.filter.in;
    } else {
      auto *gathered = reinterpret_cast<bf16 *>(worker.scratch);
      for (int64_t p = range.first; p < range.last; p++)
        gather(image, p, matrix, gathered + (p - range.first) * cut_.ld);
      block.a = gathered;
    }
    place(block, image, matrix, range.first);
    const EngineUse use(*block.engine);
    gemm(block, 0, block.tiles());
  }

private:
  static int64_t matrices(const ConvCall &call) {
    return static_cast<const PackedWeight &>(*call.weight).matrices;
  }

  /// Points the epilogue at the block's pixels.
  void place(GemmBlock &block, int64_t image, int matrix, int64_t first) const {
    const int64_t out = block.n, row = y_.shape[2] * out;
    int64_t start = image * y_.shape[1] * row;
    Epilogue &e = block.epilogue;
    if (weight_.filter.upsample == 2) {
      start += matrix / 2 * row + matrix % 2 * out;
      block.line = cut_.width;
      block.line_stride = 2 * row;
      block.origin = first;
    } else {
      start += first * out;
    }
    e.y = (char *)e.y + start * (e.y_f32 ? 4 : 2);
    if (e.residual) e.residual = (const char *)e.residual + start * (e.residual_f32 ? 4 : 2);
  }

  /// The receptive field of output pixel `p` [kernel_h, kernel_w, C], zeros outside the image.
  void gather(int64_t image, int64_t p, int matrix, bf16 *to) const {
    const Geometry w = geometry(weight_.filter, matrix);
    const int64_t height = x_.shape[1], width = x_.shape[2], channels = x_.shape[3];
    const int64_t y = p / cut_.width * w.stride_h - w.top;
    const int64_t x = p % cut_.width * w.stride_w - w.left;
    const int64_t from = std::clamp<int64_t>(-x, 0, w.kernel_w);
    const int64_t until = std::clamp<int64_t>(width - x, from, w.kernel_w);
    const bf16 *end = to + cut_.pairs * 2;
    for (int u = 0; u < w.kernel_h; u++, to += w.kernel_w * channels) {
      const bool inside = y + u >= 0 && y + u < height;
      const int64_t first = inside ? from : w.kernel_w, last = inside ? until : w.kernel_w;
      std::fill(to, to + first * channels, bf16(0));
      if (first < last) {
        const int64_t at = ((image * height + y + u) * width + x + first) * channels;
        copy(to + first * channels, at, (last - first) * channels);
      }
      std::fill(to + last * channels, to + w.kernel_w * channels, bf16(0));
    }
    std::fill(to, const_cast<bf16 *>(end), bf16(0));
  }

  void copy(bf16 *to, int64_t at, int64_t count) const {
    if (x_.dtype == POSED_BF16) {
      std::memcpy(to, x_.as<bf16>() + at, static_cast<size_t>(count) * sizeof(bf16));
    } else {
      primitives().convert(to, POSED_BF16, x_.data + at * int64_t(x_.size()), x_.dtype, count);
    }
  }

  const View x_, y_;
  const PackedWeight &weight_;
  const Cut cut_;
  GemmBlock block_;
};

} // namespace

Epilogue epilogue_of(const ConvCall &call) {
  Epilogue e;
  e.bias = static_cast<const PackedWeight &>(*call.weight).bias_or_null();
  e.residual = call.residual.data;
  e.residual_f32 = call.residual.dtype == POSED_F32;
  e.residual_first = true;
  e.y = call.y.data;
  e.y_f32 = call.y.dtype == POSED_F32;
  e.ld_y = call.weight->filter.out * call.weight->filter.upsample;
  e.ld_residual = e.ld_y;
  e.activation = call.activation;
  return e;
}

std::unique_ptr<posed_weight> pack_conv2d(posed_device &device, const Engine &engine,
                                          const posed_conv2d_weight_desc &desc) {
  if (suits_winograd(desc)) return pack_winograd(device, engine, desc);
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::conv2d);
  weight->matrices = matrix_count(desc.upsample);
  weight->pairs = engine.pairs(filter_columns(desc, desc.in));
  const int64_t elements = packed_elements(desc.out, weight->pairs);
  weight->panels = device.allocate(static_cast<uint64_t>(elements * weight->matrices) * sizeof(bf16));
  for (int matrix = 0; matrix < weight->matrices; matrix++)
    pack_matrix(ConvRows(desc, matrix, weight->pairs), desc.out, weight->pairs,
                weight->panels.as<bf16>() + matrix * elements);
  weight->bias = pack_bias(device, desc.bias, desc.out);
  return weight;
}

OperationPointer plan_conv2d(posed_device &device, const Engine &engine, const ConvCall &call) {
  if (static_cast<const PackedWeight &>(*call.weight).winograd) return plan_winograd(device, engine, call);
  return std::make_unique<Convolution>(engine, call, cut(device, engine, call));
}

} // namespace posed::reduced
