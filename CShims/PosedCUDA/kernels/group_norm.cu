// y = act((x − mean) / √(variance + eps) * gamma + beta), statistics over H, W and the channels of a group.
//
// x, y [N, H, W, C] dense. An image is cut into `blocks` pieces of `block_pixels` pixels by its shape alone.
//
// Compiled with POSED_X and POSED_Y, the types.
// group_norm_sums   grid (blocks, N): mean and sum of squared differences of each group over one piece. The
//                   piece is read twice, so that the squares are those of small numbers.
// group_norm_apply  grid (blocks, N): joins the pieces' statistics, always in the same order, and normalizes
//                   one piece.
// …_any             for channels or addresses that do not come in fours.
// Block: 256 threads. Column of a thread: a group of `wide` channels, four where C allows it; threads that
// share a column take turns with the pixels. Shared memory: see group_norm_shared_bytes in the host's code.
#include "elements.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_X X;
typedef POSED_Y Y;
constexpr int threads = 256, lanes = 32;

/// Which channels and pixels a thread has.
struct Share {
  int columns, lines; // of threads
  int column, line;   // this thread's
  int pixels;         // of the piece
  Index first;        // element of x where the piece begins
};

template <int wide> __device__ inline Share share(const GroupNormParameters &p) {
  Share s;
  int columns = p.channels / wide;
  s.columns = columns < threads ? columns : threads;
  s.lines = threads / s.columns;
  s.column = threadIdx.x % s.columns;
  s.line = threadIdx.x / s.columns; // s.lines for threads that have nothing to do
  Index begin = Index(blockIdx.x) * p.block_pixels;
  Index rest = p.pixels - begin;
  s.pixels = rest < p.block_pixels ? int(rest) : p.block_pixels;
  s.first = (Index(blockIdx.y) * p.pixels + begin) * p.channels;
  return s;
}

/// Adds up each group's channels and lines of `kept` [lines][channels]; `to` [groups].
__device__ inline void gather(const float *kept, float *to, const GroupNormParameters &p, int lines) {
  const int width = p.channels / p.groups, warp = threadIdx.x / lanes, lane = threadIdx.x % lanes;
  for (int group = warp; group < p.groups; group += threads / lanes) {
    float sum = 0;
    for (int i = lane; i < lines * width; i += lanes) {
      sum += kept[i / width * p.channels + group * width + i % width];
    }
#pragma unroll
    for (int mask = lanes / 2; mask > 0; mask /= 2) sum += exchange(sum, mask);
    if (lane == 0) to[group] = sum;
  }
}

template <int wide> __device__ inline void sums(const GroupNormParameters &p) {
  const Share s = share<wide>(p);
  const int width = p.channels / p.groups;
  float *kept = reinterpret_cast<float *>(shared_memory()); // [lines][channels]
  float *mean = kept + s.lines * p.channels;                // [groups]
  float *squares = mean + p.groups;                         // [groups]
  const X *x = static_cast<const X *>(p.x) + s.first;
  const float count = float(s.pixels) * float(width);
  for (int pass = 0; pass < 2; ++pass) {
    if (s.line < s.lines) {
      for (int column = s.column; column < p.channels / wide; column += s.columns) {
        float center[wide], sum[wide];
#pragma unroll
        for (int k = 0; k < wide; ++k) {
          center[k] = pass == 0 ? 0.0f : mean[(column * wide + k) / width];
          sum[k] = 0;
        }
        for (int pixel = s.line; pixel < s.pixels; pixel += s.lines) {
          const X *at = x + Index(pixel) * p.channels + column * wide;
          float value[wide];
          if constexpr (wide == 4) {
            Four four = load_four<X>(at, 0);
            for (int k = 0; k < 4; ++k) value[k] = four.at[k];
          } else {
            value[0] = widen(*at);
          }
#pragma unroll
          for (int k = 0; k < wide; ++k) {
            float difference = value[k] - center[k];
            sum[k] = pass == 0 ? sum[k] + difference : fmaf(difference, difference, sum[k]);
          }
        }
#pragma unroll
        for (int k = 0; k < wide; ++k) kept[s.line * p.channels + column * wide + k] = sum[k];
      }
    }
    synchronize();
    gather(kept, pass == 0 ? mean : squares, p, s.lines);
    synchronize();
    if (pass == 0) {
      for (int group = threadIdx.x; group < p.groups; group += threads) mean[group] /= count;
      synchronize();
    }
  }
  float *out = p.partial + (Index(blockIdx.y) * p.blocks + blockIdx.x) * p.groups * 2;
  for (int group = threadIdx.x; group < p.groups; group += threads) {
    out[2 * group] = mean[group];
    out[2 * group + 1] = squares[group];
  }
}

/// What to multiply each channel by and to add to it, from the statistics of all pieces of the image.
__device__ inline void settle(const GroupNormParameters &p, float *scale, float *shift) {
  const int width = p.channels / p.groups, warp = threadIdx.x / lanes, lane = threadIdx.x % lanes;
  const float *image = p.partial + Index(blockIdx.y) * p.blocks * p.groups * 2;
  const float total = float(p.pixels) * float(width);
  for (int group = warp; group < p.groups; group += threads / lanes) {
    float mean = 0, squares = 0;
    for (int pass = 0; pass < 2; ++pass) {
      float sum = 0;
      for (int block = lane; block < p.blocks; block += lanes) {
        Index rest = p.pixels - Index(block) * p.block_pixels;
        float count = float(rest < p.block_pixels ? rest : p.block_pixels) * float(width);
        const float *of_block = image + (Index(block) * p.groups + group) * 2;
        float apart = of_block[0] - mean;
        sum += pass == 0 ? of_block[0] * (count / total) : fmaf(apart * apart, count, of_block[1]);
      }
#pragma unroll
      for (int mask = lanes / 2; mask > 0; mask /= 2) sum += exchange(sum, mask);
      if (pass == 0) {
        mean = sum;
      } else {
        squares = sum;
      }
    }
    const float inverse = 1.0f / sqrtf(squares / total + p.eps);
    for (int c = group * width + lane; c < (group + 1) * width; c += lanes) {
      scale[c] = inverse * p.gamma[c];
      shift[c] = fmaf(-mean, scale[c], p.beta[c]);
    }
  }
  synchronize();
}

template <int wide> __device__ inline void apply(const GroupNormParameters &p) {
  float *scale = reinterpret_cast<float *>(shared_memory()), *shift = scale + p.channels;
  settle(p, scale, shift);
  const Share s = share<wide>(p);
  if (s.line >= s.lines) return;
  const X *x = static_cast<const X *>(p.x) + s.first;
  Y *y = static_cast<Y *>(p.y) + s.first;
  for (int column = s.column; column < p.channels / wide; column += s.columns) {
    const float *m = scale + column * wide, *a = shift + column * wide;
    for (int pixel = s.line; pixel < s.pixels; pixel += s.lines) {
      Index at = Index(pixel) * p.channels + column * wide;
      if constexpr (wide == 4) {
        Four value = load_four<X>(x + at, 0);
        for (int k = 0; k < 4; ++k) value.at[k] = activate(fmaf(value.at[k], m[k], a[k]), p.activation);
        store_four<Y>(y + at, 0, value);
      } else {
        y[at] = narrow<Y>(activate(fmaf(widen(x[at]), *m, *a), p.activation));
      }
    }
  }
}

} // namespace

POSED_KERNEL(group_norm_sums, GroupNormParameters, 256, 4) { sums<4>(p); }
POSED_KERNEL(group_norm_sums_any, GroupNormParameters, 256, 4) { sums<1>(p); }
POSED_KERNEL(group_norm_apply, GroupNormParameters, 256, 3) { apply<4>(p); }
POSED_KERNEL(group_norm_apply_any, GroupNormParameters, 256, 3) { apply<1>(p); }
