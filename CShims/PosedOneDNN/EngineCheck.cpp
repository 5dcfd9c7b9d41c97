// Trust, but verify: before the AMX engines are used, their tiles are compared with AVX-512's.
#include <algorithm>
#include <cmath>
#include <vector>

#include "Eight.h"

namespace posed::onednn {
namespace {

class Numbers {
public:
  /// −1 … 1
  float draw() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) / 8388608.f - 1.f;
  }

private:
  uint32_t state_ = 1;
};

} // namespace

bool agree(const Engine &engine, const Engine &other) {
  constexpr int64_t pairs = 48, width = pairs * 2;
  std::vector<bf16> a(kMaxTileRows * width), panel(panel_elements(pairs));
  Numbers numbers;
  auto draw = [&] { return to_bf16(numbers.draw()); };
  std::generate(a.begin(), a.end(), draw);
  std::generate(panel.begin(), panel.end(), draw);
  // To an 8-bit engine the same bits are bytes.
  std::vector<RowRange> ranges(kMaxTileRows);
  std::generate(ranges.begin(), ranges.end(), [&] {
    return RowRange{numbers.draw() * 1e-4f, numbers.draw()};
  });
  PanelRange columns;
  std::generate(std::begin(columns.width), std::end(columns.width), [&] { return numbers.draw() * 1e-1f; });
  std::generate(std::begin(columns.sum), std::end(columns.sum), [&] { return numbers.draw(); });
  auto multiply = [&](const Engine &by, int64_t row, int64_t rows, float *tile) {
    const EngineUse use(by);
    by.microtile[rows]({.a = a.data() + row * width,
                        .ld_a = width,
                        .panel = panel.data(),
                        .pairs = pairs,
                        .tile = tile + row * kPanel,
                        .ld_tile = kPanel,
                        .ahead = (const char *)panel.data(),
                        .ahead_step = 0,
                        .ranges = ranges.data() + row,
                        .columns = &columns});
  };
  for (int64_t rows : {int64_t(1), int64_t(13), engine.tile_rows}) {
    std::vector<float> expected(kMaxTileRows * kPanel), tile(kMaxTileRows * kPanel);
    for (int64_t row = 0; row < rows; row++) multiply(other, row, 1, expected.data());
    multiply(engine, 0, rows, tile.data());
    for (size_t i = 0; i < tile.size(); i++)
      if (!(std::fabs(tile[i] - expected[i]) < 1e-3f)) return false;
  }
  return true;
}

} // namespace posed::onednn
