// y = x with conversion of the type; both strided freely.
//
// The host has dropped dimensions of one element, sorted the others by y's stride, innermost last, and
// joined neighbours that both tensors walk without a gap.
//
// Compiled with POSED_X and POSED_Y, the types; unsigned integers of their size where they are one, so that
// bits are copied as they are.
// copy         one element a thread, neighbours in y by neighbouring threads.
// copy_four    the innermost dimension is contiguous in both: four elements a thread; `count` and the
//              innermost extent then count groups of four, and its strides are 4.
// copy_turned  a transposition: x is contiguous along the last dimension but one, y along the last. A block
//              moves a 32 × 32 tile of those two through shared memory, so that both sides are walked along
//              their rows. Grid: (tiles of the plane, planes).
// Grid of the first two: one-dimensional, any size. Block: 256 threads.
#include "elements.cuh"

using namespace posed::cuda;

namespace {

typedef POSED_X X;
typedef POSED_Y Y;

struct Place {
  Index x, y;
};

/// Where element number `i` of the grid of the first `dimensions` dimensions lies.
__device__ inline Place place(const CopyParameters &p, unsigned i, int dimensions) {
  Place at = {0, 0};
#pragma unroll
  for (int d = most_dimensions - 1; d >= 0; --d) {
    if (d >= dimensions) continue;
    unsigned rest = i / p.extent[d], index = i - rest * p.extent[d];
    at.x += index * p.x_stride[d];
    at.y += index * p.y_stride[d];
    i = rest;
  }
  return at;
}

template <class From, class To> struct Convert {
  static __device__ To one(From x) { return narrow<To>(widen(x)); }
  static __device__ void four(const From *x, To *y) { store_four<To>(y, 0, load_four<From>(x, 0)); }
};
template <class T> struct Convert<T, T> {
  struct alignas(4 * sizeof(T)) Group {
    T at[4];
  };
  static __device__ T one(T x) { return x; }
  static __device__ void four(const T *x, T *y) {
    *reinterpret_cast<Group *>(y) = *reinterpret_cast<const Group *>(x);
  }
};

template <int wide> __device__ inline void move(const CopyParameters &p) {
  unsigned step = gridDim.x * blockDim.x;
  for (Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x; i < p.count; i += step) {
    Place at = place(p, unsigned(i), most_dimensions);
    const X *x = static_cast<const X *>(p.x) + at.x;
    Y *y = static_cast<Y *>(p.y) + at.y;
    if constexpr (wide == 4) {
      Convert<X, Y>::four(x, y);
    } else {
      *y = Convert<X, Y>::one(*x);
    }
  }
}

__device__ inline void turn(const CopyParameters &p) {
  constexpr int tile = 32, row = most_dimensions - 2, column = most_dimensions - 1;
  X(*kept)[tile + 1] = reinterpret_cast<X(*)[tile + 1]>(shared_memory());
  unsigned across = (p.extent[column] + tile - 1) / tile;
  unsigned column0 = blockIdx.x % across * tile, row0 = blockIdx.x / across * tile;
  Place at = place(p, blockIdx.y, row);
  const X *x = static_cast<const X *>(p.x) + at.x;
  Y *y = static_cast<Y *>(p.y) + at.y;
  for (unsigned j = threadIdx.x / tile; j < tile; j += blockDim.x / tile) { // along x's rows
    unsigned r = row0 + threadIdx.x % tile, c = column0 + j;
    if (r < p.extent[row] && c < p.extent[column]) {
      kept[j][threadIdx.x % tile] = x[r * p.x_stride[row] + c * p.x_stride[column]];
    }
  }
  synchronize();
  for (unsigned j = threadIdx.x / tile; j < tile; j += blockDim.x / tile) { // along y's rows
    unsigned r = row0 + j, c = column0 + threadIdx.x % tile;
    if (r < p.extent[row] && c < p.extent[column]) {
      y[r * p.y_stride[row] + c * p.y_stride[column]] = Convert<X, Y>::one(kept[threadIdx.x % tile][j]);
    }
  }
}

} // namespace

POSED_KERNEL(copy, CopyParameters, 256, 4) { move<1>(p); }
POSED_KERNEL(copy_four, CopyParameters, 256, 4) { move<4>(p); }
POSED_KERNEL(copy_turned, CopyParameters, 256, 4) { turn(p); }
