// The machine that kernels are written for: every instruction that C++ has no word for stands here and
// nowhere else. A test compiles the same kernels for the host with a device.cuh of its own.
#pragma once

#include "parameters.h"

/// A kernel named `name` that takes one structure, `p`, with at most `threads` threads a block and room
/// for `blocks` blocks on a multiprocessor.
#define POSED_KERNEL(name, Parameters, threads, blocks)                                                      \
  extern "C" __global__ void __launch_bounds__(threads, blocks)                                              \
      name(const __grid_constant__ posed::cuda::Parameters p)

namespace posed::cuda {

// ---- types ----

struct f16 {
  unsigned short bits;
};
struct bf16 {
  unsigned short bits;
};

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(bf16 value) { return __uint_as_float(unsigned(value.bits) << 16); }
__device__ inline float widen(f16 value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}

/// Round to nearest, ties to even.
template <class T> __device__ inline T narrow(float value);
template <> __device__ inline float narrow<float>(float value) { return value; }
template <> __device__ inline f16 narrow<f16>(float value) {
  f16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
template <> __device__ inline bf16 narrow<bf16>(float value) {
  bf16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}

/// Two elements in a register, `low` at the lower address.
template <class T> __device__ inline unsigned pack(float low, float high);
template <> __device__ inline unsigned pack<f16>(float low, float high) {
  unsigned result;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}
template <> __device__ inline unsigned pack<bf16>(float low, float high) {
  unsigned result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}

// ---- threads ----

__device__ inline void synchronize() { __syncthreads(); }
__device__ inline void synchronize_warp() { __syncwarp(); }
/// The value of the lane whose number differs in `mask`.
__device__ inline float exchange(float value, int mask) { return __shfl_xor_sync(~0u, value, mask); }
/// The value of lane `lane`.
__device__ inline float broadcast(float value, int lane) { return __shfl_sync(~0u, value, lane); }

/// The block's dynamic shared memory, 1024-byte aligned.
__device__ inline unsigned char *shared_memory() {
  extern __shared__ __align__(1024) unsigned char block_memory[];
  return block_memory;
}

// ---- arithmetic ----

__device__ inline float minus_infinity() { return __uint_as_float(0xff800000u); }
/// 2^x, relative error about 2^-22.
__device__ inline float exp2_fast(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
/// x / y, within 2 units in the last place; 0 where y is above 2^126.
__device__ inline float divide_fast(float x, float y) { return __fdividef(x, y); }

// ---- asynchronous copies from global to shared memory, 16 bytes each ----

/// Zeros where `valid` is false; `from` is then not read.
__device__ inline void copy_async(void *to, const void *from, bool valid) {
  unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
               : "memory");
}
/// Makes one group of the copies since the last one.
__device__ inline void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `groups` of this thread's groups are under way.
template <int groups> __device__ inline void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

// ---- tensor cores ----

/// Four 8×8 matrices of 16-bit elements. Lane i gives the address of row i % 8 of matrix i / 8, 16 bytes;
/// of each matrix it gets the elements 2·(i % 4) and the next of row i / 4.
__device__ inline void load_matrices(unsigned (&to)[4], const void *row) {
  unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}
/// The same, each matrix transposed.
__device__ inline void load_matrices_transposed(unsigned (&to)[4], const void *row) {
  unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

/// sum[16×8] += a[16×16] · b[16×8]. With g = lane / 4 and t = lane % 4, sum holds (g, 2t), (g, 2t + 1),
/// (g + 8, 2t), (g + 8, 2t + 1); a the pairs at columns 2t of rows g and g + 8, then the same at columns
/// 2t + 8; b the pairs at rows 2t and 2t + 8 of column g.
template <class T>
__device__ inline void multiply_add(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1);
template <>
__device__ inline void multiply_add<f16>(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
               "{%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <>
__device__ inline void multiply_add<bf16>(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
               "{%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// ---- tensor cores of compute capability 9.0, worked by groups of four warps ----

#ifdef POSED_GROUPS

/// Makes what copies of this thread have brought visible to the groups' products, once others are told.
__device__ inline void publish_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/// Columns 16k … 16k + 15 of a tile of 16-bit elements in shared memory: rows of 128 bytes from a multiple of
/// 1024, chunk c of row r at place c ^ (r % 8).
__device__ inline unsigned long long group_operand(const unsigned char *rows, int k) {
  unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(rows));
  constexpr unsigned long long eight_rows = 1024 >> 4, swizzle_of_128_bytes = 1ull << 62, unused = 1ull << 16;
  return ((address & 0x3ffff) >> 4) + 2 * k | unused | eight_rows << 32 | swizzle_of_128_bytes;
}

#define POSED_SUMS(n)                                                                                        \
  "+f"(sums[n][0]), "+f"(sums[n][1]), "+f"(sums[n][2]), "+f"(sums[n][3]), "+f"(sums[n + 1][0]),              \
      "+f"(sums[n + 1][1]), "+f"(sums[n + 1][2]), "+f"(sums[n + 1][3])

/// Keeps the compiler from moving uses of the sums past this point: products write them unseen.
__device__ inline void hold_sums(float (&sums)[16][4]) {
#pragma unroll
  for (int n = 0; n < 16; n += 2) asm volatile("" : POSED_SUMS(n)::"memory");
}
/// Between the last use of the sums by anything else and the products.
__device__ inline void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
/// Makes one group of the products since the last one.
__device__ inline void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Waits until at most `count` of the groups of products are under way; the sums are in use until then.
template <int count> __device__ inline void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(count) : "memory");
}

#define POSED_GROUP_PRODUCT(type)                                                                            \
  asm volatile(                                                                                              \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type                                           \
      " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "         \
      "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, "           \
      "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, "           \
      "%56, %57, %58, %59, %60, %61, %62, %63}, %64, %65, 1, 1, 1, 0, 0;"                                    \
      : POSED_SUMS(0), POSED_SUMS(2), POSED_SUMS(4), POSED_SUMS(6), POSED_SUMS(8), POSED_SUMS(10),           \
        POSED_SUMS(12), POSED_SUMS(14)                                                                       \
      : "l"(a), "l"(b))

/// sums[64×128] += a[64×16] · b[128×16]ᵀ for the four warps together, begun and not yet done. Warp w of them
/// has rows 16w … 16w + 15, of each 16 × 8 piece what multiply_add's `sum` holds.
template <class T>
__device__ inline void multiply_group(float (&sums)[16][4], unsigned long long a, unsigned long long b);
template <>
__device__ inline void multiply_group<f16>(float (&sums)[16][4], unsigned long long a, unsigned long long b) {
  POSED_GROUP_PRODUCT("f16");
}
template <>
__device__ inline void multiply_group<bf16>(float (&sums)[16][4], unsigned long long a,
                                            unsigned long long b) {
  POSED_GROUP_PRODUCT("bf16");
}

#undef POSED_GROUP_PRODUCT
#undef POSED_SUMS
#endif

} // namespace posed::cuda
