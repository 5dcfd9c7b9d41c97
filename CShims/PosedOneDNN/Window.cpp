#include "Window.h"

#include "posed_cpu/primitives.h"

namespace posed::onednn {
namespace {

/// Row or column of the filter for parity `parity` that the given filter's row or column falls on.
int fold(const posed_conv2d_weight_desc &desc, int at, int parity) {
  return desc.upsample == 2 ? (at + 1 - parity) / 2 : at;
}

} // namespace

void window_row(const posed_conv2d_weight_desc &desc, int index, int64_t row, float *source, float *to) {
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

} // namespace posed::onednn
