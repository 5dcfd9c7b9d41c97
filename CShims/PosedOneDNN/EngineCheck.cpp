// Trust, but verify: before the AMX engine is used, its tiles are compared with AVX-512's.
#include <algorithm>
#include <cmath>
#include <vector>

#include "Gemm.h"

namespace posed::onednn {

bool agrees_with_avx512(const Engine &engine) {
  constexpr int64_t pairs = 48, width = pairs * 2;
  std::vector<bf16> a(kMaxTileRows * width), panel(panel_elements(pairs));
  uint32_t state = 1;
  auto draw = [&] {
    state = state * 1664525u + 1013904223u;
    return to_bf16(static_cast<float>(state >> 8) / 8388608.f - 1.f);
  };
  std::generate(a.begin(), a.end(), draw);
  std::generate(panel.begin(), panel.end(), draw);
  const EngineUse use(engine);
  for (int64_t rows : {int64_t(1), int64_t(13), engine.tile_rows}) {
    std::vector<float> expected(kMaxTileRows * kPanel), tile(kMaxTileRows * kPanel);
    for (int64_t row = 0; row < rows; row++)
      kAvx512Engine.microtile[1]({a.data() + row * width, width, panel.data(), pairs,
                                  expected.data() + row * kPanel, kPanel, (const char *)panel.data(), 0});
    engine.microtile[rows](
        {a.data(), width, panel.data(), pairs, tile.data(), kPanel, (const char *)panel.data(), 0});
    for (size_t i = 0; i < tile.size(); i++)
      if (!(std::fabs(tile[i] - expected[i]) < 1e-3f)) return false;
  }
  return true;
}

} // namespace posed::onednn
