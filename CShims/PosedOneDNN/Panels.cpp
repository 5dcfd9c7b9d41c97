// Packing, and the sizes of blocks.
#include "Panels.h"

#include <algorithm>
#include <vector>

#include "posed_cpu/features.h"

namespace posed::onednn {

void pack_matrix(const RowSource &source, int64_t n, int64_t pairs, bf16 *to) {
  const int64_t width = pairs * 2;
  std::vector<bf16> rows(static_cast<size_t>(kPanel * width));
  for (int64_t first = 0; first < n; first += kPanel, to += panel_elements(pairs)) {
    const int64_t present = std::min(kPanel, n - first);
    for (int64_t r = 0; r < present; r++) source.row(first + r, rows.data() + r * width);
    for (int64_t half = 0; half < kPanel; half += 16) {
      for (int64_t from = 0; from < width; from += 32) {
        const bf16 *square[16];
        for (int64_t r = 0; r < 16; r++)
          square[r] = half + r < present ? rows.data() + (half + r) * width + from : nullptr;
        pack_square_avx512(square, std::min<int64_t>(32, width - from), to + from * kPanel + half * 2);
      }
    }
  }
}

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

} // namespace posed::onednn
