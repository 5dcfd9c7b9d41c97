// y = round((clamp(x, −1, 1) + 1) * 127.5), halves to even, in 8 bits; NaN becomes 0.
//
// x: dense, of any float type; y: as many bytes.
// Grid: one-dimensional, any size; threads stride over groups of four elements where both addresses allow
// it, else over single ones.
#include "elements.cuh"

using namespace posed::cuda;

namespace {

__device__ unsigned quantize(float x) {
  float clamped = x > -1.0f ? (x < 1.0f ? x : 1.0f) : -1.0f; // no comparison holds for NaN
  return static_cast<unsigned>(rintf((clamped + 1.0f) * 127.5f));
}

} // namespace

POSED_KERNEL(quantize_elements, QuantizeParameters, 256, 4) {
  for_elements(
      p.count, p.vectors,
      [&](Index i) {
        Four x = load_four(p.x, p.x_type, i);
        unsigned bytes = 0;
        for (int k = 0; k < 4; ++k) bytes |= quantize(x.at[k]) << (8 * k);
        reinterpret_cast<unsigned *>(p.y)[i] = bytes;
      },
      [&](Index i) { p.y[i] = static_cast<unsigned char>(quantize(load(p.x, p.x_type, i))); });
}
