// AMX on trial: whole layers by an engine and by one that is known, on the processor at hand. The shapes have
// every number of rows that a tile can have, columns and features that end inside a tile, and sums long and
// short.
#include <algorithm>
#include <cmath>
#include <vector>

#include "packing.h"

namespace posed::reduced {
namespace {

/// Numbers of −1 … 1.
class Numbers {
public:
  float draw() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) / 8388608.f - 1.f;
  }

private:
  uint32_t state_ = 1;
};

/// A layer [rows, in] · [out, in]ᵀ + bias as numbers, before an engine's packing.
struct Layer {
  int64_t rows, in, out;
  std::vector<float> x, w, bias;

  Layer(int64_t rows, int64_t in, int64_t out, Numbers &numbers)
      : rows(rows), in(in), out(out), x(size_t(rows * in)), w(size_t(out * in)), bias(size_t(out)) {
    for (auto *values : {&x, &w, &bias})
      std::generate(values->begin(), values->end(), [&] { return numbers.draw(); });
  }
};

/// The weights of a layer, as bfloat16 or as bytes with their ranges.
class LayerRows final : public RowSource {
public:
  LayerRows(const Layer &layer, int64_t pairs, PanelRange *ranges)
      : layer_(layer), pairs_(pairs), ranges_(ranges) {}
  void row(int64_t row, bf16 *to) const override {
    const float *from = layer_.w.data() + row * layer_.in;
    std::fill_n(to, pairs_ * 2, bf16(0));
    if (ranges_ == nullptr) {
      std::transform(from, from + layer_.in, to, to_bf16);
      return;
    }
    PanelRange &range = ranges_[row / panel_columns];
    const int64_t column = row % panel_columns;
    range.width[column] =
        quantize_weights(from, layer_.in, reinterpret_cast<int8_t *>(to), range.sum[column]);
  }

private:
  const Layer &layer_;
  const int64_t pairs_;
  PanelRange *const ranges_;
};

std::vector<float> multiply(const Layer &layer, const Engine &engine, bool int8) {
  const int64_t pairs = engine.pairs(int8 ? ceil_div(layer.in, 2) : layer.in), width = pairs * 2;
  std::vector<PanelRange> columns(size_t(ceil_div(layer.out, panel_columns)));
  std::vector<bf16> packed(size_t(packed_elements(layer.out, pairs))), a(size_t(layer.rows * width));
  pack_matrix(LayerRows(layer, pairs, int8 ? columns.data() : nullptr), layer.out, pairs, packed.data());
  std::vector<RowRange> ranges(size_t(layer.rows));
  for (int64_t row = 0; row < layer.rows; row++) {
    const float *from = layer.x.data() + row * layer.in;
    bf16 *to = a.data() + row * width;
    if (int8) {
      ranges[size_t(row)] =
          quantize_row(from, POSED_F32, layer.in, width * 2, reinterpret_cast<uint8_t *>(to));
    } else {
      std::transform(from, from + layer.in, to, to_bf16);
    }
  }
  std::vector<float> y(size_t(layer.rows * layer.out));
  GemmBlock block;
  block.engine = &engine;
  block.a = a.data();
  block.ld_a = width;
  block.rows = layer.rows;
  block.packed = packed.data();
  block.pairs = pairs;
  block.n = layer.out;
  block.ranges = int8 ? ranges.data() : nullptr;
  block.columns = int8 ? columns.data() : nullptr;
  block.epilogue.bias = layer.bias.data();
  block.epilogue.y = y.data();
  block.epilogue.y_f32 = true;
  block.epilogue.ld_y = layer.out;
  block.apply = engine.rounding->epilogue(block.epilogue);
  const EngineUse use(engine);
  gemm(block, 0, block.tiles());
  return y;
}

} // namespace

bool layers_agree(const Engine &engine, const Engine &known, bool int8) {
  Numbers numbers;
  std::vector<Layer> layers;
  for (int64_t rows = 1; rows <= most_tile_rows; rows++) layers.emplace_back(rows, 64 + rows, 40, numbers);
  layers.emplace_back(77, 384, 96, numbers);
  layers.emplace_back(150, 1536, 70, numbers);
  for (const Layer &layer : layers) {
    const std::vector<float> y = multiply(layer, engine, int8), expected = multiply(layer, known, int8);
    const float bound = 1e-6f * static_cast<float>(layer.in);
    for (size_t i = 0; i < y.size(); i++)
      if (!(std::fabs(y[i] - expected[i]) <= bound)) return false;
  }
  return true;
}

} // namespace posed::reduced
