// y = residual + gate * act(x · Wᵀ + bias).
//
// x [B, T, K] of the operands' type or float32, y and residual [B, T, N], gate [B, N] float32, all rows
// strided freely; W packed as [padded N][padded K]. Rows of all of the batch are one dimension, M = B·T.
//
// Compiled with POSED_TYPE (the operands' type) and the tile POSED_BM × POSED_BN of sums, cut among warps
// into POSED_WM × POSED_WN, POSED_STAGES steps of the loop under way.
// linear      x of POSED_TYPE, its rows 16-byte aligned and K a multiple of a chunk: copied without a
//             register in between.
// linear_any  any x: converted on the way.
// Grid: tiles, those of one row of tiles after each other, so that they find x in the cache.
#include "product.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_TYPE T;
typedef Product<T, POSED_BM, POSED_BN, POSED_WM, POSED_WN, POSED_STAGES> Tile;

struct Position {
  int row0, column0;
};

__device__ inline Position position(const LinearParameters &p) {
  int tile = blockIdx.x / p.column_tiles;
  return {tile * Tile::BM, int(blockIdx.x - tile * p.column_tiles) * Tile::BN};
}

template <bool as_it_is> __device__ inline void multiply(const LinearParameters &p) {
  const Position at = position(p);
  const int chunk = threadIdx.x % chunks, line = threadIdx.x / chunks;
  Index from[Tile::rows_each]; // −1: no such row
#pragma unroll
  for (int i = 0; i < Tile::rows_each; ++i) {
    int row = at.row0 + line + i * Tile::lines, batch = row / p.tokens;
    from[i] = row < p.rows ? batch * p.x_batch + (row - batch * p.tokens) * p.x_token : -1;
  }
  auto load_x = [&](int i, void *to, int step) {
    int k = step * Operand<T>::step + chunk * Operand<T>::chunk, rest = p.in - k;
    if constexpr (as_it_is) {
      bool valid = from[i] >= 0 && rest > 0;
      copy_async(to, static_cast<const T *>(p.x) + (valid ? from[i] + k : 0), valid);
    } else {
      copy_chunk<T>(to, p.x, p.x_type, from[i] + k, from[i] < 0 ? 0 : rest);
    }
  };
  const Index b_row = Index(p.steps) * Operand<T>::step;
  const T *weight = static_cast<const T *>(p.weight) + at.column0 * b_row;
  const float *sums = Tile::run(load_x, weight, b_row, p.steps);
  Tile::finish(sums, p.epilogue, at.column0, p.out, [&](int line_of_tile, typename Tile::Target &to) {
    int row = at.row0 + line_of_tile;
    if (row >= p.rows) return false;
    int batch = row / p.tokens, token = row - batch * p.tokens;
    to.y = batch * p.epilogue.y_batch + token * p.epilogue.y_token;
    to.residual = batch * p.epilogue.residual_batch + token * p.epilogue.residual_token;
    to.gate = batch * p.epilogue.gate_batch;
    return true;
  });
}

} // namespace

POSED_KERNEL(linear, LinearParameters, POSED_THREADS, POSED_BLOCKS) { multiply<true>(p); }
POSED_KERNEL(linear_any, LinearParameters, POSED_THREADS, POSED_BLOCKS) { multiply<false>(p); }
