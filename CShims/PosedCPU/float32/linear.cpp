// y = residual + gate * act(x · Wᵀ + bias). x [B, T, K]; W in panels of columns, [N / panel][K][panel].
//
// A task makes a block of rows times a block of columns: the sums gather in the worker's scratch, in
// pieces of K that keep a panel in the second-level cache, and the epilogue goes over them while they
// are there.
#include <algorithm>

#include "panels.h"
#include "posed_host/primitives.h"

namespace posed::float32 {
namespace {

constexpr int64_t depth_step = 512; // of K: a panel's piece is 64 KiB with AVX-512

/// Sizes of a task's block. Results do not depend on it.
struct Cut {
  int64_t row_blocks, column_blocks; // equal pieces of the rows and of the panels
};

Cut cut(const RowsCall &call, int threads) {
  const Panels &panels = *call.panels;
  int64_t wide = std::max<int64_t>(512 / panels.panel(), 1);
  Cut result = {blocks(call.rows, 128), blocks(panels.count(), wide)};
  auto work = [&] {
    double rows = static_cast<double>(call.rows) / static_cast<double>(result.row_blocks);
    double columns = static_cast<double>(panels.columns()) / static_cast<double>(result.column_blocks);
    return rows * columns * static_cast<double>(panels.depth());
  };
  int64_t wanted = threads == 1 ? 1 : 4 * threads;
  while (call.groups * result.row_blocks * result.column_blocks < wanted && work() > 2e6) {
    int64_t rows = call.rows / result.row_blocks;
    int64_t columns = panels.columns() / result.column_blocks;
    if (columns >= rows && result.column_blocks * 2 <= panels.count()) {
      result.column_blocks *= 2;
    } else if (rows >= 32) {
      result.row_blocks *= 2;
    } else if (result.column_blocks * 2 <= panels.count()) {
      result.column_blocks *= 2;
    } else {
      break;
    }
  }
  return result;
}

class Rows final : public Operation {
public:
  Rows(const RowsCall &call, const Cut &cut)
      : Operation({static_cast<int>(call.groups * cut.row_blocks * cut.column_blocks)},
                  scratch_bytes(call, cut)),
        call_(call), cut_(cut) {}

  void run(int, int task, Worker &worker) override {
    auto *sums = reinterpret_cast<float *>(worker.scratch);
    const Panels &panels = *call_.panels;
    int64_t row_block = task % cut_.row_blocks;
    int64_t group = task / cut_.row_blocks % call_.groups;
    int64_t column_block = task / cut_.row_blocks / call_.groups;
    Range rows = piece(call_.rows, row_block, cut_.row_blocks);
    Range some = piece(panels.count(), column_block, cut_.column_blocks);
    int64_t width = some.size() * panels.panel();
    const float *x = call_.x + group * call_.x_group + rows.first * call_.x_row;
    for (int64_t step = 0; step < panels.depth(); step += depth_step) {
      int64_t length = std::min(depth_step, panels.depth() - step);
      for (int64_t panel = some.first; panel < some.last; ++panel) {
        primitives().product({.a = x + step,
                              .a_stride = call_.x_row,
                              .offsets = nullptr,
                              .segments = 1,
                              .length = length,
                              .b = panels.at(panel, step),
                              .b_row = panels.panel(),
                              .c = sums + (panel - some.first) * panels.panel(),
                              .c_row = width,
                              .rows = rows.size(),
                              .add = step > 0,
                              .narrow = panels.narrow(panel)});
      }
    }
    int64_t first = some.first * panels.panel();
    int64_t columns = std::min(some.last * panels.panel(), panels.columns()) - first;
    for (int64_t row = rows.first; row < rows.last; ++row, sums += width) {
      finish(sums, group * call_.rows + row, first, columns);
    }
  }

private:
  static size_t scratch_bytes(const RowsCall &call, const Cut &cut) {
    int64_t rows = blocks(call.rows, cut.row_blocks);
    int64_t width = blocks(call.panels->count(), cut.column_blocks) * call.panels->panel();
    return static_cast<size_t>(rows * width) * sizeof(float);
  }

  void finish(const float *sums, int64_t token, int64_t first, int64_t columns) const {
    int64_t b = token / call_.tokens, t = token % call_.tokens;
    auto column = [&](std::byte *row) { return reinterpret_cast<float *>(row) + first; };
    primitives().epilogue({.sum = sums,
                           .bias = call_.bias == nullptr ? nullptr : call_.bias + first,
                           .gate = call_.gate ? column(call_.gate.at(b)) : nullptr,
                           .residual = call_.residual ? column(call_.residual.at(b, t)) : nullptr,
                           .y = column(call_.y.at(b, t)),
                           .residual_type = POSED_F32,
                           .y_type = POSED_F32,
                           .activation = call_.activation,
                           .residual_first = call_.residual_first},
                          columns);
  }

  const RowsCall call_;
  const Cut cut_;
};

} // namespace

OperationPointer plan_rows(posed_device &device, const RowsCall &call) {
  return std::make_unique<Rows>(call, cut(call, device.pool.threads()));
}

std::unique_ptr<posed_weight> pack_linear(posed_device &device, const posed_linear_weight_desc &desc) {
  auto weight = std::make_unique<PackedWeight>(&device, posed_weight::Kind::linear);
  Panels panels(desc.out, desc.in, primitives().panel);
  int64_t bias = desc.bias == nullptr ? 0 : desc.out;
  weight->memory = device.allocate(static_cast<uint64_t>(panels.floats() + bias) * sizeof(float));
  panels.place(weight->memory.as<float>());
  std::vector<float> buffer(static_cast<size_t>(8 * desc.in));
  const size_t row_bytes = static_cast<size_t>(desc.in) * size_of(desc.dtype);
  panels.fill(buffer.data(), [&](int64_t column, float *row) {
    auto *source = static_cast<const std::byte *>(desc.data);
    primitives().convert(row, POSED_F32, source + static_cast<size_t>(column) * row_bytes, desc.dtype,
                         desc.in);
  });
  if (bias > 0) {
    weight->bias = weight->memory.as<float>() + panels.floats();
    std::copy_n(desc.bias, bias, weight->bias);
  }
  weight->variant[0] = panels;
  return weight;
}

OperationPointer plan_linear(posed_device &device, const LinearCall &call) {
  auto &weight = static_cast<const PackedWeight &>(*call.weight);
  RowsCall rows = {.x = call.x.as<float>(),
                   .x_group = call.x.stride[0],
                   .x_row = call.x.stride[1],
                   .groups = call.batch,
                   .rows = call.tokens,
                   .panels = &weight.variant[0],
                   .bias = weight.bias,
                   .activation = call.activation,
                   .tokens = call.tokens,
                   .y = call.y,
                   .gate = call.gate,
                   .residual = call.residual,
                   .residual_first = false};
  // Rows of all the batch at one distance from each other make one matrix.
  bool even = call.batch == 1 || call.tokens == 1 || call.x.stride[0] == call.tokens * call.x.stride[1];
  if (even) {
    rows.x_row = call.tokens == 1 ? call.x.stride[0] : call.x.stride[1];
    rows.rows = call.batch * call.tokens;
    rows.groups = 1;
  }
  return plan_rows(device, rows);
}

} // namespace posed::float32
