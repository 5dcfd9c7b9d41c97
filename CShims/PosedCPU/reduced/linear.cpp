// y = residual + gate · act(x · Wᵀ + bias) on packed panels.
// x [B, T, K], y and residual [B, T, N], gate [B, N].
//
// Rows are blocked so that a block of x stays in a core's second-level cache; the tiles of a block are cut
// into tasks of a few million products. Where rows of the batch follow each other at one
// stride and share the gate, they count as one long sequence. x is copied first, in a phase of its
// own, when it is float32, when K needs zeros, or when its rows would fall on the same cache sets; or it is
// quantized to 8 bits there, where the weight is.
#include <algorithm>
#include <vector>

#include "../processor.h"
#include "packing.h"
#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::reduced {
namespace {

class LinearRows final : public RowSource {
public:
  LinearRows(const posed_linear_weight_desc &desc, int64_t pairs) : desc_(desc), pairs_(pairs) {}
  void row(int64_t row, bf16 *to) const override {
    auto *from = static_cast<const std::byte *>(desc_.data) +
                 row * desc_.in * static_cast<int64_t>(size_of(desc_.dtype));
    primitives().convert(to, POSED_BF16, from, desc_.dtype, desc_.in);
    std::fill(to + desc_.in, to + pairs_ * 2, bf16(0));
  }

private:
  const posed_linear_weight_desc &desc_;
  const int64_t pairs_;
};

/// The same, quantized to 8 bits, with their ranges.
class QuantizedRows final : public RowSource {
public:
  QuantizedRows(const posed_linear_weight_desc &desc, int64_t pairs, PanelRange *ranges)
      : desc_(desc), pairs_(pairs), ranges_(ranges) {}
  void row(int64_t row, bf16 *to) const override {
    std::vector<float> values(static_cast<size_t>(desc_.in));
    auto *from = static_cast<const std::byte *>(desc_.data) +
                 row * desc_.in * static_cast<int64_t>(size_of(desc_.dtype));
    primitives().convert(values.data(), POSED_F32, from, desc_.dtype, desc_.in);
    auto *bytes = reinterpret_cast<int8_t *>(to);
    PanelRange &range = ranges_[row / panel_columns];
    range.width[row % panel_columns] =
        quantize_weights(values.data(), desc_.in, bytes, range.sum[row % panel_columns]);
    std::fill(bytes + desc_.in, bytes + pairs_ * 4, int8_t(0));
  }

private:
  const posed_linear_weight_desc &desc_;
  const int64_t pairs_;
  PanelRange *const ranges_;
};

/// Rows at one stride: the whole batch as one long sequence where its elements follow each other and
/// share the gate, or else one group for each element. Strides count elements.
struct Layout {
  int64_t groups, rows; // groups × rows = B × T
  int64_t x_row, y_row, residual_row;
  int64_t x_group, y_group, residual_group, gate_group;
};

int64_t row_stride(const View &view, int64_t tokens) { return tokens == 1 ? view.stride[0] : view.stride[1]; }

/// Whether element b + 1 of the batch starts where element b's rows would go on.
bool follows_on(const View &view, int64_t tokens) {
  return !view || view.shape[0] == 1 || tokens == 1 || view.stride[0] == tokens * view.stride[1];
}

Layout layout_of(const LinearCall &call) {
  const int64_t tokens = call.tokens;
  bool one_gate = !call.gate || call.batch == 1 || call.gate.stride[0] == 0;
  bool one = one_gate && follows_on(call.x, tokens) && follows_on(call.y, tokens) &&
             follows_on(call.residual, tokens);
  bool by_batch = one && call.batch > 1;
  auto stride = [&](const View &view) {
    if (!view) return int64_t(0);
    return by_batch ? row_stride(view, tokens) : view.stride[1];
  };
  Layout layout{};
  layout.groups = one ? 1 : call.batch;
  layout.rows = one ? call.batch * tokens : tokens;
  layout.x_row = stride(call.x);
  layout.y_row = stride(call.y);
  layout.residual_row = stride(call.residual);
  layout.x_group = call.x.stride[0];
  layout.y_group = call.y.stride[0];
  layout.residual_group = call.residual ? call.residual.stride[0] : 0;
  layout.gate_group = call.gate ? call.gate.stride[0] : 0;
  return layout;
}

/// Rows that start a multiple of this apart compete for one set of the first cache.
constexpr int64_t cache_period = 4096;
constexpr int64_t stage_rows = 16;

struct Cut {
  Layout layout;
  int64_t pairs, blocks, pieces; // blocks of rows in a group, tasks in a block
  bool staged, quantized;        // copied first; to 8 bits
  int64_t ld;                    // elements from one copied row to the next

  int64_t rows() const { return layout.groups * layout.rows; }
  size_t stage_bytes() const { return staged ? static_cast<size_t>((rows() * ld * 2 + 63) / 64 * 64) : 0; }
  /// The copied rows, and behind them how each was quantized.
  size_t shared_bytes() const {
    return stage_bytes() + (quantized ? static_cast<size_t>(rows()) * sizeof(RowRange) : 0);
  }
};

/// Blocks of rows in a group: each fits the cache, and the threads share them evenly if there are rows
/// enough. A thread that keeps to its rows finds them in its own cache, operation after operation.
int64_t block_count(const Engine &engine, const Layout &layout, int64_t pairs, int64_t threads) {
  constexpr int64_t least = 32;
  const int64_t fitting = ceil_div(layout.rows, rows_in_cache(engine, pairs));
  if (layout.groups * layout.rows < least * threads) return fitting;
  const int64_t even = ceil_div(fitting * layout.groups, threads) * threads;
  return ceil_div(even, layout.groups);
}

Cut cut(const posed_device &device, const Engine &engine, const LinearCall &call) {
  auto &weight = static_cast<const PackedWeight &>(*call.weight);
  Cut result{};
  result.layout = layout_of(call);
  result.pairs = weight.pairs;
  const int64_t rows = result.layout.rows;
  result.blocks = block_count(engine, result.layout, weight.pairs, device.pool.threads());
  int64_t block = ceil_div(rows, result.blocks);
  int64_t tiles = ceil_div(weight.out, panel_columns) * RowCut(block, engine).count;
  int64_t products = block * weight.out * weight.in / engine.task_products;
  result.pieces = std::clamp<int64_t>(products, 1, std::min<int64_t>(tiles, 64));
  result.staged = weight.columns_or_null() != nullptr || call.x.dtype != POSED_BF16 ||
                  weight.in != weight.pairs * 2 || (result.layout.x_row * 2 % cache_period == 0 && rows > 1);
  result.quantized = weight.columns_or_null() != nullptr;
  result.ld = weight.pairs * 2;
  if (result.ld * 2 % cache_period == 0) result.ld += 32;
  return result;
}

std::vector<int> task_counts(const Cut &cut) {
  int product = static_cast<int>(cut.layout.groups * cut.blocks * cut.pieces);
  if (!cut.staged) return {product};
  return {static_cast<int>(ceil_div(cut.rows(), stage_rows)), product};
}

class Linear final : public Operation {
public:
  Linear(const Engine &engine, const LinearCall &call, const Cut &cut)
      : Operation(task_counts(cut), 0, cut.shared_bytes()), cut_(cut), x_(call.x) {
    auto &weight = static_cast<const PackedWeight &>(*call.weight);
    block_.engine = &engine;
    block_.a = call.x.as<bf16>();
    block_.ld_a = cut.staged ? cut.ld : cut.layout.x_row;
    block_.packed = weight.panels.as<bf16>();
    block_.pairs = weight.pairs;
    block_.n = weight.out;
    block_.columns = weight.columns_or_null();
    Epilogue &e = block_.epilogue;
    e.bias = weight.bias_or_null();
    e.gate = call.gate.as<float>();
    e.residual = call.residual.data;
    e.residual_f32 = call.residual.dtype == POSED_F32;
    e.ld_residual = cut.layout.residual_row;
    e.y = call.y.data;
    e.y_f32 = call.y.dtype == POSED_F32;
    e.ld_y = cut.layout.y_row;
    e.activation = call.activation;
    block_.apply = engine.rounding->epilogue(e);
  }

  void run(int phase, int task, Worker &worker) override {
    if (cut_.staged && phase == 0) {
      stage(task, worker);
    } else {
      multiply(task, worker);
    }
  }

private:
  bf16 *staged(const Worker &worker) const { return reinterpret_cast<bf16 *>(worker.shared); }
  RowRange *ranges(const Worker &worker) const {
    return reinterpret_cast<RowRange *>(worker.shared + cut_.stage_bytes());
  }

  void stage(int64_t task, const Worker &worker) const {
    const Layout &layout = cut_.layout;
    const int64_t total = cut_.rows(), in = x_.shape[2];
    for (int64_t row = task * stage_rows; row < std::min(total, (task + 1) * stage_rows); row++) {
      int64_t at = row / layout.rows * layout.x_group + row % layout.rows * layout.x_row;
      bf16 *to = staged(worker) + row * cut_.ld;
      const std::byte *from = x_.data + at * int64_t(x_.size());
      if (block_.columns) {
        ranges(worker)[row] =
            quantize_row(from, x_.dtype, in, cut_.pairs * 4, reinterpret_cast<uint8_t *>(to));
      } else {
        primitives().convert(to, POSED_BF16, from, x_.dtype, in);
        std::fill(to + in, to + cut_.pairs * 2, bf16(0));
      }
    }
  }

  void multiply(int64_t task, const Worker &worker) const {
    const Layout &layout = cut_.layout;
    const int64_t index = task % cut_.pieces, number = task / cut_.pieces;
    const int64_t group = number / cut_.blocks;
    const Range rows = piece(layout.rows, number % cut_.blocks, cut_.blocks);
    GemmBlock block = block_;
    if (cut_.staged) block.a = staged(worker);
    if (cut_.quantized) block.ranges = ranges(worker);
    const int64_t before = cut_.staged ? group * layout.rows * block.ld_a : group * layout.x_group;
    block.a += before + rows.first * block.ld_a;
    if (block.ranges) block.ranges += group * layout.rows + rows.first;
    block.rows = rows.size();
    Epilogue &e = block.epilogue;
    if (e.gate) e.gate += group * layout.gate_group;
    if (e.residual)
      e.residual = (const char *)e.residual + group * layout.residual_group * (e.residual_f32 ? 4 : 2);
    e.y = (char *)e.y + group * layout.y_group * (e.y_f32 ? 4 : 2);
    e = e.moved(rows.first, 0);
    const Range range = piece(block.tiles(), index, cut_.pieces);
    const EngineUse use(*block.engine);
    gemm(block, range.first, range.last);
  }

  const Cut cut_;
  const View x_;
  GemmBlock block_;
};

} // namespace

Memory pack_bias(posed_device &device, const float *bias, int64_t n) {
  if (bias == nullptr) return {};
  Memory memory = device.allocate(static_cast<uint64_t>(n) * sizeof(float));
  std::copy_n(bias, n, memory.as<float>());
  return memory;
}

int64_t rows_in_cache(const Engine &engine, int64_t pairs) {
  int64_t half = std::max<int64_t>(features().l2_bytes, 512 << 10) / 2;
  return std::max<int64_t>(half / (pairs * 4) / engine.tile_rows, 2) * engine.tile_rows;
}

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const Engine &engine,
                                          const posed_linear_weight_desc &desc) {
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::linear);
  const bool int8 = desc.compute == POSED_I8;
  if (int8 && desc.in > most_int8_features) {
    fail(POSED_UNSUPPORTED, "linear weight: %lld inputs in 8 bits; the cpu backend takes up to %lld.",
         static_cast<long long>(desc.in), static_cast<long long>(most_int8_features));
  }
  weight->pairs = engine.pairs(int8 ? ceil_div(desc.in, 2) : desc.in);
  const int64_t elements = packed_elements(desc.out, weight->pairs);
  weight->panels = device.allocate(static_cast<uint64_t>(elements) * sizeof(bf16));
  if (int8) {
    const int64_t panels = ceil_div(desc.out, panel_columns);
    weight->columns = device.allocate(static_cast<uint64_t>(panels) * sizeof(PanelRange));
    auto *columns = weight->columns.as<PanelRange>();
    std::fill(columns, columns + panels, PanelRange{});
    pack_matrix(QuantizedRows(desc, weight->pairs, columns), desc.out, weight->pairs,
                weight->panels.as<bf16>());
  } else {
    pack_matrix(LinearRows(desc, weight->pairs), desc.out, weight->pairs, weight->panels.as<bf16>());
  }
  weight->bias = pack_bias(device, desc.bias, desc.out);
  return weight;
}

OperationPointer plan_linear(posed_device &device, const Engine &engine, const LinearCall &call) {
  return std::make_unique<Linear>(engine, call, cut(device, engine, call));
}

} // namespace posed::reduced
