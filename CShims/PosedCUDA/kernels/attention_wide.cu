// The same as attention.cu for heads of up to POSED_HEAD = 256 or 512 elements, 16 bits wide: too wide for
// a warp to keep its rows' sums.
//
// A block has POSED_QUERIES queries of one head and eight warps. For each tile of POSED_KEYS keys: warps make
// the scores, 16 × 16 each, and put them into shared memory; four lanes a row turn them into probabilities;
// then every warp adds up an eighth of the columns of the sums of all rows. 64 queries and 32 keys keep all
// warps busy; 32 and 16 fit where a block has less than 100 KiB.
// Grid: (query tiles, heads, rows of the batch). Block: 256 threads.
// Shared memory: queries, keys, values (rows of 2 · POSED_HEAD + 16 bytes), scores float32,
// probabilities, fading factors and totals of the queries; see attention_wide_bytes in the host's code.
#include "attention.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_TYPE T;
constexpr int head = POSED_HEAD, queries = POSED_QUERIES, keys = POSED_KEYS, threads = 256;
constexpr int pitch = 2 * head + 16, score_pitch = keys + 4, p_pitch = 2 * keys + 16;
constexpr int columns = head / 8;                  // of a warp's sums
constexpr int across = keys / 16, each = keys / 4; // warps of a row of scores; keys of a lane
static_assert(queries / 16 * across <= threads / 32 && queries * 4 <= threads, "one piece each");

struct Shared {
  unsigned char *q, *k, *v;
  float *scores;
  unsigned char *p;
  float *fade, *total;
};

__device__ inline Shared shared_parts() {
  Shared s;
  s.q = shared_memory();
  s.k = s.q + queries * pitch;
  s.v = s.k + keys * pitch;
  s.scores = reinterpret_cast<float *>(s.v + keys * pitch);
  s.p = reinterpret_cast<unsigned char *>(s.scores + queries * score_pitch);
  s.fade = reinterpret_cast<float *>(s.p + queries * p_pitch);
  s.total = s.fade + queries;
  return s;
}

/// This warp's 16 × 16 scores, to shared memory.
__device__ inline void multiply_keys(const Shared &s) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = warp / across * 16,
            key = warp % across * 16;
  if (row >= queries) return; // the whole warp
  float scores[2][4] = {};
#pragma unroll 8
  for (int d = 0; d < head / 16; ++d) {
    unsigned a[4], b[4];
    load_matrices(a, s.q + (row + lane % 16) * pitch + d * 32 + lane / 16 * 16);
    load_matrices(b, s.k + (key + lane % 8 + lane / 16 * 8) * pitch + d * 32 + lane / 8 % 2 * 16);
    multiply_add<T>(scores[0], a, b[0], b[1]);
    multiply_add<T>(scores[1], a, b[2], b[3]);
  }
#pragma unroll
  for (int n = 0; n < 2; ++n) {
    float *at = s.scores + (row + lane / 4) * score_pitch + key + n * 8 + lane % 4 * 2;
    at[0] = scores[n][0];
    at[1] = scores[n][1];
    at[8 * score_pitch] = scores[n][2];
    at[8 * score_pitch + 1] = scores[n][3];
  }
}

/// Row threadIdx.x / 4, a quarter of the keys a lane: scores become probabilities.
__device__ inline void soften(const Shared &s, float &maximum, float &total, const AttentionParameters &p,
                              const KeyTile &tile, int query0) {
  const int row = threadIdx.x / 4, key0 = threadIdx.x % 4 * each;
  if (row >= queries) return; // the whole warp
  const float *scores = s.scores + row * score_pitch + key0;
  float value[each], highest = maximum;
#pragma unroll
  for (int i = 0; i < each; ++i) {
    const float more = tile.bias ? tile.bias_at(p, query0 + row, key0 + i) : 0;
    value[i] = key0 + i < tile.count ? fmaf(scores[i], p.scale, more) : minus_infinity();
    highest = fmaxf(highest, value[i]);
  }
  highest = fmaxf(highest, exchange(highest, 1));
  highest = fmaxf(highest, exchange(highest, 2));
  const float fade = exp2_fast(maximum - highest);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < each; ++i) {
    value[i] = exp2_fast(value[i] - highest);
    sum += value[i];
  }
  sum += exchange(sum, 1);
  sum += exchange(sum, 2);
  maximum = highest;
  total = total * fade + sum;
#pragma unroll
  for (int i = 0; i < each; i += 2) {
    *reinterpret_cast<unsigned *>(s.p + row * p_pitch + (key0 + i) * 2) = pack<T>(value[i], value[i + 1]);
  }
  if (threadIdx.x % 4 == 0) s.fade[row] = fade;
}

/// This warp's columns of the sums of all rows.
__device__ inline void multiply_values(const Shared &s, float (&sums)[queries / 16][columns / 8][4]) {
  const int lane = threadIdx.x % 32, column = threadIdx.x / 32 * columns;
#pragma unroll
  for (int m = 0; m < queries / 16; ++m) {
    const float fade[2] = {s.fade[m * 16 + lane / 4], s.fade[m * 16 + lane / 4 + 8]};
#pragma unroll
    for (int n = 0; n < columns / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[m][n][i] *= fade[i / 2];
    }
  }
#pragma unroll
  for (int k = 0; k < keys / 16; ++k) {
    unsigned a[queries / 16][4];
#pragma unroll
    for (int m = 0; m < queries / 16; ++m) {
      load_matrices(a[m], s.p + (m * 16 + lane % 16) * p_pitch + k * 32 + lane / 16 * 16);
    }
#pragma unroll
    for (int n = 0; n < columns / 16; ++n) {
      unsigned b[4];
      load_matrices_transposed(b,
                               s.v + (k * 16 + lane % 16) * pitch + (column + n * 16) * 2 + lane / 16 * 16);
#pragma unroll
      for (int m = 0; m < queries / 16; ++m) {
        multiply_add<T>(sums[m][2 * n], a[m], b[0], b[1]);
        multiply_add<T>(sums[m][2 * n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

__device__ inline void finish(const AttentionParameters &p, const AttentionPart &part, const Shared &s,
                              const float (&sums)[queries / 16][columns / 8][4]) {
  const int lane = threadIdx.x % 32, column0 = threadIdx.x / 32 * columns + lane % 4 * 2;
#pragma unroll
  for (int m = 0; m < queries / 16; ++m) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int line = m * 16 + lane / 4 + 8 * r, row = part.query0 + line;
      if (row >= p.queries) continue;
      const float factor = 1.0f / s.total[line];
      T *y = static_cast<T *>(p.y) + part.row * p.y_batch + part.head * p.y_head + row * p.y_token;
#pragma unroll
      for (int n = 0; n < columns / 8; ++n) {
        const int column = column0 + n * 8;
        if (column < p.size) y[column] = narrow<T>(sums[m][n][2 * r] * factor);
        if (column + 1 < p.size) y[column + 1] = narrow<T>(sums[m][n][2 * r + 1] * factor);
      }
    }
  }
}

} // namespace

POSED_KERNEL(attention_wide, AttentionParameters, 256, 1) {
  const Shared s = shared_parts();
  const AttentionPart part = attention_part(queries);
  const KeyTiles tiles = key_tiles(p, part.row, keys);
  const Index q0 = part.row * p.q_batch + part.head * p.q_head + part.query0 * p.q_token;
  copy_lines<T, queries, head, threads>(s.q, pitch, p.q, q0, p.q_token, p.queries - part.query0, p.size,
                                        p.vectors);
  float sums[queries / 16][columns / 8][4] = {};
  float maximum = minus_infinity(), total = 0;
  for (int tile = 0; tile < tiles.all; ++tile) {
    const KeyTile from = key_tile(p, part, tiles, tile, keys);
    copy_lines<T, keys, head, threads>(s.k, pitch, from.k, from.k0, from.k_token, from.count, p.size,
                                       p.vectors);
    copy_async_commit();
    copy_lines<T, keys, head, threads>(s.v, pitch, from.v, from.v0, from.v_token, from.count, p.size,
                                       p.vectors);
    copy_async_commit();
    copy_async_wait<1>();
    synchronize(); // queries and keys have arrived
    multiply_keys(s);
    synchronize();
    soften(s, maximum, total, p, from, part.query0);
    copy_async_wait<0>();
    synchronize(); // probabilities are there, and the values
    multiply_values(s, sums);
    synchronize(); // nobody reads this tile any more
  }
  if (threadIdx.x % 4 == 0 && threadIdx.x / 4 < queries) s.total[threadIdx.x / 4] = total;
  synchronize();
  finish(p, part, s, sums);
}
