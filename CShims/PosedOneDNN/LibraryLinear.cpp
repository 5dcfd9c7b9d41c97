// y = residual + gate · act(x · Wᵀ + bias) by oneDNN's matmul.
// x [B, T, K], y and residual [B, T, N], gate [B, N].
//
// W is cut into strips of columns, each packed once as oneDNN prefers; one packing serves every
// number of rows. A task multiplies up to 128 rows by one strip into float32 scratch, which stays in
// the second-level cache for the epilogue.
#include <algorithm>

#include "Library.h"
#include "LinearLayout.h"
#include "posed_cpu/primitives.h"

namespace posed::onednn {
namespace {

using dnnl::memory;

constexpr int64_t kRows = 128;
constexpr int64_t kStrip = 256;

memory::desc matrix(int64_t rows, int64_t columns, int64_t ld, uint32_t type) {
  return memory::desc({rows, columns}, library_type(type), memory::dims{ld, 1});
}

/// The widest strip of whole 64s, at most 256, that divides `out`; else 256 and a remainder.
int64_t strip_width(int64_t out) {
  for (int64_t width = kStrip; width >= 128; width -= 64)
    if (out % width == 0) return width;
  return std::min(kStrip, out);
}

struct Strip {
  memory::desc desc;
  int64_t first, width;
  uint64_t offset;
};

struct LibraryLinearWeight final : posed_weight {
  using posed_weight::posed_weight;
  uint64_t bytes() const override { return packed.bytes() + bias.bytes(); }
  const std::byte *strip(const Strip &strip) const { return packed.as<std::byte>() + strip.offset; }

  std::vector<Strip> strips;
  Memory packed, bias;
};

/// A product for each number of rows and width of strip that occurs.
struct Shape {
  int64_t rows, width;
  LibraryCall call;
};

struct Plan {
  Layout layout;
  bool staged;    // x is converted first
  int64_t blocks; // of rows, in a group
  std::vector<Shape> shapes;

  Range rows(int64_t block) const { return {block * kRows, std::min(layout.rows, (block + 1) * kRows)}; }
  const LibraryCall &call(int64_t rows, int64_t width) const {
    for (const Shape &shape : shapes)
      if (shape.rows == rows && shape.width == width) return shape.call;
    fail(POSED_INTERNAL, "linear: no product was planned for %lld rows.", static_cast<long long>(rows));
  }
  size_t product_bytes() const { return static_cast<size_t>(kRows * kStrip) * sizeof(float); }
  size_t scratch_bytes() const {
    size_t most = 0;
    for (const Shape &shape : shapes) most = std::max(most, shape.call.scratch_bytes());
    return product_bytes() + most;
  }
  std::vector<int> task_counts(const LibraryLinearWeight &weight) const {
    auto products = static_cast<int>(layout.groups * blocks * static_cast<int64_t>(weight.strips.size()));
    if (!staged) return {products};
    return {static_cast<int>(ceil_div(layout.groups * layout.rows)), products};
  }
  static int64_t ceil_div(int64_t rows) { return posed::blocks(rows, 16); }
};

Plan plan(const Library &library, const LinearCall &call) {
  auto &weight = static_cast<const LibraryLinearWeight &>(*call.weight);
  Plan result{lay_out(call), call.x.dtype != weight.compute, 0, {}};
  if (result.layout.rows > 1 && result.layout.x_row < weight.in) result.staged = true;
  result.blocks = blocks(result.layout.rows, kRows);
  const int64_t ld = result.staged ? weight.in : std::max(result.layout.x_row, weight.in);
  for (int64_t block : {int64_t(0), result.blocks - 1}) {
    const int64_t rows = result.rows(block).size();
    for (const Strip *strip : {&weight.strips.front(), &weight.strips.back()}) {
      auto same = [&](const Shape &s) { return s.rows == rows && s.width == strip->width; };
      if (std::any_of(result.shapes.begin(), result.shapes.end(), same)) continue;
      memory::desc a = matrix(rows, weight.in, ld, weight.compute);
      memory::desc y = matrix(rows, strip->width, strip->width, POSED_F32);
      result.shapes.push_back({rows, strip->width, make_matmul(library, a, strip->desc, y)});
    }
  }
  return result;
}

class LibraryLinear final : public Operation {
public:
  LibraryLinear(const LinearCall &call, Plan made)
      : Operation(made.task_counts(weight_of(call)), made.scratch_bytes(), stage_bytes(call, made)),
        call_(call), weight_(weight_of(call)), plan_(std::move(made)) {}

  void run(int phase, int task, Worker &worker) override {
    if (plan_.staged && phase == 0) return stage(task, worker);
    const auto strips = static_cast<int64_t>(weight_.strips.size());
    const Strip &strip = weight_.strips[static_cast<size_t>(task % strips)];
    const int64_t block = task / strips % plan_.blocks, group = task / strips / plan_.blocks;
    const Range rows = plan_.rows(block);
    auto *product = reinterpret_cast<float *>(worker.scratch);
    plan_.call(rows.size(), strip.width)
        .run(worker.index, source(group, rows.first, worker), weight_.strip(strip), product,
             worker.scratch + plan_.product_bytes());
    for (int64_t row = rows.first; row < rows.last; row++)
      finish(group, row, strip, product + (row - rows.first) * strip.width);
  }

private:
  static const LibraryLinearWeight &weight_of(const LinearCall &call) {
    return static_cast<const LibraryLinearWeight &>(*call.weight);
  }

  static size_t stage_bytes(const LinearCall &call, const Plan &plan) {
    const int64_t rows = plan.staged ? plan.layout.groups * plan.layout.rows : 0;
    return static_cast<size_t>(rows * weight_of(call).in) * size_of(weight_of(call).compute);
  }

  void stage(int64_t task, const Worker &worker) const {
    const Layout &layout = plan_.layout;
    const View &x = call_.x;
    const int64_t total = layout.groups * layout.rows;
    for (int64_t row = task * 16; row < std::min(total, task * 16 + 16); row++) {
      int64_t at = row / layout.rows * layout.x_group + row % layout.rows * layout.x_row;
      std::byte *to = worker.shared + row * weight_.in * int64_t(size_of(weight_.compute));
      primitives().convert(to, weight_.compute, x.data + at * int64_t(x.size()), x.dtype, weight_.in);
    }
  }

  const std::byte *source(int64_t group, int64_t row, const Worker &worker) const {
    const Layout &layout = plan_.layout;
    const auto size = static_cast<int64_t>(size_of(weight_.compute));
    if (plan_.staged) return worker.shared + (group * layout.rows + row) * weight_.in * size;
    return call_.x.data + (group * layout.x_group + row * layout.x_row) * size;
  }

  void finish(int64_t group, int64_t row, const Strip &strip, const float *sum) const {
    const Layout &layout = plan_.layout;
    const View &y = call_.y, &residual = call_.residual;
    EpilogueRow e{};
    e.sum = sum;
    e.bias = weight_.bias.data() ? weight_.bias.as<float>() + strip.first : nullptr;
    if (call_.gate) e.gate = call_.gate.as<float>() + group * layout.gate_group + strip.first;
    if (residual) {
      int64_t at = group * layout.residual_group + row * layout.residual_row + strip.first;
      e.residual = residual.data + at * int64_t(residual.size());
      e.residual_type = residual.dtype;
    }
    int64_t at = group * layout.y_group + row * layout.y_row + strip.first;
    e.y = y.data + at * int64_t(y.size());
    e.y_type = y.dtype;
    e.activation = call_.activation;
    primitives().epilogue(e, strip.width);
  }

  const LinearCall call_;
  const LibraryLinearWeight &weight_;
  const Plan plan_;
};

} // namespace

std::unique_ptr<posed_weight> pack_library_linear(posed_device &device, const Library &library,
                                                  const posed_linear_weight_desc &desc) {
  OneThread one;
  auto weight = std::make_unique<LibraryLinearWeight>(&device, posed_weight::Kind::linear);
  const int64_t width = strip_width(desc.out);
  uint64_t bytes = 0;
  for (int64_t first = 0; first < desc.out; first += width) {
    const int64_t columns = std::min(width, desc.out - first);
    memory::desc a = matrix(kRows, desc.in, desc.in, desc.compute);
    memory::desc y = matrix(kRows, columns, columns, POSED_F32);
    memory::desc wanted = preferred_weights(library, a, y, columns);
    weight->strips.push_back({wanted, first, columns, bytes});
    bytes += (wanted.get_size() + 63) / 64 * 64;
  }
  weight->packed = device.allocate(bytes);
  const auto size = size_of(desc.compute);
  std::vector<std::byte> plain(static_cast<size_t>(width * desc.in) * size);
  for (const Strip &strip : weight->strips) {
    auto *from = static_cast<const std::byte *>(desc.data) +
                 strip.first * desc.in * static_cast<int64_t>(size_of(desc.dtype));
    primitives().convert(plain.data(), desc.compute, from, desc.dtype, strip.width * desc.in);
    memory::desc as_given({desc.in, strip.width}, library_type(desc.compute), memory::dims{1, desc.in});
    reorder(library, as_given, plain.data(), strip.desc, weight->packed.as<std::byte>() + strip.offset);
  }
  if (desc.bias != nullptr) {
    weight->bias = device.allocate(static_cast<uint64_t>(desc.out) * sizeof(float));
    std::copy_n(desc.bias, desc.out, weight->bias.as<float>());
  }
  return weight;
}

OperationPointer plan_library_linear(posed_device &, const Library &library, const LinearCall &call) {
  OneThread one;
  return std::make_unique<LibraryLinear>(call, plan(library, call));
}

} // namespace posed::onednn
