// y = act(conv(x, W) + bias + residual) by oneDNN's convolution.
// x [N, H, W, C], y and residual [N, Ho, Wo, O].
//
// A task computes some lines of an image into float32 scratch, which the epilogue then writes. Lines
// at the top and at the bottom have a padding of their own and so a primitive of their own; all share
// the weights. `upsample` 2 is four 2×2 convolutions, one for each parity of the output (Window.h).
#include <algorithm>
#include <string_view>

#include "Library.h"
#include "Window.h"
#include "posed_cpu/primitives.h"

namespace posed::onednn {
namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

/// About this much float32 output stays in the second-level cache.
constexpr int64_t kBytes = 512 << 10;

struct LibraryConvWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return packed.bytes() + bias.bytes(); }

  memory::desc desc;   // of one filter [O, C, kh, kw]
  uint64_t stride = 0; // bytes between filters
  Memory packed, bias;
};

/// Output lines [first, last) need input lines [from, until) and padding above and below.
struct Lines {
  int64_t rows, from, until, above, below;
  bool same_work(const Lines &o) const {
    return rows == o.rows && until - from == o.until - o.from && above == o.above && below == o.below;
  }
};

Lines lines(const Window &w, int64_t height, Range rows) {
  const int64_t first = rows.first * w.stride_h - w.top;
  const int64_t last = (rows.last - 1) * w.stride_h - w.top + w.kernel_h;
  const int64_t from = std::clamp<int64_t>(first, 0, height - 1);
  const int64_t until = std::clamp<int64_t>(last, from + 1, height);
  return {rows.size(), from, until, std::max<int64_t>(0, from - first), std::max<int64_t>(0, last - until)};
}

/// The filters once more, in a layout that only some sizes of image ask for.
struct Repacked {
  memory::desc desc;
  uint64_t stride;
  Memory packed;
};

struct Shape {
  Lines lines;
  int left;
  std::shared_ptr<const Repacked> repacked; // null: the weight's own layout
  LibraryCall call;
};

struct Image {
  int64_t height, width, channels; // of x
  int64_t rows, columns, out;      // of one filter's outputs
};

dnnl::convolution_forward::primitive_desc describe(const Library &library, uint32_t compute, const Window &w,
                                                   const Image &image, const Lines &lines,
                                                   const memory::desc &weights) {
  const int64_t right =
      std::max<int64_t>(0, (image.columns - 1) * w.stride_w + w.kernel_w - w.left - image.width);
  memory::desc x({1, image.channels, lines.until - lines.from, image.width}, library_type(compute),
                 tag::nhwc);
  memory::desc y({1, image.out, lines.rows, image.columns}, memory::data_type::f32, tag::nhwc);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {{dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x, weights, y,
           memory::dims{w.stride_h, w.stride_w}, memory::dims{lines.above, w.left},
           memory::dims{lines.below, right}},
          attributes,
          library.engine};
}

struct Plan {
  Image image;
  int64_t block, blocks; // output lines of a task; tasks of a filter of an image
  bool staged;           // x is converted first
  std::vector<Shape> shapes;

  Range rows(int64_t index) const { return {index * block, std::min(image.rows, (index + 1) * block)}; }
  const Shape &shape(const Lines &lines, int left) const {
    for (const Shape &shape : shapes)
      if (shape.left == left && shape.lines.same_work(lines)) return shape;
    fail(POSED_INTERNAL, "conv2d: no convolution was planned for these lines.");
  }
  size_t output_bytes() const {
    return static_cast<size_t>((block * image.columns * image.out * 4 + 63) / 64 * 64);
  }
  size_t scratch_bytes() const {
    size_t most = 0;
    for (const Shape &shape : shapes) most = std::max(most, shape.call.scratch_bytes());
    return output_bytes() + most;
  }
};

/// Whether oneDNN has nothing better than its reference for this layout of the weights.
bool unserved(const dnnl::convolution_forward::primitive_desc &desc) {
  return std::string_view(desc.impl_info_str()).starts_with("ref");
}

std::shared_ptr<const Repacked> repack(posed_device &device, const Library &library,
                                       const LibraryConvWeight &weight, const memory::desc &desc) {
  auto result = std::make_shared<Repacked>();
  const int count = window_count(weight.filter.upsample);
  result->desc = desc;
  result->stride = (desc.get_size() + 63) / 64 * 64;
  result->packed = device.allocate(result->stride * static_cast<uint64_t>(count));
  for (int index = 0; index < count; index++)
    reorder(library, weight.desc,
            weight.packed.as<std::byte>() + static_cast<uint64_t>(index) * weight.stride, desc,
            result->packed.as<std::byte>() + static_cast<uint64_t>(index) * result->stride);
  return result;
}

/// Adds the primitive for lines like `needed`, unless there is one.
void add_shape(posed_device &device, const Library &library, const LibraryConvWeight &weight, const Window &w,
               const Lines &needed, Plan &plan) {
  for (const Shape &s : plan.shapes)
    if (s.left == w.left && s.lines.same_work(needed)) return;
  auto desc = describe(library, weight.compute, w, plan.image, needed, weight.desc);
  std::shared_ptr<const Repacked> repacked;
  if (unserved(desc)) {
    memory::desc any({plan.image.out, plan.image.channels, w.kernel_h, w.kernel_w},
                     library_type(weight.compute), tag::any);
    auto wished = describe(library, weight.compute, w, plan.image, needed, any);
    if (!unserved(wished)) {
      desc = wished;
      for (const Shape &s : plan.shapes)
        if (s.repacked && s.repacked->desc == desc.weights_desc()) repacked = s.repacked;
      if (!repacked) repacked = repack(device, library, weight, desc.weights_desc());
    }
  }
  LibraryCall made(library, dnnl::convolution_forward(desc), desc.src_desc(), desc.weights_desc(),
                   desc.dst_desc(), desc.scratchpad_desc());
  plan.shapes.push_back({needed, w.left, repacked, made});
}

Plan plan(posed_device &device, const Library &library, const ConvCall &call) {
  auto &weight = static_cast<const LibraryConvWeight &>(*call.weight);
  const Filter &f = weight.filter;
  Plan result{};
  Image &image = result.image;
  image = {call.x.shape[1],
           call.x.shape[2],
           f.in,
           call.y.shape[1] / f.upsample,
           call.y.shape[2] / f.upsample,
           f.out};
  result.staged = call.x.dtype != weight.compute;
  const auto threads = static_cast<int64_t>(library.streams.size());
  const int64_t fitting = std::max<int64_t>(1, kBytes / (image.columns * image.out * 4));
  result.block = std::min(fitting, blocks(image.rows, threads));
  result.blocks = blocks(image.rows, result.block);
  for (int index = 0; index < window_count(f.upsample); index++) {
    const Window w = window(f, index);
    for (int64_t number = 0; number < result.blocks; number++)
      add_shape(device, library, weight, w, lines(w, image.height, result.rows(number)), result);
  }
  return result;
}

std::vector<int> task_counts(const ConvCall &call, const Plan &plan) {
  auto images = static_cast<int>(call.x.shape[0]);
  int products = images * window_count(call.weight->filter.upsample) * static_cast<int>(plan.blocks);
  if (!plan.staged) return {products};
  return {images * static_cast<int>(plan.image.height), products};
}

class LibraryConv final : public Operation {
public:
  LibraryConv(const ConvCall &call, Plan made)
      : Operation(task_counts(call, made), made.scratch_bytes(), stage_bytes(call, made)), call_(call),
        weight_(static_cast<const LibraryConvWeight &>(*call.weight)), plan_(std::move(made)) {}

  void run(int phase, int task, Worker &worker) override {
    if (plan_.staged && phase == 0) return stage(task, worker);
    const int windows = window_count(weight_.filter.upsample);
    const int64_t number = task % plan_.blocks;
    const int index = static_cast<int>(task / plan_.blocks % windows);
    const int64_t image = task / plan_.blocks / windows;
    const Window w = window(weight_.filter, index);
    const Range rows = plan_.rows(number);
    const Lines needed = lines(w, plan_.image.height, rows);
    const Image &size = plan_.image;
    const std::byte *x = plan_.staged ? worker.shared : call_.x.data;
    x += (image * size.height + needed.from) * size.width * size.channels * int64_t(size_of(weight_.compute));
    auto *sums = reinterpret_cast<float *>(worker.scratch);
    const Shape &shape = plan_.shape(needed, w.left);
    const Memory &packed = shape.repacked ? shape.repacked->packed : weight_.packed;
    const uint64_t stride = shape.repacked ? shape.repacked->stride : weight_.stride;
    shape.call.run(worker.index, x, packed.as<std::byte>() + static_cast<uint64_t>(index) * stride, sums,
                   worker.scratch + plan_.output_bytes());
    for (int64_t row = rows.first; row < rows.last; row++)
      finish(image, index, row, sums + (row - rows.first) * size.columns * size.out);
  }

private:
  static size_t stage_bytes(const ConvCall &call, const Plan &plan) {
    return plan.staged ? static_cast<size_t>(call.x.count()) * size_of(call.weight->compute) : 0;
  }

  void stage(int64_t line, const Worker &worker) const {
    const int64_t count = plan_.image.width * plan_.image.channels;
    primitives().convert(worker.shared + line * count * int64_t(size_of(weight_.compute)), weight_.compute,
                         call_.x.data + line * count * int64_t(call_.x.size()), call_.x.dtype, count);
  }

  /// One line of outputs of filter `index`, pixel by pixel.
  void finish(int64_t image, int index, int64_t row, const float *sums) const {
    const int64_t up = weight_.filter.upsample, out = plan_.image.out;
    const View &y = call_.y, &residual = call_.residual;
    EpilogueRow e{};
    e.bias = weight_.bias.as<float>();
    e.residual_type = residual.dtype;
    e.y_type = y.dtype;
    e.activation = call_.activation;
    e.residual_first = true;
    for (int64_t column = 0; column < plan_.image.columns; column++) {
      const int64_t line = image * y.shape[1] + row * up + index / 2;
      const int64_t at = (line * y.shape[2] + column * up + index % 2) * out;
      e.sum = sums + column * out;
      if (residual) e.residual = residual.data + at * int64_t(residual.size());
      e.y = y.data + at * int64_t(y.size());
      primitives().epilogue(e, out);
    }
  }

  const ConvCall call_;
  const LibraryConvWeight &weight_;
  const Plan plan_;
};

/// The layout that oneDNN likes for filters of this convolution on a usual image.
memory::desc preferred(const Library &library, const posed_conv2d_weight_desc &desc, const Window &w) {
  Image image{32, 32, desc.in, 16, 0, desc.out};
  image.width = std::max(32, w.kernel_w);
  image.columns = (image.width + w.left - w.kernel_w) / w.stride_w + 1;
  const Lines inner{16, 0, int64_t(15) * w.stride_h + w.kernel_h, 0, 0};
  memory::desc any({desc.out, desc.in, w.kernel_h, w.kernel_w}, library_type(desc.compute), tag::any);
  return describe(library, desc.compute, w, image, inner, any).weights_desc();
}

} // namespace

std::unique_ptr<posed_weight> pack_library_conv2d(posed_device &device, const Library &library,
                                                  const posed_conv2d_weight_desc &desc) {
  if (desc.pad_top >= desc.kernel_h || desc.pad_bottom >= desc.kernel_h)
    fail(POSED_UNSUPPORTED,
         "conv2d weight: paddings of %d and %d around a kernel of %d rows; oneDNN serves less than "
         "the kernel's rows.",
         desc.pad_top, desc.pad_bottom, desc.kernel_h);
  OneThread one;
  auto weight = std::make_unique<LibraryConvWeight>(&device, posed_weight::Kind::conv2d);
  const Filter filter{desc.out,        desc.in,        desc.kernel_h, desc.kernel_w,
                      desc.stride_h,   desc.stride_w,  desc.pad_top,  desc.pad_left,
                      desc.pad_bottom, desc.pad_right, desc.upsample};
  const Window w = window(filter, 0);
  weight->desc = preferred(library, desc, w);
  weight->stride = (weight->desc.get_size() + 63) / 64 * 64;
  const int count = window_count(desc.upsample);
  weight->packed = device.allocate(weight->stride * static_cast<uint64_t>(count));
  const int64_t columns = window_columns(desc, desc.in);
  std::vector<float> source(static_cast<size_t>(desc.in) * desc.kernel_h * desc.kernel_w);
  std::vector<float> plain(static_cast<size_t>(desc.out * columns));
  memory::desc ohwi({desc.out, desc.in, w.kernel_h, w.kernel_w}, memory::data_type::f32,
                    memory::dims{columns, 1, int64_t(w.kernel_w) * desc.in, desc.in});
  for (int index = 0; index < count; index++) {
    std::fill(plain.begin(), plain.end(), 0.f);
    for (int64_t row = 0; row < desc.out; row++)
      window_row(desc, index, row, source.data(), plain.data() + row * columns);
    reorder(library, ohwi, plain.data(), weight->desc,
            weight->packed.as<std::byte>() + static_cast<uint64_t>(index) * weight->stride);
  }
  if (desc.bias != nullptr) {
    weight->bias = device.allocate(static_cast<uint64_t>(desc.out) * sizeof(float));
    std::copy_n(desc.bias, desc.out, weight->bias.as<float>());
  }
  return weight;
}

OperationPointer plan_library_conv2d(posed_device &device, const Library &library, const ConvCall &call) {
  OneThread one;
  return std::make_unique<LibraryConv>(call, plan(device, library, call));
}

} // namespace posed::onednn
