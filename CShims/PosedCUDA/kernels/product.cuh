// The product that `linear` and `conv2d` share: sums[BM × BN] = A[BM × K] · B[BN × K]ᵀ, then the epilogue.
//
// A step of the loop takes 128 bytes of every row of A and B, 64 elements of 16 bits or 32 of float32,
// from global to shared memory; `stages` steps are under way at once. A row of 128 bytes is eight chunks
// of 16; chunk c of row r lies at place c ^ (r % 8), so that neither copies nor matrix loads meet in a
// bank. Warps cut the tile into pieces of WM × WN, which they keep in registers: 16-bit elements are
// multiplied by tensor cores, float32 by fused multiply-adds in the same arrangement.
//
// Compiled with POSED_GROUPS, for compute capability 9.0, groups of four warps multiply a step straight from
// shared memory, 64 rows by all columns each, while the next step is copied.
//
// B is packed by the host: rows padded with zeros to whole tiles, K to whole steps. A's loader delivers
// zeros beyond K and beyond its last row. The sums go to the epilogue through shared memory, so that
// global memory is read and written along rows.
#pragma once

#include "elements.cuh"

namespace posed::cuda {

constexpr int step_bytes = 128, chunk_bytes = 16, chunks = step_bytes / chunk_bytes;

/// What a loader needs to know of the operands' type.
template <class T> struct Operand {
  static constexpr int step = step_bytes / int(sizeof(T));   // elements of K in a step
  static constexpr int chunk = chunk_bytes / int(sizeof(T)); // and in a chunk
};

/// Eight (four float32) elements, converted from any type, zeros beyond `count`.
template <class T>
__device__ inline void copy_chunk(void *to, const void *from, unsigned type, Index first, int count) {
  Words4 words = {};
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      words.at[i] = __float_as_uint(i < count ? load(from, type, first + i) : 0.0f);
    }
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float low = 2 * i < count ? load(from, type, first + 2 * i) : 0.0f;
      float high = 2 * i + 1 < count ? load(from, type, first + 2 * i + 1) : 0.0f;
      words.at[i] = pack<T>(low, high);
    }
  }
  *static_cast<Words4 *>(to) = words;
}

#ifdef POSED_GROUPS
constexpr bool by_groups = true;
#else
constexpr bool by_groups = false;
#endif

template <class T, int BM_, int BN_, int WM_, int WN_, int stages_> struct Product {
  static constexpr int BM = BM_, BN = BN_, WM = WM_, WN = WN_, stages = stages_;
  static constexpr int ahead = by_groups ? stages - 2 : stages - 1; // steps that are copied in advance
  static constexpr int warps_across = BN / WN, threads = BM / WM * warps_across * 32;
  static constexpr int lines = threads / chunks; // rows that all threads copy at once
  static constexpr int rows_each = BM / lines;   // rows of A that a thread copies
  static constexpr int stage_bytes = (BM + BN) * step_bytes;
  static constexpr int pitch = BN + 8; // floats of a row of sums in shared memory: pairs meet in no bank
  static_assert(BM % lines == 0 && BN % lines == 0, "threads share out whole rows");
  static_assert(BM * pitch * 4 <= stages * stage_bytes, "the sums take the stages' place");

  static __device__ unsigned char *place(unsigned char *rows, int row, int chunk) {
    return rows + row * step_bytes + ((chunk ^ (row & 7)) << 4);
  }

  /// `a(row's number among this thread's, where to, step)` copies a chunk of A.
  template <class LoadA>
  static __device__ void copy_step(LoadA &&a, const T *b, Index b_row, int step, unsigned char *stage) {
    const int chunk = threadIdx.x % chunks, line = threadIdx.x / chunks;
#pragma unroll
    for (int i = 0; i < rows_each; ++i) a(i, place(stage, line + i * lines, chunk), step);
    unsigned char *b_rows = stage + BM * step_bytes;
    const T *from = b + Index(step) * Operand<T>::step + chunk * Operand<T>::chunk;
#pragma unroll
    for (int i = 0; i < BN / lines; ++i) {
      int row = line + i * lines;
      copy_async(place(b_rows, row, chunk), from + row * b_row, true);
    }
  }

  /// The products of one step, for this warp's piece; by groups they are only begun.
  static __device__ void multiply(float (&sums)[WM / 16][WN / 8][4], unsigned char *stage) {
#ifdef POSED_GROUPS
    static_assert(WM == 16 && WN == 128 && BN == WN && sizeof(T) == 2, "what a group of warps multiplies");
    const unsigned char *a = stage + threadIdx.x / 128 * 64 * step_bytes, *b = stage + BM * step_bytes;
    begin_products();
#pragma unroll
    for (int k = 0; k < chunks / 2; ++k) multiply_group<T>(sums[0], group_operand(a, k), group_operand(b, k));
    commit_products();
#else
    multiply_by_warps(sums, stage);
#endif
  }

  static __device__ void multiply_by_warps(float (&sums)[WM / 16][WN / 8][4], unsigned char *stage) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    unsigned char *a_rows = stage, *b_rows = stage + BM * step_bytes;
    const int row0 = warp / warps_across * WM, column0 = warp % warps_across * WN;
    if constexpr (sizeof(T) == 4) {
      multiply_floats(sums, a_rows, b_rows, row0 + lane / 4, column0 + lane % 4 * 2);
    } else {
#pragma unroll
      for (int k = 0; k < chunks; k += 2) {
        unsigned a[WM / 16][4];
#pragma unroll
        for (int m = 0; m < WM / 16; ++m) {
          load_matrices(a[m], place(a_rows, row0 + m * 16 + lane % 16, k + lane / 16));
        }
#pragma unroll
        for (int n = 0; n < WN / 16; ++n) {
          unsigned b[4];
          load_matrices(b, place(b_rows, column0 + n * 16 + lane % 8 + lane / 16 * 8, k + lane / 8 % 2));
#pragma unroll
          for (int m = 0; m < WM / 16; ++m) {
            multiply_add<T>(sums[m][2 * n], a[m], b[0], b[1]);
            multiply_add<T>(sums[m][2 * n + 1], a[m], b[2], b[3]);
          }
        }
      }
    }
  }

  /// float32: the sums of rows `row` and `row + 8`, columns `column` and the next, of every 16 × 8 piece.
  static __device__ void multiply_floats(float (&sums)[WM / 16][WN / 8][4], unsigned char *a_rows,
                                         unsigned char *b_rows, int row, int column) {
#pragma unroll 2
    for (int k = 0; k < chunks; ++k) {
      Four a[WM / 16][2];
#pragma unroll
      for (int m = 0; m < WM / 16; ++m) {
        a[m][0] = *reinterpret_cast<const Four *>(place(a_rows, row + m * 16, k));
        a[m][1] = *reinterpret_cast<const Four *>(place(a_rows, row + m * 16 + 8, k));
      }
#pragma unroll
      for (int n = 0; n < WN / 8; ++n) {
        const Four b0 = *reinterpret_cast<const Four *>(place(b_rows, column + n * 8, k));
        const Four b1 = *reinterpret_cast<const Four *>(place(b_rows, column + n * 8 + 1, k));
#pragma unroll
        for (int m = 0; m < WM / 16; ++m) {
          float(&s)[4] = sums[m][n];
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            s[0] = fmaf(a[m][0].at[i], b0.at[i], s[0]);
            s[1] = fmaf(a[m][0].at[i], b1.at[i], s[1]);
            s[2] = fmaf(a[m][1].at[i], b0.at[i], s[2]);
            s[3] = fmaf(a[m][1].at[i], b1.at[i], s[3]);
          }
        }
      }
    }
  }

  /// The whole product; afterwards shared memory holds the sums, [BM][pitch] floats.
  template <class LoadA> static __device__ const float *run(LoadA &&a, const T *b, Index b_row, int steps) {
    unsigned char *shared = shared_memory();
    float sums[WM / 16][WN / 8][4] = {};
#ifdef POSED_GROUPS
    hold_sums(sums[0]);
#endif
#pragma unroll
    for (int step = 0; step < ahead; ++step) {
      if (step < steps) copy_step(a, b, b_row, step, shared + step * stage_bytes);
      copy_async_commit();
    }
    for (int step = 0; step < steps; ++step) {
      copy_async_wait<ahead - 1>();
      const int next = step + ahead;
      unsigned char *free_stage = shared + next % stages * stage_bytes;
#ifdef POSED_GROUPS
      publish_copies();
      synchronize_warp(); // a converting loader may have led lanes apart
      wait_products<1>(); // those of the step before the last one
      synchronize();      // the step has arrived, and the stage of the step before the last one is free
      multiply(sums, shared + step % stages * stage_bytes);
      if (next < steps) copy_step(a, b, b_row, next, free_stage);
      copy_async_commit();
#else
      synchronize(); // the step has arrived, and the last step's stage is free
      if (next < steps) copy_step(a, b, b_row, next, free_stage);
      copy_async_commit();
      multiply(sums, shared + step % stages * stage_bytes);
#endif
    }
#ifdef POSED_GROUPS
    synchronize_warp();
    wait_products<0>();
    hold_sums(sums[0]);
#endif
    copy_async_wait<0>();
    synchronize();
    keep(sums, reinterpret_cast<float *>(shared));
    synchronize();
    return reinterpret_cast<float *>(shared);
  }

  static __device__ void keep(float (&sums)[WM / 16][WN / 8][4], float *to) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int row = warp / warps_across * WM + lane / 4, column = warp % warps_across * WN + lane % 4 * 2;
#pragma unroll
    for (int m = 0; m < WM / 16; ++m) {
#pragma unroll
      for (int n = 0; n < WN / 8; ++n) {
        float *at = to + (row + m * 16) * pitch + column + n * 8;
        *reinterpret_cast<Two *>(at) = {{sums[m][n][0], sums[m][n][1]}};
        *reinterpret_cast<Two *>(at + 8 * pitch) = {{sums[m][n][2], sums[m][n][3]}};
      }
    }
  }

  /// Where a row of sums goes, in elements.
  struct Target {
    Index y, residual, gate;
  };

  /// Finishes the sums. `target(row, place)` says where a row of the tile goes, and whether it exists.
  template <class GetTarget>
  static __device__ void finish(const float *sums, const EpilogueParameters &p, int column0, int columns,
                                GetTarget &&target) {
    constexpr int fours = BN / 4;
    for (int i = threadIdx.x; i < BM * fours; i += threads) {
      const int row = i / fours, column = column0 + i % fours * 4;
      Target to;
      if (column >= columns || !target(row, to)) continue;
      Four sum = *reinterpret_cast<const Four *>(sums + row * pitch + i % fours * 4);
      if (p.bias != nullptr) {
        Four bias = load_four<float>(p.bias + column, 0);
#pragma unroll
        for (int k = 0; k < 4; ++k) sum.at[k] += bias.at[k];
      }
      const int count = columns - column < 4 ? columns - column : 4;
      finish_four(sum, p, to, column, count);
    }
  }

  static __device__ void finish_four(Four sum, const EpilogueParameters &p, const Target &to, int column,
                                     int count) {
    Four residual = {}, gate = {{1, 1, 1, 1}};
    if (p.vectors) {
      if (p.residual != nullptr)
        residual = load_four(p.residual, p.residual_type, (to.residual + column) / 4);
      if (p.gate != nullptr) gate = load_four<float>(p.gate, (to.gate + column) / 4);
    } else {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        if (k >= count) continue;
        if (p.residual != nullptr)
          residual.at[k] = load(p.residual, p.residual_type, to.residual + column + k);
        if (p.gate != nullptr) gate.at[k] = p.gate[to.gate + column + k];
      }
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      float value = sum.at[k];
      if (p.residual_first) {
        value = activate(value + residual.at[k], p.activation);
      } else {
        value = fmaf(gate.at[k], activate(value, p.activation), residual.at[k]);
      }
      sum.at[k] = value;
    }
    if (p.vectors) return store_four(p.y, p.y_type, (to.y + column) / 4, sum);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (k < count) store(p.y, p.y_type, to.y + column + k, sum.at[k]);
    }
  }
};

} // namespace posed::cuda
