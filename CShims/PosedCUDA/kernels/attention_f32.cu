// The same as attention.cu in float32, for heads of up to POSED_HEAD elements, a multiple of 32.
//
// A warp has POSED_ROWS queries of one head. Keys and values come in tiles of 32 through shared memory. A
// lane makes the scores of one key with all of the warp's queries; the softmax runs across the lanes; then
// a lane adds up the columns lane, lane + 32, … of the sums.
// Grid: (query tiles, heads, rows of the batch). Block: 128 threads, four warps.
// Shared memory: queries [4 · POSED_ROWS][POSED_HEAD], keys, then values, [32][POSED_HEAD + 4] float32.
#include "attention.cuh"

using namespace posed::cuda;

namespace {

constexpr int head = POSED_HEAD, rows = POSED_ROWS, keys = 32, threads = 128, warps = threads / 32;
constexpr int pitch = head + 4, each = head / 32; // columns of a lane

__device__ inline void copy_floats(float *to, int to_pitch, const void *from, Index first, Index stride,
                                   int lines, int count, int size) {
  for (int i = threadIdx.x; i < lines * head; i += threads) {
    const int line = i / head, column = i % head;
    const bool valid = line < count && column < size;
    to[line * to_pitch + column] =
        valid ? static_cast<const float *>(from)[first + line * stride + column] : 0;
  }
}

__device__ inline float warp_maximum(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, exchange(value, mask));
  return value;
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value += exchange(value, mask);
  return value;
}

} // namespace

POSED_KERNEL(attention_f32, AttentionParameters, 128, 1) {
  float *q = reinterpret_cast<float *>(shared_memory());
  float *kept = q + warps * rows * head; // keys, then values
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const AttentionPart part = attention_part(warps * rows);
  const KeyTiles tiles = key_tiles(p, part.row, keys);
  const Index q0 = part.row * p.q_batch + part.head * p.q_head + part.query0 * p.q_token;
  copy_floats(q, head, p.q, q0, p.q_token, warps * rows, p.queries - part.query0, p.size);
  const float *own = q + warp * rows * head;

  float sums[rows][each] = {}, maximum[rows], total[rows];
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    maximum[r] = minus_infinity();
    total[r] = 0;
  }
  for (int tile = 0; tile < tiles.all; ++tile) {
    const KeyTile from = key_tile(p, part, tiles, tile, keys);
    synchronize(); // nobody reads the last tile any more
    copy_floats(kept, pitch, from.k, from.k0, from.k_token, keys, from.count, p.size);
    synchronize();
    float score[rows] = {};
    for (int d = 0; d < head; d += 4) {
      const Four key = load_four<float>(kept + lane * pitch + d, 0);
#pragma unroll
      for (int r = 0; r < rows; ++r) {
        const Four query = load_four<float>(own + r * head + d, 0);
#pragma unroll
        for (int i = 0; i < 4; ++i) score[r] = fmaf(query.at[i], key.at[i], score[r]);
      }
    }
#pragma unroll
    for (int r = 0; r < rows; ++r) {
      const float more = from.bias ? from.bias_at(p, part.query0 + warp * rows + r, lane) : 0;
      const float value = lane < from.count ? fmaf(score[r], p.scale, more) : minus_infinity();
      const float highest = fmaxf(maximum[r], warp_maximum(value));
      const float fade = exp2_fast(maximum[r] - highest);
      score[r] = exp2_fast(value - highest);
      total[r] = total[r] * fade + warp_sum(score[r]);
      maximum[r] = highest;
#pragma unroll
      for (int i = 0; i < each; ++i) sums[r][i] *= fade;
    }
    synchronize(); // nobody reads the keys any more
    copy_floats(kept, pitch, from.v, from.v0, from.v_token, keys, from.count, p.size);
    synchronize();
    for (int j = 0; j < from.count; ++j) {
      float value[each];
#pragma unroll
      for (int i = 0; i < each; ++i) value[i] = kept[j * pitch + lane + 32 * i];
#pragma unroll
      for (int r = 0; r < rows; ++r) {
        const float weight = broadcast(score[r], j);
#pragma unroll
        for (int i = 0; i < each; ++i) sums[r][i] = fmaf(weight, value[i], sums[r][i]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    const int row = part.query0 + warp * rows + r;
    if (row >= p.queries) continue;
    float *y = static_cast<float *>(p.y) + part.row * p.y_batch + part.head * p.y_head + row * p.y_token;
#pragma unroll
    for (int i = 0; i < each; ++i) {
      if (lane + 32 * i < p.size) y[lane + 32 * i] = sums[r][i] / total[r];
    }
  }
}
