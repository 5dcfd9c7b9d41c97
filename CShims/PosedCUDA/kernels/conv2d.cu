// y = act(conv(x, W) + bias + residual), as a product without building its matrix.
//
// x [N, H, W, C] of the operands' type or float32, y and residual [N, Ho, Wo, O], all dense. The product has
// a row for each pixel of y and K = taps · padded C, a chunk of 16 bytes being channels of one tap; W is
// packed as [phases][padded O][padded K].
// A convolution of the enlargement by 2 is four of x itself, one for each parity (a, b) of y's pixels, with
// filters of 2 × 2: phase 2a + b, padding 1 − a and 1 − b.
//
// Compiled as linear.cu is.
// conv2d      x of POSED_TYPE, 16-byte aligned, C a multiple of a chunk: copied without a register between.
// conv2d_any  any x: converted on the way.
// Grid: (tiles, phases); tiles of one row of tiles after each other, so that they find x in the cache.
#include "product.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_TYPE T;
typedef Product<T, POSED_BM, POSED_BN, POSED_WM, POSED_WN, POSED_STAGES> Tile;

/// An output pixel: its image, and where its window begins in x.
struct Window {
  int image, top, left; // image −1: no such pixel
};

struct Pixel {
  int image, line, column;
};

__device__ inline Pixel pixel(const ConvParameters &p, int row) {
  int line = row / p.out_width, image = line / p.out_height;
  return {image, line - image * p.out_height, row - line * p.out_width};
}

template <bool as_it_is> __device__ inline void multiply(const ConvParameters &p) {
  const int tile = blockIdx.x / p.column_tiles;
  const int row0 = tile * Tile::BM, column0 = int(blockIdx.x - tile * p.column_tiles) * Tile::BN;
  const int phase_a = blockIdx.y / 2, phase_b = blockIdx.y % 2;
  const int pad_top = p.enlargement == 2 ? 1 - phase_a : p.pad_top;
  const int pad_left = p.enlargement == 2 ? 1 - phase_b : p.pad_left;
  const int chunk = threadIdx.x % chunks, first_line = threadIdx.x / chunks;
  Window windows[Tile::rows_each];
#pragma unroll
  for (int i = 0; i < Tile::rows_each; ++i) {
    int row = row0 + first_line + i * Tile::lines;
    Pixel at = pixel(p, row);
    windows[i] = {row < p.rows ? at.image : -1, at.line * p.stride_h - pad_top,
                  at.column * p.stride_w - pad_left};
  }
  const int taps = p.kernel_h * p.kernel_w;
  auto load_x = [&](int i, void *to, int step) {
    int k = step * Operand<T>::step + chunk * Operand<T>::chunk;
    int tap = k / p.in_padded, channel = k - tap * p.in_padded, down = tap / p.kernel_w;
    int y = windows[i].top + down, x = windows[i].left + tap - down * p.kernel_w;
    bool valid = windows[i].image >= 0 && tap < taps && y >= 0 && y < p.height && x >= 0 && x < p.width;
    Index at = valid ? ((Index(windows[i].image) * p.height + y) * p.width + x) * p.in + channel : 0;
    if constexpr (as_it_is) {
      copy_async(to, static_cast<const T *>(p.x) + at, valid);
    } else {
      copy_chunk<T>(to, p.x, p.x_type, at, valid ? p.in - channel : 0);
    }
  };
  const Index b_row = Index(p.steps) * Operand<T>::step;
  const T *weight = static_cast<const T *>(p.weight) + blockIdx.y * p.phase_weight + column0 * b_row;
  const float *sums = Tile::run(load_x, weight, b_row, p.steps);
  Tile::finish(sums, p.epilogue, column0, p.out, [&](int line_of_tile, typename Tile::Target &to) {
    int row = row0 + line_of_tile;
    if (row >= p.rows) return false;
    Index place = row;
    if (p.enlargement == 2) {
      Pixel at = pixel(p, row);
      Index line = (Index(at.image) * p.out_height + at.line) * 2 + phase_a;
      place = line * (2 * p.out_width) + 2 * at.column + phase_b;
    }
    to = {place * p.out, place * p.out, 0};
    return true;
  });
}

} // namespace

POSED_KERNEL(conv2d, ConvParameters, POSED_THREADS, POSED_BLOCKS) { multiply<true>(p); }
POSED_KERNEL(conv2d_any, ConvParameters, POSED_THREADS, POSED_BLOCKS) { multiply<false>(p); }
