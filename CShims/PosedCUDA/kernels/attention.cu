// y[b, i, h] = Σ_j softmax_j(scale * q[b, i, h] · k[b, j, h] + bias[h, i, j]) v[b, j, h] over own keys, then
// cached ones, which have no bias.
//
// q, y [B, Tq, H, d], k, v [B, Tk, H, d], cached k, v [T, H, d], all 16 bits wide, rows strided freely;
// d ≤ POSED_HEAD, a multiple of 16 up to 128.
//
// A block has 64 queries of one head, a warp 16 of them, whose scores, probabilities and sums stay in its
// registers: the matrix of scores is never written. Keys and values come in tiles of 64 through shared
// memory, the next tile while this one is used. The softmax is the running one: when a tile raises a row's
// maximum, what was summed before fades by the same factor.
// Grid: (query tiles, heads, rows of the batch). Block: 128 threads.
// Shared memory: queries, then two stages of keys and values; rows of 2 · POSED_HEAD + 16 bytes, an odd
// number of chunks, so that matrix loads do not meet in a bank.
#include "attention.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_TYPE T;
constexpr int head = POSED_HEAD, queries = 64, keys = 64, threads = 128;
constexpr int pitch = 2 * head + 16, tile_bytes = keys * pitch;

/// The running softmax of the rows g and g + 8 of a warp's 16.
struct Running {
  float maximum[2], total[2];
};

/// scores[16 × 64] = q · kᵀ
__device__ inline void multiply_keys(float (&scores)[keys / 8][4], const unsigned (&q)[head / 16][4],
                                     const unsigned char *k) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < keys / 16; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[2 * n][i] = scores[2 * n + 1][i] = 0;
#pragma unroll
    for (int d = 0; d < head / 16; ++d) {
      unsigned b[4];
      load_matrices(b, k + (n * 16 + lane % 8 + lane / 16 * 8) * pitch + d * 32 + lane / 8 % 2 * 16);
      multiply_add<T>(scores[2 * n], q[d], b[0], b[1]);
      multiply_add<T>(scores[2 * n + 1], q[d], b[2], b[3]);
    }
  }
}

/// Scaled scores with their bias.
__device__ inline void add_bias(float (&scores)[keys / 8][4], const AttentionParameters &p,
                                const KeyTile &tile, int query0) {
  const int lane = threadIdx.x % 32, row = query0 + threadIdx.x / 32 * 16 + lane / 4;
#pragma unroll
  for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float more = tile.bias_at(p, row + i / 2 * 8, n * 8 + lane % 4 * 2 + i % 2);
      scores[n][i] = fmaf(scores[n][i], p.scale, more);
    }
  }
}

/// Scores become probabilities relative to the new maximum; returns how much the sums so far fade.
__device__ inline void soften(float (&scores)[keys / 8][4], Running &running, float (&fade)[2], int count,
                              float scale) {
  const int column = threadIdx.x % 4 * 2;
  float maximum[2] = {running.maximum[0], running.maximum[1]};
#pragma unroll
  for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      bool there = n * 8 + column + i % 2 < count;
      scores[n][i] = there ? scores[n][i] * scale : minus_infinity();
      maximum[i / 2] = fmaxf(maximum[i / 2], scores[n][i]);
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    maximum[r] = fmaxf(maximum[r], exchange(maximum[r], 1));
    maximum[r] = fmaxf(maximum[r], exchange(maximum[r], 2));
    fade[r] = exp2_fast(running.maximum[r] - maximum[r]);
    running.maximum[r] = maximum[r];
    running.total[r] *= fade[r];
  }
#pragma unroll
  for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      scores[n][i] = exp2_fast(scores[n][i] - maximum[i / 2]);
      running.total[i / 2] += scores[n][i]; // of this lane's columns
    }
  }
}

/// sums[16 × head] += p · v
__device__ inline void multiply_values(float (&sums)[head / 8][4], const float (&p)[keys / 8][4],
                                       const unsigned char *v) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int k = 0; k < keys / 16; ++k) {
    const float(&left)[4] = p[2 * k], (&right)[4] = p[2 * k + 1];
    const unsigned a[4] = {pack<T>(left[0], left[1]), pack<T>(left[2], left[3]), pack<T>(right[0], right[1]),
                           pack<T>(right[2], right[3])};
#pragma unroll
    for (int d = 0; d < head / 16; ++d) {
      unsigned b[4];
      load_matrices_transposed(b, v + (k * 16 + lane % 16) * pitch + d * 32 + lane / 16 * 16);
      multiply_add<T>(sums[2 * d], a, b[0], b[1]);
      multiply_add<T>(sums[2 * d + 1], a, b[2], b[3]);
    }
  }
}

/// Divides by the rows' totals and writes what exists.
__device__ inline void finish(const AttentionParameters &p, const AttentionPart &part,
                              const float (&sums)[head / 8][4], Running &running) {
  const int lane = threadIdx.x % 32, row = part.query0 + threadIdx.x / 32 * 16 + lane / 4;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float total = running.total[r];
    total += exchange(total, 1);
    total += exchange(total, 2);
    const float factor = 1.0f / total;
    if (row + 8 * r >= p.queries) continue;
    T *y = static_cast<T *>(p.y) + part.row * p.y_batch + part.head * p.y_head + (row + 8 * r) * p.y_token;
#pragma unroll
    for (int d = 0; d < head / 8; ++d) {
      const int column = d * 8 + lane % 4 * 2;
      const float low = sums[d][2 * r] * factor, high = sums[d][2 * r + 1] * factor;
      if (p.vectors) {
        if (column < p.size) *reinterpret_cast<unsigned *>(y + column) = pack<T>(low, high);
      } else {
        if (column < p.size) y[column] = narrow<T>(low);
        if (column + 1 < p.size) y[column + 1] = narrow<T>(high);
      }
    }
  }
}

} // namespace

POSED_KERNEL(attention, AttentionParameters, 128, 2) {
  unsigned char *shared = shared_memory(), *stages = shared + queries * pitch;
  const AttentionPart part = attention_part(queries);
  const KeyTiles tiles = key_tiles(p, part.row, keys);
  auto copy_tile = [&](int tile) {
    const KeyTile from = key_tile(p, part, tiles, tile, keys);
    unsigned char *to = stages + tile % 2 * 2 * tile_bytes;
    copy_lines<T, keys, head, threads>(to, pitch, from.k, from.k0, from.k_token, from.count, p.size,
                                       p.vectors);
    copy_lines<T, keys, head, threads>(to + tile_bytes, pitch, from.v, from.v0, from.v_token, from.count,
                                       p.size, p.vectors);
  };
  const Index q0 = part.row * p.q_batch + part.head * p.q_head + part.query0 * p.q_token;
  copy_lines<T, queries, head, threads>(shared, pitch, p.q, q0, p.q_token, p.queries - part.query0, p.size,
                                        p.vectors);
  copy_tile(0);
  copy_async_commit();

  unsigned q[head / 16][4];
  float sums[head / 8][4] = {};
  Running running = {{minus_infinity(), minus_infinity()}, {0, 0}};
  for (int tile = 0; tile < tiles.all; ++tile) {
    if (tile + 1 < tiles.all) copy_tile(tile + 1);
    copy_async_commit();
    copy_async_wait<1>();
    synchronize(); // this tile has arrived
    if (tile == 0) {
      const int lane = threadIdx.x % 32, line = threadIdx.x / 32 * 16 + lane % 16;
#pragma unroll
      for (int d = 0; d < head / 16; ++d)
        load_matrices(q[d], shared + line * pitch + d * 32 + lane / 16 * 16);
    }
    unsigned char *stage = stages + tile % 2 * 2 * tile_bytes;
    float scores[keys / 8][4], fade[2];
    multiply_keys(scores, q, stage);
    const KeyTile here = key_tile(p, part, tiles, tile, keys);
    if (here.bias) add_bias(scores, p, here, part.query0);
    soften(scores, running, fade, here.count, here.bias ? 1 : p.scale);
#pragma unroll
    for (int d = 0; d < head / 8; ++d) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[d][i] *= fade[i / 2];
    }
    multiply_values(sums, scores, stage + tile_bytes);
    synchronize(); // nobody reads this stage any more
  }
  finish(p, part, sums, running);
}
