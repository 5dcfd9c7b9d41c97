// n = (x − mean) / √(variance + eps) over the last dimension, then n * (plus + multiply) + add, or n alone.
//
// x, y [B, T, D]: rows strided freely. Mean first, then the squares of the differences, all in float32.
//
// Compiled with POSED_X and POSED_Y, the types.
// layer_norm      D ≤ 1024: a warp a row, which it keeps in registers: lane i has the groups of four
//                 elements i, i + 32, … Block: 128 threads, four rows. Needs D and all strides and
//                 addresses divisible by four elements.
// layer_norm_any  any D: a block of 256 threads a row, read three times.
#include "elements.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_X X;
typedef POSED_Y Y;
constexpr int lanes = 32, groups = 8; // a lane's groups of four: D ≤ 4 · 32 · 8

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int mask = lanes / 2; mask > 0; mask /= 2) value += exchange(value, mask);
  return value;
}

__device__ inline void narrow_row(const LayerNormParameters &p) {
  const int lane = threadIdx.x % lanes;
  const Index row = Index(blockIdx.x) * (blockDim.x / lanes) + threadIdx.x / lanes;
  if (row >= p.rows) return; // the whole warp
  const Index batch = row / p.tokens, token = row - batch * p.tokens;
  const void *x = static_cast<const X *>(p.x) + batch * p.x_batch + token * p.x_token;
  const int count = int(p.width / 4);
  Four kept[groups];
  float sum = 0;
#pragma unroll
  for (int g = 0; g < groups; ++g) {
    int i = g * lanes + lane;
    kept[g] = i < count ? load_four<X>(x, i) : Four{};
    sum += (kept[g].at[0] + kept[g].at[1]) + (kept[g].at[2] + kept[g].at[3]);
  }
  const float mean = warp_sum(sum) / float(p.width);
  float squares = 0;
#pragma unroll
  for (int g = 0; g < groups; ++g) {
    if (g * lanes + lane >= count) continue;
#pragma unroll
    for (float &value : kept[g].at) {
      value -= mean;
      squares = fmaf(value, value, squares);
    }
  }
  const float scale = 1.0f / sqrtf(warp_sum(squares) / float(p.width) + p.eps);
  const float *multiply = p.multiply + batch * p.multiply_batch, *add = p.add + batch * p.add_batch;
  void *y = static_cast<Y *>(p.y) + batch * p.y_batch + token * p.y_token;
#pragma unroll
  for (int g = 0; g < groups; ++g) {
    int i = g * lanes + lane;
    if (i >= count) continue;
    Four value = kept[g];
    for (float &v : value.at) v *= scale;
    if (p.multiply != nullptr) {
      Four m = load_four<float>(multiply, i), a = load_four<float>(add, i);
#pragma unroll
      for (int k = 0; k < 4; ++k) value.at[k] = fmaf(value.at[k], p.plus + m.at[k], a.at[k]);
    }
    store_four<Y>(y, i, value);
  }
}

/// The sum of all threads' values, the same in each.
__device__ inline float block_sum(float value) {
  float *of_warp = reinterpret_cast<float *>(shared_memory());
  value = warp_sum(value);
  synchronize(); // the last call's sums have been read
  if (threadIdx.x % lanes == 0) of_warp[threadIdx.x / lanes] = value;
  synchronize();
  float sum = 0;
  for (unsigned warp = 0; warp < blockDim.x / lanes; ++warp) sum += of_warp[warp];
  return sum;
}

__device__ inline void any_row(const LayerNormParameters &p) {
  const Index row = blockIdx.x, batch = row / p.tokens, token = row - batch * p.tokens;
  const X *x = static_cast<const X *>(p.x) + batch * p.x_batch + token * p.x_token;
  float sum = 0;
  for (Index i = threadIdx.x; i < p.width; i += blockDim.x) sum += widen(x[i]);
  const float mean = block_sum(sum) / float(p.width);
  float squares = 0;
  for (Index i = threadIdx.x; i < p.width; i += blockDim.x) {
    float difference = widen(x[i]) - mean;
    squares = fmaf(difference, difference, squares);
  }
  const float scale = 1.0f / sqrtf(block_sum(squares) / float(p.width) + p.eps);
  const float *multiply = p.multiply + batch * p.multiply_batch, *add = p.add + batch * p.add_batch;
  Y *y = static_cast<Y *>(p.y) + batch * p.y_batch + token * p.y_token;
  for (Index i = threadIdx.x; i < p.width; i += blockDim.x) {
    float value = (widen(x[i]) - mean) * scale;
    if (p.multiply != nullptr) value = fmaf(value, p.plus + multiply[i], add[i]);
    y[i] = narrow<Y>(value);
  }
}

} // namespace

POSED_KERNEL(layer_norm, LayerNormParameters, 128, 8) { narrow_row(p); }
POSED_KERNEL(layer_norm_any, LayerNormParameters, 256, 4) { any_row(p); }
